SELECT thread AS group_key,
  sum(prompt_tokens) AS prompt_tokens,
    sum(completion_tokens) AS completion_tokens,
    sum(total_tokens) AS total_tokens,
    sum(prompt_cost) AS prompt_cost,
    sum(completion_cost) AS completion_cost,
    sum(total_cost) AS total_cost,
    sumMap(token_details) AS token_details,
    sumMap(cost_details) AS cost_details
FROM (SELECT anyIf(thread_id, is_root = 1) AS thread,
    sum(prompt_tokens) AS prompt_tokens,
    sum(completion_tokens) AS completion_tokens,
    sum(total_tokens) AS total_tokens,
    sum(prompt_cost) AS prompt_cost,
    sum(completion_cost) AS completion_cost,
    sum(total_cost) AS total_cost,
    sumMap(token_details) AS token_details,
    sumMap(cost_details) AS cost_details
  FROM runs FINAL
  WHERE workspace_id = {p1:UUID}
    AND project_id = {p2:UUID}
    AND trace_id IN (SELECT trace_id FROM runs FINAL
WHERE workspace_id = {p3:UUID}
  AND project_id = {p4:UUID}
  AND is_root = 1
  AND thread_id IN {p0:Array(String)})
  GROUP BY trace_id)
GROUP BY group_key
-- p0 = ['t1','t2']
-- p1 = 00000000-0000-0000-0000-00000000000a
-- p2 = 00000000-0000-0000-0000-00000000000b
-- p3 = 00000000-0000-0000-0000-00000000000a
-- p4 = 00000000-0000-0000-0000-00000000000b

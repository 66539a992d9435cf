SELECT trace_id, count() AS runs, countIf(run_type IN ('llm', 'embedding')) AS models,
    sum(prompt_tokens) AS prompt_tokens,
    sum(completion_tokens) AS completion_tokens,
    sum(total_tokens) AS total_tokens,
    sum(prompt_cost) AS prompt_cost,
    sum(completion_cost) AS completion_cost,
    sum(total_cost) AS total_cost,
    sumMap(token_details) AS token_details,
    sumMap(cost_details) AS cost_details
FROM runs FINAL
WHERE workspace_id = {p0:UUID}
  AND project_id IN {p1:Array(UUID)}
  AND trace_id = {p2:UUID}
  AND id != trace_id
GROUP BY trace_id
-- p0 = 00000000-0000-0000-0000-00000000000a
-- p1 = ['00000000-0000-0000-0000-000000000000','00000000-0000-0000-0000-00000000000b']
-- p2 = 00000000-0000-0000-0000-000000000001

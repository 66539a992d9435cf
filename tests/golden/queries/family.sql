SELECT id, project_id, start_time, dotted_order, prompt_tokens, completion_tokens, total_tokens, prompt_cost, completion_cost, total_cost, token_details, cost_details
FROM runs FINAL
WHERE workspace_id = {p0:UUID}
  AND trace_id = {p1:UUID}
ORDER BY identity(start_time), id
LIMIT 100
-- p0 = 00000000-0000-0000-0000-00000000000a
-- p1 = 00000000-0000-0000-0000-000000000001

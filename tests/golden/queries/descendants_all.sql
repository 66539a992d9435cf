SELECT id, dotted_order, prompt_tokens, completion_tokens, total_tokens, prompt_cost, completion_cost, total_cost, token_details, cost_details
FROM runs FINAL
WHERE workspace_id = {p0:UUID}
  AND project_id = {p1:UUID}
  AND start_time >= fromUnixTimestamp64Micro({p2:Int64}, 'UTC')
  AND trace_id = {p3:UUID}
  AND (total_tokens > 0 OR total_cost IS NOT NULL OR prompt_tokens > 0 OR completion_tokens > 0)
ORDER BY id
-- p0 = 00000000-0000-0000-0000-00000000000a
-- p1 = 00000000-0000-0000-0000-00000000000b
-- p2 = 1768910340000000
-- p3 = 00000000-0000-0000-0000-000000000001

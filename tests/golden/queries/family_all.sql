SELECT id, project_id, start_time, dotted_order, prompt_tokens, completion_tokens, total_tokens, prompt_cost, completion_cost, total_cost, token_details, cost_details
FROM runs FINAL
WHERE workspace_id = {p3:UUID}
  AND (project_id IN {p0:Array(UUID)} OR start_time <= fromUnixTimestamp64Micro({p2:Int64}, 'UTC'))
  AND start_time >= fromUnixTimestamp64Micro({p1:Int64}, 'UTC')
  AND trace_id = {p4:UUID}
ORDER BY identity(start_time), id
-- p0 = ['00000000-0000-0000-0000-00000000000b','00000000-0000-0000-0000-000000000000']
-- p1 = 1768824000000005
-- p2 = 1768996800000005
-- p3 = 00000000-0000-0000-0000-00000000000a
-- p4 = 00000000-0000-0000-0000-000000000001

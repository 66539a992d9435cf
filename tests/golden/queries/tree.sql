SELECT UUIDToNum(id) AS ids, UUIDToNum(parent_run_id) AS parents, UUIDToNum(project_id) AS projects,
  name AS names, run_type AS types, status AS statuses, toUnixTimestamp64Micro(start_time) AS starts,
  toUnixTimestamp64Micro(end_time) - toUnixTimestamp64Micro(start_time) AS took,
  total_tokens AS tokens, toFloat64(total_cost) AS costs
FROM runs FINAL
WHERE workspace_id = {p0:UUID}
  AND trace_id = {p1:UUID}
ORDER BY identity(start_time), id
LIMIT 100
-- p0 = 00000000-0000-0000-0000-00000000000a
-- p1 = 00000000-0000-0000-0000-000000000001

SELECT UUIDToNum(id) AS ids, UUIDToNum(project_id) AS projects,
  UUIDToNum(ifNull(parent_run_id, toUUID('00000000-0000-0000-0000-000000000000'))) AS parents,
  name AS names, run_type AS types, status AS statuses, toUnixTimestamp64Micro(start_time) AS starts,
  if(isNull(end_time), -1, greatest(0, toUnixTimestamp64Micro(assumeNotNull(end_time)) - toUnixTimestamp64Micro(start_time))) AS took,
  toInt64(total_tokens) AS tokens, ifNull(toFloat64(total_cost), 0) AS costs
FROM runs FINAL
WHERE workspace_id = {p0:UUID}
  AND trace_id = {p1:UUID}
ORDER BY identity(start_time), id
LIMIT 100
-- p0 = 00000000-0000-0000-0000-00000000000a
-- p1 = 00000000-0000-0000-0000-000000000001

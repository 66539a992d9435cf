SELECT id, inputs, is_root, name, project_id, start_time, trace_id
FROM runs FINAL
WHERE workspace_id = {p0:UUID}
  AND project_id = {p1:UUID}
  AND is_root = 1
  AND (start_time, id) > (fromUnixTimestamp64Micro({p2:Int64}, 'UTC'), {p3:UUID})
ORDER BY start_time ASC, id ASC
LIMIT 100
-- p0 = 00000000-0000-0000-0000-00000000000a
-- p1 = 00000000-0000-0000-0000-00000000000b
-- p2 = 1768910400000000
-- p3 = 00000000-0000-0000-0000-000000000001

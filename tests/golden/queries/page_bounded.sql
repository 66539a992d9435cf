SELECT id, inputs, is_root, name, project_id, start_time, trace_id
FROM runs FINAL
WHERE workspace_id = {p0:UUID}
  AND project_id = {p1:UUID}
  AND is_root = 1
  AND start_time >= fromUnixTimestamp64Micro({p2:Int64}, 'UTC')
  AND start_time <= fromUnixTimestamp64Micro({p3:Int64}, 'UTC')
ORDER BY start_time DESC, id DESC
LIMIT 5
-- p0 = 00000000-0000-0000-0000-00000000000a
-- p1 = 00000000-0000-0000-0000-00000000000b
-- p2 = 1768910400000000
-- p3 = 1768914000000000

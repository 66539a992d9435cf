SELECT id, inputs, is_root, name, project_id, start_time, trace_id
FROM runs FINAL
WHERE workspace_id = {p0:UUID}
  AND project_id = {p1:UUID}
  AND is_root = 1
ORDER BY start_time DESC, id DESC
LIMIT 5 OFFSET 10
-- p0 = 00000000-0000-0000-0000-00000000000a
-- p1 = 00000000-0000-0000-0000-00000000000b

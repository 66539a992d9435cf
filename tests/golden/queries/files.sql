SELECT project_id, is_root, start_time, id, trace_id, attachments
FROM runs FINAL
WHERE workspace_id = {p0:UUID}
  AND trace_id = {p1:UUID}
  AND attachments != ''
-- p0 = 00000000-0000-0000-0000-00000000000a
-- p1 = 00000000-0000-0000-0000-000000000001

SELECT project_id, max(start_time) AS last
FROM runs FINAL
WHERE workspace_id = {p0:UUID}
GROUP BY project_id
-- p0 = 00000000-0000-0000-0000-00000000000a

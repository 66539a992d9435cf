SELECT workspace_id, id, home, run_id, key, created_at, modified_at, version, deleted
FROM feedback
WHERE workspace_id IN {p0:Array(UUID)}
  AND id IN {p1:Array(UUID)}
ORDER BY version DESC
LIMIT 1 BY workspace_id, id
-- p0 = ['00000000-0000-0000-0000-00000000000a','00000000-0000-0000-0000-00000000000c']
-- p1 = ['00000000-0000-0000-0000-000000000001','00000000-0000-0000-0000-000000000002']

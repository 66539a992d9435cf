SELECT count() AS runs
FROM runs FINAL
WHERE workspace_id = {p0:UUID}
  AND project_id = {p1:UUID}
  AND is_root = 1
  AND has(tags, {p3:String})
-- p0 = 00000000-0000-0000-0000-00000000000a
-- p1 = 00000000-0000-0000-0000-00000000000b
-- p2 = 00000000-0000-0000-0000-00000000000b
-- p3 = x

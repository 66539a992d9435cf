SELECT DISTINCT assumeNotNull(reference_example_id) AS example
FROM runs FINAL
WHERE workspace_id = {p0:UUID}
  AND project_id = {p1:UUID}
  AND is_root = 1
  AND reference_example_id IS NOT NULL
-- p0 = 00000000-0000-0000-0000-00000000000a
-- p1 = 00000000-0000-0000-0000-00000000000b

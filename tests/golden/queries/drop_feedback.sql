ALTER TABLE feedback DELETE WHERE workspace_id = {p0:UUID} AND (home IN {p1:Array(UUID)}
  OR home = '00000000-0000-0000-0000-000000000000' AND (project_id IN {p1:Array(UUID)} OR run_id IN (SELECT id FROM runs WHERE workspace_id = {p0:UUID} AND project_id IN {p1:Array(UUID)}
    AND id NOT IN (SELECT id FROM runs FINAL WHERE workspace_id = {p0:UUID} AND project_id NOT IN {p1:Array(UUID)}
      AND id IN (SELECT id FROM runs WHERE workspace_id = {p0:UUID} AND project_id IN {p1:Array(UUID)})))))
-- p0 = 00000000-0000-0000-0000-00000000000a
-- p1 = ['00000000-0000-0000-0000-00000000000b']

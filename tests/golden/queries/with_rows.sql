SELECT DISTINCT workspace_id, project_id FROM runs WHERE project_id IN {p0:Array(UUID)}
UNION DISTINCT
SELECT DISTINCT workspace_id, project_id FROM feedback WHERE home IN {p0:Array(UUID)} OR home = '00000000-0000-0000-0000-000000000000' AND project_id IN {p0:Array(UUID)}
-- p0 = ['00000000-0000-0000-0000-00000000000b']

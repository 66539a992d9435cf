SELECT DISTINCT trace_id FROM feedback FINAL
WHERE workspace_id = {p0:UUID} AND home = {p1:UUID} AND trace_id = {p2:UUID}
  AND run_id != '00000000-0000-0000-0000-000000000000' AND if(JSONExtractString(source, 'metadata', 'honeyhive') IN ('metrics', 'feedback'), JSONExtractString(source, 'metadata', 'honeyhive') = 'feedback', source_type = 'app')
UNION DISTINCT
SELECT DISTINCT trace_id FROM runs FINAL
WHERE workspace_id = {p3:UUID}
  AND project_id IN {p4:Array(UUID)}
  AND trace_id = {p5:UUID}
  AND id IN (SELECT run_id FROM feedback FINAL WHERE workspace_id = {p0:UUID} AND home = '00000000-0000-0000-0000-000000000000' AND run_id != '00000000-0000-0000-0000-000000000000' AND if(JSONExtractString(source, 'metadata', 'honeyhive') IN ('metrics', 'feedback'), JSONExtractString(source, 'metadata', 'honeyhive') = 'feedback', source_type = 'app'))
-- p0 = 00000000-0000-0000-0000-00000000000a
-- p1 = 00000000-0000-0000-0000-00000000000b
-- p2 = 00000000-0000-0000-0000-000000000001
-- p3 = 00000000-0000-0000-0000-00000000000a
-- p4 = ['00000000-0000-0000-0000-000000000000','00000000-0000-0000-0000-00000000000b']
-- p5 = 00000000-0000-0000-0000-000000000001

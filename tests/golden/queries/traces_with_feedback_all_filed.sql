SELECT DISTINCT trace_id FROM feedback FINAL
WHERE workspace_id = {p0:UUID} AND home = {p1:UUID} AND trace_id = {p2:UUID}
  AND run_id != '00000000-0000-0000-0000-000000000000' AND if(JSONExtractString(source, 'metadata', 'honeyhive') IN ('metrics', 'feedback'), JSONExtractString(source, 'metadata', 'honeyhive') = 'feedback', source_type = 'app')
-- p0 = 00000000-0000-0000-0000-00000000000a
-- p1 = 00000000-0000-0000-0000-00000000000b
-- p2 = 00000000-0000-0000-0000-000000000001

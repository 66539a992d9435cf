SELECT id, trace_id, version FROM (
  SELECT id, trace_id, version FROM runs WHERE workspace_id = {p0:UUID} AND version > {p1:Int64}
  UNION ALL
  SELECT run_id AS id, trace_id, version FROM feedback WHERE workspace_id = {p0:UUID} AND version > {p1:Int64} AND run_id != '00000000-0000-0000-0000-000000000000'
)
ORDER BY version
LIMIT 5000 WITH TIES
-- p0 = 00000000-0000-0000-0000-00000000000a
-- p1 = 1790000000000000

SELECT id, inputs, is_root, name, project_id, start_time, trace_id
FROM runs FINAL
WHERE workspace_id = {p0:UUID}
  AND project_id = {p1:UUID}
  AND (id IN (SELECT run_id FROM feedback FINAL WHERE workspace_id = {p5:UUID} AND (home IN {p6:Array(UUID)} OR home = '00000000-0000-0000-0000-000000000000') AND key = {p3:String} AND ifNull(score > {p4:Float64}, 0)) OR project_id IN {p18:Array(UUID)} AND id IN (SELECT run_id FROM (SELECT run_id, {p12:String} AS key, ({p13:Float64} * s0 + {p14:Float64} * s1) / {p15:Float64} AS score, '' AS value, CAST(NULL, 'Nullable(String)') AS comment, '' AS source_type FROM (SELECT run_id, avgIf(score, key = {p7:String}) AS s0, avgIf(score, key = {p8:String}) AS s1 FROM feedback FINAL WHERE workspace_id = {p10:UUID} AND (home IN {p11:Array(UUID)} OR home = '00000000-0000-0000-0000-000000000000') AND key IN {p9:Array(String)} AND score IS NOT NULL GROUP BY run_id)) WHERE isFinite(score) AND key = {p16:String} AND ifNull(score > {p17:Float64}, 0)))
ORDER BY identity(start_time) DESC, id DESC
LIMIT 100
-- p0 = 00000000-0000-0000-0000-00000000000a
-- p1 = 00000000-0000-0000-0000-00000000000b
-- p2 = 00000000-0000-0000-0000-00000000000b
-- p3 = it's all
-- p4 = 0.5
-- p5 = 00000000-0000-0000-0000-00000000000a
-- p6 = ['00000000-0000-0000-0000-00000000000b']
-- p7 = correct
-- p8 = polite
-- p9 = ['correct','polite']
-- p10 = 00000000-0000-0000-0000-00000000000a
-- p11 = ['00000000-0000-0000-0000-00000000000b']
-- p12 = it's all
-- p13 = 2.0
-- p14 = 1.0
-- p15 = 3.0
-- p16 = it's all
-- p17 = 0.5
-- p18 = ['00000000-0000-0000-0000-00000000000b']

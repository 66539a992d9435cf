SELECT group_key, key, count(score) AS n, avg(score) AS avg, stddevPop(score) AS stdev, min(score) AS min, max(score) AS max
FROM (SELECT group_key, found.1 AS key, found.2 AS score
  FROM (SELECT group_key, arrayJoin([
    ({p2:String}, if(project = {p3:UUID}, ({p4:Float64} * s0 + {p5:Float64} * s1) / {p6:Float64}, NULL)),
    ({p7:String}, if(project IN {p8:Array(UUID)}, ({p9:Float64} * s0), NULL))]) AS found
  FROM (SELECT toString(project) AS group_key, project, avgIf(score, key = {p0:String}) AS s0, avgIf(score, key = {p1:String}) AS s1
  FROM (SELECT run_id, key, score, value, comment, source, source_type, error, home AS project, '' AS thread
  FROM feedback FINAL WHERE workspace_id = {p11:UUID} AND run_id != '00000000-0000-0000-0000-000000000000' AND key IN {p10:Array(String)} AND score IS NOT NULL AND home IN {p12:Array(UUID)} AND is_root = 1
  UNION ALL
  SELECT run_id, key, score, value, comment, source, source_type, error, project, thread
  FROM (SELECT run_id, key, score, value, comment, source, source_type, error FROM feedback FINAL WHERE workspace_id = {p11:UUID} AND run_id != '00000000-0000-0000-0000-000000000000' AND key IN {p10:Array(String)} AND score IS NOT NULL AND home = '00000000-0000-0000-0000-000000000000') AS f
  INNER JOIN (SELECT id AS chosen_id, project_id AS project, thread_id AS thread FROM runs FINAL
WHERE workspace_id = {p14:UUID}
  AND project_id IN {p15:Array(UUID)}
  AND is_root = 1
  AND id IN (SELECT run_id FROM feedback WHERE workspace_id = {p13:UUID} AND home = '00000000-0000-0000-0000-000000000000' AND run_id != '00000000-0000-0000-0000-000000000000')) AS r ON f.run_id = r.chosen_id)
  GROUP BY group_key, project, run_id)))
WHERE isFinite(score)
GROUP BY group_key, key
-- p0 = correct
-- p1 = polite
-- p2 = it's all
-- p3 = 00000000-0000-0000-0000-00000000000b
-- p4 = 2.0
-- p5 = 1.0
-- p6 = 3.0
-- p7 = sum
-- p8 = ['00000000-0000-0000-0000-00000000000b','00000000-0000-0000-0000-00000000000c']
-- p9 = -0.5
-- p10 = ['correct','polite']
-- p11 = 00000000-0000-0000-0000-00000000000a
-- p12 = ['00000000-0000-0000-0000-00000000000b','00000000-0000-0000-0000-00000000000c']
-- p13 = 00000000-0000-0000-0000-00000000000a
-- p14 = 00000000-0000-0000-0000-00000000000a
-- p15 = ['00000000-0000-0000-0000-00000000000b','00000000-0000-0000-0000-00000000000c']

SELECT group_key, key, count(score) AS n, avg(score) AS avg, stddevPop(score) AS stdev, min(score) AS min, max(score) AS max
FROM (SELECT group_key, found.1 AS key, found.2 AS score
  FROM (SELECT group_key, arrayJoin([
    ({p2:String}, if(project = {p3:UUID}, ({p4:Float64} * s0 + {p5:Float64} * s1) / {p6:Float64}, NULL))]) AS found
  FROM (SELECT toString(run_id) AS group_key, project, avgIf(score, key = {p0:String}) AS s0, avgIf(score, key = {p1:String}) AS s1
  FROM (SELECT run_id, key, score, value, comment, source, source_type, error, project, thread
  FROM (SELECT run_id, key, score, value, comment, source, source_type, error FROM feedback FINAL WHERE workspace_id = {p8:UUID} AND run_id != '00000000-0000-0000-0000-000000000000' AND key IN {p7:Array(String)} AND score IS NOT NULL AND (home = {p9:UUID} OR home = '00000000-0000-0000-0000-000000000000')) AS f
  INNER JOIN (SELECT id AS chosen_id, project_id AS project, thread_id AS thread FROM runs FINAL
WHERE workspace_id = {p10:UUID}
  AND project_id = {p11:UUID}
  AND is_root = 1
  AND has(tags, {p13:String})) AS r ON f.run_id = r.chosen_id)
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
-- p7 = ['correct','polite']
-- p8 = 00000000-0000-0000-0000-00000000000a
-- p9 = 00000000-0000-0000-0000-00000000000b
-- p10 = 00000000-0000-0000-0000-00000000000a
-- p11 = 00000000-0000-0000-0000-00000000000b
-- p12 = 00000000-0000-0000-0000-00000000000b
-- p13 = x

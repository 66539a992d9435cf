SELECT group_key, key, count(score) AS n, avg(score) AS avg, stddevPop(score) AS stdev, min(score) AS min, max(score) AS max
FROM (SELECT group_key, found.1 AS key, found.2 AS score
  FROM (SELECT group_key, arrayJoin([
    ({p2:String}, if(project = {p3:UUID}, ({p4:Float64} * s0 + {p5:Float64} * s1) / {p6:Float64}, NULL))]) AS found
  FROM (SELECT toString(bucket) AS group_key, project, avgIf(score, key = {p0:String}) AS s0, avgIf(score, key = {p1:String}) AS s1
  FROM (SELECT run_id, key, score, value, comment, source, source_type, error, home AS project, '' AS thread, toUnixTimestamp64Micro(assumeNotNull(start_time)) - positiveModulo(toUnixTimestamp64Micro(assumeNotNull(start_time)) - 1768910400000000, 3600000000) AS bucket
  FROM feedback FINAL WHERE workspace_id = {p8:UUID} AND run_id != '00000000-0000-0000-0000-000000000000' AND key IN {p7:Array(String)} AND score IS NOT NULL AND home = {p9:UUID} AND is_root = 1)
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

SELECT trace_id, oldest, youngest, runs, even_judged, projects
FROM (
  SELECT trace_id, min(start) AS oldest, max(start) AS youngest, count() AS runs,
    min(touched < multiIf(project_id IN {p2:Array(UUID)}, {p3:Int64}, project_id IN {p4:Array(UUID)}, {p5:Int64}, {p1:Int64})) AS due, min(touched < multiIf(project_id IN {p7:Array(UUID)}, {p8:Int64}, project_id IN {p9:Array(UUID)}, {p10:Int64}, {p6:Int64})) AS even_judged, groupUniqArray(project_id) AS projects
  FROM (
    SELECT trace_id, project_id, toUnixTimestamp64Micro(start_time) AS start, greatest(if(toUnixTimestamp64Micro(start_time) > {p0:Int64}, 0, toUnixTimestamp64Micro(start_time)), if(toInt64(version) > {p0:Int64}, toUnixTimestamp64Micro(received_at), toInt64(version))) AS touched
    FROM runs FINAL
    WHERE workspace_id = {p11:UUID} AND (start_time < fromUnixTimestamp64Micro({p12:Int64}, 'UTC') OR start_time > fromUnixTimestamp64Micro({p13:Int64}, 'UTC')) AND project_id NOT IN {p14:Array(UUID)}
  )
  GROUP BY trace_id
)
WHERE due
ORDER BY oldest, trace_id
LIMIT 20000
-- p0 = 1768996800000000
-- p1 = 1766318400000000
-- p2 = ['00000000-0000-0000-0000-00000000000b']
-- p3 = 1763726400000000
-- p4 = ['00000000-0000-0000-0000-00000000000c']
-- p5 = 0
-- p6 = 0
-- p7 = ['00000000-0000-0000-0000-00000000000b']
-- p8 = 1761134400000000
-- p9 = ['00000000-0000-0000-0000-00000000000c']
-- p10 = 0
-- p11 = 00000000-0000-0000-0000-00000000000a
-- p12 = 1766318400000000
-- p13 = 1768996800000000
-- p14 = ['00000000-0000-0000-0000-00000000000c']

SELECT trace_id, oldest, youngest, runs, even_judged, projects
FROM (
  SELECT trace_id, min(start) AS oldest, max(start) AS youngest, count() AS runs,
    min(touched < multiIf(project_id IN {p2:Array(UUID)}, {p3:Int64}, {p1:Int64})) AS due, min(touched < multiIf(project_id IN {p5:Array(UUID)}, {p6:Int64}, {p4:Int64})) AS even_judged, groupUniqArray(project_id) AS projects
  FROM (
    SELECT trace_id, project_id, toUnixTimestamp64Micro(start_time) AS start, greatest(if(toUnixTimestamp64Micro(start_time) > {p0:Int64}, 0, toUnixTimestamp64Micro(start_time)), if(toInt64(version) > {p0:Int64}, toUnixTimestamp64Micro(received_at), toInt64(version))) AS touched
    FROM runs FINAL
    WHERE workspace_id = {p10:UUID} AND project_id NOT IN {p9:Array(UUID)} AND (start_time < fromUnixTimestamp64Micro({p11:Int64}, 'UTC') OR start_time > fromUnixTimestamp64Micro({p12:Int64}, 'UTC')) AND project_id IN {p13:Array(UUID)}
  )
  GROUP BY trace_id
)
WHERE due
  AND (oldest, trace_id) > ({p7:Int64}, {p8:UUID})
ORDER BY oldest, trace_id
LIMIT 10
-- p0 = 1768996800000000
-- p1 = 0
-- p2 = ['00000000-0000-0000-0000-00000000000b']
-- p3 = 1766318400000000
-- p4 = 0
-- p5 = ['00000000-0000-0000-0000-00000000000b']
-- p6 = 0
-- p7 = 5
-- p8 = 00000000-0000-0000-0000-000000000001
-- p9 = ['00000000-0000-0000-0000-00000000000c']
-- p10 = 00000000-0000-0000-0000-00000000000a
-- p11 = 1766318400000000
-- p12 = 1768996800000000
-- p13 = ['00000000-0000-0000-0000-00000000000b']

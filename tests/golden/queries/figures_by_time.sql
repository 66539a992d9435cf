SELECT bucket, group_key, count(measure) AS counted, ifNull(quantileExactInclusive(0.95)(measure), nan) AS value
FROM (SELECT toUnixTimestamp64Micro(toDateTime64(toMonday(start_time), 6, 'UTC')) AS bucket, multiIf(is_root = 1, {p2:String}, has(tags, {p4:String}), nullIf(toString(name), ''), NULL) AS group_key,
    CAST((toUnixTimestamp64Micro(end_time) - toUnixTimestamp64Micro(start_time)) / 1000000 * {p0:Float64}, 'Nullable(Float64)') AS measure
  FROM runs AS r FINAL
  WHERE workspace_id = {p5:UUID}
  AND project_id = {p6:UUID}
  AND is_root = 1
  AND start_time >= fromUnixTimestamp64Micro({p7:Int64}, 'UTC')
  AND start_time <= fromUnixTimestamp64Micro({p8:Int64}, 'UTC'))
GROUP BY bucket, group_key
HAVING counted > 0
ORDER BY bucket, counted DESC, group_key NULLS LAST
LIMIT 100 BY bucket
LIMIT 10000
-- p0 = 1000.0
-- p1 = 00000000-0000-0000-0000-00000000000b
-- p2 = root
-- p3 = 00000000-0000-0000-0000-00000000000b
-- p4 = x
-- p5 = 00000000-0000-0000-0000-00000000000a
-- p6 = 00000000-0000-0000-0000-00000000000b
-- p7 = 1768910400000000
-- p8 = 1768914000000000

SELECT bucket, group_key, count(measure) AS counted, ifNull(sum(measure), nan) AS value
FROM (SELECT toUnixTimestamp64Micro(toDateTime64(toStartOfDay(start_time), 6, 'UTC')) AS bucket, '' AS group_key,
    CAST(multiIf(is_root = 1, toFloat64(ifNull(sum0x, 0)), has(tags, {p6:String}), toFloat64(total_cost), NULL), 'Nullable(Float64)') AS measure
  FROM runs AS r FINAL
  LEFT JOIN (SELECT trace_id AS trace0, sumIf(total_cost, has(tags, {p2:String})) AS sum0x FROM runs FINAL WHERE workspace_id = {p3:UUID} AND project_id = {p4:UUID} GROUP BY trace_id) AS j0 ON r.trace_id = j0.trace0
  WHERE workspace_id = {p7:UUID}
  AND project_id = {p8:UUID}
  AND is_root = 1)
GROUP BY bucket, group_key
HAVING counted > 0
ORDER BY bucket, counted DESC, group_key NULLS LAST
LIMIT 100 BY bucket
LIMIT 10000
-- p0 = 00000000-0000-0000-0000-00000000000b
-- p1 = 00000000-0000-0000-0000-00000000000b
-- p2 = y
-- p3 = 00000000-0000-0000-0000-00000000000a
-- p4 = 00000000-0000-0000-0000-00000000000b
-- p5 = 00000000-0000-0000-0000-00000000000b
-- p6 = x
-- p7 = 00000000-0000-0000-0000-00000000000a
-- p8 = 00000000-0000-0000-0000-00000000000b

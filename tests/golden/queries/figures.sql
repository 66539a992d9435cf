SELECT bucket, group_key, count(measure) AS counted, ifNull(toFloat64(count(measure)), nan) AS value
FROM (SELECT toInt64(0) AS bucket, '' AS group_key,
    CAST(1., 'Nullable(Float64)') AS measure
  FROM runs AS r FINAL
  WHERE workspace_id = {p0:UUID})
GROUP BY bucket, group_key
HAVING counted > 0
ORDER BY bucket, counted DESC, group_key NULLS LAST
LIMIT 100 BY bucket
LIMIT 10000
-- p0 = 00000000-0000-0000-0000-00000000000a

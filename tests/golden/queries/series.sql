SELECT toUnixTimestamp64Micro(start_time) - positiveModulo(toUnixTimestamp64Micro(start_time) - 1768910400000000, 3600000000) AS bucket,
  toString(name) AS group_key,
  count() AS run_count,
  quantilesExactInclusiveIf(0.5, 0.99)((toUnixTimestamp64Micro(end_time) - toUnixTimestamp64Micro(start_time)) / 1000000, end_time IS NOT NULL) AS latency,
  avgIf((toUnixTimestamp64Micro(end_time) - toUnixTimestamp64Micro(start_time)), end_time IS NOT NULL) / 1000000 AS latency_avg,
  quantilesExactInclusiveIf(0.5, 0.99)((toUnixTimestamp64Micro(first_token_time) - toUnixTimestamp64Micro(start_time)) / 1000000, first_token_time IS NOT NULL) AS first_token,
  max(start_time) AS last_run_start_time,
  countIf(status = 'error') AS errors,
  countIf(end_time IS NOT NULL) AS finished,
  countIf(end_time IS NOT NULL AND first_token_time IS NOT NULL) AS streamed
FROM runs FINAL
WHERE workspace_id = {p0:UUID}
  AND project_id = {p1:UUID}
  AND is_root = 1
  AND start_time >= fromUnixTimestamp64Micro({p2:Int64}, 'UTC')
  AND start_time <= fromUnixTimestamp64Micro({p3:Int64}, 'UTC')
GROUP BY bucket, group_key
ORDER BY bucket, run_count DESC, group_key
LIMIT 10 BY bucket
-- p0 = 00000000-0000-0000-0000-00000000000a
-- p1 = 00000000-0000-0000-0000-00000000000b
-- p2 = 1768910400000000
-- p3 = 1768914000000000

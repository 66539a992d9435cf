SELECT metadata[{p0:String}] AS group_key,
  count() AS run_count,
  quantilesExactInclusiveIf(0.5, 0.99)((toUnixTimestamp64Micro(end_time) - toUnixTimestamp64Micro(start_time)) / 1000000, end_time IS NOT NULL) AS latency,
  avgIf((toUnixTimestamp64Micro(end_time) - toUnixTimestamp64Micro(start_time)), end_time IS NOT NULL) / 1000000 AS latency_avg,
  quantilesExactInclusiveIf(0.5, 0.99)((toUnixTimestamp64Micro(first_token_time) - toUnixTimestamp64Micro(start_time)) / 1000000, first_token_time IS NOT NULL) AS first_token,
  max(start_time) AS last_run_start_time,
  countIf(status = 'error') AS errors,
  countIf(end_time IS NOT NULL) AS finished,
  countIf(end_time IS NOT NULL AND first_token_time IS NOT NULL) AS streamed
FROM runs FINAL
WHERE workspace_id = {p1:UUID}
  AND project_id = {p2:UUID}
  AND is_root = 1
  AND has(tags, {p4:String})
  AND mapContains(metadata, {p5:String})
GROUP BY group_key
ORDER BY run_count DESC, group_key
LIMIT 5
-- p0 = env
-- p1 = 00000000-0000-0000-0000-00000000000a
-- p2 = 00000000-0000-0000-0000-00000000000b
-- p3 = 00000000-0000-0000-0000-00000000000b
-- p4 = x
-- p5 = env

SELECT arrayJoin(arrayFilter(number -> number >= 0, [if(status = {p0:String}, 0, -1), if(has(tags, {p1:String}), 1, -1)])) AS part,
  toUnixTimestamp64Micro(start_time) - positiveModulo(toUnixTimestamp64Micro(start_time) - 0, 3600000000) AS bucket,
  '' AS group_key,
  count() AS run_count,
  quantilesExactInclusiveIf(0.5, 0.99)((toUnixTimestamp64Micro(end_time) - toUnixTimestamp64Micro(start_time)) / 1000000, end_time IS NOT NULL) AS latency,
  avgIf((toUnixTimestamp64Micro(end_time) - toUnixTimestamp64Micro(start_time)), end_time IS NOT NULL) / 1000000 AS latency_avg,
  quantilesExactInclusiveIf(0.5, 0.99)((toUnixTimestamp64Micro(first_token_time) - toUnixTimestamp64Micro(start_time)) / 1000000, first_token_time IS NOT NULL) AS first_token,
  max(start_time) AS last_run_start_time,
  countIf(status = 'error') AS errors,
  countIf(end_time IS NOT NULL) AS finished,
  countIf(end_time IS NOT NULL AND first_token_time IS NOT NULL) AS streamed,
  sum(prompt_tokens) AS prompt_tokens,
  sum(completion_tokens) AS completion_tokens,
  sum(total_tokens) AS total_tokens,
  quantilesExactInclusiveIf(0.5, 0.99)(total_tokens, total_tokens > 0) AS tokens_quantiles,
  quantilesExactInclusiveIf(0.5, 0.99)(prompt_tokens, prompt_tokens > 0) AS prompt_quantiles,
  quantilesExactInclusiveIf(0.5, 0.99)(completion_tokens, completion_tokens > 0) AS completion_quantiles,
  sum(prompt_cost) AS prompt_cost,
  sum(completion_cost) AS completion_cost,
  sum(total_cost) AS total_cost,
  quantilesExactInclusiveIf(0.5, 0.99)(toFloat64(total_cost), total_cost IS NOT NULL) AS cost_quantiles,
  sumMap(token_details) AS token_details,
  sumMap(cost_details) AS cost_details
FROM runs FINAL
WHERE workspace_id = {p2:UUID}
  AND project_id = {p3:UUID}
  AND is_root = 1
  AND start_time >= fromUnixTimestamp64Micro({p4:Int64}, 'UTC')
  AND start_time <= fromUnixTimestamp64Micro({p5:Int64}, 'UTC')
GROUP BY part, bucket, group_key
ORDER BY part, bucket, run_count DESC, group_key
LIMIT 10 BY part, bucket
-- p0 = error
-- p1 = x
-- p2 = 00000000-0000-0000-0000-00000000000a
-- p3 = 00000000-0000-0000-0000-00000000000b
-- p4 = 1768910400000000
-- p5 = 1768914000000000

SELECT bucket, '' AS group_key,
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
FROM (SELECT maxIf(0, is_root = 1) AS bucket,
    sum(prompt_tokens) AS prompt_tokens,
    sum(completion_tokens) AS completion_tokens,
    sum(total_tokens) AS total_tokens,
    sum(prompt_cost) AS prompt_cost,
    sum(completion_cost) AS completion_cost,
    sum(total_cost) AS total_cost,
    sumMap(token_details) AS token_details,
    sumMap(cost_details) AS cost_details
  FROM runs FINAL
  WHERE workspace_id = {p0:UUID}
    AND project_id = {p1:UUID}
    AND start_time >= fromUnixTimestamp64Micro({p2:Int64}, 'UTC')
  GROUP BY trace_id
  HAVING max(is_root = 1 AND start_time >= fromUnixTimestamp64Micro({p3:Int64}, 'UTC') AND start_time <= fromUnixTimestamp64Micro({p4:Int64}, 'UTC')))
GROUP BY bucket, group_key
-- p0 = 00000000-0000-0000-0000-00000000000a
-- p1 = 00000000-0000-0000-0000-00000000000b
-- p2 = 1768910340000000
-- p3 = 1768910400000000
-- p4 = 1768914000000000

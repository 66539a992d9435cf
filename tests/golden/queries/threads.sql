SELECT thread_id, count() AS turns, argMin(trace_id, (start_time, id)) AS first_trace,
  argMax(trace_id, (start_time, id)) AS last_trace, min(start_time) AS min_start_time,
  max(start_time) AS max_start_time, quantilesExactInclusiveIf(0.5, 0.99)((toUnixTimestamp64Micro(end_time) - toUnixTimestamp64Micro(start_time)) / 1000000, end_time IS NOT NULL) AS latency,
  argMax(tuple(error), (start_time, id)).1 AS last_error, count() OVER () AS threads
FROM runs FINAL
WHERE workspace_id = {p0:UUID}
  AND project_id = {p1:UUID}
  AND is_root = 1
  AND thread_id != ''
GROUP BY thread_id
ORDER BY max_start_time DESC, thread_id
LIMIT 20 OFFSET 40
-- p0 = 00000000-0000-0000-0000-00000000000a
-- p1 = 00000000-0000-0000-0000-00000000000b

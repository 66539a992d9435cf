-- gte(start_time, "2024-05-01T12:30:00Z")
start_time >= fromUnixTimestamp64Micro({p0:Int64}, 'UTC')
-- p0 = 1714566600000000

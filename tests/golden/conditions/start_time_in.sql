-- in(start_time, [1714566600])
ifNull(toUnixTimestamp64Micro(start_time) IN {p0:Array(Float64)}, 0)
-- p0 = [1714566600000000.0]

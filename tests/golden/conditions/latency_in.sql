-- in(latency, [1, 2])
ifNull(dateDiff('microsecond', start_time, end_time) IN {p0:Array(Float64)}, 0)
-- p0 = [1000000.0,2000000.0]

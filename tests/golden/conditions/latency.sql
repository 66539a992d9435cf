-- gt(latency, "1.5s")
ifNull(dateDiff('microsecond', start_time, end_time) > {p0:Int64}, 0)
-- p0 = 1500000

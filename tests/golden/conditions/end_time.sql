-- lt(end_time, "2024-05-01")
ifNull(end_time < fromUnixTimestamp64Micro({p0:Int64}, 'UTC'), 0)
-- p0 = 1714521600000000

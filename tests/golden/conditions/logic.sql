-- and(eq(is_root, true), or(neq(error, null), gt(latency, "5s")), not(has(tags, "dev")))
(is_root = 1 AND (NOT (isNull(error)) OR ifNull(dateDiff('microsecond', start_time, end_time) > {p0:Int64}, 0)) AND NOT (has(tags, {p1:String})))
-- p0 = 5000000
-- p1 = dev

-- like(error, "%timeout%")
ifNull(error LIKE {p0:String}, 0)
-- p0 = %timeout%

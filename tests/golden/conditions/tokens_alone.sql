-- of a tree
ifNull(total_tokens > {p0:Float64}, 0)
-- p0 = 5.0

-- of a tree
(position(extra, {p0:String}) > 0 AND arrayExists(t -> ifNull(toFloat64OrNull(if(startsWith(t, '"'), JSONExtractString(t), t)) > {p4:Float64}, 0), arrayFilter(t -> t NOT IN ('', 'null'), [JSONExtractRaw(JSONExtractRaw(extra, {p1:String}, {p2:String}), {p3:String})])))
-- p0 = n"
-- p1 = honeyhive
-- p2 = config
-- p3 = n
-- p4 = 1.5

-- and(eq(metadata_key, "n"), gt(metadata_value, 5))
(mapContains(metadata, {p0:String}) AND ifNull(toFloat64OrNull(metadata[{p0:String}]) > {p1:Float64}, 0))
-- p0 = n
-- p1 = 5.0

-- like(tags, "v1%")
arrayExists(x -> x LIKE {p0:String}, tags)
-- p0 = v1%

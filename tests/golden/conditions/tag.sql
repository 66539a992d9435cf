-- has(tags, "prod")
has(tags, {p0:String})
-- p0 = prod

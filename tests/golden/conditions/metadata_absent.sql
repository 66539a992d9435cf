-- and(neq(metadata_key, "env"), eq(metadata_value, "prod"))
(has(mapValues(metadata), {p0:String}) AND NOT (mapContains(metadata, {p1:String})))
-- p0 = prod
-- p1 = env

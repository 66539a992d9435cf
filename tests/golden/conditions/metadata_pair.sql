-- and(eq(metadata_key, "env"), eq(metadata_value, "prod"))
metadata[{p0:String}] = {p1:String}
-- p0 = env
-- p1 = prod

-- eq(metadata_value, "prod")
has(mapValues(metadata), {p0:String})
-- p0 = prod

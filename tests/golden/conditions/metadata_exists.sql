-- exists(metadata, "env")
mapContains(metadata, {p0:String})
-- p0 = env

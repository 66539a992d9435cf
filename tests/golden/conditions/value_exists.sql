-- of a tree
mapContains(metadata, {p0:String})
-- p0 = a

-- of a tree
metadata[{p0:String}] = {p1:String}
-- p0 = run_id
-- p1 = r

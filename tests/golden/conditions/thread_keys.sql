-- and(in(metadata_key, ["session_id", "thread_id"]), eq(metadata_value, "X"))
(metadata[{p0:String}] = {p1:String} OR metadata[{p2:String}] = {p3:String})
-- p0 = session_id
-- p1 = X
-- p2 = thread_id
-- p3 = X

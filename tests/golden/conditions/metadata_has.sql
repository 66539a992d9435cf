-- has(metadata, '{"a": "1", "b": "2"}')
(metadata[{p0:String}] = {p1:String} AND metadata[{p2:String}] = {p3:String})
-- p0 = a
-- p1 = 1
-- p2 = b
-- p3 = 2

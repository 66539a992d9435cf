-- in(name, ["a", "it's"])
name IN {p0:Array(String)}
-- p0 = ['a','it\'s']

-- eq(name, "O'Neil\n\\")
name = {p0:String}
-- p0 = O'Neil\n\\

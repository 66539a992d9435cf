-- search(inputs, "a/\"b\"")
(positionCaseInsensitiveUTF8(inputs, {p0:String}) > 0 OR positionCaseInsensitiveUTF8(inputs, {p1:String}) > 0)
-- p0 = a/\\"b\\"
-- p1 = a\\/\\"b\\"

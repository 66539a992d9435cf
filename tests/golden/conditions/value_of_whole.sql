-- of a tree
(inputs != '' AND positionCaseInsensitiveUTF8(inputs, {p0:String}) > 0)
-- p0 = hi

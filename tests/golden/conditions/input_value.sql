-- eq(input_value, "hi")
(position(inputs, {p0:String}) > 0 AND arrayExists(t -> NOT endsWith(t, ':') AND if(startsWith(t, '"'), JSONExtractString(t), t) = {p1:String}, extractAll(inputs, '"(?:[^"\\\\]|\\\\.)*"\\s*:?|-?[0-9][0-9.eE+-]*|true|false|null')))
-- p0 = hi
-- p1 = hi

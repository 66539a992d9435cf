-- eq(input_value, 5)
(arrayExists(t -> NOT endsWith(t, ':') AND (if(startsWith(t, '"'), JSONExtractString(t), t) = {p0:String} OR ifNull(toFloat64OrNull(t) IN {p1:Array(Float64)}, 0)), extractAll(inputs, '"(?:[^"\\\\]|\\\\.)*"\\s*:?|-?[0-9][0-9.eE+-]*|true|false|null')))
-- p0 = 5
-- p1 = [5.0]

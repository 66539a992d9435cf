-- and(eq(metadata_key, "a.b"), eq(metadata_value, "1"))
(metadata[{p0:String}] = {p1:String} OR (position(metadata[{p2:String}], {p3:String}) > 0 AND arrayExists(n -> n.1 = '' AND substring(n.2, 1, 1) NOT IN ('{', '[', '') AND (if(startsWith(n.2, '"'), JSONExtractString(n.2), n.2) = {p5:String} OR ifNull(toFloat64OrNull(n.2) IN {p6:Array(Float64)}, 0)), arrayFold((found, i) -> arrayFlatten(arrayMap(n -> multiIf(startsWith(n.2, '['), arrayMap(x -> (n.1, x), JSONExtractArrayRaw(n.2)), startsWith(n.2, '{'), arrayMap(kv -> (substring(n.1, length(kv.1) + 2), kv.2), arrayFilter(kv -> n.1 = concat('.', kv.1) OR startsWith(n.1, concat('.', kv.1, '.')), JSONExtractKeysAndValuesRaw(n.2))), n.1 = '', [n], []), found)), range(toUInt64(least(64, arrayMax(arrayCumSum(arrayMap(x -> (x IN ('{', '[')) - (x IN ('}', ']')), extractAll(metadata[{p2:String}], '"(?:[^"\\\\]|\\\\.)*"|[\\[\\]{}]'))))))), arrayMap(p -> (p, trimLeft(metadata[{p2:String}], ' \t\n\r')), [{p4:String}])))))
-- p0 = a.b
-- p1 = 1
-- p2 = a
-- p3 = b
-- p4 = .b
-- p5 = 1
-- p6 = [1.0]

-- and(eq(input_key, "messages.content"), eq(input_value, "hi"))
(position(inputs, {p1:String}) > 0 AND position(inputs, {p0:String}) > 0 AND arrayExists(n -> n.1 = '' AND substring(n.2, 1, 1) NOT IN ('{', '[', '') AND if(startsWith(n.2, '"'), JSONExtractString(n.2), n.2) = {p3:String}, arrayFold((found, i) -> arrayFlatten(arrayMap(n -> multiIf(startsWith(n.2, '['), arrayMap(x -> (n.1, x), JSONExtractArrayRaw(n.2)), startsWith(n.2, '{'), arrayMap(kv -> (substring(n.1, length(kv.1) + 2), kv.2), arrayFilter(kv -> n.1 = concat('.', kv.1) OR startsWith(n.1, concat('.', kv.1, '.')), JSONExtractKeysAndValuesRaw(n.2))), n.1 = '', [n], []), found)), range(toUInt64(least(64, arrayMax(arrayCumSum(arrayMap(x -> (x IN ('{', '[')) - (x IN ('}', ']')), extractAll(inputs, '"(?:[^"\\\\]|\\\\.)*"|[\\[\\]{}]'))))))), arrayMap(p -> (p, trimLeft(inputs, ' \t\n\r')), [{p2:String}]))))
-- p0 = hi
-- p1 = content
-- p2 = .messages.content
-- p3 = hi

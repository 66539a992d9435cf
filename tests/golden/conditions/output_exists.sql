-- exists(outputs, "choices.message")
(position(outputs, {p1:String}) > 0 AND arrayExists(n -> n.1 = '', arrayFold((found, i) -> arrayFlatten(arrayMap(n -> multiIf(n.1 = '', [n], startsWith(n.2, '['), arrayMap(x -> (n.1, x), JSONExtractArrayRaw(n.2)), startsWith(n.2, '{'), arrayMap(kv -> (substring(n.1, length(kv.1) + 2), kv.2), arrayFilter(kv -> n.1 = concat('.', kv.1) OR startsWith(n.1, concat('.', kv.1, '.')), JSONExtractKeysAndValuesRaw(n.2))), n.1 = '', [n], []), found)), range(toUInt64(least(64, arrayMax(arrayCumSum(arrayMap(x -> (x IN ('{', '[')) - (x IN ('}', ']')), extractAll(outputs, '"(?:[^"\\\\]|\\\\.)*"|[\\[\\]{}]'))))))), arrayMap(p -> (p, trimLeft(outputs, ' \t\n\r')), [{p0:String}]))))
-- p0 = .choices.message
-- p1 = message

-- eq(input_key, "question")
(position(inputs, {p0:String}) > 0 AND arrayExists(n -> n.1 = '' AND substring(n.2, 1, 1) NOT IN ('{', '[', '') AND 1, arrayFold((found, i) -> arrayFlatten(arrayMap(n -> multiIf(startsWith(n.2, '['), arrayMap(x -> (n.1, x), JSONExtractArrayRaw(n.2)), startsWith(n.2, '{'), arrayMap(kv -> (substring(n.1, length(kv.1) + 2), kv.2), arrayFilter(kv -> n.1 = concat('.', kv.1) OR startsWith(n.1, concat('.', kv.1, '.')), JSONExtractKeysAndValuesRaw(n.2))), n.1 = '', [n], []), found)), range(toUInt64(least(64, arrayMax(arrayCumSum(arrayMap(x -> (x IN ('{', '[')) - (x IN ('}', ']')), extractAll(inputs, '"(?:[^"\\\\]|\\\\.)*"|[\\[\\]{}]'))))))), arrayMap(p -> (p, trimLeft(inputs, ' \t\n\r')), [{p1:String}]))))
-- p0 = question
-- p1 = .question

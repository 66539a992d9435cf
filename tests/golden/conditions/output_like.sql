-- and(like(output_key, "choices.%"), like(output_value, "%done%"))
(position(outputs, {p0:String}) > 0 AND position(outputs, {p1:String}) > 0 AND arrayExists(n -> substring(n.2, 1, 1) NOT IN ('{', '[', '') AND substring(n.1, 2) LIKE {p2:String} AND if(startsWith(n.2, '"'), JSONExtractString(n.2), n.2) LIKE {p3:String}, arrayFold((found, i) -> arrayFlatten(arrayMap(n -> multiIf(startsWith(n.2, '['), arrayMap(x -> (n.1, x), JSONExtractArrayRaw(n.2)), startsWith(n.2, '{'), arrayMap(kv -> (concat(n.1, '.', kv.1), kv.2), JSONExtractKeysAndValuesRaw(n.2)), [n]), found)), range(toUInt64(least(64, arrayMax(arrayCumSum(arrayMap(x -> (x IN ('{', '[')) - (x IN ('}', ']')), extractAll(outputs, '"(?:[^"\\\\]|\\\\.)*"|[\\[\\]{}]'))))))), [('', trimLeft(outputs, ' \t\n\r'))])))
-- p0 = done
-- p1 = choices
-- p2 = choices.%
-- p3 = %done%

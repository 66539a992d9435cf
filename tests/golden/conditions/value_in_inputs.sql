-- of a tree
(position(inputs, {p0:String}) > 0 AND position(inputs, {p1:String}) > 0 AND arrayExists(t -> if(startsWith(t, '"'), JSONExtractString(t), t) = {p3:String}, arrayMap(n -> n.2, arrayFilter(n -> n.1 = '' AND n.2 NOT IN ('', 'null'), arrayFold((found, i) -> arrayFlatten(arrayMap(n -> multiIf(n.1 = '', [n], startsWith(n.2, '['), arrayFilter(x -> x.2 != '', arrayMap(d -> (substring(n.1, length(d) + 2), JSONExtractArrayRaw(n.2)[toUInt32(d) + 1]), extractAll(n.1, '^[.]([0-9]{1,6})(?:[.]|$)'))), startsWith(n.2, '{'), arrayMap(kv -> (substring(n.1, length(kv.1) + 2), kv.2), arrayFilter(kv -> n.1 = concat('.', kv.1) OR startsWith(n.1, concat('.', kv.1, '.')), JSONExtractKeysAndValuesRaw(n.2))), []), found)), range(3), [({p2:String}, trimLeft(inputs, ' \t\n\r'))])))))
-- p0 = text"
-- p1 = it's
-- p2 = .chat.0.text
-- p3 = it's

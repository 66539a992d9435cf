-- of a tree
id IN (SELECT arrayJoin(arrayMap(at -> reinterpretAsUUID(substring(packed, 1 + 16 * at, 16)), range(intDiv(length(packed), 16)))) FROM (SELECT base64Decode({p0:String}) AS packed))
-- p0 = AAAAAAAAAAACAAAAAAAAAABwAABePI8BAQAAAAAAAIA=

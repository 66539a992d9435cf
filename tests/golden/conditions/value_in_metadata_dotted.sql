-- of a tree
((position(metadata[{p0:String}], {p1:String}) > 0 AND arrayExists(t -> if(startsWith(t, '"'), JSONExtractString(t), t) = 'true', arrayFilter(t -> t NOT IN ('', 'null'), [JSONExtractRaw(metadata[{p0:String}], {p2:String})]))) OR metadata[{p3:String}] = 'true')
-- p0 = a
-- p1 = b"
-- p2 = b
-- p3 = a.b

-- of a tree
(position(outputs, {p0:String}) > 0 AND notEmpty(arrayFilter(t -> t NOT IN ('', 'null'), [JSONExtractRaw(outputs, {p1:String})])))
-- p0 = a"
-- p1 = a

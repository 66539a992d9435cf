-- and(like(metadata_key, "ls_%"), neq(metadata_value, "x"))
arrayExists((k, v) -> k LIKE {p0:String} AND NOT (v = {p1:String}), mapKeys(metadata), mapValues(metadata))
-- p0 = ls_%
-- p1 = x

SELECT group_key, pair.1 AS object, pair.2 AS name, count() AS counted
FROM (SELECT multiIf(is_root = 1, {p1:String}, has(tags, {p3:String}), nullIf(toString(name), ''), NULL) AS group_key, arrayJoin(arrayConcat(arrayMap(k -> ({p4:String}, k), JSONExtractKeys(inputs)), arrayMap(k -> ({p5:String}, k), arrayMap(k -> toString(k), mapKeys(metadata))))) AS pair
  FROM (SELECT * FROM runs FINAL WHERE workspace_id = {p6:UUID}
  AND project_id = {p7:UUID}
  AND is_root = 1
    ORDER BY identity(start_time) DESC, id DESC LIMIT 10000) AS r)
GROUP BY group_key, object, name
ORDER BY counted DESC, group_key, object, name
LIMIT 10000
-- p0 = 00000000-0000-0000-0000-00000000000b
-- p1 = root
-- p2 = 00000000-0000-0000-0000-00000000000b
-- p3 = x
-- p4 = inputs
-- p5 = metadata
-- p6 = 00000000-0000-0000-0000-00000000000a
-- p7 = 00000000-0000-0000-0000-00000000000b

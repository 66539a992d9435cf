SELECT toString(pair.1) AS key, pair.2 AS value, count() AS count
FROM (SELECT arrayJoin(arrayZip(mapKeys(metadata), mapValues(metadata))) AS pair FROM runs FINAL
WHERE workspace_id = {p0:UUID}
  AND project_id = {p1:UUID}
  AND is_root = 1)
GROUP BY key, value
ORDER BY key, count DESC, value
LIMIT 10 BY key
-- p0 = 00000000-0000-0000-0000-00000000000a
-- p1 = 00000000-0000-0000-0000-00000000000b

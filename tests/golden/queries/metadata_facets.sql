SELECT {p0:UUID} AS project_id, concat('metadata.', toString(name)) AS key, most.2 AS value,
  toUInt64(-most.1) AS count
FROM (SELECT name, arrayJoin(groupArraySorted(10)((less, text))) AS most
  FROM (SELECT pair.1 AS name, pair.2 AS text, -toInt64(count()) AS less
    FROM (SELECT project_id, arrayJoin(arrayZip(mapKeys(metadata), mapValues(metadata))) AS pair FROM runs FINAL
WHERE workspace_id = {p1:UUID}
  AND project_id = {p2:UUID}
  AND is_root = 1)
    WHERE length(text) <= 200
    GROUP BY name, text)
  GROUP BY name)
ORDER BY project_id, key, count DESC, value
-- p0 = 00000000-0000-0000-0000-00000000000b
-- p1 = 00000000-0000-0000-0000-00000000000a
-- p2 = 00000000-0000-0000-0000-00000000000b

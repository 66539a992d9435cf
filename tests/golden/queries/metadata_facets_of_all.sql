SELECT project_id AS project_id, concat('metadata.', toString(name)) AS key, most.2 AS value,
  toUInt64(-most.1) AS count
FROM (SELECT project_id, name, arrayJoin(groupArraySorted(10)((less, text))) AS most
  FROM (SELECT project_id, pair.1 AS name, pair.2 AS text, -toInt64(count()) AS less
    FROM (SELECT project_id, arrayJoin(arrayZip(mapKeys(metadata), mapValues(metadata))) AS pair FROM runs FINAL
WHERE workspace_id = {p0:UUID})
    WHERE length(text) <= 200
    GROUP BY project_id, name, text)
  GROUP BY project_id, name)
ORDER BY project_id, key, count DESC, value
-- p0 = 00000000-0000-0000-0000-00000000000a

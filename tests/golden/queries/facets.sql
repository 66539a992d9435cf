SELECT project_id, facet.1 AS key, facet.2 AS value, sum(runs) AS count
FROM (SELECT project_id, runs, arrayJoin(arrayConcat([('name', toString(name)), ('run_type', toString(run_type)), ('status', toString(status))], arrayMap(tag -> ('tag', toString(tag)), tags))) AS facet
  FROM (SELECT project_id, name, run_type, status, tags, count() AS runs FROM runs FINAL
WHERE workspace_id = {p0:UUID}
  AND project_id = {p1:UUID}
  AND is_root = 1
GROUP BY project_id, name, run_type, status, tags))
WHERE length(value) <= 200
GROUP BY project_id, key, value
ORDER BY project_id, key, count DESC, value
LIMIT 10 BY project_id, key
-- p0 = 00000000-0000-0000-0000-00000000000a
-- p1 = 00000000-0000-0000-0000-00000000000b

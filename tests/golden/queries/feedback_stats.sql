SELECT '' AS group_key, toString(key) AS key, count() AS pieces, count(score) AS n, avg(score) AS avg, stddevPop(score) AS stdev, min(score) AS min, max(score) AS max,
  countIf(error = 1) AS errors,
  sumMapIf(map(if(JSONType(value) = 'String', JSONExtractString(value), value), toUInt64(1)),
    value NOT IN ('', 'null') AND JSONType(value) != 'Object') AS values,
  groupArrayIf(10)(ifNull(comment, ''), ifNull(comment, '') != '') AS comments,
  arraySlice(arraySort(groupUniqArray(1000)(
    if(source = '', concat('{"type":"', source_type, '"}'), source))), 1, 10) AS sources
FROM (SELECT run_id, key, score, value, comment, source, source_type, error, home AS project, '' AS thread
  FROM feedback FINAL WHERE workspace_id = {p0:UUID} AND run_id != '00000000-0000-0000-0000-000000000000' AND home = {p1:UUID} AND is_root = 1
  UNION ALL
  SELECT run_id, key, score, value, comment, source, source_type, error, project, thread
  FROM (SELECT run_id, key, score, value, comment, source, source_type, error FROM feedback FINAL WHERE workspace_id = {p0:UUID} AND run_id != '00000000-0000-0000-0000-000000000000' AND home = '00000000-0000-0000-0000-000000000000') AS f
  INNER JOIN (SELECT id AS chosen_id, project_id AS project, thread_id AS thread FROM runs FINAL
WHERE workspace_id = {p3:UUID}
  AND project_id = {p4:UUID}
  AND is_root = 1
  AND id IN (SELECT run_id FROM feedback WHERE workspace_id = {p2:UUID} AND home = '00000000-0000-0000-0000-000000000000' AND run_id != '00000000-0000-0000-0000-000000000000')) AS r ON f.run_id = r.chosen_id)
GROUP BY group_key, key
-- p0 = 00000000-0000-0000-0000-00000000000a
-- p1 = 00000000-0000-0000-0000-00000000000b
-- p2 = 00000000-0000-0000-0000-00000000000a
-- p3 = 00000000-0000-0000-0000-00000000000a
-- p4 = 00000000-0000-0000-0000-00000000000b

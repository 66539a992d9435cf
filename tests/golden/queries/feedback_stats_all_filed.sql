SELECT toString(run_id) AS group_key, toString(key) AS key, count() AS pieces, count(score) AS n, avg(score) AS avg, stddevPop(score) AS stdev, min(score) AS min, max(score) AS max,
  countIf(error = 1) AS errors,
  sumMapIf(map(if(JSONType(value) = 'String', JSONExtractString(value), value), toUInt64(1)),
    value NOT IN ('', 'null') AND JSONType(value) != 'Object') AS values,
  groupArrayIf(10)(ifNull(comment, ''), ifNull(comment, '') != '') AS comments,
  arraySlice(arraySort(groupUniqArray(1000)(
    if(source = '', concat('{"type":"', source_type, '"}'), source))), 1, 10) AS sources
FROM (SELECT run_id, key, score, value, comment, source, source_type, error, home AS project, '' AS thread
  FROM feedback FINAL WHERE workspace_id = {p0:UUID} AND run_id != '00000000-0000-0000-0000-000000000000' AND run_id IN {p1:Array(UUID)} AND home = {p2:UUID})
GROUP BY group_key, key
-- p0 = 00000000-0000-0000-0000-00000000000a
-- p1 = ['00000000-0000-0000-0000-000000000001','00000000-0000-0000-0000-000000000002']
-- p2 = 00000000-0000-0000-0000-00000000000b

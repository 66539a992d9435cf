SELECT bucket, group_key, count(measure) AS counted, ifNull(avg(measure), nan) AS value
FROM (SELECT toInt64(0) AS bucket, nullIf(said1x, '') AS group_key,
    CAST(if(isFinite(ifNull(multiIf(nullIf(said0x, '') = 'true', 1., nullIf(said0x, '') = 'false', 0., toFloat64OrNull(nullIf(said0x, ''))), nan)), multiIf(nullIf(said0x, '') = 'true', 1., nullIf(said0x, '') = 'false', 0., toFloat64OrNull(nullIf(said0x, ''))), NULL), 'Nullable(Float64)') AS measure
  FROM runs AS r FINAL
  LEFT JOIN (SELECT run_id AS run0, if(startsWith(arrayConcat(arrayFilter(t -> t != '', [said0]))[1], '"'), JSONExtractString(arrayConcat(arrayFilter(t -> t != '', [said0]))[1]), arrayConcat(arrayFilter(t -> t != '', [said0]))[1]) AS said0x FROM (SELECT run_id, argMaxIf(token, age, key = {p2:String}) AS said0, argMaxIf(words, age, key = {p2:String}) AS words0, maxIf(age, key = {p2:String}) AS age0 FROM (SELECT run_id, key, multiIf(raw_score != '', raw_score, score IS NOT NULL, toString(assumeNotNull(score)), value != 'null', value, '') AS token, ifNull(comment, '') AS words, (modified_at, created_at, toString(id)) AS age FROM feedback FINAL WHERE workspace_id = {p0:UUID} AND (home = {p1:UUID} OR home = '00000000-0000-0000-0000-000000000000') AND run_id != '00000000-0000-0000-0000-000000000000' AND key IN {p3:Array(String)} AND (if(position(source, '"honeyhive"') > 0, JSONExtractString(source, 'metadata', 'honeyhive'), '') = 'metrics' OR if(position(source, '"honeyhive"') > 0, JSONExtractString(source, 'metadata', 'honeyhive'), '') != 'feedback' AND source_type != 'app')) GROUP BY run_id)) AS j0 ON r.id = j0.run0
  LEFT JOIN (SELECT run_id AS run1, if(startsWith(arrayConcat(arrayFilter(t -> t != '', [said0]))[1], '"'), JSONExtractString(arrayConcat(arrayFilter(t -> t != '', [said0]))[1]), arrayConcat(arrayFilter(t -> t != '', [said0]))[1]) AS said1x FROM (SELECT run_id, argMaxIf(token, age, key = {p6:String}) AS said0, argMaxIf(words, age, key = {p6:String}) AS words0, maxIf(age, key = {p6:String}) AS age0 FROM (SELECT run_id, key, multiIf(raw_score != '', raw_score, score IS NOT NULL, toString(assumeNotNull(score)), value != 'null', value, '') AS token, ifNull(comment, '') AS words, (modified_at, created_at, toString(id)) AS age FROM feedback FINAL WHERE workspace_id = {p4:UUID} AND (home = {p5:UUID} OR home = '00000000-0000-0000-0000-000000000000') AND run_id != '00000000-0000-0000-0000-000000000000' AND key IN {p7:Array(String)} AND (if(position(source, '"honeyhive"') > 0, JSONExtractString(source, 'metadata', 'honeyhive'), '') = 'feedback' OR if(position(source, '"honeyhive"') > 0, JSONExtractString(source, 'metadata', 'honeyhive'), '') != 'metrics' AND source_type = 'app')) GROUP BY run_id)) AS j1 ON r.id = j1.run1
  WHERE workspace_id = {p8:UUID}
  AND project_id = {p9:UUID}
  AND is_root = 1)
GROUP BY bucket, group_key
HAVING counted > 0
ORDER BY bucket, counted DESC, group_key NULLS LAST
LIMIT 100 BY bucket
LIMIT 10000
-- p0 = 00000000-0000-0000-0000-00000000000a
-- p1 = 00000000-0000-0000-0000-00000000000b
-- p2 = it's
-- p3 = ['it\'s']
-- p4 = 00000000-0000-0000-0000-00000000000a
-- p5 = 00000000-0000-0000-0000-00000000000b
-- p6 = k
-- p7 = ['k']
-- p8 = 00000000-0000-0000-0000-00000000000a
-- p9 = 00000000-0000-0000-0000-00000000000b

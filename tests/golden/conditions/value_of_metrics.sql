-- of a tree
id IN (SELECT run_id FROM (SELECT run_id, argMaxIf(token, age, key = {p1:String}) AS said0, argMaxIf(words, age, key = {p1:String}) AS words0, maxIf(age, key = {p1:String}) AS age0 FROM (SELECT run_id, key, multiIf(raw_score != '', raw_score, score IS NOT NULL, toString(assumeNotNull(score)), value != 'null', value, '') AS token, ifNull(comment, '') AS words, (modified_at, created_at, toString(id)) AS age FROM feedback FINAL WHERE workspace_id = {p0:UUID} AND run_id != '00000000-0000-0000-0000-000000000000' AND key IN {p2:Array(String)} AND (if(position(source, '"honeyhive"') > 0, JSONExtractString(source, 'metadata', 'honeyhive'), '') = 'metrics' OR if(position(source, '"honeyhive"') > 0, JSONExtractString(source, 'metadata', 'honeyhive'), '') != 'feedback' AND source_type != 'app')) GROUP BY run_id) WHERE arrayExists(t -> ifNull(toFloat64OrNull(if(startsWith(t, '"'), JSONExtractString(t), t)) > {p3:Float64}, 0), arrayFilter(t -> t != '', [said0])))
-- p0 = 00000000-0000-0000-0000-000000000001
-- p1 = ok
-- p2 = ['ok']
-- p3 = 0.5

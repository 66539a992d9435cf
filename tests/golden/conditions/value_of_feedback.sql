-- of a tree
id IN (SELECT run_id FROM (SELECT run_id, argMaxIf(token, age, key = {p1:String}) AS said0, argMaxIf(words, age, key = {p1:String}) AS words0, maxIf(age, key = {p1:String}) AS age0, argMaxIf(token, age, key = {p2:String}) AS said1, argMaxIf(words, age, key = {p2:String}) AS words1, maxIf(age, key = {p2:String}) AS age1 FROM (SELECT run_id, key, multiIf(raw_score != '', raw_score, score IS NOT NULL, toString(assumeNotNull(score)), value != 'null', value, '') AS token, ifNull(comment, '') AS words, (modified_at, created_at, toString(id)) AS age FROM feedback FINAL WHERE workspace_id = {p0:UUID} AND run_id != '00000000-0000-0000-0000-000000000000' AND key IN {p4:Array(String)} AND (if(position(source, '"honeyhive"') > 0, JSONExtractString(source, 'metadata', 'honeyhive'), '') = 'feedback' OR if(position(source, '"honeyhive"') > 0, JSONExtractString(source, 'metadata', 'honeyhive'), '') != 'metrics' AND source_type = 'app')) GROUP BY run_id) WHERE arrayExists(t -> positionCaseInsensitiveUTF8(if(startsWith(t, '"'), JSONExtractString(t), t), {p5:String}) > 0, arrayConcat(arrayFilter(t -> t NOT IN ('', 'null'), [JSONExtractRaw(said0, {p3:String})]), arrayFilter(t -> t != '', [said1]))))
-- p0 = 00000000-0000-0000-0000-000000000001
-- p1 = ok
-- p2 = ok.why
-- p3 = why
-- p4 = ['ok','ok.why']
-- p5 = x

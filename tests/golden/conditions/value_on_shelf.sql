-- of a tree
id IN (SELECT run_id FROM feedback FINAL WHERE workspace_id = {p0:UUID} AND run_id != '00000000-0000-0000-0000-000000000000' AND (if(position(source, '"honeyhive"') > 0, JSONExtractString(source, 'metadata', 'honeyhive'), '') = 'feedback' OR if(position(source, '"honeyhive"') > 0, JSONExtractString(source, 'metadata', 'honeyhive'), '') != 'metrics' AND source_type = 'app') AND (multiIf(raw_score != '', raw_score, score IS NOT NULL, toString(assumeNotNull(score)), value != 'null', value, '') != '' OR ifNull(comment, '') != ''))
-- p0 = 00000000-0000-0000-0000-000000000001

SELECT group_key, if((if(position(source, '"honeyhive"') > 0, JSONExtractString(source, 'metadata', 'honeyhive'), '') = 'metrics' OR if(position(source, '"honeyhive"') > 0, JSONExtractString(source, 'metadata', 'honeyhive'), '') != 'feedback' AND source_type != 'app'), 'metrics', 'feedback') AS object,
  toString(key) AS name, uniqExact(run_id) AS counted
FROM (SELECT run_id, key, source, source_type FROM feedback FINAL WHERE workspace_id = {p4:UUID} AND run_id != '00000000-0000-0000-0000-000000000000' AND (home = {p5:UUID} OR home = '00000000-0000-0000-0000-000000000000')) AS f
INNER JOIN (SELECT r.id AS chosen_id, multiIf(is_root = 1, {p1:String}, has(tags, {p3:String}), nullIf(toString(name), ''), NULL) AS group_key
  FROM (SELECT * FROM runs FINAL WHERE workspace_id = {p6:UUID}
  AND project_id = {p7:UUID}
  AND is_root = 1
    ORDER BY identity(start_time) DESC, id DESC LIMIT 10000) AS r) AS chosen ON f.run_id = chosen.chosen_id
GROUP BY group_key, object, name
ORDER BY counted DESC, group_key, object, name
LIMIT 10000
-- p0 = 00000000-0000-0000-0000-00000000000b
-- p1 = root
-- p2 = 00000000-0000-0000-0000-00000000000b
-- p3 = x
-- p4 = 00000000-0000-0000-0000-00000000000a
-- p5 = 00000000-0000-0000-0000-00000000000b
-- p6 = 00000000-0000-0000-0000-00000000000a
-- p7 = 00000000-0000-0000-0000-00000000000b

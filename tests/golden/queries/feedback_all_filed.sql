SELECT home, run_id, id, version, trace_id, project_id, key, created_at, modified_at, score, raw_score, value, comment, correction, source_type, source, group_id, comparative_experiment_id, start_time, extra, error, is_root, keeps
FROM feedback FINAL
WHERE workspace_id = {p0:UUID}
  AND home = {p1:UUID}
  AND NOT home = {p2:UUID}
  AND run_id IN {p3:Array(UUID)}
  AND id = {p4:UUID}
  AND run_id IN (SELECT id FROM runs FINAL
WHERE workspace_id = {p5:UUID}
  AND trace_id = {p6:UUID})
  AND key IN {p7:Array(String)}
  AND source_type IN {p8:Array(String)}
  AND multiSearchAny(source, {p10:Array(String)})
  AND (JSONExtractString(source, 'user_id') IN {p9:Array(String)} OR JSONExtractString(source, 'ls_user_id') IN {p9:Array(String)})
  AND ifNull(comment, '') != ''
  AND score IS NULL
  AND run_id != '00000000-0000-0000-0000-000000000000'
  AND created_at >= fromUnixTimestamp64Micro({p11:Int64}, 'UTC')
  AND created_at <= fromUnixTimestamp64Micro({p12:Int64}, 'UTC')
  AND comparative_experiment_id = {p13:UUID}
ORDER BY identity(created_at) DESC, id DESC
LIMIT 5 OFFSET 10
-- p0 = 00000000-0000-0000-0000-00000000000a
-- p1 = 00000000-0000-0000-0000-00000000000b
-- p2 = 00000000-0000-0000-0000-00000000000c
-- p3 = ['00000000-0000-0000-0000-000000000001','00000000-0000-0000-0000-000000000002']
-- p4 = 00000000-0000-0000-0000-000000000001
-- p5 = 00000000-0000-0000-0000-00000000000a
-- p6 = 00000000-0000-0000-0000-000000000002
-- p7 = ['ok']
-- p8 = ['app']
-- p9 = ['ann']
-- p10 = ['ann']
-- p11 = 1768910400000000
-- p12 = 1768914000000000
-- p13 = 00000000-0000-0000-0000-000000000001

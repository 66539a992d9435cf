SELECT home, run_id, id, version, trace_id, project_id, key, created_at, modified_at, score, raw_score, value, comment, correction, source_type, source, group_id, comparative_experiment_id, start_time, extra, error, is_root, keeps
FROM feedback FINAL
WHERE workspace_id = {p0:UUID}
  AND (home = {p1:UUID} OR home = '00000000-0000-0000-0000-000000000000' AND (project_id = {p5:UUID}
    OR run_id IN (SELECT id FROM runs FINAL WHERE workspace_id = {p2:UUID}
  AND project_id = {p3:UUID}
    AND id IN (SELECT run_id FROM feedback WHERE workspace_id = {p4:UUID} AND home = '00000000-0000-0000-0000-000000000000' AND run_id != '00000000-0000-0000-0000-000000000000'))))
  AND NOT (home = {p6:UUID} OR home = '00000000-0000-0000-0000-000000000000' AND (project_id = {p10:UUID}
    OR run_id IN (SELECT id FROM runs FINAL WHERE workspace_id = {p7:UUID}
  AND project_id = {p8:UUID}
    AND id IN (SELECT run_id FROM feedback WHERE workspace_id = {p9:UUID} AND home = '00000000-0000-0000-0000-000000000000' AND run_id != '00000000-0000-0000-0000-000000000000'))))
  AND run_id IN {p11:Array(UUID)}
  AND id = {p12:UUID}
  AND run_id IN (SELECT id FROM runs FINAL
WHERE workspace_id = {p13:UUID}
  AND trace_id = {p14:UUID})
  AND key IN {p15:Array(String)}
  AND source_type IN {p16:Array(String)}
  AND multiSearchAny(source, {p18:Array(String)})
  AND (JSONExtractString(source, 'user_id') IN {p17:Array(String)} OR JSONExtractString(source, 'ls_user_id') IN {p17:Array(String)})
  AND ifNull(comment, '') != ''
  AND score IS NULL
  AND run_id != '00000000-0000-0000-0000-000000000000'
  AND created_at >= fromUnixTimestamp64Micro({p19:Int64}, 'UTC')
  AND created_at <= fromUnixTimestamp64Micro({p20:Int64}, 'UTC')
  AND comparative_experiment_id = {p21:UUID}
ORDER BY identity(created_at) DESC, id DESC
LIMIT 5 OFFSET 10
-- p0 = 00000000-0000-0000-0000-00000000000a
-- p1 = 00000000-0000-0000-0000-00000000000b
-- p2 = 00000000-0000-0000-0000-00000000000a
-- p3 = 00000000-0000-0000-0000-00000000000b
-- p4 = 00000000-0000-0000-0000-00000000000a
-- p5 = 00000000-0000-0000-0000-00000000000b
-- p6 = 00000000-0000-0000-0000-00000000000c
-- p7 = 00000000-0000-0000-0000-00000000000a
-- p8 = 00000000-0000-0000-0000-00000000000c
-- p9 = 00000000-0000-0000-0000-00000000000a
-- p10 = 00000000-0000-0000-0000-00000000000c
-- p11 = ['00000000-0000-0000-0000-000000000001','00000000-0000-0000-0000-000000000002']
-- p12 = 00000000-0000-0000-0000-000000000001
-- p13 = 00000000-0000-0000-0000-00000000000a
-- p14 = 00000000-0000-0000-0000-000000000002
-- p15 = ['ok']
-- p16 = ['app']
-- p17 = ['ann']
-- p18 = ['ann']
-- p19 = 1768910400000000
-- p20 = 1768914000000000
-- p21 = 00000000-0000-0000-0000-000000000001

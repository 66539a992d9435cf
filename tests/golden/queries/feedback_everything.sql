SELECT workspace_id, run_id, id, version, trace_id, project_id, key, created_at, modified_at, score, raw_score, value, comment, correction, source_type, source, group_id, comparative_experiment_id, start_time, extra, error, deleted
FROM feedback FINAL
WHERE workspace_id = {p0:UUID} AND run_id IN {p1:Array(UUID)} AND id = {p2:UUID} AND run_id IN (SELECT id FROM runs FINAL
WHERE workspace_id = {p3:UUID}
  AND trace_id = {p4:UUID}) AND (project_id = {p7:UUID} OR run_id IN (SELECT id FROM runs FINAL WHERE workspace_id = {p5:UUID}
  AND project_id = {p6:UUID})) AND project_id NOT IN {p8:Array(UUID)} AND run_id NOT IN (SELECT id FROM runs FINAL WHERE workspace_id = {p9:UUID} AND project_id IN {p8:Array(UUID)}) AND key IN {p10:Array(String)} AND source_type IN {p11:Array(String)} AND (JSONExtractString(source, 'user_id') IN {p12:Array(String)} OR JSONExtractString(source, 'ls_user_id') IN {p13:Array(String)}) AND ifNull(comment, '') != '' AND score IS NULL AND run_id != {p14:UUID} AND created_at >= fromUnixTimestamp64Micro({p15:Int64}, 'UTC') AND created_at <= fromUnixTimestamp64Micro({p16:Int64}, 'UTC') AND comparative_experiment_id = {p17:UUID}
ORDER BY created_at DESC, id DESC
LIMIT 5 OFFSET 10
-- p0 = 00000000-0000-0000-0000-00000000000a
-- p1 = ['00000000-0000-0000-0000-000000000001','00000000-0000-0000-0000-000000000002']
-- p2 = 00000000-0000-0000-0000-000000000001
-- p3 = 00000000-0000-0000-0000-00000000000a
-- p4 = 00000000-0000-0000-0000-000000000002
-- p5 = 00000000-0000-0000-0000-00000000000a
-- p6 = 00000000-0000-0000-0000-00000000000b
-- p7 = 00000000-0000-0000-0000-00000000000b
-- p8 = ['00000000-0000-0000-0000-00000000000c']
-- p9 = 00000000-0000-0000-0000-00000000000a
-- p10 = ['ok']
-- p11 = ['app']
-- p12 = ['ann']
-- p13 = ['ann']
-- p14 = 00000000-0000-0000-0000-000000000000
-- p15 = 1768910400000000
-- p16 = 1768914000000000
-- p17 = 00000000-0000-0000-0000-000000000001

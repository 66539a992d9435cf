SELECT id, inputs, is_root, name, project_id, start_time, trace_id
FROM runs FINAL
WHERE workspace_id = {p0:UUID}
  AND project_id IN {p1:Array(UUID)}
  AND project_id NOT IN {p2:Array(UUID)}
  AND id IN {p3:Array(UUID)}
  AND trace_id = {p4:UUID}
  AND is_root = 0
  AND start_time >= fromUnixTimestamp64Micro({p5:Int64}, 'UTC')
  AND start_time <= fromUnixTimestamp64Micro({p6:Int64}, 'UTC')
  AND ifNull(parent_run_id = {p7:UUID}, 0)
  AND reference_example_id = {p8:UUID}
  AND run_type = {p9:String}
  AND error IS NOT NULL
  AND (hasAllTokens(inputs, {p13:Array(String)}) OR hasAllTokens(outputs, {p13:Array(String)}) OR positionCaseInsensitiveUTF8(name, {p12:String}) > 0 OR ifNull(positionCaseInsensitiveUTF8(error, {p12:String}) > 0, 0))
  AND trace_id IN (SELECT trace_id FROM runs FINAL WHERE workspace_id = {p14:UUID} AND project_id IN {p15:Array(UUID)} AND trace_id = {p16:UUID} AND is_root = 1 AND has(tags, {p17:String}))
  AND trace_id IN (SELECT trace_id FROM runs FINAL WHERE workspace_id = {p18:UUID} AND project_id IN {p19:Array(UUID)} AND trace_id = {p20:UUID} AND name = {p21:String})
ORDER BY identity(start_time) DESC, id DESC
LIMIT 100
-- p0 = 00000000-0000-0000-0000-00000000000a
-- p1 = ['00000000-0000-0000-0000-00000000000b','00000000-0000-0000-0000-00000000000c']
-- p2 = ['00000000-0000-0000-0000-000000000001']
-- p3 = ['00000000-0000-0000-0000-000000000001','00000000-0000-0000-0000-000000000002']
-- p4 = 00000000-0000-0000-0000-000000000001
-- p5 = 1768910400000000
-- p6 = 1768914000000000
-- p7 = 00000000-0000-0000-0000-000000000002
-- p8 = 00000000-0000-0000-0000-000000000001
-- p9 = llm
-- p10 = ['00000000-0000-0000-0000-00000000000b','00000000-0000-0000-0000-00000000000c']
-- p11 = 00000000-0000-0000-0000-000000000001
-- p12 = needle
-- p13 = ['needle']
-- p14 = 00000000-0000-0000-0000-00000000000a
-- p15 = ['00000000-0000-0000-0000-00000000000b','00000000-0000-0000-0000-00000000000c']
-- p16 = 00000000-0000-0000-0000-000000000001
-- p17 = x
-- p18 = 00000000-0000-0000-0000-00000000000a
-- p19 = ['00000000-0000-0000-0000-00000000000b','00000000-0000-0000-0000-00000000000c']
-- p20 = 00000000-0000-0000-0000-000000000001
-- p21 = it's

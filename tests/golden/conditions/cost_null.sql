-- eq(total_cost, null)
if(is_root, trace_id IN (SELECT trace_id FROM runs FINAL WHERE workspace_id = {p0:UUID} GROUP BY trace_id HAVING ifNull(isNull(sum(total_cost)), 0)), ifNull(isNull(total_cost), 0))
-- p0 = 00000000-0000-0000-0000-000000000001

-- lte(total_cost, 0.001)
if(is_root, trace_id IN (SELECT trace_id FROM runs FINAL WHERE workspace_id = {p0:UUID} GROUP BY trace_id HAVING ifNull(sum(total_cost) <= toDecimal128({p1:String}, 12), 0)), ifNull(total_cost <= toDecimal128({p2:String}, 12), 0))
-- p0 = 00000000-0000-0000-0000-000000000001
-- p1 = 0.001000000000
-- p2 = 0.001000000000

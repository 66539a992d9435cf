-- in(total_cost, [0.1])
if(is_root, trace_id IN (SELECT trace_id FROM runs FINAL WHERE workspace_id = {p1:UUID} GROUP BY trace_id HAVING ifNull(has(arrayMap(x -> toDecimal128(x, 12), {p0:Array(String)}), sum(total_cost)), 0)), ifNull(has(arrayMap(x -> toDecimal128(x, 12), {p0:Array(String)}), total_cost), 0))
-- p0 = ['0.100000000000']
-- p1 = 00000000-0000-0000-0000-000000000001

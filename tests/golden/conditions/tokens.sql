-- gt(total_tokens, 1000)
if(is_root, trace_id IN (SELECT trace_id FROM runs FINAL WHERE workspace_id = {p0:UUID} GROUP BY trace_id HAVING ifNull(sum(total_tokens) > {p1:Float64}, 0)), ifNull(total_tokens > {p2:Float64}, 0))
-- p0 = 00000000-0000-0000-0000-000000000001
-- p1 = 1000.0
-- p2 = 1000.0

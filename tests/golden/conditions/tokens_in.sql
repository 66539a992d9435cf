-- in(prompt_tokens, [1, 2])
if(is_root, trace_id IN (SELECT trace_id FROM runs FINAL WHERE workspace_id = {p1:UUID} GROUP BY trace_id HAVING ifNull(sum(prompt_tokens) IN {p0:Array(Float64)}, 0)), ifNull(prompt_tokens IN {p0:Array(Float64)}, 0))
-- p0 = [1.0,2.0]
-- p1 = 00000000-0000-0000-0000-000000000001

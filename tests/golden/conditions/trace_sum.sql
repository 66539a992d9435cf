-- of a tree
trace_id IN (SELECT trace_id FROM runs FINAL WHERE workspace_id = {p0:UUID} GROUP BY trace_id HAVING ifNull(sumIf(total_cost, run_type = {p1:String}), 0) > toDecimal128({p2:String}, 12))
-- p0 = 00000000-0000-0000-0000-000000000001
-- p1 = llm
-- p2 = 1.000000000000

-- of a tree
trace_id IN (SELECT trace_id FROM runs FINAL WHERE workspace_id = {p0:UUID} GROUP BY trace_id HAVING countIf(run_type = {p1:String}) > {p2:Float64})
-- p0 = 00000000-0000-0000-0000-000000000001
-- p1 = llm
-- p2 = 2.0

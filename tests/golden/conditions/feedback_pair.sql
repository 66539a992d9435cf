-- and(eq(feedback_key, "correct"), lt(feedback_score, 0.5))
id IN (SELECT run_id FROM feedback FINAL WHERE workspace_id = {p2:UUID} AND key = {p0:String} AND ifNull(score < {p1:Float64}, 0))
-- p0 = correct
-- p1 = 0.5
-- p2 = 00000000-0000-0000-0000-000000000001

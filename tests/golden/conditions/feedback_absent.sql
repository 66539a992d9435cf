-- neq(feedback_key, "correct")
NOT (id IN (SELECT run_id FROM feedback FINAL WHERE workspace_id = {p1:UUID} AND key = {p0:String}))
-- p0 = correct
-- p1 = 00000000-0000-0000-0000-000000000001

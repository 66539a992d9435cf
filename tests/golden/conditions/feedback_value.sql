-- and(eq(feedback_key, "label"), eq(feedback_value, "good"))
id IN (SELECT run_id FROM feedback FINAL WHERE workspace_id = {p2:UUID} AND key = {p0:String} AND if(value IN ('', 'null'), NULL, if(startsWith(value, '"'), JSONExtractString(value), value)) = {p1:String})
-- p0 = label
-- p1 = good
-- p2 = 00000000-0000-0000-0000-000000000001

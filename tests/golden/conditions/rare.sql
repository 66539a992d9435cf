-- of a tree
id IN (SELECT id FROM runs FINAL WHERE workspace_id = {p0:UUID} AND id IN (SELECT id FROM runs WHERE workspace_id = {p0:UUID} AND name = {p1:String}) AND name = {p1:String})
-- p0 = 00000000-0000-0000-0000-000000000001
-- p1 = seldom

-- of a tree
ifNull(positionCaseInsensitiveUTF8(toString(parent_run_id), {p0:String}) > 0, 0)
-- p0 = 018f

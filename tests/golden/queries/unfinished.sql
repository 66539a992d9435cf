SELECT count() AS open, max(latest_fail_reason) AS trouble
FROM system.mutations
WHERE database = currentDatabase() AND table = {p0:String} AND NOT is_done
  AND position(command, {p1:String}) > 0
-- p0 = runs
-- p1 = 00000000-0000-0000-0000-00000000000b

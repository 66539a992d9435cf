SELECT DISTINCT trace_id
FROM (
  SELECT trace_id, deleted FROM runs
  WHERE workspace_id = {p0:UUID} AND trace_id IN (SELECT arrayJoin(arrayMap(at -> reinterpretAsUUID(substring(packed, 1 + 16 * at, 16)), range(intDiv(length(packed), 16)))) FROM (SELECT base64Decode({p1:String}) AS packed))
    AND NOT ((start_time < fromUnixTimestamp64Micro({p2:Int64}, 'UTC') OR start_time > fromUnixTimestamp64Micro({p3:Int64}, 'UTC')) AND project_id NOT IN {p4:Array(UUID)})
  ORDER BY version DESC
  LIMIT 1 BY project_id, is_root, start_time, id
)
WHERE deleted = 0
-- p0 = 00000000-0000-0000-0000-00000000000a
-- p1 = AAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAgAAAAAAAAA=
-- p2 = 1766318400000000
-- p3 = 1768996800000000
-- p4 = ['00000000-0000-0000-0000-00000000000c']

SELECT DISTINCT trace_id FROM feedback FINAL WHERE workspace_id = {p0:UUID} AND run_id != '00000000-0000-0000-0000-000000000000' AND keeps = 1 AND trace_id IN (SELECT arrayJoin(arrayMap(at -> reinterpretAsUUID(substring(packed, 1 + 16 * at, 16)), range(intDiv(length(packed), 16)))) FROM (SELECT base64Decode({p1:String}) AS packed))
UNION DISTINCT
SELECT DISTINCT trace_id FROM runs WHERE workspace_id = {p0:UUID} AND trace_id IN (SELECT arrayJoin(arrayMap(at -> reinterpretAsUUID(substring(packed, 1 + 16 * at, 16)), range(intDiv(length(packed), 16)))) FROM (SELECT base64Decode({p1:String}) AS packed))
  AND id IN (SELECT run_id FROM feedback FINAL WHERE workspace_id = {p0:UUID} AND run_id != '00000000-0000-0000-0000-000000000000' AND keeps = 1 AND home = '00000000-0000-0000-0000-000000000000')
-- p0 = 00000000-0000-0000-0000-00000000000a
-- p1 = AAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAgAAAAAAAAA=

SELECT DISTINCT trace_id FROM runs WHERE workspace_id = {p0:UUID} AND version > {p1:Int64} AND deleted = 0 AND trace_id IN (SELECT arrayJoin(arrayMap(at -> reinterpretAsUUID(substring(packed, 1 + 16 * at, 16)), range(intDiv(length(packed), 16)))) FROM (SELECT base64Decode({p2:String}) AS packed))
UNION DISTINCT
SELECT DISTINCT trace_id FROM feedback WHERE workspace_id = {p0:UUID} AND version > {p1:Int64} AND deleted = 0 AND run_id != '00000000-0000-0000-0000-000000000000' AND keeps = 1 AND trace_id IN (SELECT arrayJoin(arrayMap(at -> reinterpretAsUUID(substring(packed, 1 + 16 * at, 16)), range(intDiv(length(packed), 16)))) FROM (SELECT base64Decode({p2:String}) AS packed))
-- p0 = 00000000-0000-0000-0000-00000000000a
-- p1 = 7
-- p2 = AAAAAAAAAAABAAAAAAAAAA==

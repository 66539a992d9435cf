SELECT DISTINCT trace_id FROM runs WHERE workspace_id = {p0:UUID} AND (id IN (SELECT arrayJoin(arrayMap(at -> reinterpretAsUUID(substring(packed, 1 + 16 * at, 16)), range(intDiv(length(packed), 16)))) FROM (SELECT base64Decode({p1:String}) AS packed)) OR thread_id IN {p2:Array(String)})
-- p0 = 00000000-0000-0000-0000-00000000000a
-- p1 = AAAAAAAAAAABAAAAAAAAAA==
-- p2 = ['it\'s a thread']

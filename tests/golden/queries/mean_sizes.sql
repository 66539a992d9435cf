SELECT project_id, avg(length(inputs) + length(outputs) + length(events) + length(extra) + length(serialized) + length(ifNull(error, ''))) AS bytes
FROM runs
WHERE workspace_id = {p0:UUID} AND deleted = 0 AND intDiv(_part_offset, 256) % 7 = 0
GROUP BY project_id
-- p0 = 00000000-0000-0000-0000-00000000000a

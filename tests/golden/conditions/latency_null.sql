-- eq(latency, null)
isNull(end_time)

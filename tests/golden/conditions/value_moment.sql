-- of a tree
(mapContains(metadata, {p0:String}) AND ifNull(multiIf(match(metadata[{p0:String}], '^-?[0-9]{1,15}([.][0-9]{1,20})?$'), toInt64OrNull(toString(round(toFloat64OrNull(metadata[{p0:String}]) * 1000))), match(metadata[{p0:String}], '^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?$'), toUnixTimestamp64Micro(parseDateTime64BestEffortOrNull(metadata[{p0:String}], 6, 'UTC')), NULL) < {p1:Int64}, 0))
-- p0 = at
-- p1 = 1768910400000000

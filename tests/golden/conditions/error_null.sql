-- neq(error, null)
NOT (isNull(error))

-- eq(parent_run_id, null)
isNull(parent_run_id)

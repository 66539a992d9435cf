-- eq(thread_id, null)
thread_id = ''

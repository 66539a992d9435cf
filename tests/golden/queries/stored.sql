SELECT attachments, completion_cost, completion_tokens, cost_details, deleted, dotted_order, end_time, error, events, extra, first_token_time, id, inputs, is_root, metadata, name, outputs, parent_run_id, project_id, prompt_cost, prompt_tokens, received_at, reference_example_id, run_type, serialized, start_time, stated, status, tags, thread_id, token_details, total_cost, total_tokens, trace_id, version, workspace_id
FROM runs
WHERE workspace_id IN {p0:Array(UUID)}
  AND id IN {p1:Array(UUID)}
ORDER BY version DESC
LIMIT 1 BY workspace_id, id
-- p0 = ['00000000-0000-0000-0000-00000000000a','00000000-0000-0000-0000-00000000000c']
-- p1 = ['00000000-0000-0000-0000-000000000001','00000000-0000-0000-0000-000000000002']

SELECT home, run_id, id, version, trace_id, project_id, key, created_at, modified_at, score, raw_score, value, comment, correction, source_type, source, group_id, comparative_experiment_id, start_time, extra, error, is_root, keeps
FROM feedback FINAL
WHERE workspace_id = {p0:UUID}
  AND score IS NOT NULL
  AND NOT run_id != '00000000-0000-0000-0000-000000000000'
ORDER BY identity(created_at) DESC, id DESC
LIMIT 100 OFFSET 0
-- p0 = 00000000-0000-0000-0000-00000000000a

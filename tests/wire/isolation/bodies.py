"""What requests send. `<name>` stands for that of the things they are about."""

from __future__ import annotations

from typing import Any

WINDOW = {"start_time": "2026-01-01T00:00:00Z", "end_time": "2026-01-02T00:00:00Z"}
DOC_IN = {"title": "mine", "content": "mine"}
CHAT_IN = {"messages": [{"role": "user", "content": "mine"}]}
OF_TRACE = {"field": "session_id", "operator": "is", "value": "<run>", "type": "string"}
RUN_IN = {
    "id": "<run>", "trace_id": "<run>", "dotted_order": "20260101T000000000000Z<run>", "run_type": "chain",
    "name": "mine", "session_id": "<project>", "inputs": {"mine": 1},
}  # fmt: skip
PRICE_IN = {"name": "mine", "match_pattern": "mine", "prompt_cost": 1, "completion_cost": 1}
FORMULA_IN = {
    "feedback_key": "mine", "aggregation_type": "sum",
    "formula_parts": [{"part_type": "weighted_key", "weight": 1, "key": "x"}],
}  # fmt: skip
BY_PROJECT = {"session": ["<project>"]}
V2_OF_PROJECT = {"project_ids": ["<project>"], "min_start_time": WINDOW["start_time"]}
V2_OF_ONE = {"project_id": "<project>", "min_start_time": WINDOW["start_time"]}
V2_OF_DATASET = {"reference_dataset_id": "<dataset>"}
V2_SELECTS = [
    "ID",
    "NAME",
    "INPUTS",
    "METADATA",
    "FEEDBACK_STATS",
    "ATTACHMENTS",
    "SHARE_URL",
    "REFERENCE_DATASET_ID",
]
RUN_KEY = {"run_id": "<run>", "session_id": "<project>", "start_time": "2026-01-01T00:00:00Z"}
GROUP = {"session_id": "<project>", "group_by": "conversation", **WINDOW}
EXPERIMENT = {"session_ids": ["<experiment>"]}
COMPARED = {"baseline_session_id": "<experiment>", "comparison_session_ids": ["<experiment>"]}
BY_NOTE = {"group_by": "run_metadata", "metadata_key": "note"}
METADATA_IN = {
    "example_ids": ["<example>"],
    "operations": [{"key": "mine", "operation": "SET", "value": 1}],
}
ROWS_IN = {"data": [{"mine": 1}], "mapping": {"inputs": ["mine"]}}
METRIC_IN = {"name": "<new>", "type": "HUMAN", "criteria": "mine", "scale": 5}
COMBINED_IN = {
    "metric": {
        "name": "mine", "type": "COMPOSITE", "criteria": "sum", "child_metrics": [{"name": "<secret>", "weight": 1}],
    },
    "event": {"metrics": {"<secret>": 1}},
}  # fmt: skip
CONFIGURATION_IN = {"name": "mine", "provider": "mine", "parameters": {"call_type": "chat", "model": "mine"}}
TOOL_IN = {"task": "mine", "name": "mine", "parameters": {}, "type": "function"}
CHART_IN = {"name": "mine", "metric": "duration"}
KEY_IN = {"name": "mine", "permissions": ["read"]}
FIGURES_IN = {
    "query": {"kind": "scalar", "measures": [{}], "split_by": "event_name"},
    "filters": [{"field": "inputs.q", "operator": "is", "value": "<secret>", "type": "string"}],
}  # fmt: skip
OVERRIDE_IN = {"column_overrides": [{"column": "feedback.mine"}]}
HONEYHIVE_TIMES = {"start_time": 1_767_225_600_000, "end_time": 1_767_225_601_000}
EVENT_IN = {
    "event_id": "<child>", "session_id": "<run>", "event_type": "tool", "inputs": {"mine": 1}, **HONEYHIVE_TIMES,
    "metadata": {"mine": 1}, "metrics": {"mine": 1},
}  # fmt: skip
UPDATE_IN = {"metadata": {"mine": 1}, "outputs": {"mine": 1}, "duration": 5, "metrics": {"mine": 1}}
UPLOAD_IN = {
    "experiment_name": "<comparison>", "dataset_id": "<dataset>", "dataset_name": "<override>",
    "experiment_start_time": WINDOW["start_time"], "experiment_end_time": WINDOW["end_time"],
    "results": [{"row_id": "<example>", "inputs": {"mine": 1}, **WINDOW}],
}  # fmt: skip
ENTIRE = {"trace": "<run>", "tree_filter": 'eq(name, "run <secret>")'}


def _span(span_id: str, **stated: str) -> dict[str, Any]:
    start = 1_767_225_600_000_000_000 + int(span_id[:2]) * 1_000_000_000  # ties would be broken by ids
    times = {"startTimeUnixNano": str(start), "endTimeUnixNano": str(start + 1_000_000_000)}
    said = [{"key": key.replace("__", "."), "value": {"stringValue": value}} for key, value in stated.items()]
    return {"traceId": "<otel_trace>", "spanId": span_id, "name": "mine", "attributes": said, **times}


_RUN_OF_SPAN = {"langsmith__span__id": "<run>", "langsmith__trace__id": "<run>"}
SPANS_IN = {
    "resourceSpans": [
        {
            "scopeSpans": [
                {
                    "spans": [
                        _span("01" * 8, **_RUN_OF_SPAN),
                        _span("02" * 8, langsmith__trace__session_id="<project>", **_RUN_OF_SPAN),
                        _span("03" * 8, langsmith__span__id="<child>", langsmith__span__parent_id="<run>"),
                        _span("04" * 8, honeyhive__session_id="<run>"),
                    ]
                }
            ]
        }
    ]
}

SERIES = {"since": 1_767_225_600_000_000, "until": 1_767_229_200_000_000, "stride": 60_000_000}
NOTED = {"metadata_filter.note": "<secret>"}
INSIGHT = "/sessions/{session_id}/insights/{insights_job_id}"
UI_INSIGHT = "/ui/api/projects/{project_id}/insights/{insights_job_id}"
CALL = {"method": "GET", "url": "mine"}
SESSION_IN = {"agent": "<agent>", "situation": "mine"}
SECRET_IN = {"name": "<word>", "value": "mine"}

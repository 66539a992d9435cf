"""Statistics in LangSmith's shapes."""

from __future__ import annotations

from typing import Any

from stenograph.model.stats import RunStats, ThreadSummary
from stenograph.wire.langsmith.runs.convert import cost_number, feedback_stats, preview, time_text


def run_stats(stats: RunStats, keep: frozenset[str] | None) -> dict[str, Any]:
    """RunStats: costs are numbers here. `keep` limits it to the fields a client selected."""
    out: dict[str, Any] = {
        "run_count": stats.run_count,
        "latency_p50": stats.latency_p50,
        "latency_p99": stats.latency_p99,
        "latency_avg": stats.latency_avg,
        "first_token_p50": stats.first_token_p50,
        "first_token_p99": stats.first_token_p99,
        "total_tokens": stats.total_tokens,
        "prompt_tokens": stats.prompt_tokens,
        "completion_tokens": stats.completion_tokens,
        "median_tokens": stats.median_tokens,
        "tokens_p50": stats.median_tokens,
        "tokens_p99": stats.tokens_p99,
        "prompt_tokens_p50": stats.prompt_tokens_p50,
        "prompt_tokens_p99": stats.prompt_tokens_p99,
        "completion_tokens_p50": stats.completion_tokens_p50,
        "completion_tokens_p99": stats.completion_tokens_p99,
        "total_cost": cost_number(stats.total_cost),
        "prompt_cost": cost_number(stats.prompt_cost),
        "completion_cost": cost_number(stats.completion_cost),
        "cost_p50": cost_number(stats.cost_p50),
        "cost_p99": cost_number(stats.cost_p99),
        "prompt_token_details": stats.prompt_token_details,
        "completion_token_details": stats.completion_token_details,
        "prompt_cost_details": {key: cost_number(value) for key, value in stats.prompt_cost_details.items()},
        "completion_cost_details": {
            key: cost_number(value) for key, value in stats.completion_cost_details.items()
        },
        "last_run_start_time": time_text(stats.last_run_start_time),
        "error_rate": stats.error_rate,
        "streaming_rate": stats.streaming_rate,
        "feedback_stats": feedback_stats(stats.feedback),
        "run_facets": [],
    }
    return out if keep is None else {key: value for key, value in out.items() if key in keep}


def thread_group(thread: ThreadSummary) -> dict[str, Any]:
    """A thread in the answer of POST /runs/group; `filter` selects its runs again."""
    quoted = thread.thread_id.replace("\\", "\\\\").replace('"', '\\"')
    return {
        "group_key": thread.thread_id,
        "thread_id": thread.thread_id,
        "filter": (
            'and(in(metadata_key, ["session_id","thread_id","conversation_id"]), '
            f'eq(metadata_value, "{quoted}"))'
        ),
        "count": thread.count,
        "total_tokens": thread.usage.total_tokens,
        "total_cost": cost_number(thread.usage.total_cost),
        "min_start_time": time_text(thread.min_start_time),
        "max_start_time": time_text(thread.max_start_time),
        "latency_p50": thread.latency_p50,
        "latency_p99": thread.latency_p99,
        "feedback_stats": feedback_stats(thread.feedback) or None,
        "first_inputs": preview(thread.first_inputs),
        "last_outputs": preview(thread.last_outputs),
        "last_error": thread.last_error,
    }

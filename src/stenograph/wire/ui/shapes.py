"""Our values in the page's JSON. Times are microseconds since the epoch, costs dollars, lengths of time seconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Raw
from starlette.responses import Response

from stenograph.domain.feedback.own import giver, is_own
from stenograph.model.access import Caller
from stenograph.model.feedback import Feedback, FeedbackStat, Shelf, shelf
from stenograph.model.runs import Run, Usage
from stenograph.model.stats import RunStats
from stenograph.wire.ui.previews import LENGTH, preview

INLINE: Final = 512 * 1024
"""Bytes of a payload that come with what it is of; a larger one is asked for by itself."""


def payload(document: bytes | None) -> dict[str, Any] | None:
    """The size, and the text of what is small. As text: numbers that no float holds stay as they were sent."""
    if document is None:
        return None
    small = len(document) <= INLINE
    return {"size": len(document), "text": document.decode("utf-8", "replace") if small else None}


def saved(document: bytes, name: str) -> Response:
    """A payload as a file: a browser saves it, and shows none of it."""
    return Response(
        document,
        media_type="application/json",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
        },
    )


def dollars(pico: int | None) -> float | None:
    return None if pico is None else pico / 1e12


def row(run: Run, feedback: Mapping[str, FeedbackStat]) -> dict[str, Any]:
    """A run in a table."""
    return {
        "id": run.id,
        "trace": run.trace_id,
        "name": run.name or "",
        "type": run.run_type or "chain",
        "status": run.status,
        "error": None if run.error is None else run.error[: LENGTH * 2],
        "start": run.start_time,
        "end": run.end_time,
        "firstToken": run.first_token_time,
        "tokens": run.usage.total_tokens,
        "cost": dollars(run.usage.total_cost),
        "tags": run.tags or [],
        "thread": run.thread_id,
        "metadata": run.metadata,
        "input": preview(run.inputs),
        "output": preview(run.outputs),
        "feedback": averages(feedback),
    }


def averages(feedback: Mapping[str, FeedbackStat]) -> dict[str, float | None]:
    """By key the average score; None for what has no number."""
    return {key: stat.avg for key, stat in feedback.items()}


def usage(found: Usage) -> dict[str, Any]:
    """Tokens and cost by bucket."""
    return {
        "promptTokens": found.prompt_tokens,
        "completionTokens": found.completion_tokens,
        "totalTokens": found.total_tokens,
        "promptCost": dollars(found.prompt_cost),
        "completionCost": dollars(found.completion_cost),
        "totalCost": dollars(found.total_cost),
        "promptTokenDetails": found.prompt_token_details,
        "completionTokenDetails": found.completion_token_details,
        "promptCostDetails": {key: dollars(cost) for key, cost in found.prompt_cost_details.items()},
        "completionCostDetails": {key: dollars(cost) for key, cost in found.completion_cost_details.items()},
    }


def figures(stats: RunStats) -> dict[str, Any]:
    """What runs come to."""
    return {
        "runs": stats.run_count,
        "errorRate": stats.error_rate,
        "p50": stats.latency_p50,
        "p99": stats.latency_p99,
        "firstTokenP50": stats.first_token_p50,
        "firstTokenP99": stats.first_token_p99,
        "tokens": stats.total_tokens,
        "promptTokens": stats.prompt_tokens,
        "completionTokens": stats.completion_tokens,
        "cost": dollars(stats.total_cost),
        "last": stats.last_run_start_time,
        "feedback": averages(stats.feedback),
    }


def judgement(found: Feedback, who: Caller | None) -> dict[str, Any]:
    """A piece of feedback, to this reader; None is the public. Sources name people: not for the public."""
    return {
        "id": found.id,
        "key": found.key,
        "score": found.score,
        "value": None if found.value is None else Raw(found.value),
        "comment": found.comment,
        "correction": None if found.correction is None else Raw(found.correction),
        "source": None if who is None else found.source_type,
        "by": None if who is None else giver(found).user_name,
        "mine": who is not None and is_own(who, found),
        "measured": shelf(found) is Shelf.METRICS,
        "error": found.error,
        "at": found.created_at,
    }

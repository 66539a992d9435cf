"""Threads and their traces in the v2 API's shapes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from stenograph.domain.runs import USAGE
from stenograph.errors import Invalid
from stenograph.model.runs import Run
from stenograph.model.stats import RunStats, ThreadSummary
from stenograph.wire.langsmith.runs.convert import cost_number, preview, raw, zoned_text
from stenograph.wire.langsmith.v2.fields import costs, error_preview, feedback, latency, tokens


def thread(found: ThreadSummary, failed: int) -> dict[str, Any]:
    """A Thread. `failed`: how many of its traces did. Its representative is the last trace."""
    usage = found.usage
    spent = Counter(usage.prompt_cost_details)
    spent.update(usage.completion_cost_details)
    used = Counter(usage.prompt_token_details)
    used.update(usage.completion_token_details)
    return {
        "thread_id": found.thread_id,
        "trace_id": found.last_trace,
        "start_time": zoned_text(found.max_start_time),
        "count": found.count,
        "num_errored_turns": failed,
        "first_trace_id": found.first_trace,
        "last_trace_id": found.last_trace,
        "min_start_time": zoned_text(found.min_start_time),
        "max_start_time": zoned_text(found.max_start_time),
        "first_inputs": preview(found.first_inputs),
        "last_outputs": preview(found.last_outputs),
        "last_error": None if found.last_error is None else found.last_error[:500],
        "latency_p50": found.latency_p50,
        "latency_p99": found.latency_p99,
        "total_tokens": usage.total_tokens,
        "total_cost": cost_number(usage.total_cost),
        "total_token_details": dict(used),
        "total_cost_details": {key: cost_number(value) for key, value in spent.items()},
        "feedback_stats": feedback(found.feedback),
        "query_metadata": None,
    }


# -- a thread's traces -------------------------------------------------------------------------------------

WriteTurn = Callable[[Run, int | None], Any]

_TURN: Final[dict[str, tuple[Iterable[str], WriteTurn]]] = {
    "THREAD_ID": (("thread_id",), lambda run, _: run.thread_id),
    "TRACE_ID": ((), lambda run, _: run.trace_id),
    "TURN_NUMBER": ((), lambda _, turn: turn),
    "OP": ((), lambda _, __: None),  # which number means which type LangSmith does not say
    "NAME": (("name",), lambda run, _: run.name or ""),
    "START_TIME": ((), lambda run, _: zoned_text(run.start_time)),
    "END_TIME": (("end_time",), lambda run, _: zoned_text(run.end_time)),
    "LATENCY": (("end_time",), lambda run, _: latency(run)),
    "FIRST_TOKEN_TIME": (("first_token_time",), lambda run, _: zoned_text(run.first_token_time)),
    "INPUTS": (("inputs",), lambda run, _: raw(run.inputs)),
    "INPUTS_PREVIEW": (("inputs",), lambda run, _: preview(run.inputs)),
    "OUTPUTS": (("outputs",), lambda run, _: raw(run.outputs)),
    "OUTPUTS_PREVIEW": (("outputs",), lambda run, _: preview(run.outputs)),
    "ERROR": (("error",), lambda run, _: run.error),
    "ERROR_PREVIEW": (("error",), lambda run, _: error_preview(run)),
    "PROMPT_TOKENS": (USAGE, lambda run, _: run.usage.prompt_tokens),
    "COMPLETION_TOKENS": (USAGE, lambda run, _: run.usage.completion_tokens),
    "TOTAL_TOKENS": (USAGE, lambda run, _: run.usage.total_tokens),
    "PROMPT_COST": (USAGE, lambda run, _: cost_number(run.usage.prompt_cost)),
    "COMPLETION_COST": (USAGE, lambda run, _: cost_number(run.usage.completion_cost)),
    "TOTAL_COST": (USAGE, lambda run, _: cost_number(run.usage.total_cost)),
    "PROMPT_TOKEN_DETAILS": (USAGE, lambda run, _: tokens(run.usage.prompt_token_details)),
    "COMPLETION_TOKEN_DETAILS": (USAGE, lambda run, _: tokens(run.usage.completion_token_details)),
    "PROMPT_COST_DETAILS": (USAGE, lambda run, _: costs(run.usage.prompt_cost_details)),
    "COMPLETION_COST_DETAILS": (USAGE, lambda run, _: costs(run.usage.completion_cost_details)),
}


def turn_fields(names: Sequence[str]) -> frozenset[str]:
    """What to say of each trace, its id in any case. Invalid for a name that there is not."""
    return frozenset(known(names, _TURN, ("query", "selects"))) | {"TRACE_ID"}


def turn_columns(select: frozenset[str]) -> frozenset[str]:
    return frozenset(column for name in select for column in _TURN[name][0])


def turn(run: Run, select: frozenset[str], number: int | None) -> dict[str, Any]:
    """A ThreadTrace. Its figures are those of the whole trace."""
    return {name.lower(): write(run, number) for name, (_, write) in _TURN.items() if name in select}


# -- statistics --------------------------------------------------------------------------------------------


def known(names: Sequence[str], table: Mapping[str, Any], where: tuple[str, str]) -> list[str]:
    """The names in capitals; Invalid for one that the table has not."""
    for index, name in enumerate(names):
        if name.upper() not in table:
            raise Invalid(f"{name[:60]!r} is not one of {', '.join(table)}", (*where, index))
    return [name.upper() for name in names]


def _money(details: Mapping[str, int]) -> dict[str, float | None]:
    return {key: cost_number(value) for key, value in details.items()}


Figure = tuple[str, Callable[[RunStats], Any]]
"""The name of a statistic in the answer, and what it is."""

_BOTH: Final[dict[str, Figure]] = {
    "LATENCY_P50": ("latency_p50_seconds", lambda stats: stats.latency_p50),
    "LATENCY_P99": ("latency_p99_seconds", lambda stats: stats.latency_p99),
    "PROMPT_TOKENS": ("prompt_tokens", lambda stats: stats.prompt_tokens),
    "COMPLETION_TOKENS": ("completion_tokens", lambda stats: stats.completion_tokens),
    "TOTAL_TOKENS": ("total_tokens", lambda stats: stats.total_tokens),
    "PROMPT_COST": ("prompt_cost", lambda stats: cost_number(stats.prompt_cost)),
    "COMPLETION_COST": ("completion_cost", lambda stats: cost_number(stats.completion_cost)),
    "TOTAL_COST": ("total_cost", lambda stats: cost_number(stats.total_cost)),
}

_SIDES: Final = ("prompt_token_details", "completion_token_details")
_COSTS: Final = ("prompt_cost_details", "completion_cost_details")


def _detail(name: str, write: Callable[[Mapping[str, int]], Any]) -> tuple[str, Figure]:
    return name.upper(), (name, lambda stats: write(getattr(stats, name)))


ONE_THREAD: Final[dict[str, Figure]] = {
    **_BOTH,
    **dict(_detail(name, tokens) for name in _SIDES),
    **dict(_detail(name, costs) for name in _COSTS),
    "TURNS": ("turns", lambda stats: stats.run_count),
    "FEEDBACK_STATS": ("feedback_stats", lambda stats: feedback(stats.feedback)),
}
"""Statistics of one thread, by what selects them. Its times: see TIMES."""

TIMES: Final = {
    "FIRST_START_TIME": "first_start_time",
    "LAST_START_TIME": "last_start_time",
    "LAST_END_TIME": "last_end_time",
}

ALL_THREADS: Final[dict[str, Figure]] = {
    **_BOTH,
    **dict(_detail(name, dict) for name in _SIDES),
    **dict(_detail(name, _money) for name in _COSTS),
    "TRACE_COUNT": ("trace_count", lambda stats: stats.run_count),
    "ERROR_RATE": ("error_rate", lambda stats: stats.error_rate),
    "STREAMING_RATE": ("streaming_rate", lambda stats: stats.streaming_rate),
    "MEDIAN_TOKENS": ("median_tokens", lambda stats: stats.median_tokens),
    "FIRST_TOKEN_P50": ("first_token_p50_seconds", lambda stats: stats.first_token_p50),
    "FIRST_TOKEN_P99": ("first_token_p99_seconds", lambda stats: stats.first_token_p99),
    "THREAD_FEEDBACK_STATS": ("thread_feedback_stats", lambda stats: feedback(stats.feedback)),
}
"""The same of all threads of a project, details without a level between. Their number, THREAD_COUNT, is asked for
apart."""

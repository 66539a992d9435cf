"""LangSmith's prebuilt dashboard of a project: charts over time, in the shape of its custom charts."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.domain.runs import FeedbackStats, RunReader
from stenograph.errors import Invalid
from stenograph.model.access import Permission
from stenograph.model.projects import Project
from stenograph.model.query import RunSelection, StatGroup
from stenograph.model.runs import Micros
from stenograph.model.stats import RunStats, TimeBucket
from stenograph.wire.http import body_as, caller, encode, of_body, path_uuid, services
from stenograph.wire.langsmith.filters.filters import parse
from stenograph.wire.langsmith.runs.convert import cost_number, micros, time_text
from stenograph.wire.langsmith.runs.schemas import ChartsSectionIn, StrideIn

MINUTE: Final = 60_000_000
DEFAULT_STRIDE: Final = 15 * MINUTE
DEFAULT_WINDOW: Final = 7 * 24 * 60 * MINUTE
"""What is shown when the client does not say since when."""
MAX_BUCKETS: Final = 10_000
MAX_GROUPS: Final = 10

_GROUPS: Final[dict[str, StatGroup]] = {
    "name": "name",
    "run_type": "run_type",
    "tag": "tag",
    "metadata": "metadata",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One series: a metric of the runs that a filter selects."""

    name: str
    metric: str
    filter: str


@dataclass(frozen=True, slots=True)
class Chart:
    key: str
    title: str
    description: str
    type: str
    lines: tuple[Line, ...]


_TRACES: Final = "eq(is_root, true)"
_CALLS: Final = 'eq(run_type, "llm")'


def _with_status(runs: str, status: str) -> str:
    return f'and({runs}, eq(status, "{status}"))'


CHARTS: Final = (
    Chart(
        "trace_count", "Trace Count", "Traces that succeeded and that failed", "bar",
        (
            Line("Success", "run_count", _with_status(_TRACES, "success")),
            Line("Error", "run_count", _with_status(_TRACES, "error")),
        ),
    ),
    Chart(
        "trace_latency", "Trace Latency", "Seconds from start to end of a trace", "line",
        (Line("P50", "latency_p50", _TRACES), Line("P99", "latency_p99", _TRACES)),
    ),
    Chart(
        "trace_error_rate", "Trace Error Rate", "Share of traces that failed", "line",
        (Line("Error Rate", "error_rate", _TRACES),),
    ),
    Chart(
        "llm_count", "LLM Call Count", "Model calls that succeeded and that failed", "bar",
        (
            Line("Success", "run_count", _with_status(_CALLS, "success")),
            Line("Error", "run_count", _with_status(_CALLS, "error")),
        ),
    ),
    Chart(
        "llm_latency", "LLM Latency", "Seconds from start to end of a model call", "line",
        (Line("P50", "latency_p50", _CALLS), Line("P99", "latency_p99", _CALLS)),
    ),
    Chart(
        "first_token", "Time To First Token", "Seconds until a streaming model call answers", "line",
        (Line("P50", "first_token_p50", _CALLS), Line("P99", "first_token_p99", _CALLS)),
    ),
    Chart(
        "tokens", "Tokens", "Tokens of model calls", "bar",
        (
            Line("Total", "total_tokens", _CALLS),
            Line("Prompt", "prompt_tokens", _CALLS),
            Line("Completion", "completion_tokens", _CALLS),
        ),
    ),
    Chart(
        "cost", "Cost", "Dollars that model calls cost, where prices are known", "bar",
        (
            Line("Total", "total_cost", _CALLS),
            Line("Prompt", "prompt_cost", _CALLS),
            Line("Completion", "completion_cost", _CALLS),
        ),
    ),
)  # fmt: skip
"""In the order of the page; one of feedback, with a series for each key, comes after them."""

COSTS: Final = frozenset({"total_cost", "prompt_cost", "completion_cost"})


@dataclass(frozen=True, slots=True)
class Window:
    """From when to when, in which strides, counted from where; by which groups."""

    since: Micros
    until: Micros
    stride: Micros
    origin: Micros
    group: StatGroup | None
    path: str
    groups: int


def routes() -> list[BaseRoute]:
    return [Route("/sessions/{session_id}/dashboard", dashboard, methods=["POST"])]


async def dashboard(request: Request) -> Response:
    """POST /sessions/{session_id}/dashboard. Strides without runs have no data points."""
    who = await caller(request, Permission.READ)
    sent = await body_as(request, ChartsSectionIn)
    window = _window(sent, time.time_ns() // 1000)
    to = services(request)
    project = await to.projects.read(who.workspace, path_uuid(request, "session_id"))
    found: dict[str, list[TimeBucket]] = {}
    feedback: Mapping[Micros, FeedbackStats] = {}
    if not sent.omit_data:
        found, feedback = await _read(to.runs, project, window)
    charts = [_chart(chart, project, window, index, found) for index, chart in enumerate(CHARTS)]
    charts.append(_feedback_chart(project, len(charts), feedback))
    return encode(
        {
            "title": project.name,
            "description": None,
            "index": 0,
            "id": project.id,
            "session_id": project.id,
            "charts": charts,
            "sub_sections": None,
        }
    )


# -- what is asked ---------------------------------------------------------------------------------------


def _window(sent: ChartsSectionIn, now: Micros) -> Window:
    with of_body():
        end, start = micros(sent.end_time, "end_time"), micros(sent.start_time, "start_time")
    until = now if end is None else end
    since = until - DEFAULT_WINDOW if start is None else start
    if since > until:
        raise Invalid("start_time is after end_time", where=("body", "start_time"))
    stride = DEFAULT_STRIDE if sent.stride is None else _length(sent.stride)
    if stride < MINUTE:
        raise Invalid("a stride is at least a minute long", where=("body", "stride"))
    if (until - since) // stride > MAX_BUCKETS:
        raise Invalid(
            f"that is more than {MAX_BUCKETS} strides: choose a longer one", where=("body", "stride")
        )
    group, path, groups = _groups(sent)
    return Window(since, until, stride, _origin(sent.timezone, since, stride), group, path, groups)


def _length(stride: StrideIn) -> Micros:
    return ((stride.days * 24 + stride.hours) * 60 + stride.minutes) * MINUTE


def _origin(timezone: str | None, at: Micros, stride: Micros) -> Micros:
    """Where strides are counted from, so that days begin at midnight of the client's timezone."""
    if timezone is None or timezone.upper() == "UTC":
        return 0
    try:
        zone = ZoneInfo(timezone)
        offset = zone.utcoffset(dt.datetime.fromtimestamp(at / 1e6, dt.UTC).astimezone(zone))
    except (LookupError, ValueError, OSError, OverflowError):
        raise Invalid(
            f"{timezone[:60]!r} is not a timezone such as Europe/Paris", where=("body", "timezone")
        ) from None
    seconds = 0 if offset is None else round(offset.total_seconds())
    return -seconds * 1_000_000 % stride


def _groups(sent: ChartsSectionIn) -> tuple[StatGroup | None, str, int]:
    if sent.group_by is None:
        return None, "", 1
    attribute, path = sent.group_by.attribute, sent.group_by.path or ""
    group = _GROUPS.get(attribute)
    if group is None:
        raise Invalid(
            f"cannot group by {attribute[:60]!r}; choose one of {', '.join(_GROUPS)}",
            where=("body", "group_by", "attribute"),
        )
    if group == "metadata" and not path:
        raise Invalid("path names the metadata key to group by", where=("body", "group_by", "path"))
    groups = 5 if sent.group_by.max_groups is None else sent.group_by.max_groups
    return group, path, max(1, min(groups, MAX_GROUPS))


# -- what is found ---------------------------------------------------------------------------------------


async def _read(
    runs: RunReader, project: Project, window: Window
) -> tuple[dict[str, list[TimeBucket]], Mapping[Micros, FeedbackStats]]:
    """Statistics over time by each filter, cut to the largest groups, and feedback over time."""
    chosen = RunSelection(
        workspace=project.workspace, projects=(project.id,), since=window.since, until=window.until
    )
    filters = list(dict.fromkeys(line.filter for chart in CHARTS for line in chart.lines))
    buckets, feedback = await asyncio.gather(
        runs.series(
            chosen,
            window.stride,
            window.group,
            window.path,
            window.origin,
            [parse(text, "filter") for text in filters],
        ),
        runs.feedback_series(chosen, window.stride, window.origin),
    )
    found: dict[str, list[TimeBucket]] = {text: [] for text in filters}
    for bucket in buckets:
        found[filters[bucket.part]].append(bucket)
    return {text: _largest(own, window) for text, own in found.items()}, feedback


def _largest(buckets: Sequence[TimeBucket], window: Window) -> list[TimeBucket]:
    """The buckets of the groups with most runs."""
    if window.group is None:
        return list(buckets)
    counts: Counter[str] = Counter()
    for bucket in buckets:
        counts[bucket.group] += bucket.stats.run_count
    kept = {group for group, _ in counts.most_common(window.groups)}
    return [bucket for bucket in buckets if bucket.group in kept]


# -- what is answered ------------------------------------------------------------------------------------


def _chart(
    chart: Chart, project: Project, window: Window, index: int, found: Mapping[str, Sequence[TimeBucket]]
) -> dict[str, Any]:
    """SingleCustomChartResponse."""
    data = [
        _point(f"{chart.key}.{line.metric}.{line.name}", bucket.start, _value(bucket.stats, line.metric))
        | {"group": bucket.group if window.group else None}
        for line in chart.lines
        for bucket in found.get(line.filter, ())
    ]
    grouped = (
        {
            "attribute": window.group,
            "path": window.path or None,
            "max_groups": window.groups,
            "set_by": "section",
        }
        if window.group
        else None
    )
    series = [
        _series(f"{chart.key}.{line.metric}.{line.name}", line.name, line.metric, project.id)
        | {"filters": _filters(line.filter, project.id), "group_by": grouped}
        for line in chart.lines
    ]
    return _frame(chart.key, chart.title, chart.description, chart.type, index, project.id) | {
        "data": data,
        "series": series,
    }


def _value(stats: RunStats, metric: str) -> float | int | None:
    value: float | int | None = getattr(stats, metric)
    return cost_number(value) if metric in COSTS and isinstance(value, int) else value


def _feedback_chart(project: Project, index: int, feedback: Mapping[Micros, FeedbackStats]) -> dict[str, Any]:
    """Average scores, and for labels how often each was given, by key."""
    data: list[dict[str, Any]] = []
    series: dict[str, dict[str, Any]] = {}
    for start, keys in feedback.items():
        for key, stat in keys.items():
            for metric, value in (("feedback_score_avg", stat.avg), ("feedback_values", stat.values or None)):
                if value is None:
                    continue
                series_id = f"feedback.{metric}.{key}"
                data.append(_point(series_id, start, value))
                series[series_id] = _series(series_id, key, metric, project.id) | {"feedback_key": key}
    title, description = "Feedback", "Scores and labels given to runs, by key"
    return _frame("feedback", title, description, "line", index, project.id) | {
        "data": data,
        "series": [series[name] for name in sorted(series)],
    }


def _frame(key: str, title: str, description: str, kind: str, index: int, project: UUID) -> dict[str, Any]:
    return {
        "id": key,
        "title": title,
        "description": description,
        "metadata": None,
        "index": index,
        "chart_type": kind,
        "common_filters": _filters(None, project),
    }


def _series(series_id: str, name: str, metric: str, project: UUID) -> dict[str, Any]:
    """CustomChartSeries."""
    return {
        "id": series_id,
        "name": name,
        "metric": metric,
        "filters": _filters(None, project),
        "feedback_key": None,
        "workspace_id": None,
        "project_metric": None,
        "group_by": None,
    }


def _filters(text: str | None, project: UUID) -> dict[str, Any]:
    return {"filter": text, "trace_filter": None, "tree_filter": None, "session": [project]}


def _point(series_id: str, start: Micros, value: Any) -> dict[str, Any]:
    """CustomChartsDataPoint."""
    return {"series_id": series_id, "timestamp": time_text(start), "value": value, "group": None}

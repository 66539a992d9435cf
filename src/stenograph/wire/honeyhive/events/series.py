"""GET /v1/events/chart: figures over events by time and by group. The run store computes them.

HoneyHive documents the question and leaves the rows of the answer open. A row here is a span of time and a group:

    {"bucket": "2026-01-31T09:00:00.000Z", "timestamp": 1769850000000, "group": "model", "value": 12.5, "count": 3}

`count` events of it have the metric, and it comes to `value`; `group` is there where groups were asked for, and null
for events that have nothing to group by. `totalEvents` is how many events were looked at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stenograph.errors import Invalid
from stenograph.model.access import Permission
from stenograph.model.filters import Compare, Field, Filter, Not, Op, Or, all_of
from stenograph.model.measures import Aggregate, Figure, FigureQuery, Span
from stenograph.model.values import ValueOp, ValueTest
from stenograph.wire.honeyhive import times
from stenograph.wire.honeyhive.events import fields, filters
from stenograph.wire.honeyhive.events.reads import RUN_ID, Asked, selection
from stenograph.wire.honeyhive.requests import Params
from stenograph.wire.http import caller, encode, services

BUCKETS: Final[Mapping[str, Span]] = {
    "minute": Span.MINUTE,
    "minutes": Span.MINUTE,
    "1m": Span.MINUTE,
    "hour": Span.HOUR,
    "hours": Span.HOUR,
    "1h": Span.HOUR,
    "day": Span.DAY,
    "days": Span.DAY,
    "1d": Span.DAY,
    "week": Span.WEEK,
    "weeks": Span.WEEK,
    "1w": Span.WEEK,
    "month": Span.MONTH,
    "months": Span.MONTH,
    "1M": Span.MONTH,
}
AGGREGATES: Final[Mapping[str, Aggregate]] = {
    "avg": Aggregate.AVERAGE,
    "average": Aggregate.AVERAGE,
    "mean": Aggregate.AVERAGE,
    "p50": Aggregate.P50,
    "median": Aggregate.P50,
    "p75": Aggregate.P75,
    "p90": Aggregate.P90,
    "p95": Aggregate.P95,
    "p99": Aggregate.P99,
    "count": Aggregate.COUNT,
    "sum": Aggregate.SUM,
    "min": Aggregate.LEAST,
    "max": Aggregate.MOST,
}
MAX_ROWS: Final = 20_000

OF_EXPERIMENTS: Final = Or(
    (ValueTest(RUN_ID, ValueOp.EXISTS), Not(Compare(Field.REFERENCE_EXAMPLE_ID, Op.EQ, None)))
)
"""Events of experiments: those that name their run, and answers to examples of a dataset."""


def routes() -> list[Route]:
    return [Route(path, chart, methods=["GET"]) for path in ("/v1/events/chart", "/events/chart")]


@dataclass(frozen=True, slots=True)
class _Chart:
    """`metric` None counts the events themselves."""

    asked: Asked
    metric: str | None
    aggregate: Aggregate
    group: str | None
    span: Span


async def chart(request: Request) -> Response:
    who = await caller(request, Permission.READ)
    return encode(await _answer(request, who.workspace, _question(Params(request))))


def _question(params: Params) -> _Chart:
    wanted: list[Filter] = []
    if (found := filters.of_params(params)) is not None:
        wanted.append(found)
    if params.flag("only_experiments"):
        wanted.append(OF_EXPERIMENTS)
    aggregate = _one_of(AGGREGATES, params, "aggregation", "average")
    metric = params.text("metric") or (None if aggregate is Aggregate.COUNT else "duration")
    return _Chart(
        asked=Asked(
            filter=all_of(wanted) if wanted else None,
            period=params.period(),
            project=params.text("project"),
            evaluation=params.text("evaluation_id"),
        ),
        metric=metric,
        aggregate=aggregate,
        group=params.text("groupBy") or None,
        span=_one_of(BUCKETS, params, "bucket", "hour"),
    )


def _one_of(known: Mapping[str, Any], params: Params, name: str, default: str) -> Any:
    value = params.text(name) or default
    if value not in known:
        raise Invalid(f"{value[:40]!r} is none of {', '.join(known)}", ("query", name))
    return known[value]


async def _answer(request: Request, workspace: UUID, wanted: _Chart) -> dict[str, Any]:
    where = ("query", "metric")
    measure = None if wanted.metric is None else fields.measure(fields.field(wanted.metric, where), where)
    where = ("query", "groupBy")
    group = None if wanted.group is None else fields.group(fields.field(wanted.group, where), where)
    chosen = await selection(request, workspace, wanted.asked)
    if chosen is None:
        return {"events": [], "totalEvents": 0}
    runs = services(request).runs
    figures, total = await asyncio.gather(
        runs.figures(
            FigureQuery(
                selection=chosen,
                measure=measure,
                aggregate=wanted.aggregate,
                group=group,
                span=wanted.span,
                limit=MAX_ROWS + 1,
            )
        ),
        runs.count(chosen),
    )
    if len(figures) > MAX_ROWS:
        raise Invalid(
            f"the chart has more than {MAX_ROWS} rows: choose a longer bucket than {wanted.span}, "
            "or a shorter dateRange",
            ("query", "bucket"),
        )
    rows = [_row(figure, grouped=group is not None) for figure in figures]
    return {"events": rows, "totalEvents": total}


def _row(figure: Figure, *, grouped: bool) -> dict[str, Any]:
    assert figure.start is not None
    found: dict[str, Any] = {"bucket": times.iso(figure.start), "timestamp": times.millis(figure.start)}
    if grouped:
        found["group"] = figure.group
    return {**found, "value": figure.value, "count": figure.count}

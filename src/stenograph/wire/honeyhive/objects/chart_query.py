"""POST …/charts/query: what a chart shows, whether it is saved or not.

HoneyHive's documents name the parts of question and answer and leave much open; what is open is decided so:

    {"date_range": {"start": …, "end": …, "time_zone": "Europe/Berlin"},            the end is not in it
     "filters": [{field, operator, value, type}],
     "product_filters": {"experiment_run_id": …, "only_experiments": true},
     "query": {"kind": "time_series",                                               or categorical, or scalar
               "measures": [{"name": "slow", "metric": "duration", "aggregation": "p95"}],
               "bucket": {"unit": "hour", "max_points": 100},
               "split_by": "event_name",
               "split_ranking": {"by": "slow", "limit": 10, "order": "desc"}}}

    {"buckets": [{"start": …, "end": …}], "series": [{"measure": "slow", "split": "answer", "values": [12.5, null],
     "count": 3}], "warnings": [], "matched_event_count": 3}

Of a categorical chart a bucket is `{"value": …}`, one of the split's; of a scalar there is none, and each series has
one value. Times are ISO 8601 or milliseconds since 1970, durations milliseconds.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stenograph.domain.objects import spans
from stenograph.domain.objects.chart_figures import (
    MAX_MEASURES,
    MAX_POINTS,
    MAX_SPLITS,
    ChartAnswer,
    ChartQuery,
    Kind,
    Measured,
    Ranking,
)
from stenograph.errors import Invalid
from stenograph.model.access import Permission
from stenograph.model.filters import Filter, all_of
from stenograph.model.measures import Aggregate, Measure
from stenograph.model.query import RunSelection
from stenograph.model.runs import Micros
from stenograph.wire.honeyhive import times
from stenograph.wire.honeyhive.events import fields, filters
from stenograph.wire.honeyhive.events.reads import of_evaluation
from stenograph.wire.honeyhive.events.series import AGGREGATES, BUCKETS, OF_EXPERIMENTS
from stenograph.wire.honeyhive.objects.charts import place
from stenograph.wire.http import body_as, encode, of_body, services

_DEFAULT_POINTS: Final = 100


class DateRangeIn(Struct, forbid_unknown_fields=True):
    """`relative`, such as 7d, ends now."""

    start: str | int | float | None = None
    end: str | int | float | None = None
    relative: str | None = None
    time_zone: str = "UTC"


class ProductFiltersIn(Struct, forbid_unknown_fields=True):
    experiment_run_id: str | None = None
    only_experiments: bool = False


class MeasureIn(Struct, forbid_unknown_fields=True):
    """Without a metric events are counted. `func` is what saved charts call the aggregation."""

    name: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    metric: str | None = None
    aggregation: str | None = None
    func: str | None = None


class BucketIn(Struct, forbid_unknown_fields=True):
    unit: str | None = None
    max_points: Annotated[int, Meta(ge=1, le=MAX_POINTS)] = _DEFAULT_POINTS


class RankingIn(Struct, forbid_unknown_fields=True):
    """`by` is a measure's name; without it values go by how many events they have."""

    by: str | None = None
    limit: Annotated[int, Meta(ge=1, le=MAX_SPLITS)] = 10
    order: Literal["asc", "desc"] = "desc"


class QueryIn(Struct, forbid_unknown_fields=True):
    kind: Literal["time_series", "categorical", "scalar"]
    measures: Annotated[list[MeasureIn], Meta(min_length=1, max_length=MAX_MEASURES)]
    bucket: BucketIn | None = None
    split_by: str | None = None
    split_ranking: RankingIn | None = None


class ChartQueryIn(Struct, forbid_unknown_fields=True):
    query: QueryIn
    date_range: DateRangeIn | None = None
    filters: list[Any] | None = None
    product_filters: ProductFiltersIn | None = None


def routes() -> list[Route]:
    """Before those of saved charts: `query` is no chart's id."""
    return [
        Route("/v1/charts/query", query, methods=["POST"]),
        Route("/v1/projects/{project_id}/charts/query", query, methods=["POST"]),
    ]


async def query(request: Request) -> Response:
    """POST /v1/projects/{project_id}/charts/query: of a project; POST /v1/charts/query: of all that the key reaches."""
    workspace, project = await place(request, Permission.READ)
    sent = await body_as(request, ChartQueryIn)
    with of_body():
        names = _names(sent.query.measures)
        wanted = _question(sent, names, workspace, project)
        answer = await services(request).objects.chart_figures.answer(wanted)
    return encode(_answer(answer, names))


# -- the question ----------------------------------------------------------------------------------------


def _question(sent: ChartQueryIn, names: list[str], workspace: UUID, project: UUID | None) -> ChartQuery:
    asked = sent.query
    if asked.kind == "categorical" and not asked.split_by:
        raise Invalid("says by what events are categorised, such as event_name", ("query", "split_by"))
    ranking = asked.split_ranking or RankingIn()
    if ranking.by is not None and ranking.by not in names:
        raise Invalid(f"{ranking.by[:60]!r} is not a measure's name", ("query", "split_ranking", "by"))
    dates = sent.date_range or DateRangeIn()
    since, until = _period(dates)
    if asked.kind == "time_series" and (since is None or until is None):
        raise Invalid("a time series needs both ends: {start, end}, or {relative}", ("date_range",))
    bucket = asked.bucket or BucketIn()
    if bucket.unit is not None and bucket.unit not in BUCKETS:
        raise Invalid(f"{bucket.unit[:40]!r} is none of {', '.join(BUCKETS)}", ("query", "bucket", "unit"))
    return ChartQuery(
        kind=Kind(asked.kind),
        selection=RunSelection(
            workspace=workspace,
            projects=() if project is None else (project,),
            since=since,
            until=until,
            filter=_filter(sent),
        ),
        measures=tuple(_measured(each, index) for index, each in enumerate(asked.measures)),
        split=None if not asked.split_by else _split(asked.split_by),
        ranking=Ranking(
            limit=ranking.limit,
            by=None if ranking.by is None else names.index(ranking.by),
            descending=ranking.order == "desc",
        ),
        span=None if bucket.unit is None else BUCKETS[bucket.unit],
        points=bucket.max_points,
        zone=spans.zone_of(dates.time_zone, ("date_range", "time_zone")),
    )


def _names(measures: list[MeasureIn]) -> list[str]:
    """What each measure is called in the answer: as asked, else by what it is."""
    names: list[str] = []
    for index, each in enumerate(measures):
        name = each.name or " ".join(filter(None, (each.aggregation or each.func, each.metric))) or "count"
        if name in names and each.name is not None:
            raise Invalid(f"two measures are called {name[:60]!r}", ("query", "measures", index, "name"))
        names.append(name if name not in names else f"{name} {index + 1}")
    return names


def _measured(sent: MeasureIn, index: int) -> Measured:
    where: tuple[str | int, ...] = ("query", "measures", index)
    if sent.aggregation is not None and sent.func is not None and sent.aggregation != sent.func:
        raise Invalid("is another aggregation than func: give one of them", (*where, "aggregation"))
    word = sent.aggregation or sent.func or ("average" if sent.metric else "count")
    if word not in AGGREGATES:
        raise Invalid(f"{word[:40]!r} is none of {', '.join(AGGREGATES)}", (*where, "aggregation"))
    aggregate = AGGREGATES[word]
    if not sent.metric:
        if aggregate is not Aggregate.COUNT:
            raise Invalid(f"is missing: the {word} of what?", (*where, "metric"))
        return Measured(None, aggregate)
    where = (*where, "metric")
    return Measured(fields.measure(fields.field(sent.metric, where), where), aggregate)


def _split(text: str) -> Measure:
    where = ("query", "split_by")
    return fields.group(fields.field(text, where), where)


def _filter(sent: ChartQueryIn) -> Filter | None:
    wanted = [filters.read(sent.filters, ("filters",))] if sent.filters else []
    product = sent.product_filters or ProductFiltersIn()
    if product.experiment_run_id:
        wanted.append(of_evaluation(product.experiment_run_id))
    if product.only_experiments:
        wanted.append(OF_EXPERIMENTS)
    return all_of(wanted) if wanted else None


def _period(sent: DateRangeIn) -> tuple[Micros | None, Micros | None]:
    """From when to when, both inclusive: to the microsecond before the end."""
    if sent.relative is not None:
        if sent.start is not None or sent.end is not None:
            raise Invalid("give either relative, or start and end", ("date_range", "relative"))
        return times.ago(sent.relative, ("date_range", "relative")), times.now()
    since = None if sent.start is None else times.read(sent.start, ("date_range", "start"))
    until = None if sent.end is None else times.read(sent.end, ("date_range", "end")) - 1
    if since is not None and until is not None and until < since:
        raise Invalid("is not after the start", ("date_range", "end"))
    return since, until


# -- the answer ------------------------------------------------------------------------------------------


def _answer(found: ChartAnswer, names: list[str]) -> dict[str, Any]:
    buckets: list[dict[str, Any]] = [{"value": category} for category in found.categories]
    buckets += [{"start": times.iso(start), "end": times.iso(end)} for start, end in found.times]
    return {
        "buckets": buckets,
        "bucket_unit": found.span,
        "series": [
            {
                "measure": names[series.measure],
                "split": series.split,
                "values": series.values,
                "count": series.count,
            }
            for series in found.series
        ],
        "warnings": found.warnings,
        "matched_event_count": found.matched,
    }

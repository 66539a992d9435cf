"""Questions of model/measures.py to SQL: figures over anything in a run, and what its objects have for members."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, assert_never

from stenograph.model.feedback import Shelf
from stenograph.model.filters import KINDS, Field, Filter, Kind
from stenograph.model.measures import (
    Aggregate,
    Choice,
    Constant,
    FigureQuery,
    Measure,
    NamesQuery,
    OfTrace,
    Scaled,
    Span,
)
from stenograph.model.query import RunSelection
from stenograph.model.values import InDocument, InFeedback
from stenograph.store.runs import values
from stenograph.store.runs.conditions import condition
from stenograph.store.runs.figures import LATENCY
from stenograph.store.runs.query import Statement, among, house, where
from stenograph.store.runs.rows import ZERO
from stenograph.store.runs.sql import Params

_AGGREGATES: Final = {
    Aggregate.COUNT: "toFloat64(count(measure))",
    Aggregate.SUM: "sum(measure)",
    Aggregate.AVERAGE: "avg(measure)",
    Aggregate.LEAST: "min(measure)",
    Aggregate.MOST: "max(measure)",
    Aggregate.P50: "quantileExactInclusive(0.5)(measure)",
    Aggregate.P75: "quantileExactInclusive(0.75)(measure)",
    Aggregate.P90: "quantileExactInclusive(0.9)(measure)",
    Aggregate.P95: "quantileExactInclusive(0.95)(measure)",
    Aggregate.P99: "quantileExactInclusive(0.99)(measure)",
}

_SPANS: Final = {
    Span.MINUTE: "toStartOfMinute",
    Span.HOUR: "toStartOfHour",
    Span.DAY: "toStartOfDay",
    Span.WEEK: "toMonday",
    Span.MONTH: "toStartOfMonth",
}


def figures(query: FigureQuery) -> Statement:
    """What the measure comes to, oldest first, the largest groups first."""
    params = Params()
    measures = _Measures(query.selection, params)
    measure = "1." if query.measure is None else measures.number(query.measure)
    group = "''" if query.group is None else measures.text(query.group)
    start = "toInt64(0)" if query.span is None else _begin(query.span, query.zone, params)
    chosen = where(query.selection, params)
    return (
        f"SELECT bucket, group_key, count(measure) AS counted, ifNull({_AGGREGATES[query.aggregate]}, nan) AS value\n"
        f"FROM (SELECT {start} AS bucket, {group} AS group_key,\n    CAST({measure}, 'Nullable(Float64)') AS measure\n"
        f"  FROM runs AS r FINAL{measures.joined}\n  WHERE {chosen})\n"
        "GROUP BY bucket, group_key\nHAVING counted > 0\nORDER BY bucket, counted DESC, group_key NULLS LAST\n"
        f"LIMIT {int(query.groups)} BY bucket\nLIMIT {int(query.limit)}",
        params.values,
    )


def _begin(span: Span, zone: str, params: Params) -> str:
    if zone == "UTC":
        return f"toUnixTimestamp64Micro(toDateTime64({_SPANS[span]}(start_time), 6, 'UTC'))"
    there = params.text(zone)
    local = f"{_SPANS[span]}(toTimeZone(start_time, {there}))"
    return f"toUnixTimestamp64Micro(toDateTime64({local}, 6, {there}))"


def names(query: NamesQuery) -> Statement:
    """Names in the objects of the newest of the selected runs, the most frequent first."""
    params = Params()
    measures = _Measures(query.selection, params)
    group = measures.text(query.group)
    pairs = ", ".join(
        f"arrayMap(k -> ({params.text(called)}, k), {values.members(place, params)})"
        for called, place in query.objects.items()
    )
    chosen = where(query.selection, params)
    return (
        "SELECT group_key, pair.1 AS object, pair.2 AS name, count() AS counted\n"
        f"FROM (SELECT {group} AS group_key, arrayJoin(arrayConcat({pairs})) AS pair\n"
        f"  FROM (SELECT * FROM runs FINAL WHERE {chosen}\n    {_newest(query.newest)}) AS r{measures.joined})\n"
        f"GROUP BY group_key, object, name\nORDER BY counted DESC, group_key, object, name\nLIMIT {int(query.limit)}",
        params.values,
    )


def feedback_names(query: NamesQuery) -> Statement:
    """The keys of the feedback of these runs, each with its shelf for an object."""
    params = Params()
    measures = _Measures(query.selection, params)
    group = measures.text(query.group)
    terms = [f"workspace_id = {params.uuid(query.selection.workspace)}", f"run_id != '{ZERO}'"]
    if query.selection.projects:
        here = among("home", query.selection.projects, params)
        terms.append(f"({here} OR home = '{ZERO}')")
    chosen = where(query.selection, params)
    return (
        f"SELECT group_key, if({values.SHELVES[Shelf.METRICS]}, 'metrics', 'feedback') AS object,\n"
        "  toString(key) AS name, uniqExact(run_id) AS counted\n"
        f"FROM (SELECT run_id, key, source, source_type FROM feedback FINAL WHERE {' AND '.join(terms)}) AS f\n"
        f"INNER JOIN (SELECT r.id AS chosen_id, {group} AS group_key\n"
        f"  FROM (SELECT * FROM runs FINAL WHERE {chosen}\n    {_newest(query.newest)}) AS r{measures.joined})"
        " AS chosen ON f.run_id = chosen.chosen_id\n"
        f"GROUP BY group_key, object, name\nORDER BY counted DESC, group_key, object, name\nLIMIT {int(query.limit)}",
        params.values,
    )


def _newest(count: int) -> str:
    return f"ORDER BY identity(start_time) DESC, id DESC LIMIT {int(count)}"


@dataclass(slots=True)
class _Measures:
    """Measures as expressions over `runs AS r`, and the subqueries that have to be joined to it for them."""

    selection: RunSelection
    params: Params
    joins: list[str] = field(default_factory=list)

    @property
    def joined(self) -> str:
        return "".join(f"\n  {join}" for join in self.joins)

    def text(self, measure: Measure) -> str:
        """Nullable text."""
        match measure:
            case Constant():
                return self.params.text(measure.text)
            case Choice():
                return self._chosen(measure, self.text)
            case InDocument():
                return values.text(measure, self.params)
            case InFeedback():
                return self._said(measure)
            case Scaled():
                return f"toString({self.number(measure)})"
            case OfTrace():
                return f"toString({self._of_trace(measure)})"
            case Field():
                return _text_of(measure)
            case _:
                assert_never(measure)

    def number(self, measure: Measure) -> str:
        """A nullable number."""
        match measure:
            case Choice():
                return self._chosen(measure, self.number)
            case Scaled():
                return f"{self.number(measure.measure)} * {self.params.number(measure.factor)}"
            case OfTrace():
                return f"toFloat64({self._of_trace(measure)})"
            case Field() if KINDS[measure] is not Kind.TEXT:
                return _number_of(measure)
            case _:
                return values.number(self.text(measure))

    def _chosen(self, choice: Choice, write: Callable[[Measure], str]) -> str:
        cases = ", ".join(f"{self._condition(wanted)}, {write(measure)}" for wanted, measure in choice.cases)
        return f"multiIf({cases}, NULL)"

    def _condition(self, wanted: Filter) -> str:
        selection = self.selection
        return condition(
            wanted,
            self.params,
            selection.workspace,
            within=among("project_id", selection.projects, self.params) if selection.projects else "",
            projects=selection.projects,
        )

    def _said(self, place: InFeedback) -> str:
        owner = f"workspace_id = {self.params.uuid(self.selection.workspace)}"
        if self.selection.projects:
            here = among("home", self.selection.projects, self.params)
            owner += f" AND ({here} OR home = '{ZERO}')"
        found = values.judgements(place, self.params, owner)
        number = len(self.joins)
        token = f"arrayConcat({', '.join(found.tokens)})[1]"
        self.joins.append(
            f"LEFT JOIN (SELECT run_id AS run{number}, {values.text_of(token)} AS said{number}x FROM ({found.source}))"
            f" AS j{number} ON r.id = j{number}.run{number}"
        )
        return f"nullIf(said{number}x, '')"

    def _of_trace(self, measure: OfTrace) -> str:
        matches = self._condition(measure.of)
        found = f"countIf({matches})" if measure.field is None else f"sumIf({measure.field.value}, {matches})"
        number = len(self.joins)
        terms = " AND ".join(house(self.selection, self.params))
        self.joins.append(
            f"LEFT JOIN (SELECT trace_id AS trace{number}, {found} AS sum{number}x FROM runs FINAL"
            f" WHERE {terms} GROUP BY trace_id) AS j{number} ON r.trace_id = j{number}.trace{number}"
        )
        return f"ifNull(sum{number}x, 0)"


def _text_of(plain: Field) -> str:
    match KINDS[plain]:
        case Kind.TEXT:
            return f"nullIf(toString({plain.value}), '')"
        case Kind.FLAG:
            return f"if({plain.value}, 'true', 'false')"
        case _:
            return f"toString({LATENCY if plain is Field.LATENCY else plain.value})"


def _number_of(plain: Field) -> str:
    match KINDS[plain]:
        case Kind.DURATION:
            return LATENCY
        case Kind.TIME:
            return f"toUnixTimestamp64Micro({plain.value}) / 1000000"
        case Kind.IDENTITY:
            return "NULL"
        case _:
            return f"toFloat64({plain.value})"

"""What charts show: measures of runs over time, by category, or as single numbers. The run store computes them; here
they are put side by side, every span of time in its place."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from stenograph.domain.objects import spans
from stenograph.domain.runs import RunReader
from stenograph.errors import Invalid
from stenograph.model.measures import Aggregate, Figure, FigureQuery, Measure, Span
from stenograph.model.query import RunSelection
from stenograph.model.runs import Micros

MAX_POINTS: Final = 5000
"""Spans of time in one answer."""

MAX_SPLITS: Final = 100
"""Values of a split in one answer."""

MAX_MEASURES: Final = 10
_KNOWN_SPLITS: Final = 1000
"""Values of a split that are ranked: those with the most runs."""

_MAX_FIGURES: Final = 200_000

UTC: Final = ZoneInfo("UTC")


class Kind(StrEnum):
    """How a chart is laid out."""

    TIME_SERIES = "time_series"
    CATEGORICAL = "categorical"
    SCALAR = "scalar"


@dataclass(frozen=True, slots=True)
class Measured:
    """What is measured of each run, and how it comes to one number. Without a measure runs are counted."""

    measure: Measure | None
    aggregate: Aggregate


@dataclass(frozen=True, slots=True)
class Ranking:
    """Which values of a split are shown: the first so many by one of the measures, or by the number of runs (None)."""

    limit: int = 10
    by: int | None = None
    descending: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartQuery:
    """A chart. A time series needs both ends in its selection; a categorical chart needs a split, whose values are its
    categories. Without a `span` the shortest is taken that makes no more than `points` spans."""

    kind: Kind
    selection: RunSelection
    measures: tuple[Measured, ...]
    split: Measure | None = None
    ranking: Ranking = Ranking()
    span: Span | None = None
    points: int = 100
    zone: ZoneInfo = UTC


@dataclass(frozen=True, slots=True)
class Series:
    """The values of one measure (by its number) for one value of the split, one for each bucket; None where there is
    nothing to measure. `count` is how many runs have the measure."""

    measure: int
    split: str | None
    values: tuple[float | None, ...]
    count: int


@dataclass(frozen=True, slots=True)
class ChartAnswer:
    """`times` are the spans of a time series, each with its end, which is not in it; `categories` are those of a
    categorical chart; a scalar has neither, and one value a series. `matched` runs were looked at."""

    series: tuple[Series, ...]
    matched: int
    times: tuple[tuple[Micros, Micros], ...] = ()
    span: Span | None = None
    categories: tuple[str | None, ...] = ()
    warnings: tuple[str, ...] = ()


class ChartFigures:
    """Computes charts of one workspace at a time."""

    def __init__(self, runs: RunReader) -> None:
        self._runs = runs

    async def answer(self, query: ChartQuery) -> ChartAnswer:
        """Invalid for more spans or figures than an answer may have."""
        span, warnings = _span(query)
        figures, matched = await asyncio.gather(
            asyncio.gather(*(self._figures(query, each, span) for each in query.measures)),
            self._runs.count(query.selection),
        )
        shown: list[str | None] = [None]
        if query.split is not None:
            whole = figures if span is None else await self._by_split(query)
            shown, more = _ranked(query.ranking, whole, await self._sizes(query))
            if more:
                warnings.append(f"{more} more values of the split are not shown")
        if query.kind is Kind.CATEGORICAL:
            return _categorical(figures, shown, matched, warnings)
        starts = _starts(query, span, figures)
        series = tuple(
            _series(number, split, found, starts) for number, found in enumerate(figures) for split in shown
        )
        ends = [*starts[1:], *(spans.following(span, query.zone, last) for last in starts[-1:] if span)]
        times = tuple(zip(starts, ends, strict=True))
        return ChartAnswer(series, matched, times, span, warnings=tuple(warnings))

    async def _figures(self, query: ChartQuery, measured: Measured, span: Span | None) -> list[Figure]:
        found = await self._runs.figures(
            FigureQuery(
                selection=query.selection,
                measure=measured.measure,
                aggregate=measured.aggregate,
                group=query.split,
                span=span,
                zone=query.zone.key,
                groups=_KNOWN_SPLITS,
                limit=_MAX_FIGURES + 1,
            )
        )
        if len(found) > _MAX_FIGURES:
            raise Invalid(
                f"the chart has more than {_MAX_FIGURES} values: choose a longer bucket, or no split"
            )
        return found

    async def _by_split(self, query: ChartQuery) -> list[list[Figure]]:
        """Each measure over the whole time: only the one that the ranking goes by is asked for."""
        by = query.ranking.by
        return [
            await self._figures(query, measured, None) if number == by else []
            for number, measured in enumerate(query.measures)
        ]

    async def _sizes(self, query: ChartQuery) -> list[Figure]:
        """How many runs each value of the split has, the largest first."""
        return await self._figures(query, Measured(None, Aggregate.COUNT), None)


def _span(query: ChartQuery) -> tuple[Span | None, list[str]]:
    if query.kind is not Kind.TIME_SERIES:
        return None, []
    since, until = query.selection.since, query.selection.until
    assert since is not None
    assert until is not None
    wanted = span = query.span or Span.MINUTE
    while (count := spans.about(span, since, until)) > query.points and (longer := spans.coarser(span)):
        span = longer
    if count > MAX_POINTS:
        raise Invalid(f"the time is longer than {MAX_POINTS} buckets of a {span}")
    if query.span is not None and span is not wanted:
        return span, [f"buckets of a {wanted} would be more than {query.points}: they are of a {span}"]
    if count > query.points:
        return span, [f"there are more than {query.points} buckets: none is longer than a {span}"]
    return span, []


def _starts(query: ChartQuery, span: Span | None, figures: Sequence[Sequence[Figure]]) -> list[Micros]:
    """Every span between the ends, and any that the store begins elsewhere."""
    if span is None:
        return []
    since, until = query.selection.since or 0, query.selection.until or 0
    known = set(spans.begins(span, query.zone, since, until + 1))
    known.update(figure.start for found in figures for figure in found if figure.start is not None)
    return sorted(known)


def _ranked(
    ranking: Ranking, figures: Sequence[Sequence[Figure]], sizes: Sequence[Figure]
) -> tuple[list[str | None], int]:
    """The values of the split to show, in their order, and how many are left out. Ties go to the larger."""
    weights: dict[str | None, float] = {figure.group: figure.count for figure in sizes}
    if ranking.by is not None:
        weights = {figure.group: figure.value for figure in figures[ranking.by]}
    place = {figure.group: number for number, figure in enumerate(sizes)}
    order = sorted(
        weights,
        key=lambda group: (-weights[group] if ranking.descending else weights[group], place.get(group, 0)),
    )
    return order[: ranking.limit], max(0, len(place) - min(ranking.limit, len(order)))


def _series(number: int, split: str | None, found: Sequence[Figure], starts: Sequence[Micros]) -> Series:
    mine = {figure.start: figure for figure in found if figure.group == split}
    if not starts:
        only = next(iter(mine.values()), None)
        return Series(number, split, (None if only is None else only.value,), only.count if only else 0)
    values = tuple(figure.value if (figure := mine.get(start)) else None for start in starts)
    return Series(number, split, values, sum(figure.count for figure in mine.values()))


def _categorical(
    figures: Sequence[Sequence[Figure]], shown: Sequence[str | None], matched: int, warnings: Sequence[str]
) -> ChartAnswer:
    series = []
    for number, found in enumerate(figures):
        by_group = {figure.group: figure for figure in found}
        mine = [by_group.get(group) for group in shown]
        values = tuple(None if figure is None else figure.value for figure in mine)
        count = sum(figure.count for figure in mine if figure is not None)
        series.append(Series(number, None, values, count))
    return ChartAnswer(tuple(series), matched, categories=tuple(shown), warnings=tuple(warnings))

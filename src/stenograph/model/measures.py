"""Figures over runs: what is measured of each, how that comes to one number, and by what runs are grouped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import msgspec

from stenograph.model.filters import Field, Filter
from stenograph.model.query import RunSelection
from stenograph.model.runs import Micros
from stenograph.model.values import InDocument, InFeedback


@dataclass(frozen=True, slots=True)
class Constant:
    """The same text for every run."""

    text: str


@dataclass(frozen=True, slots=True)
class OfTrace:
    """How many runs of the run's trace match; with a `field` of tokens or costs, what these come to in all, nought
    where nothing is known. See TraceCount."""

    of: Filter
    field: Field | None = None


@dataclass(frozen=True, slots=True)
class Scaled:
    """A number in another unit: so many times what it was."""

    measure: Measure
    factor: float


@dataclass(frozen=True, slots=True)
class Choice:
    """Whatever comes with the first filter that the run matches; nothing when it matches none."""

    cases: tuple[tuple[Filter, Measure], ...]


Measure: TypeAlias = "Field | InDocument | InFeedback | Constant | OfTrace | Scaled | Choice"
"""Something of each run. As a number: latencies are seconds, costs dollars, truth is 1 and its opposite 0, and what is
no number is nothing. As a group: text."""


class Aggregate(StrEnum):
    """How many measures come to one. Percentiles interpolate between the two nearest values."""

    COUNT = "count"
    SUM = "sum"
    AVERAGE = "average"
    LEAST = "least"
    MOST = "most"
    P50 = "p50"
    P75 = "p75"
    P90 = "p90"
    P95 = "p95"
    P99 = "p99"


class Span(StrEnum):
    """Spans of time by which runs are grouped by when they started. Weeks begin on Mondays."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureQuery:
    """What a measure comes to, by time and by group, as far as asked for: at most `groups` groups a span of time, those
    with the most runs, and `limit` figures in all. Without a measure runs themselves are counted. Spans begin when they
    do in `zone`, an IANA name."""

    selection: RunSelection
    measure: Measure | None = None
    aggregate: Aggregate = Aggregate.COUNT
    group: Measure | None = None
    span: Span | None = None
    zone: str = "UTC"
    groups: int = 100
    limit: int = 10_000


class Figure(msgspec.Struct, frozen=True):
    """`count` runs have the measure, and it comes to `value`. `start` begins the span of time; `group` is None for runs
    that have nothing to group by."""

    count: int
    value: float
    start: Micros | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NamesQuery:
    """The names of the members of some of the runs' objects, each called what it is called by, and of their feedback,
    by group. Of the `newest` selected runs; at most `limit` names."""

    selection: RunSelection
    objects: Mapping[str, InDocument]
    group: Measure
    newest: int = 10_000
    limit: int = 10_000


class NameCount(msgspec.Struct, frozen=True):
    """So many runs of the group have a member of that name in the object; of feedback the object is its shelf."""

    group: str | None
    object: str
    name: str
    count: int

"""One figure for many: the aggregate functions that HoneyHive's clients ask for. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final


class Aggregate(StrEnum):
    """What values come to. Percentiles are read between the two nearest values, as NumPy does by default."""

    AVERAGE = "average"
    MIN = "min"
    MAX = "max"
    MEDIAN = "median"
    P90 = "p90"
    P95 = "p95"
    P99 = "p99"
    SUM = "sum"
    COUNT = "count"

    def of(self, values: Sequence[float]) -> float | None:
        """None of no values, whatever the function; and where the sum is beyond what a double holds."""
        if not values:
            return None
        found = _FUNCTIONS[self](values)
        return found if math.isfinite(found) else None


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that so many percent lie below, between its two neighbours in proportion."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    part = place - below
    return ordered[below] * (1 - part) + ordered[above] * part


def _total(values: Sequence[float]) -> float:
    try:
        return math.fsum(values)
    except OverflowError:
        return math.inf


_FUNCTIONS: Final[dict[Aggregate, Callable[[Sequence[float]], float]]] = {
    Aggregate.AVERAGE: lambda values: _total(values) / len(values),
    Aggregate.MIN: min,
    Aggregate.MAX: max,
    Aggregate.MEDIAN: lambda values: percentile(values, 50),
    Aggregate.P90: lambda values: percentile(values, 90),
    Aggregate.P95: lambda values: percentile(values, 95),
    Aggregate.P99: lambda values: percentile(values, 99),
    Aggregate.SUM: _total,
    Aggregate.COUNT: len,
}

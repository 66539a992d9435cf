"""What clusters come to, and which of them differ from the rest by more than chance.

Shares are compared by the two-proportion z-test, amounts by the rank-sum test of Mann and Whitney (1947) with the
normal approximation and its correction for ties. Of all tests of a report those are believed that the procedure of
Benjamini and Hochberg (1995) keeps at a false-discovery rate of 5 %, and whose effect is worth a sentence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Numbers: TypeAlias = npt.NDArray[np.float64]
Chosen: TypeAlias = npt.NDArray[np.bool_]
Measure: TypeAlias = Literal["error_rate", "latency", "cost", "feedback", "growth"]

FALSE_DISCOVERIES: Final = 0.05
LEAST_TRACES: Final = 20
"""A cluster has to have so many, with the measure, to be tested; and so has the rest."""

_LEAST_DIFFERENCE: Final = 0.05
_LEAST_RATIO: Final = 1.25
_LEAST_GROWTH: Final = 1.3
"""Effects below these are noise to a reader, however certain."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The measures of all traces, NaN for nothing: seconds, dollars, tokens. `feedback` has a column a key."""

    failed: Chosen
    latency: Numbers
    first_token: Numbers
    tokens: Numbers
    cost: Numbers
    feedback: Mapping[str, Numbers]


@dataclass(frozen=True, slots=True)
class Difference:
    """That a cluster differs from the rest in one measure. `p` is two-sided; `here` and `rest` are what was compared:
    shares, medians, or means of scores. `key` is that of feedback."""

    cluster: int
    measure: Measure
    here: float
    rest: float
    z: float
    p: float
    traces: int
    key: str = ""


def figures(columns: Columns, chosen: Chosen, total: int) -> dict[str, Any]:
    """Of some traces, as JSON has it. What no trace has is absent."""
    count = int(chosen.sum())
    found: dict[str, Any] = {
        "run_count": count,
        "share": round(count / total, 6) if total else 0.0,
        "error_count": int(columns.failed[chosen].sum()),
        "error_rate": round(float(columns.failed[chosen].mean()), 6) if count else 0.0,
    }
    for name, values, quantiles in (
        ("latency", columns.latency, (0.5, 0.99)),
        ("first_token", columns.first_token, (0.5, 0.99)),
        ("tokens", columns.tokens, (0.5, 0.99)),
        ("cost", columns.cost, (0.5, 0.99)),
    ):
        there = values[chosen]
        there = there[~np.isnan(there)]
        if len(there):
            for quantile in quantiles:
                found[f"{name}_p{round(quantile * 100)}"] = round(float(np.quantile(there, quantile)), 9)
    tokens, costs = columns.tokens[chosen], columns.cost[chosen]
    found["total_tokens"] = int(np.nansum(tokens))
    if not np.isnan(costs).all():
        found["total_cost"] = round(float(np.nansum(costs)), 9)
    judged = {key: _scores(values[chosen]) for key, values in sorted(columns.feedback.items())}
    found["feedback_stats"] = {key: stat for key, stat in judged.items() if stat is not None}
    return found


def _scores(values: Numbers) -> dict[str, Any] | None:
    there = values[~np.isnan(values)]
    if not len(there):
        return None
    return {"n": len(there), "avg": round(float(there.mean()), 6), "stdev": round(float(there.std()), 6)}


def differences(
    columns: Columns, clusters: Sequence[Chosen], before: Sequence[int] = (), total_before: int = 0
) -> list[Difference]:
    """Those that stand, the most certain first. `before` are the clusters' counts in a sample of what came before: of
    each level they add up to `total_before`. Without a sample nothing is said of growth."""
    tested: list[Difference] = []
    ranks = {name: _ranked(values) for name, values in _amounts(columns).items()}
    for number, inside in enumerate(clusters):
        tested += _tests(number, inside, columns, ranks)
    if total_before >= LEAST_TRACES:
        tested += _growth(clusters, before, total_before)
    kept = _kept([each.p for each in tested])
    found = [each for each, keep in zip(tested, kept, strict=True) if keep and _worth_saying(each)]
    return sorted(found, key=lambda each: (each.p, -abs(each.z), each.cluster, each.measure, each.key))


@dataclass(frozen=True, slots=True)
class _Ranks:
    """Values with their ranks, ties sharing theirs; `ties` is what they take off the variance."""

    values: Numbers
    there: Chosen
    ranks: Numbers
    ties: float


def _amounts(columns: Columns) -> dict[tuple[Measure, str], Numbers]:
    found: dict[tuple[Measure, str], Numbers] = {
        ("latency", ""): columns.latency,
        ("cost", ""): columns.cost,
    }
    return found | {("feedback", key): values for key, values in columns.feedback.items()}


def _ranked(values: Numbers) -> _Ranks:
    there = ~np.isnan(values)
    _, inverse, counts = np.unique(values[there], return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = np.zeros(len(values))
    ranks[there] = (ends - (counts - 1) / 2)[inverse]
    return _Ranks(values, there, ranks, float(np.sum(counts.astype(np.float64) ** 3 - counts)))


def _tests(
    number: int, inside: Chosen, columns: Columns, ranks: Mapping[tuple[Measure, str], _Ranks]
) -> list[Difference]:
    found = []
    one, other = int(inside.sum()), int((~inside).sum())
    if min(one, other) >= LEAST_TRACES:
        failed, rest = int(columns.failed[inside].sum()), int(columns.failed[~inside].sum())
        z = proportions(failed, one, rest, other)
        found.append(Difference(number, "error_rate", failed / one, rest / other, z, _p(z), one))
    for (measure, key), ranked in ranks.items():
        mine, theirs = inside & ranked.there, ~inside & ranked.there
        one, other = int(mine.sum()), int(theirs.sum())
        if min(one, other) < LEAST_TRACES:
            continue
        z = _rank_sum(ranked, mine, one, other)
        middle = np.mean if measure == "feedback" else np.median
        here, rest_of = float(middle(ranked.values[mine])), float(middle(ranked.values[theirs]))
        found.append(Difference(number, measure, here, rest_of, z, _p(z), one, key))
    return found


def _rank_sum(ranked: _Ranks, mine: Chosen, one: int, other: int) -> float:
    total = one + other
    expected = one * (total + 1) / 2
    variance = one * other / 12 * (total + 1 - ranked.ties / (total * (total - 1)))
    return 0.0 if variance <= 0 else (float(ranked.ranks[mine].sum()) - expected) / math.sqrt(variance)


def proportions(some: int, of: int, others: int, of_others: int) -> float:
    """The z of two shares, pooled; 0 where both are all or nothing."""
    pooled = (some + others) / (of + of_others)
    spread = math.sqrt(pooled * (1 - pooled) * (1 / of + 1 / of_others))
    return 0.0 if spread == 0 else (some / of - others / of_others) / spread


def _growth(clusters: Sequence[Chosen], before: Sequence[int], total_before: int) -> list[Difference]:
    total = len(clusters[0]) if clusters else 0
    found = []
    for number, (inside, count) in enumerate(zip(clusters, before, strict=True)):
        size = int(inside.sum())
        if size >= LEAST_TRACES:
            z = proportions(size, total, count, total_before)
            found.append(Difference(number, "growth", size / total, count / total_before, z, _p(z), size))
    return found


def _p(z: float) -> float:
    return math.erfc(abs(z) / math.sqrt(2))


def _kept(chances: Sequence[float]) -> list[bool]:
    """Which tests the step-up procedure keeps."""
    order = sorted(range(len(chances)), key=lambda index: chances[index])
    last = -1
    for place, index in enumerate(order):
        if chances[index] <= FALSE_DISCOVERIES * (place + 1) / len(chances):
            last = place
    kept = set(order[: last + 1])
    return [index in kept for index in range(len(chances))]


def _worth_saying(found: Difference) -> bool:
    if found.measure in ("error_rate", "feedback"):
        return abs(found.here - found.rest) >= _LEAST_DIFFERENCE
    least = _LEAST_GROWTH if found.measure == "growth" else _LEAST_RATIO
    low, high = sorted((found.here, found.rest))
    return high > 0 and high >= least * low

"""The report of a job in sentences: key points that tests have found, and traces worth looking at, each with the number
that put it there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import numpy as np
import numpy.typing as npt

from stenograph.domain.insights.naming import cut
from stenograph.domain.insights.statistics import Chosen, Columns, Difference
from stenograph.model.insights import HighlightedTrace

MOST_POINTS: Final = 7
MOST_TRACES: Final = 10
_UNUSUAL: Final = 2
_SUMMARY: Final = 200


@dataclass(frozen=True, slots=True)
class Named:
    """A cluster as findings speak of it. `rows` are its traces."""

    id: UUID
    name: str
    level: int
    rows: npt.NDArray[np.int64]
    parent: int | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """The traces: ids, texts, and how near each is to the middle of its cluster."""

    ids: Sequence[UUID]
    texts: Sequence[str]
    errors: Sequence[str]
    closeness: npt.NDArray[np.float32]


def worth_telling(found: Sequence[Difference], clusters: Sequence[Named], most: int) -> list[Difference]:
    """The strongest, a measure of a cluster once, not again of what stands above or below it; bad news first."""
    told: list[Difference] = []
    for each in sorted(found, key=lambda each: (not _is_bad(each), -abs(each.z))):
        kin = _kin(each.cluster, clusters)
        if any(
            other.measure == each.measure and other.key == each.key and other.cluster in kin for other in told
        ):
            continue
        told.append(each)
        if len(told) == most:
            break
    return told


def _kin(number: int, clusters: Sequence[Named]) -> set[int]:
    above: set[int] = {number}
    at = clusters[number].parent
    while at is not None:
        above.add(at)
        at = clusters[at].parent
    below = {
        other
        for other in range(len(clusters))
        if clusters[other].level < clusters[number].level
        and len(clusters[other].rows)
        and np.isin(clusters[other].rows[0], clusters[number].rows)
    }
    return above | below


def _is_bad(found: Difference) -> bool:
    return found.here < found.rest if found.measure == "feedback" else found.here > found.rest


def sentence(found: Difference, name: str) -> str:
    """What was found, with both numbers."""
    times = found.here / found.rest if found.rest else float("inf")
    factor = f"{times:.1f} times" if times >= 1 else f"{times:.0%} of"
    if found.measure == "error_rate":
        return (
            f"{found.here:.0%} of the {found.traces:,} traces in “{name}” fail, "
            f"against {found.rest:.0%} elsewhere (z = {found.z:.1f})."
        )
    if found.measure == "latency":
        return f"“{name}” takes {found.here:.2f} s (median), {factor} the {found.rest:.2f} s of other traces."
    if found.measure == "cost":
        return (
            f"A trace in “{name}” costs ${found.here:.4g} (median), {factor} the ${found.rest:.4g} of others."
        )
    if found.measure == "growth":
        moved = "grew to" if found.here > found.rest else "shrank to"
        return f"“{name}” {moved} {found.here:.1%} of traces, from {found.rest:.1%} in the window before."
    return (
        f"Feedback {found.key} averages {found.here:.2f} in “{name}” ({found.traces:,} scores), "
        f"against {found.rest:.2f} elsewhere."
    )


def of_sizes(clusters: Sequence[Named], total: int) -> str:
    """The first key point: what most traces are about."""
    top = max(each.level for each in clusters)
    largest = sorted(
        (each for each in clusters if each.level == top), key=lambda each: (-len(each.rows), each.name)
    )
    parts = [f"“{each.name}” ({len(each.rows) / total:.0%})" for each in largest[:3]]
    listed = parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
    if len(largest) > 1:
        return f"Of {total:,} traces most are about {listed}."
    name = largest[0].name
    return (
        f"All {total:,} traces are about “{name}”." if total > 1 else f"There is one trace, about “{name}”."
    )


class Highlights:
    """Traces in the order of their ranks; none twice."""

    def __init__(self, clusters: Sequence[Named], seen: Seen, columns: Columns) -> None:
        self._clusters = clusters
        self._seen = seen
        self._columns = columns
        self._found: dict[int, HighlightedTrace] = {}
        self._finest = [number for number, each in enumerate(clusters) if each.level == 0]
        self._of_row = {int(row): number for number in self._finest for row in clusters[number].rows}

    @property
    def found(self) -> tuple[HighlightedTrace, ...]:
        return tuple(self._found.values())

    def of(self, difference: Difference) -> int | None:
        """The trace that shows it best; its rank, None when there is no room for it."""
        rows = self._clusters[difference.cluster].rows
        columns = self._columns
        if difference.measure == "error_rate" and difference.here > difference.rest:
            failed = rows[columns.failed[rows]]
            row = int(failed[np.argmax(self._seen.closeness[failed])])
            why = f"fails as {difference.here:.0%} of its cluster do"
            return self._add(
                row, f"{why}: {cut(self._seen.errors[row], 120)}" if self._seen.errors[row] else why
            )
        if difference.measure in ("latency", "cost") and difference.here > difference.rest:
            values = columns.latency if difference.measure == "latency" else columns.cost
            row = self._nearest_to(rows, values, float(np.nanquantile(values[rows], 0.9)))
            shown = (
                f"takes {values[row]:.2f} s"
                if difference.measure == "latency"
                else f"costs ${values[row]:.4g}"
            )
            return self._add(row, f"{shown}; the median elsewhere is {_amount(difference)}")
        if difference.measure == "feedback" and difference.here < difference.rest:
            scores = columns.feedback[difference.key]
            judged = rows[~np.isnan(scores[rows])]
            row = int(judged[np.argmin(scores[judged])])
            return self._add(
                row, f"has {difference.key} {scores[row]:g}; elsewhere the mean is {difference.rest:.2f}"
            )
        return None

    def typical(self, number: int) -> int | None:
        """The middle of a cluster."""
        rows = self._clusters[number].rows
        row = int(rows[np.argmax(self._seen.closeness[rows])])
        return self._add(row, f"is typical of the largest cluster, {len(rows):,} traces")

    def extremes(self) -> None:
        """The longest, the dearest, and those least like anything else."""
        for values, text in (
            (self._columns.latency, "takes longest: {:.2f} s"),
            (self._columns.cost, "costs most: ${:.4g}"),
        ):
            if len(values) >= 3 and not np.isnan(values).all() and np.nanmax(values) > 0:
                row = int(np.nanargmax(values))
                self._add(row, text.format(values[row]))
        if len(self._seen.ids) >= 3:
            for row in np.argsort(self._seen.closeness, kind="stable")[:_UNUSUAL]:
                self._add(
                    int(row),
                    f"is unusual: its cosine to its cluster's middle is {self._seen.closeness[row]:.2f}",
                )

    def _nearest_to(self, rows: npt.NDArray[np.int64], values: npt.NDArray[np.float64], wanted: float) -> int:
        there = rows[~np.isnan(values[rows])]
        return int(there[np.argmin(np.abs(values[there] - wanted))])

    def _add(self, row: int, why: str) -> int | None:
        if row in self._found:
            return self._found[row].rank
        if len(self._found) == MOST_TRACES:
            return None
        cluster = self._clusters[self._of_row[row]]
        rank = len(self._found) + 1
        self._found[row] = HighlightedTrace(
            run_id=self._seen.ids[row],
            rank=rank,
            highlight_reason=f"It {why}.",
            cluster_id=cluster.id,
            cluster_name=cluster.name,
            summary=cut(self._seen.texts[row], _SUMMARY) or None,
        )
        return rank


def _amount(found: Difference) -> str:
    return f"{found.rest:.2f} s" if found.measure == "latency" else f"${found.rest:.4g}"


def rows_of(chosen: Chosen) -> npt.NDArray[np.int64]:
    return np.flatnonzero(chosen)

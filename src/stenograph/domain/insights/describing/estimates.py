"""What a report will ask a model, before it begins: calls and tokens, from the number of traces and what is wanted.

Tokens of a call are what calls of each kind took on traces of a few sentences. Longer traces are cut, so that the true
number is seldom more than half as much again; the budget is the limit that holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from stenograph.domain.insights import clustering
from stenograph.domain.insights.describing import contrast, reading
from stenograph.domain.insights.findings import MOST_TRACES
from stenograph.model.insights import ReportRequest

SUMMARY: Final = (350, 40)
ATTRIBUTE: Final = (40, 10)
NAME: Final = (1_000, 70)
SORTED: Final = (350, 10)
OVERVIEW: Final = (5_000, 450)
"""Tokens asked and answered of one call."""

_DISTINCT: Final = 20_000
"""Texts beyond which a report has no more clusters."""


@dataclass(frozen=True, slots=True)
class Work:
    """Calls of the models for summaries and for clusters, and their tokens asked and answered."""

    calls: int = 0
    small: tuple[int, int] = (0, 0)
    large: tuple[int, int] = (0, 0)

    @property
    def tokens(self) -> int:
        return sum(self.small) + sum(self.large)

    def within(self, budget: int) -> Work:
        """As much of it as the budget has room for."""
        if self.tokens <= budget:
            return self
        part = budget / self.tokens

        def cut(pair: tuple[int, int]) -> tuple[int, int]:
            return int(pair[0] * part), int(pair[1] * part)

        return Work(round(self.calls * part), cut(self.small), cut(self.large))


def of_request(request: ReportRequest, traces: int, budget: int) -> Work:
    """Of so many traces, as if no two had the same text."""
    if not traces:
        return Work()
    counts = clustering.level_counts(min(traces, _DISTINCT), request.hierarchy)
    attributes = len(request.attribute_schemas or {})
    reads_all = request.summaries == "all"
    each = (SUMMARY[0] + ATTRIBUTE[0] * attributes, SUMMARY[1] + ATTRIBUTE[1] * attributes)
    read = traces if attributes or reads_all else 0
    most = int(budget * reading.SHARE) // sum(each)
    read = min(read, most)
    of_clusters = 0 if read >= traces else min(traces, contrast.SUMMED_UP * counts[0])
    of_traces = 0 if read >= traces else min(traces, MOST_TRACES)
    doubtful = 0
    if request.partitions and len(request.partitions) > 1:
        doubtful = min(contrast.MOST_SORTED, max(1, traces // 10))
    names = sum(counts)
    work = Work(
        read + of_clusters + of_traces + doubtful + names + 1,
        _sum((read, each), (of_clusters + of_traces, SUMMARY), (doubtful, SORTED)),
        _sum((names, NAME), (1, OVERVIEW)),
    )
    return work.within(budget)


def _sum(*parts: tuple[int, tuple[int, int]]) -> tuple[int, int]:
    return sum(count * pair[0] for count, pair in parts), sum(count * pair[1] for count, pair in parts)

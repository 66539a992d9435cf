"""Traces into a report: the method from texts to clusters, names, figures and findings. A model may word it,
see describing/.

Pure: no store, no clock. The same traces and seed give the same clusters, names and ids. Runs in a process of its own,
see worker.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID, uuid5

import msgspec
import numpy as np
import numpy.typing as npt

from stenograph.domain.insights import clustering, findings, keeping, naming, statistics
from stenograph.domain.insights.bags import unit
from stenograph.domain.insights.clustering import Labels
from stenograph.domain.insights.levels import (
    EMPTY,
    Described,
    Told,
    Worded,
    Words,
    levels_of,
    named_of,
    told_of,
)
from stenograph.domain.insights.statistics import Columns
from stenograph.domain.insights.texts import scrubbed
from stenograph.domain.insights.vectors import Embed, Embedded, embedded
from stenograph.model.insights import CHUNK, Cluster, HighlightedTrace, MemberChunk

_NAMESPACE: Final = UUID("5e3f7a1c-50f6-4a5b-9a61-0d6c55d5a1d0")
_QUOTES: Final = 3
_QUOTE: Final = 160
_MOST_ALIKE: Final = 0.9


class TraceRow(msgspec.Struct, frozen=True, array_like=True):
    """A trace as it is analysed: seconds, dollars; None for nothing. `text` is embedded, `topic` names clusters;
    `summary` is a model's."""

    run_id: UUID
    project_id: UUID
    start_time: int
    text: str
    topic: str
    error: str = ""
    failed: bool = False
    latency: float | None = None
    first_token: float | None = None
    tokens: int | None = None
    cost: float | None = None
    feedback: dict[str, float] = {}
    attributes: dict[str, Any] = {}
    summary: str = ""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a report is to be like."""

    job_id: UUID
    seed: int = 0
    hierarchy: tuple[int, ...] | None = None
    partitions: dict[str, str] | None = None


class Analysis(msgspec.Struct, frozen=True, kw_only=True):
    """What was found: clusters, finest first, the members of the finest, and the report's parts. `title` empty: one is
    made of the names."""

    clusters: tuple[Cluster, ...]
    chunks: tuple[MemberChunk, ...]
    key_points: tuple[str, ...]
    highlighted: tuple[HighlightedTrace, ...]
    overall: dict[str, Any]
    agreement: float | None = None
    distinct: int = 0
    reach: float | None = None
    title: str = ""


EMPTY_ANALYSIS: Final = Analysis(
    clusters=(), chunks=(), key_points=("No trace matches.",), highlighted=(), overall={}
)
"""Of no traces."""


Report = Callable[[str, int, int], None]


class Distinct:
    """Texts that differ when ids, numbers and addresses are taken off, and which each trace has."""

    def __init__(self, rows: Sequence[TraceRow], before: Sequence[str]) -> None:
        texts = [scrubbed(row.text).casefold() or EMPTY for row in rows]
        earlier = [scrubbed(text).casefold() or EMPTY for text in before]
        # Sorted, so that the order in which the store gives traces changes nothing.
        self.texts = sorted(set(texts) | set(earlier))
        places = {text: place for place, text in enumerate(self.texts)}
        self.of_rows = np.array([places[text] for text in texts], np.int32)
        self.of_before = np.array([places[text] for text in earlier], np.int32)
        self.weights = np.bincount(self.of_rows, minlength=len(self.texts)).astype(np.float64)


def embed_all(distinct: Distinct, embed: Embed, seed: int, report: Report) -> Embedded:
    """The slow step: what comes of it is kept, so that a restart need not repeat it."""
    return embedded(distinct.texts, embed, seed, lambda done, of: report("embed", done, of))


def analyse(
    rows: Sequence[TraceRow],
    plan: Plan,
    distinct: Distinct,
    vectors: Embedded,
    embed: Embed,
    report: Report,
    words: Words | None = None,
) -> Analysis:
    """All that follows from the vectors. There has to be a trace at least."""
    report("cluster", 0, 1)
    tree, tops = levels_of(distinct, vectors, plan, embed, words)
    labels = tree.labels[0][distinct.of_rows]
    report("name", 0, 1)
    told = told_of(tree)
    names = named_of(rows, labels, told, tops)
    closeness = np.einsum("ij,ij->i", vectors.clustered, tree.centroids[0][tree.labels[0]])[distinct.of_rows]
    closeness = closeness.astype(np.float32)
    worded = Worded(names, {}, {})
    if words is not None:
        sizes = np.bincount(labels, minlength=len(tree.centroids[0]))
        found = Described(
            told, names, tops, labels, sizes, closeness, distinct.of_rows, vectors.clustered
        )  # fmt: skip
        worded = words.worded(found)
    report("describe", 0, 1)
    columns = _columns(rows)
    return _Composition(rows, plan, distinct, vectors, told, worded, labels, columns, closeness).analysis()


def _columns(rows: Sequence[TraceRow]) -> Columns:
    def floats(values: Sequence[float | None]) -> npt.NDArray[np.float64]:
        return np.array([np.nan if value is None else value for value in values], np.float64)

    keys = sorted({key for row in rows for key in row.feedback})
    return Columns(
        failed=np.array([row.failed for row in rows], np.bool_),
        latency=floats([row.latency for row in rows]),
        first_token=floats([row.first_token for row in rows]),
        tokens=floats([row.tokens for row in rows]),
        cost=floats([row.cost for row in rows]),
        feedback={key: floats([row.feedback.get(key) for row in rows]) for key in keys[:50]},
    )


# -- what is told of them ----------------------------------------------------------------------------------


class _Composition:
    """Puts what was found into values that are kept."""

    def __init__(
        self,
        rows: Sequence[TraceRow],
        plan: Plan,
        distinct: Distinct,
        vectors: Embedded,
        told: Sequence[Told],
        worded: Worded,
        labels: Labels,
        columns: Columns,
        closeness: npt.NDArray[np.float32],
    ) -> None:
        self._rows = rows
        self._plan = plan
        self._distinct = distinct
        self._vectors = vectors
        self._told = told
        self._names = worded.names
        self._descriptions = worded.descriptions
        self._summaries = {int(distinct.of_rows[row]): said for row, said in worded.summaries.items()}
        self._labels = labels
        self._columns = columns
        self._closeness = closeness
        self._chosen = [np.isin(labels, each.leaves) for each in told]
        self._ids = [self._id(number) for number in range(len(told))]

    def analysis(self) -> Analysis:
        overall = statistics.figures(self._columns, np.ones(len(self._rows), np.bool_), len(self._rows))
        points, highlighted = self._found()
        clusters = tuple(self._cluster(number, overall) for number in range(len(self._told)))
        return Analysis(
            clusters=clusters,
            chunks=tuple(self._chunks()),
            key_points=points,
            highlighted=highlighted,
            overall=overall,
            agreement=self._vectors.agreement,
            distinct=int((self._distinct.weights > 0).sum()),  # those of the window before have no weight
            reach=keeping.reach(keeping.middles(clusters), self._vectors.sample.astype(np.float32)),
        )

    def _id(self, number: int) -> UUID:
        """From what is in it: the same traces in a cluster of the same level have one id in any report."""
        digest = hashlib.sha256(f"{self._plan.seed}:{self._told[number].level}:".encode())
        for run_id in sorted(
            self._rows[row].run_id.bytes for row in np.flatnonzero(self._chosen[number]).tolist()
        ):
            digest.update(run_id)
        return uuid5(_NAMESPACE, digest.hexdigest())

    def _cluster(self, number: int, overall: Mapping[str, Any]) -> Cluster:
        told, chosen = self._told[number], self._chosen[number]
        stats = statistics.figures(self._columns, chosen, len(self._rows))
        if attributes := self._attributes(chosen):
            stats["attributes"] = attributes
        texts = np.unique(self._distinct.of_rows[chosen])
        weights = self._distinct.weights[texts].astype(np.float32)
        middle = weights @ self._vectors.model[texts].astype(np.float32)
        return Cluster(
            id=self._ids[number],
            job_id=self._plan.job_id,
            level=told.level,
            name=self._names[number],
            description=self._description(number, stats, overall),
            runs=int(chosen.sum()),
            stats=stats,
            leaves=told.leaves,
            parent_id=None if told.parent is None else self._ids[told.parent],
            children=sum(each.parent == number for each in self._told),
            position=number,
            centroid=unit(middle[None, :])[0].astype("<f2").tobytes(),
        )

    def _description(self, number: int, stats: Mapping[str, Any], overall: Mapping[str, Any]) -> str:
        count = stats["run_count"]
        said = f"{count:,} {'trace' if count == 1 else 'traces'} ({stats['share']:.1%})"
        if number in self._descriptions:
            said = f"{self._descriptions[number]} {said}."
        else:
            quotes = [f"“{quote}”" for quote in self._quotes(number)]
            said += f", for example {'; '.join(quotes)}." if quotes else "."
        if overall["error_count"]:
            said += f" {stats['error_rate']:.1%} fail, {overall['error_rate']:.1%} overall."
        return said

    def _quotes(self, number: int) -> list[str]:
        """Of the traces nearest to the middle, some that differ."""
        rows = np.flatnonzero(self._chosen[number])
        order = rows[np.argsort(-self._closeness[rows], kind="stable")][:60]
        kept: list[int] = []
        for row in order:
            if not self._rows[row].topic:
                continue
            mine = self._vectors.clustered[self._distinct.of_rows[row]]
            others = self._vectors.clustered[self._distinct.of_rows[kept]]
            if not kept or float((others @ mine).max()) < _MOST_ALIKE:
                kept.append(int(row))
            if len(kept) == _QUOTES:
                break
        return [naming.cut(self._rows[row].topic, _QUOTE) for row in kept]

    def _attributes(self, chosen: npt.NDArray[np.bool_]) -> dict[str, Any]:
        """Counts of values; of numbers their mean, too."""
        values: dict[str, list[Any]] = {}
        for row in np.flatnonzero(chosen).tolist():
            for name, value in self._rows[row].attributes.items():
                values.setdefault(name, []).append(value)
        return {name: _summed(values[name]) for name in sorted(values)}

    def _found(self) -> tuple[tuple[str, ...], tuple[HighlightedTrace, ...]]:
        clusters = [
            findings.Named(
                self._ids[number],
                self._names[number],
                each.level,
                findings.rows_of(self._chosen[number]),
                each.parent,
            )
            for number, each in enumerate(self._told)
        ]
        earlier = len(self._distinct.of_before)
        before = self._before() if earlier else []
        differences = statistics.differences(self._columns, self._chosen, before, earlier)
        told = findings.worth_telling(differences, clusters, findings.MOST_POINTS - 1)
        seen = findings.Seen(
            [row.run_id for row in self._rows],
            [row.topic for row in self._rows],
            [row.error for row in self._rows],
            self._closeness,
        )
        highlights = findings.Highlights(clusters, seen, self._columns)
        largest = max(
            (number for number, each in enumerate(self._told) if each.level == 0),
            key=lambda number: (len(clusters[number].rows), -number),
        )
        ranks = [highlights.of(each) for each in told]
        highlights.typical(largest)
        highlights.extremes()
        points = [findings.of_sizes(clusters, len(self._rows))]
        for each, rank in zip(told, ranks, strict=True):
            points.append(
                findings.sentence(each, clusters[each.cluster].name) + (f" See #{rank}." if rank else "")
            )
        return tuple(points), highlights.found

    def _before(self) -> list[int]:
        """How many of the earlier sample are in each cluster."""
        middles = np.stack(
            [np.frombuffer(self._middle(leaf), np.float32) for leaf in range(int(self._labels.max()) + 1)]
        )
        leaves = clustering.nearest(self._vectors.clustered[self._distinct.of_before], middles)
        return [int(np.isin(leaves, each.leaves).sum()) for each in self._told]

    def _middle(self, leaf: int) -> bytes:
        texts = np.unique(self._distinct.of_rows[self._labels == leaf])
        weights = self._distinct.weights[texts].astype(np.float32)
        found: bytes = unit((weights @ self._vectors.clustered[texts])[None, :])[0].tobytes()
        return found

    def _chunks(self) -> list[MemberChunk]:
        found = []
        for leaf in range(int(self._labels.max()) + 1):
            rows = np.flatnonzero(self._labels == leaf)
            ids = [self._rows[row].run_id.bytes for row in rows.tolist()]
            order = sorted(range(len(rows)), key=lambda at: (-float(self._closeness[rows[at]]), ids[at]))
            for number, start in enumerate(range(0, len(order), CHUNK)):
                found.append(self._chunk(leaf, number, rows[order[start : start + CHUNK]]))
        return found

    def _chunk(self, leaf: int, number: int, rows: npt.NDArray[np.int64]) -> MemberChunk:
        some = [self._rows[row] for row in rows.tolist()]
        attributes = None
        if any(row.attributes for row in some):
            attributes = msgspec.json.encode([row.attributes for row in some])
        summaries = [self._summary(row) for row in rows.tolist()]
        return MemberChunk(
            leaf=leaf,
            number=number,
            size=len(some),
            run_ids=b"".join(row.run_id.bytes for row in some),
            project_ids=b"".join(row.project_id.bytes for row in some),
            starts=np.array([row.start_time for row in some], "<i8").tobytes(),
            latencies=self._columns.latency[rows].astype("<f4").tobytes(),
            costs=self._columns.cost[rows].astype("<f4").tobytes(),
            tokens=self._columns.tokens[rows].astype("<f4").tobytes(),
            closeness=self._closeness[rows].astype("<f4").tobytes(),
            attributes=attributes,
            summaries=msgspec.json.encode(summaries) if any(summaries) else None,
        )

    def _summary(self, row: int) -> str | None:
        """A model's, of this trace or of another with the same text."""
        return self._rows[row].summary or self._summaries.get(int(self._distinct.of_rows[row])) or None


def _summed(values: Sequence[Any]) -> dict[str, Any]:
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if numbers and len(numbers) == len(values):
        return {
            "n": len(numbers),
            "avg": round(float(np.mean(numbers)), 6),
            "min": min(numbers),
            "max": max(numbers),
        }
    counts: dict[str, int] = {}
    for value in values:
        text = "true" if value is True else "false" if value is False else str(value)
        counts[text] = counts.get(text, 0) + 1
    frequent = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:20]
    return {"n": len(values), "values": dict(frequent)}

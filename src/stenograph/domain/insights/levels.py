"""The levels of a report: clusters of texts and of clusters, and their names by keywords; and what a model that words
them is shown of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from stenograph.domain.insights import clustering, naming
from stenograph.domain.insights.bags import Floats, unit
from stenograph.domain.insights.clustering import Labels, Tree
from stenograph.domain.insights.texts import scrubbed
from stenograph.domain.insights.vectors import Embed, Embedded

if TYPE_CHECKING:
    from stenograph.domain.insights.analysis import Distinct, Plan, TraceRow

OTHER: Final = "Other"
_LEAST_FIT: Final = 0.15
"""Cosine to a given category below which a trace belongs to none."""

EMPTY: Final = "(no text)"


class Told(msgspec.Struct, frozen=True):
    """A cluster on its way: its level, the rows of its traces, the finest clusters below."""

    level: int
    leaves: tuple[int, ...]
    parent: int | None


@dataclass(frozen=True, slots=True)
class Described:
    """Clusters with their keywords as names. `labels`, `closeness` and `of_rows` (into `vectors`) have an entry a row,
    `sizes` one a finest cluster; `tops` are the given names of the top level."""

    told: Sequence[Told]
    names: Sequence[str]
    tops: Sequence[str]
    labels: Labels
    sizes: npt.NDArray[np.int64]
    closeness: npt.NDArray[np.float32]
    of_rows: npt.NDArray[np.int32]
    vectors: Floats


@dataclass(frozen=True, slots=True)
class Worded:
    """Names of all clusters, no two alike; descriptions of some, by number; summaries of some rows."""

    names: list[str]
    descriptions: Mapping[int, str]
    summaries: Mapping[int, str]


class Words(Protocol):
    """Who words a report and sorts what the vectors are not sure of: a model."""

    def worded(self, found: Described) -> Worded: ...

    def placed(
        self, texts: Sequence[str], fit: npt.NDArray[np.float32], tops: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.int32]: ...


# -- clusters ----------------------------------------------------------------------------------------------


def levels_of(
    distinct: Distinct, vectors: Embedded, plan: Plan, embed: Embed, words: Words | None
) -> tuple[Tree, tuple[str, ...]]:
    """Levels of the distinct texts; the names of the top level, where they were given."""
    leaders = clustering.leaders(vectors.clustered, np.maximum(distinct.weights, 1e-3), plan.seed)
    chosen = np.unique(leaders)
    of_leader = np.searchsorted(chosen, leaders)
    weights = np.bincount(of_leader, weights=np.maximum(distinct.weights, 1e-3)).astype(np.float64)
    points = vectors.clustered[chosen]
    if plan.partitions:
        texts = [distinct.texts[place] for place in chosen]
        tree, names = _partitioned(plan, vectors, points, chosen, of_leader, weights, embed, texts, words)
        # Two clusters without traces would have one id: it follows from what is in them.
        used = np.unique(tree.labels[1][tree.labels[0]][distinct.weights > 0])
        return _without_empty(tree, distinct), tuple(names[top] for top in used)
    counts = clustering.level_counts(int((distinct.weights > 0).sum()), plan.hierarchy)
    found = clustering.tree(points, weights, counts, plan.seed)
    return _without_empty(
        Tree((found.labels[0][of_leader], *found.labels[1:]), found.centroids), distinct
    ), ()


def _partitioned(
    plan: Plan,
    vectors: Embedded,
    points: Floats,
    chosen: npt.NDArray[np.int32],
    of_leader: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float64],
    embed: Embed,
    texts: Sequence[str],
    words: Words | None,
) -> tuple[Tree, tuple[str, ...]]:
    """Given categories are the top level; what fits none of them is Other; the finest level is found inside each."""
    assert plan.partitions
    names = list(plan.partitions)
    wanted = embed([f"{name}: {plan.partitions[name]}" for name in names])
    fit = unit(vectors.model[chosen].astype(np.float32)) @ unit(wanted).T
    tops = np.where(fit.max(axis=1) >= _LEAST_FIT, fit.argmax(axis=1), len(names)).astype(np.int32)
    if words is not None:
        tops = words.placed(texts, fit, tops)
    fine = clustering.level_counts(len(points), plan.hierarchy)[0]
    labels = np.zeros(len(points), np.int32)
    parents: list[int] = []
    for top in np.unique(tops):
        rows = np.flatnonzero(tops == top)
        count = max(1, round(fine * float(weights[rows].sum() / weights.sum())))
        inner = clustering.tree(points[rows], weights[rows], [min(count, len(rows))], plan.seed)
        used, numbers = np.unique(inner.labels[0], return_inverse=True)
        labels[rows] = numbers + len(parents)
        parents += [int(top)] * len(used)
    used, above = np.unique(np.array(parents, np.int32), return_inverse=True)
    centroids = clustering.centroids(points, weights, labels, len(parents))
    upper = clustering.centroids(points, weights, above.astype(np.int32)[labels], len(used))
    given = tuple(names[top] if top < len(names) else OTHER for top in used)
    return Tree((labels[of_leader], above.astype(np.int32)), (centroids, upper)), given


def _without_empty(tree: Tree, distinct: Distinct) -> Tree:
    """Clusters that hold only traces of the window before, or none, are no clusters of this report."""
    labels, tables = list(tree.labels), list(tree.centroids)
    for level in range(len(labels)):
        of_texts = labels[0]
        for above in labels[1 : level + 1]:
            of_texts = above[of_texts]
        used = np.unique(of_texts[distinct.weights > 0])
        if len(used) == len(tables[level]):
            continue
        renumbered = np.zeros(len(tables[level]), np.int32)
        renumbered[used] = np.arange(len(used))
        stray = np.setdiff1d(np.arange(len(tables[level])), used)
        if len(stray):  # earlier texts alone were there: they count with what is nearest
            renumbered[stray] = clustering.nearest(tables[level][stray], tables[level][used])
        labels[level] = renumbered[labels[level]]
        tables[level] = tables[level][used]
        if level + 1 < len(labels):
            labels[level + 1] = labels[level + 1][used]
    return Tree(tuple(labels), tuple(tables))


def told_of(tree: Tree) -> list[Told]:
    """All clusters, the finest level first; `parent` is a place in this list."""
    found: list[Told] = []
    starts = np.concatenate([[0], np.cumsum([len(table) for table in tree.centroids])])
    of_leaf: Labels = np.arange(len(tree.centroids[0]), dtype=np.int32)
    for level, table in enumerate(tree.centroids):
        if level:
            of_leaf = tree.labels[level][of_leaf]
        for number in range(len(table)):
            top = level + 1 == len(tree.centroids)
            parent = None if top else int(starts[level + 1] + tree.labels[level + 1][number])
            found.append(Told(level, tuple(np.flatnonzero(of_leaf == number).tolist()), parent))
    return found


def named_of(
    rows: Sequence[TraceRow], labels: Labels, told: Sequence[Told], tops: Sequence[str]
) -> list[str]:
    phrases = naming.Phrases()
    step = max(1, len(rows) // naming.SAMPLED)
    seen: set[tuple[int, str]] = set()
    for place in range(0, len(rows), step):
        text = scrubbed(rows[place].topic)
        if text and (key := (int(labels[place]), text)) not in seen:
            seen.add(key)
            phrases.add(key[0], text)
    names: list[str] = [""] * len(told)
    given = naming.Names(tops)
    top = max(each.level for each in told)
    everything = tuple(range(sum(each.level == 0 for each in told)))
    sizes = np.bincount(labels, minlength=len(everything))
    for level in range(top + 1):
        here = [number for number, each in enumerate(told) if each.level == level]
        for place, number in enumerate(here):
            if level == top and tops:
                names[number] = tops[place]
                continue
            each = told[number]
            siblings = everything if each.parent is None else told[each.parent].leaves
            ranked = phrases.ranked(each.leaves, siblings) or phrases.ranked(each.leaves, each.leaves)
            below = sorted(
                (child for child, other in enumerate(told) if other.parent == number),
                key=lambda child: (-int(sizes[list(told[child].leaves)].sum()), child),
            )
            if level and not naming.coherent(ranked) and len(below) > 1:
                wanted = naming.of_children([names[child] for child in below])
            elif picks := naming.picked(ranked):
                wanted = naming.title(picks, phrases)
            else:
                wanted = EMPTY
            names[number] = given.unique(wanted, naming.apart(ranked, wanted))
    return names

"""Clusters that live on from report to report of one configuration: under their ids, and under names that people gave.

Two clusters of a level are one when their middles, in the model's space, are alike; each has one successor at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec
import numpy as np

from stenograph.domain.insights.analysis import Analysis
from stenograph.model.insights import Cluster, InsightJob, JobStatus
from stenograph.store.api import Insights

ALIKE: Final = 0.85
"""The least cosine of two middles that are of one cluster."""

_LOOKED_AT: Final = 20


async def continued(store: Insights, job: InsightJob, found: Analysis) -> Analysis:
    """With the ids of the last report of this configuration, where clusters are still there."""
    if job.config_id is None:
        return found
    for earlier in await store.page(job.workspace, job.project_id, 0, _LOOKED_AT, job.config_id):
        if earlier.status is JobStatus.SUCCESS and earlier.id != job.id:
            return _renamed(found, await store.clusters(job.workspace, earlier.id))
    return found


def matched(old: Sequence[Cluster], new: Sequence[Cluster]) -> dict[UUID, Cluster]:
    """By id of a new cluster, the old one that it continues. Both of the same level, the most alike first."""
    pairs: list[tuple[float, int, int]] = []
    for level in sorted({cluster.level for cluster in new}):
        rows = [number for number, each in enumerate(new) if each.level == level and each.centroid]
        before = [number for number, each in enumerate(old) if each.level == level and each.centroid]
        if not rows or not before or len(new[rows[0]].centroid) != len(old[before[0]].centroid):
            continue
        alike = _vectors([new[row] for row in rows]) @ _vectors([old[row] for row in before]).T
        for one, other in zip(*np.nonzero(alike >= ALIKE), strict=True):
            pairs.append((-float(alike[one, other]), rows[one], before[other]))
    found: dict[UUID, Cluster] = {}
    taken: set[int] = set()
    for _, one, other in sorted(pairs):
        if new[one].id not in found and other not in taken:
            found[new[one].id] = old[other]
            taken.add(other)
    return found


def _vectors(clusters: Sequence[Cluster]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.stack([np.frombuffer(cluster.centroid, "<f2").astype(np.float32) for cluster in clusters])


def _renamed(found: Analysis, old: Sequence[Cluster]) -> Analysis:
    successors = matched(old, found.clusters)
    ids = {new: before.id for new, before in successors.items()}
    if len({ids.get(each.id, each.id) for each in found.clusters}) < len(found.clusters):
        return found  # an id of before is another cluster's now: keeping to the new ones is right for all
    names = {each.name: each.name for each in found.clusters}
    for cluster in found.clusters:
        before = successors.get(cluster.id)
        if before is not None and before.renamed and before.name not in names.values():
            names[cluster.name] = before.name

    def text(said: str) -> str:
        for name, given in names.items():
            said = said.replace(f"“{name}”", f"“{given}”") if name != given else said
        return said

    return msgspec.structs.replace(
        found,
        clusters=tuple(
            msgspec.structs.replace(
                each,
                id=ids.get(each.id, each.id),
                parent_id=None if each.parent_id is None else ids.get(each.parent_id, each.parent_id),
                name=names[each.name],
                renamed=each.renamed or names[each.name] != each.name,
            )
            for each in found.clusters
        ),
        key_points=tuple(text(point) for point in found.key_points),
        highlighted=tuple(
            msgspec.structs.replace(
                each,
                cluster_id=None if each.cluster_id is None else ids.get(each.cluster_id, each.cluster_id),
                cluster_name=names.get(each.cluster_name or "", each.cluster_name),
            )
            for each in found.highlighted
        ),
    )

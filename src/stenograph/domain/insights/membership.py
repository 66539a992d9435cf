"""Filters that name clusters of reports: these give way to the ids of the clusters' runs before a store is asked.

A cluster has the traces of its report, and those that the report has taken in since (see keeping_up.py). Ids live on
from report to report of one configuration: then the newest report counts. What the workspace does not have holds no
run, as with any id of somebody else's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from stenograph.errors import Invalid
from stenograph.model.filters import And, Filter, InCluster, Not, OneOf, Or, Rare, TraceCount
from stenograph.model.query import RunSelection
from stenograph.store.api import MetaStore

MOST: Final = 500_000
"""Runs of the clusters that one condition names: three times as long as a query over as many takes by itself."""


class Membership:
    """Reads who is in which cluster. One workspace at a time: that of the selection."""

    def __init__(self, meta: MetaStore) -> None:
        self._store = meta.insights
        self._following = meta.insight_following

    async def applied(self, selection: RunSelection) -> RunSelection:
        """The selection with ids in the place of clusters. Invalid when these are too many."""
        wanted = (selection.filter, selection.trace_filter, selection.tree_filter)
        if not any(map(speaks_of_clusters, wanted)):
            return selection
        own, root, tree = [
            each if each is None else await self.resolved(selection.workspace, each) for each in wanted
        ]
        return replace(selection, filter=own, trace_filter=root, tree_filter=tree)

    async def resolved(self, workspace: UUID, wanted: Filter) -> Filter:
        """The same of one filter."""
        match wanted:
            case InCluster():
                return OneOf(await self._ids(workspace, wanted.clusters))
            case And() | Or():
                parts = [await self.resolved(workspace, part) for part in wanted.parts]
                return replace(wanted, parts=tuple(parts))
            case Not() | Rare():
                return replace(wanted, part=await self.resolved(workspace, wanted.part))
            case TraceCount():
                return replace(wanted, of=await self.resolved(workspace, wanted.of))
            case _:
                return wanted

    async def _ids(self, workspace: UUID, clusters: Sequence[UUID]) -> bytes:
        leaves: dict[UUID, set[int]] = {}
        for cluster in await self._store.homes(workspace, clusters):
            leaves.setdefault(cluster.job_id, set()).update(cluster.leaves)
        found: list[bytes] = []
        left = MOST
        for job_id, wanted in leaves.items():
            theirs = await self._store.run_ids(workspace, job_id, sorted(wanted), left)
            if theirs is None:
                raise _too_many()
            left -= len(theirs) // 16
            since = await self._following.run_ids(workspace, job_id, sorted(wanted), left + 1)
            if len(since) > left:
                raise _too_many()
            left -= len(since)
            found += [theirs, *(run_id.bytes for run_id in since)]
        return b"".join(found)


def _too_many() -> Invalid:
    return Invalid(
        f"the clusters of a condition have at most {MOST:,} runs; ask for smaller ones", ("filter",)
    )


def speaks_of_clusters(wanted: Filter | None) -> bool:
    """Whether a filter names clusters anywhere."""
    match wanted:
        case InCluster():
            return True
        case And() | Or():
            return any(map(speaks_of_clusters, wanted.parts))
        case Not() | Rare():
            return speaks_of_clusters(wanted.part)
        case TraceCount():
            return speaks_of_clusters(wanted.of)
        case _:
            return False

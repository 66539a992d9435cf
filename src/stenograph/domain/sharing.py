"""Sharing a run: an unguessable link opens its whole trace to readers without a key, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID, uuid4

from stenograph.domain.runs import RunReader
from stenograph.errors import Invalid, NotFound
from stenograph.model.filters import And, Compare, Field, Filter, Member, Not, Or
from stenograph.model.query import RunQuery, RunSelection
from stenograph.model.runs import Run
from stenograph.model.sharing import Share, ShareKind
from stenograph.store.api import MetaStore

_NOTHING: Final = "not found"
"""The same for a token that never was, one that was revoked and a run of another trace."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What a token opens: one trace of one workspace."""

    workspace: UUID
    trace: UUID

    def confine(self, selection: RunSelection) -> RunSelection:
        """The part of a selection that lies in the trace.

        Projects are not public, so that naming one selects nothing less, and a filter on one is Invalid:
        otherwise it would tell whether a guess was right.
        """
        for wanted in (selection.filter, selection.trace_filter, selection.tree_filter):
            if wanted is not None and _speaks_of_projects(wanted):
                raise Invalid("session_id is not a field of shared runs", where=("body", "filter"))
        return replace(selection, workspace=self.workspace, projects=(), traces=(self.trace,))


@dataclass(frozen=True, slots=True)
class SharedTrace:
    """One link of a workspace. `root` is None when the run has been deleted, or the link leads elsewhere."""

    share: Share
    root: Run | None


class Sharing:
    """Shares are by trace: sharing any run of a trace gives one and the same token."""

    def __init__(self, meta: MetaStore, runs: RunReader) -> None:
        self._shares = meta.shares
        self._runs = runs

    # -- by those who own the run --------------------------------------------------------------------------

    async def share(self, workspace: UUID, run_id: UUID) -> Share:
        """The link to the trace of this run, made when there is none; NotFound for an unknown run."""
        run = await self._runs.one(workspace, run_id, frozenset())
        return await self._shares.ensure(
            Share(
                token=uuid4(),
                workspace=workspace,
                kind=ShareKind.RUN,
                target_id=str(run.trace_id),
                project_id=run.project_id if run.project_id.int else None,
                created_at=time.time_ns() // 1000,
            )
        )

    async def shared(self, workspace: UUID, run_id: UUID) -> Share | None:
        """The link to the trace of this run, if there is one; NotFound for an unknown run."""
        run = await self._runs.one(workspace, run_id, frozenset())
        found = await self._shares.of(workspace, ShareKind.RUN, [str(run.trace_id)])
        return found[0] if found else None

    async def forget(self, workspace: UUID, runs: Sequence[UUID]) -> None:
        """Close the links to these traces, which have been deleted: sent again, they are not shared."""
        for start in range(0, len(runs), 500):
            targets = [str(run) for run in runs[start : start + 500]]
            found = await self._shares.of(workspace, ShareKind.RUN, targets)
            if found:
                await self._shares.revoke(workspace, [share.token for share in found])

    async def unshare(self, workspace: UUID, run_id: UUID) -> None:
        """Close the link at once. No error when there is none."""
        run = await self._runs.one(workspace, run_id, frozenset())
        await self._shares.revoke_target(workspace, ShareKind.RUN, str(run.trace_id))

    async def tokens(self, workspace: UUID, runs: Sequence[Run]) -> Mapping[UUID, UUID]:
        """Trace id to token, for the traces of these runs that are shared."""
        traces = sorted({str(run.trace_id) for run in runs})
        found = await self._shares.of(workspace, ShareKind.RUN, traces)
        return {UUID(share.target_id): share.token for share in found}

    async def token(self, workspace: UUID, trace: UUID) -> UUID | None:
        """That of one trace, None when it is not shared."""
        found = await self._shares.of(workspace, ShareKind.RUN, [str(trace)])
        return found[0].token if found else None

    async def page(self, workspace: UUID, offset: int, limit: int) -> list[SharedTrace]:
        """The workspace's links, newest first, each with name and type of the run it leads to."""
        shares = await self._shares.page(workspace, offset, limit)
        traces = tuple(UUID(share.target_id) for share in shares if share.kind is ShareKind.RUN)
        roots: dict[UUID, Run] = {}
        if traces:
            found = await self._runs.page(
                RunQuery(
                    selection=RunSelection(workspace=workspace, ids=traces),
                    columns=frozenset({"name", "run_type"}),
                    limit=len(traces),
                )
            )
            roots = {run.trace_id: run for run in found}
        return [
            SharedTrace(share, roots.get(UUID(share.target_id)) if share.kind is ShareKind.RUN else None)
            for share in shares
        ]

    async def revoke(self, workspace: UUID, tokens: Sequence[UUID]) -> int:
        """Close these links; how many there were."""
        return await self._shares.revoke(workspace, tokens)

    async def revoke_all(self, workspace: UUID) -> int:
        """Close all links of the workspace; how many there were."""
        return await self._shares.revoke_all(workspace)

    # -- by those who hold a link --------------------------------------------------------------------------

    async def open(self, token: str) -> Opened:
        """What a token opens; NotFound, whatever the reason, when it opens no trace."""
        try:
            share = await self._shares.resolve(UUID(token))
        except ValueError:
            share = None
        if share is None or share.kind is not ShareKind.RUN:
            raise NotFound(_NOTHING)
        return Opened(share.workspace, UUID(share.target_id))

    async def run(self, opened: Opened, run_id: UUID | None, columns: frozenset[str]) -> Run:
        """One run of the trace, its root when none is named; NotFound for any other.

        While the root is not there yet, the first of the trace's runs stands in for it.
        """
        found = await self._first(opened, opened.trace if run_id is None else run_id, columns)
        if found is None and run_id is None:
            found = await self._first(opened, None, columns)
        if found is None:
            raise NotFound(_NOTHING)
        return found

    async def _first(self, opened: Opened, run_id: UUID | None, columns: frozenset[str]) -> Run | None:
        chosen = RunSelection(workspace=opened.workspace, ids=(run_id,) if run_id else ())
        found = await self._runs.page(
            RunQuery(selection=opened.confine(chosen), columns=columns, limit=1, newest_first=False)
        )
        return found[0] if found else None


def _speaks_of_projects(wanted: Filter) -> bool:
    match wanted:
        case And() | Or():
            return any(map(_speaks_of_projects, wanted.parts))
        case Not():
            return _speaks_of_projects(wanted.part)
        case Compare() | Member():
            return wanted.field is Field.PROJECT_ID
        case _:
            return False

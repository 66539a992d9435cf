"""Sharing a run: an unguessable link opens its whole trace to readers without a key, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from uuid import UUID, uuid4

from stenograph.domain.runs import RunReader
from stenograph.errors import NotFound
from stenograph.model.runs import Run
from stenograph.model.sharing import Share, ShareKind
from stenograph.store.api import MetaStore


class Sharing:
    """Shares are by trace: sharing any run of a trace gives one and the same token."""

    def __init__(self, meta: MetaStore, runs: RunReader) -> None:
        self._shares = meta.shares
        self._runs = runs

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

    async def unshare(self, workspace: UUID, run_id: UUID) -> None:
        """Close the link at once. No error when there is none."""
        run = await self._runs.one(workspace, run_id, frozenset())
        await self._shares.revoke_target(workspace, ShareKind.RUN, str(run.trace_id))

    async def tokens(self, workspace: UUID, runs: Sequence[Run]) -> Mapping[UUID, UUID]:
        """Trace id to token, for the traces of these runs that are shared."""
        traces = sorted({str(run.trace_id) for run in runs})
        found = await self._shares.of(workspace, ShareKind.RUN, traces)
        return {UUID(share.target_id): share.token for share in found}

    async def trace(self, token: UUID) -> tuple[UUID, UUID]:
        """Workspace and trace that a token opens; NotFound when it opens none."""
        share = await self._shares.resolve(token)
        if share is None or share.kind is not ShareKind.RUN:
            raise NotFound("not found")
        return share.workspace, UUID(share.target_id)

    async def page(self, workspace: UUID, offset: int, limit: int) -> Sequence[Share]:
        """The workspace's links, newest first."""
        return await self._shares.page(workspace, offset, limit)

    async def revoke(self, workspace: UUID, tokens: Sequence[UUID]) -> int:
        """Close these links, or all of them when none is named; how many there were."""
        if tokens:
            return await self._shares.revoke(workspace, tokens)
        return await self._shares.revoke_all(workspace)

"""Deleting traces by age: what a workspace asked for is done in rounds, behind everything else.

    every hour, and when somebody has asked for another age:
        each workspace that has asked  ->  a page of traces that are due  ->  in batches:
            nothing has come to it since?  ->  links closed, runs and feedback deleted  ->  a rest as long as that took

A batch is a few thousand runs in whole traces, so that neither readers nor the recorder wait long; killed at any
moment, the next round finds what is left. Several processes may do this to one store: what is gone is gone.

The day as of which ages are reckoned follows the clock at a day an hour at most, for as long as the server is up. So
a clock that jumps ahead by years empties no store before somebody sees it, and a server that was off for a month
catches up within thirty hours. Somebody who asks on the page has seen what will go, so then it is now.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Final
from uuid import UUID

import msgspec
import structlog

from stenograph.domain.retention.old_traces import OldTraces, Page
from stenograph.domain.rounds import Rounds
from stenograph.domain.trace_deletion import TraceDeletion
from stenograph.errors import Overloaded, StoreUnavailable
from stenograph.model.query import RunSelection
from stenograph.model.retention import DAY, Aged, Retention, Round
from stenograph.model.runs import Micros
from stenograph.observability import Metrics
from stenograph.store.api import MetaStore

log = structlog.get_logger("stenograph.retention")

EVERY: Final = 3600.0
"""Seconds between two rounds."""

PAUSE: Final = 60.0
"""Seconds to the next round after one in which a store did not answer: it may be the scan that is too much for it."""

CATCH_UP: Final = 24
"""Hours by which the day moves on in an hour, where it is behind the clock."""

SLACK: Final = 2 * DAY // 24
"""Microseconds by which it may besides: what a round is late by, or a restart takes."""

RUNS: Final = 4500
TRACES: Final = 500
"""Of one batch, but for a trace that has more runs by itself: what the run store deletes in one go."""


class Expiry:
    """One a process, between start and stop."""

    def __init__(
        self,
        meta: MetaStore,
        old: OldTraces,
        deletion: TraceDeletion,
        metrics: Metrics,
        *,
        clock: Callable[[], int] = time.time_ns,
        ticks: Callable[[], float] = time.monotonic,
        rest: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._retention = meta.retention
        self._old = old
        self._deletion = deletion
        self._metrics = metrics
        self._clock = clock
        self._ticks = ticks
        self._looked: dict[UUID, float] = {}
        self._rest = rest
        self._rounds = Rounds("deleting old traces", self._round, pause=PAUSE, idle=10 * PAUSE)
        self._batch = asyncio.Lock()

    async def start(self) -> None:
        self._rounds.start()

    async def stop(self) -> None:
        """After the batch that is under way; the next start goes on."""
        async with self._batch:
            await self._rounds.stop()

    def wake(self) -> None:
        """Somebody has asked for another age."""
        self._rounds.wake()

    async def _round(self) -> float:
        for asked in await self._retention.all():
            try:
                await self.expire(asked)
            except (Overloaded, StoreUnavailable):
                raise
            except Exception:
                log.exception("old traces cannot be deleted", workspace=str(asked.workspace))
        return EVERY

    async def expire(self, asked: Retention) -> Round:
        """Delete all that is due in one workspace, and note it."""
        before = await self._retention.last_round(asked.workspace)
        today = self._today(asked.workspace, before)
        began = time.monotonic()
        traces = runs = 0
        try:
            async for page, batch in self._due(asked, today):
                gone = await self._delete(page, batch)
                traces, runs = traces + gone[0], runs + gone[1]
        finally:
            if traces:
                log.info(
                    "deleted old traces",
                    workspace=str(asked.workspace),
                    traces=traces,
                    runs=runs,
                    seconds=round(time.monotonic() - began, 1),
                )
        done = Round(looked_to=today, ended_at=self._now())
        if traces:
            done = msgspec.structs.replace(done, deleted_at=done.ended_at, traces=traces, runs=runs)
        elif before is not None:
            done = msgspec.structs.replace(before, looked_to=today, ended_at=done.ended_at)
        await self._retention.note(asked.workspace, done)
        return done

    def _today(self, workspace: UUID, before: Round | None) -> Micros:
        """The moment as of which ages are reckoned."""
        now, ticks = self._now(), self._ticks()
        up = ticks - self._looked.get(workspace, ticks)
        self._looked[workspace] = ticks
        if before is None:
            return now
        today = min(now, before.looked_to + SLACK + round(CATCH_UP * up * 1_000_000))
        if now - today >= DAY:
            log.warning("ages are reckoned as of an earlier time", behind_days=round((now - today) / DAY, 1))
        return today

    async def _due(self, asked: Retention, today: Micros) -> AsyncIterator[tuple[Page, Sequence[Aged]]]:
        """What is due, in batches, for as long as nobody asks for something else: the next round is theirs."""
        owns = await self._retention.owns(asked.workspace)
        async for page in self._old.pages(asked, owns, today):
            for batch in batches(page.traces):
                holds = await self._retention.read(asked.workspace)
                if holds is None or holds.updated_at != asked.updated_at:
                    return
                yield page, batch

    async def _delete(self, page: Page, batch: Sequence[Aged]) -> tuple[int, int]:
        """How many traces and runs are gone."""
        began = time.monotonic()
        async with self._batch:
            due = await self._old.still_due(page, batch)
            gone = await self._deletion.delete(_selection(page, due)) if due else []
        self._metrics.expired(len(due), len(gone))
        await self._rest(time.monotonic() - began)
        return len(due), len(gone)

    def _now(self) -> Micros:
        return self._clock() // 1000


def batches(traces: Sequence[Aged]) -> Iterator[Sequence[Aged]]:
    """Traces that are deleted together: neighbours in time, so that few rows are read to find them."""
    start = runs = 0
    for at, each in enumerate(traces):
        if at > start and (runs + each.runs > RUNS or at - start == TRACES):
            yield traces[start:at]
            start, runs = at, 0
        runs += each.runs
    if start < len(traces):
        yield traces[start:]


def _selection(page: Page, traces: Sequence[Aged]) -> RunSelection:
    """These traces whole, bounded by where they are in the table."""
    return RunSelection(
        workspace=page.workspace,
        projects=tuple({project for each in traces for project in each.projects}),
        traces=tuple(each.trace for each in traces),
        since=min(each.oldest for each in traces),
        until=max(each.youngest for each in traces),
    )

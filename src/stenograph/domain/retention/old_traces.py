"""Which traces are older than they may be, and not claimed by anybody: for deleting them, and for saying how many.

A trace is claimed by feedback on one of its runs, and by a place of one of them, or of its thread, in an annotation
queue. Nothing of that is noted anywhere: feedback that is withdrawn lets go of its trace.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import msgspec

from stenograph.domain.recording.recorder import Recorder
from stenograph.model.retention import DAY, Aged, Aging, OwnRetention, Retention, Term, limits
from stenograph.model.runs import Micros
from stenograph.store.api import MetaStore, RunStore

PAGE: Final = 20_000
"""Traces that one scan of the old runs gives."""

_SKEW: Final = 60_000_000
"""Microseconds that another process's clock may be behind ours."""


@dataclass(frozen=True, slots=True)
class Page:
    """Traces that are due, the oldest first, as they were at a moment, before anything with a higher version was
    written."""

    workspace: UUID
    traces: Sequence[Aged]
    version: int
    at: Micros


class OldTraces:
    """Of one workspace at a time."""

    def __init__(self, meta: MetaStore, store: RunStore, recorder: Recorder) -> None:
        self._meta = meta
        self._store = store
        self._recorder = recorder

    async def pages(
        self, asked: Retention, owns: Iterable[OwnRetention], now: Micros, *, size: int = PAGE
    ) -> AsyncIterator[Page]:
        """All that are due at `now`, by when their oldest run started. Pages may be empty."""
        workspace = asked.workspace
        wanted = aging(asked, owns, now, self._recorder.deleted.dropping(workspace), size)
        if wanted is None:
            return
        while True:
            version, at = self._recorder.next_position(), time.time_ns() // 1000
            await self._recorder.settle(workspace)
            found = await self._store.aged(wanted)
            claimed = await self.claimed(
                workspace, [each.trace for each in found.traces if not each.even_judged]
            )
            due = [each for each in found.traces if each.trace not in claimed]
            yield Page(workspace, due, version, at)
            if found.after is None:
                return
            wanted = msgspec.structs.replace(wanted, after=found.after)

    async def claimed(self, workspace: UUID, traces: Sequence[UUID]) -> set[UUID]:
        """Those of these that were judged, or are in a queue."""
        if not traces:
            return set()
        judged = await self._store.judged_traces(workspace, traces)
        queued = await self._meta.retention.queued(workspace)
        return judged | (await self._store.traces_holding(workspace, queued) & set(traces))

    async def still_due(self, page: Page, traces: Sequence[Aged]) -> list[Aged]:
        """Those of a page's traces that nobody has written to, judged or queued since."""
        await self._recorder.settle(page.workspace)
        ids = {each.trace for each in traces}
        spared = await self._store.touched(page.workspace, ids, page.version)
        queued = await self._meta.retention.queued(page.workspace, page.at - _SKEW)
        spared |= await self._store.traces_holding(page.workspace, queued)
        return [each for each in traces if each.trace not in spared]


def aging(
    asked: Retention,
    owns: Iterable[OwnRetention],
    now: Micros,
    without: Sequence[UUID] = (),
    size: int = PAGE,
) -> Aging | None:
    """What to look for: projects with the same limits are one term. None when everything is kept for ever."""
    rest = limits(asked)
    alike = defaultdict(list)
    for own in owns:
        found = limits(asked, own)
        if found != rest:
            alike[found].append(own.project)
    terms = tuple(
        Term(_before(plain, now), _before(judged, now), tuple(projects))
        for (plain, judged), projects in alike.items()
    )
    wanted = Aging(
        workspace=asked.workspace,
        now=now,
        rest=Term(_before(rest.plain, now), _before(rest.judged, now)),
        terms=terms,
        without=tuple(without),
        limit=size,
    )
    return wanted if any(term.plain is not None for term in (wanted.rest, *terms)) else None


def _before(days: int | None, now: Micros) -> Micros | None:
    return None if days is None else now - days * DAY

"""Reports that keep up: what is recorded after a report is counted with the cluster that it is nearest to.

    recorded -> run store (version = place in the inbox) -> looked at -> ended, and of the report's kind -> taken in
                                                            |
                               looked_to: all up to this version has been looked at, kept with what was taken in

It goes by versions, not by times: a trace that comes late, or ends late, has a new version. Nothing of this is done
while a run is being recorded. What is looked at again after a crash is there already: a report has a trace once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import msgspec
import numpy as np
import structlog

from stenograph.domain.insights import keeping, worker
from stenograph.domain.insights.bags import Floats
from stenograph.domain.insights.levels import EMPTY
from stenograph.domain.insights.selecting import Selecting
from stenograph.domain.insights.texts import scrubbed
from stenograph.domain.insights.vectors import Embed
from stenograph.domain.rounds import Rounds
from stenograph.errors import StenographError
from stenograph.llm.embedding import LocalEmbedder
from stenograph.model.insights import Assigned, Following, InsightJob, JobStatus
from stenograph.model.runs import Run
from stenograph.store.api import MetaStore

log = structlog.get_logger("stenograph.insights")

PAGE: Final = 2000
"""Changes that are looked at together: a crash repeats no more."""

_TOGETHER: Final = 32
_ALL: Final = 1 << 40


class KeepingUp:
    """One a process, between start and stop. `seconds` lie between two looks."""

    def __init__(
        self,
        meta: MetaStore,
        selecting: Selecting,
        seconds: float,
        *,
        embed: Embed | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._store = meta.insights
        self._following = meta.insight_following
        self._selecting = selecting
        self._seconds = seconds
        self._embed = embed or LocalEmbedder(tokens=worker.TOKENS, threads=1).embed_now
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="keeping-up", initializer=_give_way)
        self._rounds = Rounds("keeping reports up", self._round, idle=seconds)

    async def start(self) -> None:
        self._rounds.start()

    async def stop(self) -> None:
        """What was looked at and not noted is looked at again after the next start."""
        await self._rounds.stop()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _round(self) -> float:
        while await self.look():
            pass
        return self._seconds

    async def look(self) -> bool:
        """Take in some of what has come, for each report that keeps up; whether there is more by now."""
        more = False
        for following in await self._following.all():
            job = await self._store.read(following.workspace, following.job_id)
            if job is None or job.status is not JobStatus.SUCCESS:
                continue
            try:
                more |= await self._look(following, job)
            except StenographError as error:  # a store is away, or a filter means nothing any more
                log.warning("a report cannot keep up", job=str(job.id), reason=error.message[:500])
        return more

    async def _look(self, following: Following, job: InsightJob) -> bool:
        ids, to, more = await self._selecting.changed(job, following.looked_to, PAGE)
        if not ids:
            return False
        fresh = await self._fresh(job, await self._selecting.ended(job, ids))
        taken = await self._placed(job, fresh) if fresh else []
        moved = msgspec.structs.replace(following, looked_to=to, looked_at=self._clock() // 1000)
        if moved.looked_to == following.looked_to and not taken:
            return False
        return await self._following.take(moved, taken) and more

    async def _fresh(self, job: InsightJob, runs: Sequence[Run]) -> list[Run]:
        """Those that the report has neither seen nor taken in."""
        known = await self._following.known(job.workspace, job.id, [run.id for run in runs])
        rest = [run for run in runs if run.id not in known]
        until = job.request.until
        if until is not None and any(run.start_time <= until for run in rest):
            leaves = range(len(await self._finest(job)))
            seen = await self._store.run_ids(job.workspace, job.id, leaves, _ALL) or b""
            there = await asyncio.to_thread(_among, [run.id.bytes for run in rest], seen)
            rest = [run for run, is_there in zip(rest, there, strict=True) if not is_there]
        return rest

    async def _finest(self, job: InsightJob) -> Floats:
        return keeping.middles(await self._store.clusters(job.workspace, job.id))

    async def _placed(self, job: InsightJob, runs: Sequence[Run]) -> list[Assigned]:
        needs = [name for name, schema in (job.request.attribute_schemas or {}).items() if schema.filter_by]
        traces = [
            trace
            for trace in await self._selecting.later(job, [run.id for run in runs])
            if all(trace.attributes.get(name) is True for name in needs)
        ]
        if not traces:
            return []
        centers = await self._finest(job)
        texts = await asyncio.get_running_loop().run_in_executor(
            self._thread, _texts, traces, job.request.summary_prompt
        )
        places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        vectors = await self._vectors(list(places))
        least = keeping.UNKNOWN if job.report is None or job.report.reach is None else job.report.reach
        numbers, closeness = keeping.nearest(centers, vectors, least)
        return [
            Assigned(
                run_id=trace.run_id,
                project_id=trace.project_id,
                start_time=trace.start_time,
                leaf=int(numbers[places[text]]),
                closeness=float(closeness[places[text]]),
            )
            for trace, text in zip(traces, texts, strict=True)
        ]

    async def _vectors(self, texts: Sequence[str]) -> Floats:
        loop = asyncio.get_running_loop()
        return np.concatenate(
            [
                await loop.run_in_executor(self._thread, self._embed, texts[start : start + _TOGETHER])
                for start in range(0, len(texts), _TOGETHER)
            ]
        )


def _give_way() -> None:
    """Recording comes first: on Linux a thread has a priority of its own."""
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), worker.NICENESS)


def _texts(traces: Sequence[worker.RawTrace], template: str | None) -> list[str]:
    """As a report reads them."""
    return [scrubbed(worker.text_of(trace, template).whole).casefold() or EMPTY for trace in traces]


def _among(wanted: Sequence[bytes], ids: bytes) -> list[bool]:
    there: list[bool] = np.isin(np.array(wanted, "S16"), np.frombuffer(ids, "S16")).tolist()
    return there

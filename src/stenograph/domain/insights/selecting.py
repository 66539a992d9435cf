"""Which traces a report is about, read page by page from the run store as raw payloads: texts are found elsewhere."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

import msgspec

from stenograph.domain.insights import threads
from stenograph.domain.insights.threads import Thread
from stenograph.domain.insights.worker import RawTrace
from stenograph.domain.runs import RunReader
from stenograph.model.feedback import FeedbackStat
from stenograph.model.filters import Filter
from stenograph.model.insights import AttributeSchema, InsightJob, Unit
from stenograph.model.query import Cursor, RunQuery, RunSelection
from stenograph.model.runs import Micros, Run

PAGE: Final = 1000
_MOST_PAGE: Final = 8000
_LIGHT: Final = 16 << 20
_HEAVY: Final = 64 << 20
"""Bytes of payloads below which a page is followed by one twice as long, and above which by one half as long."""

_KEYS: Final = 20_000
_COLUMNS: Final = frozenset(
    {"name", "inputs", "outputs", "error", "status", "end_time", "first_token_time", "run_type"}
    | {"total_tokens", "total_cost"}
)
_PAYLOADS: Final = frozenset({"inputs", "outputs"})
_THREAD: Final = frozenset({"thread_id"})
_LARGEST: Final = 1 << 20
"""Bytes of one payload that are handed on; a longer one is read by nobody for its subject."""

_TURN: Final = 500
_MOST_BEFORE: Final = 2000
_FEW: Final = 0.25
"""The share below which chosen traces are fetched by id rather than found among all."""

ParseFilter = Callable[[str], Filter]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The traces of a job: how many match, and which of them are looked at (None: all); or its threads."""

    selection: RunSelection
    matching: int
    ids: frozenset[UUID] | None = None
    threads: tuple[Thread, ...] | None = None

    @property
    def count(self) -> int:
        if self.threads is not None:
            return len(self.threads)
        return self.matching if self.ids is None else len(self.ids)


class Selecting:
    """Reads the traces of jobs. A trace is its root run, with the usage of the whole."""

    def __init__(self, runs: RunReader, parse: ParseFilter) -> None:
        self._runs = runs
        self._parse = parse

    def selection(self, job: InsightJob) -> RunSelection:
        """Roots in the window; Invalid for a filter that cannot be read."""
        request = job.request
        return RunSelection(
            workspace=job.workspace,
            projects=request.projects or (job.project_id,),
            is_root=True,
            since=request.since,
            until=request.until,
            filter=self._parse(request.filter) if request.filter else None,
        )

    async def chosen(self, job: InsightJob) -> Chosen:
        """Counted, and sampled where the request says so: the same seed and traces give the same sample."""
        selection = self.selection(job)
        sample = job.request.sample
        if job.request.unit is Unit.THREADS:
            some = await self._threads(selection)
            if (wanted := _wanted(sample, len(some))) < len(some):
                by_key = {thread.key: thread for thread in some}
                drawn = set(_drawn(list(by_key), wanted, job.request.seed))
                some = [thread for thread in some if thread.key in drawn]
            return Chosen(selection, len(some), threads=tuple(some))
        if sample is None:
            return Chosen(selection, await self._runs.count(selection))
        keys = [run.id.bytes async for page in self._keys(selection) for run in page]
        wanted = _wanted(sample, len(keys))
        if wanted >= len(keys):
            return Chosen(selection, len(keys))
        ids = _drawn(keys, wanted, job.request.seed)
        return Chosen(selection, len(keys), frozenset(UUID(bytes=key) for key in ids))

    async def count(self, job: InsightJob) -> int:
        """How many traces a job will look at, as it stands now."""
        matching, sample = await self._runs.count(self.selection(job)), job.request.sample
        if sample is None:
            return matching
        return min(matching, max(1, round(sample if sample >= 1 else sample * matching)))

    async def pages(self, job: InsightJob, chosen: Chosen) -> AsyncIterator[list[RawTrace]]:
        """Oldest first. Traces that come while this goes on are in it or not."""
        wanted = job.request.attribute_schemas
        if chosen.threads is not None:
            async for page in self._thread_pages(chosen.selection, chosen.threads, wanted):
                yield page
            return
        if chosen.ids is not None and len(chosen.ids) < _FEW * chosen.matching:
            async for runs in self._by_id(chosen.selection, sorted(chosen.ids), _columns(wanted)):
                yield await self._traces(job.workspace, runs, wanted)
            return
        async for runs in self._ranges(chosen.selection, _columns(wanted)):
            some = runs if chosen.ids is None else [run for run in runs if run.id in chosen.ids]
            if some:
                feedback = await self._runs.feedback_within(
                    replace(
                        chosen.selection, since=runs[0].start_time, until=runs[-1].start_time, filter=None
                    )
                )
                yield await _told(some, feedback, wanted)

    def position(self) -> int:
        """A version beyond that of all that is recorded by now."""
        return self._runs.position()

    async def changed(self, job: InsightJob, after: int, limit: int) -> tuple[list[UUID], int, bool]:
        """Runs that were written beyond a version, the version up to which these are all, and whether there are more
        by now."""
        page, to = await self._runs.changed(job.workspace, after, limit)
        return list(dict.fromkeys(change.run for change in page)), to, len(page) >= limit

    async def ended(self, job: InsightJob, ids: Sequence[UUID]) -> list[Run]:
        """Keys of those of these runs that are traces of the report's kind and have ended, whenever they began after
        its window did."""
        columns = frozenset({"end_time", "error"})
        found = await self._later(job, ids, columns)
        return [run for run in found if run.end_time is not None or run.error is not None]

    async def later(self, job: InsightJob, ids: Sequence[UUID]) -> list[RawTrace]:
        """The same with their texts and attributes, without their figures."""
        wanted = job.request.attribute_schemas
        runs = await self._later(job, ids, _columns(wanted) - {"total_tokens", "total_cost"})
        return await _told(runs, {}, wanted)

    async def _later(self, job: InsightJob, ids: Sequence[UUID], columns: frozenset[str]) -> list[Run]:
        found: list[Run] = []
        selection = replace(self.selection(job), until=None)
        for start in range(0, len(ids), PAGE):
            some = tuple(ids[start : start + PAGE])
            query = RunQuery(selection=replace(selection, ids=some), columns=columns, limit=len(some))
            found += await self._runs.written(query)
        return found

    async def before(self, job: InsightJob) -> list[RawTrace]:
        """A sample of the window before, as long as the job's own; nothing where that is unbounded."""
        selection = self.selection(job)
        if selection.since is None or selection.until is None:
            return []
        length = selection.until - selection.since
        earlier = replace(selection, since=max(0, selection.since - length), until=selection.since - 1)
        if job.request.unit is Unit.THREADS:
            by_key = {thread.key: thread for thread in await self._threads(earlier)}
            some = sorted(
                (by_key[key] for key in _drawn(list(by_key), _MOST_BEFORE, job.request.seed)),
                key=lambda thread: thread.turns[-1],
            )
            return [trace async for page in self._thread_pages(earlier, some, None) for trace in page]
        keys = [run.id.bytes async for page in self._keys(earlier) for run in page]
        drawn = sorted(UUID(bytes=key) for key in _drawn(keys, _MOST_BEFORE, job.request.seed))
        return [
            trace
            async for runs in self._by_id(earlier, drawn, _columns(None))
            for trace in await self._traces(job.workspace, runs, None)
        ]

    async def _threads(self, selection: RunSelection) -> list[Thread]:
        """All that have a trace among the selected, with all their traces of the window."""
        matching = self._all(replace(selection, filter=threads.in_threads(selection.filter)), _THREAD, _KEYS)
        if selection.filter is None:
            return await threads.gathered(matching)
        chosen = {(run.project_id, run.thread_id or "") async for page in matching for run in page}
        whole = replace(selection, filter=threads.in_threads(None))
        return await threads.gathered(self._all(whole, _THREAD, _KEYS), chosen)

    async def _thread_pages(
        self,
        selection: RunSelection,
        wanted: Sequence[Thread],
        schemas: Mapping[str, AttributeSchema] | None,
    ) -> AsyncIterator[list[RawTrace]]:
        figures = _columns(schemas) - _PAYLOADS
        for some in threads.portions(wanted, PAGE):
            keys = [turn for thread in some for turn in thread.turns]
            near = replace(selection, filter=None, since=min(keys)[0], until=max(keys)[0])
            turns: dict[UUID, RawTrace] = {}
            async for runs in self._by_id(near, [key.run_id for key in keys], figures):
                turns |= {trace.run_id: trace for trace in await self._traces(near.workspace, runs, schemas)}
            read = [run_id for thread in some for run_id in thread.told]
            async for runs in self._by_id(near, read, _PAYLOADS):
                for run in runs:
                    if run.id in turns:
                        payloads = {"inputs": _bounded(run.inputs), "outputs": _bounded(run.outputs)}
                        turns[run.id] = msgspec.structs.replace(turns[run.id], **payloads)
            found = [threads.told(thread, turns) for thread in some]
            yield [thread for thread in found if thread is not None]

    async def newest(self, job: InsightJob, most: int) -> list[RawTrace]:
        """The last of the window, as examples."""
        query = RunQuery(selection=self.selection(job), columns=_COLUMNS, limit=most, newest_first=True)
        return await self._traces(job.workspace, await self._runs.page(query), None)

    async def _keys(self, selection: RunSelection) -> AsyncIterator[list[Run]]:
        async for page in self._all(selection, frozenset(), _KEYS):
            yield page

    async def _all(
        self, selection: RunSelection, columns: frozenset[str], limit: int
    ) -> AsyncIterator[list[Run]]:
        after: Cursor | None = None
        while True:
            page = await self._page(selection, columns, limit, after)
            if page:
                yield page
            if len(page) < limit:
                return
            after = Cursor(page[-1].start_time, page[-1].id)

    async def _ranges(self, selection: RunSelection, columns: frozenset[str]) -> AsyncIterator[list[Run]]:
        """All of them with payloads, in pages as long as these are light.

        What a filter costs is bounded by ranges of keys: else each page would ask it of all that are left.
        """
        after: Cursor | None = None
        limit = PAGE
        async for until in self._bounds(selection):
            while True:
                page = await self._page(replace(selection, until=until), columns, limit, after)
                if page:
                    after = Cursor(page[-1].start_time, page[-1].id)
                    yield page
                if len(page) < limit:
                    break
                limit = _next_limit(limit, page)

    async def _bounds(self, selection: RunSelection) -> AsyncIterator[Micros | None]:
        """Starts that end ranges, the last of them the selection's own end."""
        if selection.filter is not None:
            async for keys in self._keys(selection):
                if len(keys) == _KEYS:
                    yield keys[-1].start_time
        yield selection.until

    async def _page(
        self, selection: RunSelection, columns: frozenset[str], limit: int, after: Cursor | None
    ) -> list[Run]:
        if after is not None:  # said twice: the engine finds its place by a start, and not by a pair
            selection = replace(selection, since=after.start_time)
        return await self._runs.page(
            RunQuery(selection=selection, columns=columns, limit=limit, newest_first=False, after=after)
        )

    async def _by_id(
        self, selection: RunSelection, ids: Sequence[UUID], columns: frozenset[str]
    ) -> AsyncIterator[list[Run]]:
        for start in range(0, len(ids), PAGE):
            some = tuple(ids[start : start + PAGE])
            query = RunQuery(selection=replace(selection, ids=some), columns=columns, limit=len(some))
            yield await self._runs.page(query)

    async def _traces(
        self, workspace: UUID, runs: list[Run], wanted: Mapping[str, AttributeSchema] | None
    ) -> list[RawTrace]:
        return await _told(runs, await self._runs.feedback_of(workspace, runs), wanted)


async def _told(
    runs: Sequence[Run],
    feedback: Mapping[UUID, Mapping[str, FeedbackStat]],
    wanted: Mapping[str, AttributeSchema] | None,
) -> list[RawTrace]:
    found: list[RawTrace] = []
    for start in range(0, len(runs), _TURN):
        found += [_trace(run, feedback.get(run.id, {}), wanted or {}) for run in runs[start : start + _TURN]]
        await asyncio.sleep(0)  # some milliseconds' work: others have their turn between
    return found


def _columns(wanted: Mapping[str, AttributeSchema] | None) -> frozenset[str]:
    return _COLUMNS | {"metadata"} if wanted else _COLUMNS


def _next_limit(limit: int, page: Sequence[Run]) -> int:
    size = sum(len(run.inputs or b"") + len(run.outputs or b"") for run in page)
    if size > _HEAVY:
        return max(PAGE // 8, limit // 2)
    return min(2 * limit, _MOST_PAGE) if size < _LIGHT else limit


def _wanted(sample: float | None, count: int) -> int:
    """How many of so many a sample takes."""
    if sample is None:
        return count
    return max(1, round(sample) if sample >= 1 else round(sample * count))


def _drawn(keys: Sequence[bytes], most: int, seed: int) -> list[bytes]:
    """At random, but always the same: by a hash of key and seed, so that a trace more changes little."""
    salt = seed.to_bytes(16, "little", signed=True)
    return sorted(keys, key=lambda each: hashlib.blake2b(each, digest_size=8, key=salt).digest())[:most]


def _trace(run: Run, feedback: Mapping[str, FeedbackStat], wanted: Mapping[str, AttributeSchema]) -> RawTrace:
    usage = run.usage
    return RawTrace(
        run_id=run.id,
        project_id=run.project_id,
        start_time=run.start_time,
        name=run.name or "",
        inputs=_bounded(run.inputs),
        outputs=_bounded(run.outputs),
        error=run.error[:2000] if run.error else None,
        failed=run.status == "error" or run.error is not None,
        latency=_seconds(run.start_time, run.end_time),
        first_token=_seconds(run.start_time, run.first_token_time),
        tokens=usage.total_tokens or None,
        cost=None if usage.total_cost is None else usage.total_cost / 1e12,
        feedback={key: stat.avg for key, stat in feedback.items() if stat.avg is not None},
        attributes=attributes(run.metadata, wanted),
    )


def _bounded(payload: bytes | None) -> bytes | None:
    return payload if payload is not None and len(payload) <= _LARGEST else None


def _seconds(start: Micros, end: Micros | None) -> float | None:
    return None if end is None or end < start else (end - start) / 1e6


_TRUE: Final = frozenset({"true", "1", "yes"})
_FALSE: Final = frozenset({"false", "0", "no"})


def attributes(metadata: Mapping[str, str], wanted: Mapping[str, AttributeSchema]) -> dict[str, Any]:
    """Those that the metadata have, as their schema's type; what does not fit it is left out."""
    found: dict[str, Any] = {}
    for name, schema in wanted.items():
        text = metadata.get(name)
        if text is None:
            continue
        if schema.type == "string":
            found[name] = text[:200]
        elif schema.type == "boolean":
            if text.lower() in _TRUE | _FALSE:
                found[name] = text.lower() in _TRUE
        else:
            try:
                number = float(text)
            except ValueError:
                continue
            if abs(number) < 1e300:
                found[name] = int(number) if schema.type == "integer" or number.is_integer() else number
    return found

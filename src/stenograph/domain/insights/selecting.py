"""Which traces a report is about, read page by page from the run store as raw payloads: texts are found elsewhere."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from stenograph.domain.insights.worker import RawTrace
from stenograph.domain.runs import USAGE, RunReader
from stenograph.model.feedback import FeedbackStat
from stenograph.model.filters import Filter
from stenograph.model.insights import AttributeSchema, InsightJob
from stenograph.model.query import Cursor, RunQuery, RunSelection
from stenograph.model.runs import Micros, Run

PAGE: Final = 500
_KEYS: Final = 20_000
_COLUMNS: Final = USAGE | {
    "name", "inputs", "outputs", "error", "status", "end_time", "first_token_time", "run_type", "metadata",
}  # fmt: skip
_LARGEST: Final = 1 << 20
"""Bytes of one payload that are handed on; a longer one is read by nobody for its subject."""

_MOST_BEFORE: Final = 2000
_FEW: Final = 0.25
"""The share below which chosen traces are fetched by id rather than found among all."""

ParseFilter = Callable[[str], Filter]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The traces of a job: how many match, and which of them are looked at (None: all)."""

    selection: RunSelection
    matching: int
    ids: frozenset[UUID] | None = None

    @property
    def count(self) -> int:
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
        if sample is None:
            return Chosen(selection, await self._runs.count(selection))
        keys = [run.id async for page in self._keys(selection) for run in page]
        wanted = round(sample) if sample >= 1 else round(sample * len(keys))
        if wanted >= len(keys):
            return Chosen(selection, len(keys))
        return Chosen(selection, len(keys), frozenset(_drawn(keys, max(1, wanted), job.request.seed)))

    async def count(self, job: InsightJob) -> int:
        """How many traces a job will look at, as it stands now."""
        matching, sample = await self._runs.count(self.selection(job)), job.request.sample
        if sample is None:
            return matching
        return min(matching, max(1, round(sample if sample >= 1 else sample * matching)))

    async def pages(self, job: InsightJob, chosen: Chosen) -> AsyncIterator[list[RawTrace]]:
        """Oldest first. Traces that come while this goes on are in it or not."""
        wanted = job.request.attribute_schemas
        if chosen.ids is not None and len(chosen.ids) < _FEW * chosen.matching:
            async for runs in self._by_id(chosen.selection, sorted(chosen.ids)):
                yield await self._traces(job.workspace, runs, wanted)
            return
        async for runs in self._all(chosen.selection, _COLUMNS, PAGE):
            some = runs if chosen.ids is None else [run for run in runs if run.id in chosen.ids]
            if some:
                yield await self._traces(job.workspace, some, wanted)

    async def before(self, job: InsightJob) -> list[RawTrace]:
        """A sample of the window before, as long as the job's own; nothing where that is unbounded."""
        selection = self.selection(job)
        if selection.since is None or selection.until is None:
            return []
        length = selection.until - selection.since
        earlier = replace(selection, since=max(0, selection.since - length), until=selection.since - 1)
        keys = [run.id async for page in self._keys(earlier) for run in page]
        drawn = sorted(_drawn(keys, _MOST_BEFORE, job.request.seed))
        return [
            trace
            async for runs in self._by_id(earlier, drawn)
            for trace in await self._traces(job.workspace, runs, None)
        ]

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
            page = await self._runs.page(
                RunQuery(selection=selection, columns=columns, limit=limit, newest_first=False, after=after)
            )
            if page:
                yield page
            if len(page) < limit:
                return
            after = Cursor(page[-1].start_time, page[-1].id)

    async def _by_id(self, selection: RunSelection, ids: Sequence[UUID]) -> AsyncIterator[list[Run]]:
        for start in range(0, len(ids), PAGE):
            some = tuple(ids[start : start + PAGE])
            query = RunQuery(selection=replace(selection, ids=some), columns=_COLUMNS, limit=len(some))
            yield await self._runs.page(query)

    async def _traces(
        self, workspace: UUID, runs: list[Run], wanted: Mapping[str, AttributeSchema] | None
    ) -> list[RawTrace]:
        feedback = await self._runs.feedback_of(workspace, runs)
        await asyncio.sleep(0)  # a page is some milliseconds' work: others have their turn between them
        return [_trace(run, feedback.get(run.id, {}), wanted or {}) for run in runs]


def _drawn(ids: Sequence[UUID], most: int, seed: int) -> list[UUID]:
    """At random, but always the same: by a hash of id and seed, so that a trace more changes little."""
    salt = seed.to_bytes(16, "little", signed=True)
    return sorted(ids, key=lambda each: hashlib.blake2b(each.bytes, digest_size=8, key=salt).digest())[:most]


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

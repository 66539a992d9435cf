"""Settling: what inserts leave undone so that they stay cheap is done behind them, when there is time.

Inserts and merges leave the word indexes out, and the engine lets small parts lie. So every few seconds:

    quiet? --yes--> a week worth merging?  --yes--> merge it into one part --> look again
       | no                | no
       +-------------------+--> a tail too long? --yes--> index the words --> look again

The tail is the runs in parts without the word indexes: a search reads the payloads of all of them. Feedback, which
lies in no weeks, is merged as if it were one, and sooner. A large week is left to the engine until most of it was
deleted and nothing comes any more: then a merge frees its room. Why these rules, and what they cost:
docs/decisions/003-words-are-indexed-behind-the-ingest.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

import structlog

from stenograph.errors import StoreUnavailable
from stenograph.store.runs.engine import Engine
from stenograph.store.runs.sql import Params

log = structlog.get_logger("stenograph.settling")

QUIET_RUNS: Final = 500
"""Up to so many runs and pieces of feedback a second count as quiet: indexing those takes some 2 % of a core."""

COLD_SECONDS: Final = 3600
"""A week without a new part for so long is merged, however little there is to merge."""

FEEDBACK_REST: Final = 60
FEEDBACK_RESTED: Final = 100_000
"""Feedback is, after so many seconds for every so many pieces there are, begun ones counted whole: merging them takes
half a second."""

SHARE: Final = 2
FEEDBACK_SHARE: Final = 16
"""A merge has to add one part in so many to what lies in one piece already. Pieces of feedback are small, and a page of
them is chosen among all that their projects have: each part more takes some 5 ms of every page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """`seconds` lie between two looks. While it is quiet, a tail of `tail` runs is indexed; at any other time one of
    `longest_tail`. Weeks of more than `merge_bytes` are left to the engine."""

    seconds: float
    tail: int
    longest_tail: int
    merge_bytes: int


# -- what there is -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """One sorted piece of a week, or of all feedback, on the disk. `blocks` names its rows: it stays when only an
    index is added."""

    week: str
    blocks: str
    rows: int
    bytes: int
    modified: int
    indexed: bool


@dataclass(frozen=True, slots=True)
class Busy:
    """What the engine is doing to the table, and why it fails to index where it does."""

    merging: bool
    indexing: bool
    trouble: str


FEEDBACK: Final = "feedback"
"""Stands for the week of feedback: it has no words to index."""

_PARTS: Final = f"""SELECT if(table = 'runs', partition_id, '{FEEDBACK}') AS week,
  concat(partition_id, '_', toString(min_block_number), '_', toString(max_block_number), '_',
    toString(level)) AS blocks, rows, bytes_on_disk AS bytes, toUnixTimestamp(modification_time) AS modified,
  table = 'feedback' OR name IN (
    SELECT part_name FROM mergeTreeAnalyzeIndexes(currentDatabase(), runs,
      hasAllTokens(inputs, {{words}}) OR hasAllTokens(outputs, {{words}})) WHERE empty(ranges)) AS indexed
FROM system.parts
WHERE database = currentDatabase() AND table IN ('runs', 'feedback') AND active
ORDER BY week != '{FEEDBACK}', week, min_block_number"""
"""The engine does not say which parts have an index. But asked what a word that is nowhere leaves to read, it
leaves out just the parts that have both."""

_BUSY: Final = """SELECT (SELECT count() FROM system.merges
    WHERE database = currentDatabase() AND table IN ('runs', 'feedback') AND NOT is_mutation) > 0 AS merging,
  count() > 0 AS indexing, max(latest_fail_reason) AS trouble
FROM system.mutations
WHERE database = currentDatabase() AND table = 'runs' AND NOT is_done AND command LIKE '%MATERIALIZE INDEX%'"""

_TOMBSTONES: Final = (
    "SELECT countIf(deleted = 1) AS dead, count() AS rows FROM runs WHERE _partition_id = {week}"
)

EMPTIED: Final = 3
"""A week is mostly deleted when one row in so many is a tombstone: with what each stands for that is two in three."""

_INDEX: Final = "ALTER TABLE runs MATERIALIZE INDEX words_in, MATERIALIZE INDEX words_out"
"""Parts that have them are linked, not rewritten: 12 ms each."""

_MERGE: Final = "OPTIMIZE TABLE runs PARTITION ID '{week}' FINAL"
_MERGE_FEEDBACK: Final = "OPTIMIZE TABLE feedback FINAL"

_STOP_MERGES: Final = ("SYSTEM STOP MERGES runs", "SYSTEM STOP MERGES feedback")
_START_MERGES: Final = ("SYSTEM START MERGES runs", "SYSTEM START MERGES feedback")


async def parts_of(engine: Engine) -> list[Part]:
    """All parts of the tables, those of feedback first, which are merged in a second; then week by week."""
    params = Params()
    words = params.texts([secrets.token_hex(16)])
    columns = await engine.query(_PARTS.format(words=words), params.values)
    return [
        Part(week.decode(), blocks.decode(), rows, size, modified, bool(indexed))
        for week, blocks, rows, size, modified, indexed in zip(*columns.values(), strict=True)
    ]


async def busy_with(engine: Engine) -> Busy:
    columns = await engine.query(_BUSY)
    trouble: bytes = columns["trouble"][0]
    return Busy(bool(columns["merging"][0]), bool(columns["indexing"][0]), trouble.decode()[:1000])


# -- what to do --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Merge:
    """Merge all parts of a week into one."""

    week: str


@dataclass(frozen=True, slots=True)
class Index:
    """Build the word indexes where they are missing."""


def next_step(
    parts: Sequence[Part],
    pace: Pace,
    *,
    quiet: bool,
    now: float,
    spared: Collection[str] = (),
    emptied: Collection[str] = (),
) -> Merge | Index | None:
    """What to do next, if anything. `parts` come week by week, `now` is in seconds since the epoch, weeks in
    `spared` are not merged, and those in `emptied` are mostly deleted."""
    if quiet:
        for week, found in groupby(parts, key=lambda part: part.week):
            whole = list(found)
            if week not in spared and (
                _worth_merging(whole, pace, now) or (week in emptied and _is_cold(whole, now))
            ):
                return Merge(week)
    tail = sum(part.rows for part in parts if not part.indexed)
    return Index() if tail >= max(1, pace.tail if quiet else pace.longest_tail) else None


def large_and_cold(parts: Sequence[Part], pace: Pace, now: float) -> list[str]:
    """Weeks that are left to the engine, which leaves them as they are: a merge of them takes long and gains little,
    unless most of them was deleted. Whether it was has to be asked."""
    weeks = [(week, list(found)) for week, found in groupby(parts, key=lambda part: part.week)]
    return [
        week
        for week, found in weeks
        if week != FEEDBACK and sum(part.bytes for part in found) > pace.merge_bytes and _is_cold(found, now)
    ]


def _is_cold(parts: Sequence[Part], now: float) -> bool:
    """A week of several parts to which nothing was added for a while."""
    return len(parts) > 1 and now - max(part.modified for part in parts) > COLD_SECONDS


def _worth_merging(parts: Sequence[Part], pace: Pace, now: float) -> bool:
    """Whether one part instead of these is worth rewriting them, and indexing their words again.

    A merge has to add half to the largest part: so what is rewritten in all stays below three times what was ever
    written, however often it falls quiet; of feedback below seventeen times.
    """
    if len(parts) < 2 or sum(part.bytes for part in parts) > pace.merge_bytes:
        return False
    largest = max(part.rows for part in parts)
    rows = sum(part.rows for part in parts)
    share, cold = SHARE, COLD_SECONDS
    if parts[0].week == FEEDBACK:
        share, cold = FEEDBACK_SHARE, min(COLD_SECONDS, (1 + rows // FEEDBACK_RESTED) * FEEDBACK_REST)
    return now - max(part.modified for part in parts) > cold or share * (rows - largest) >= largest


# -- doing it ----------------------------------------------------------------------------------------------


class Settling:
    """The loop over one store. It is told of every insert; `stop` leaves nothing of it running."""

    def __init__(self, engine: Engine, pace: Pace) -> None:
        self._engine = engine
        self._pace = pace
        self._written = 0
        self._looked_at = time.monotonic()
        self._stopping = asyncio.Event()
        self._merging = False
        self._task: asyncio.Task[None] | None = None
        # What was tried in vain, by the blocks it was tried on: not tried again until they change.
        self._unmerged: dict[str, frozenset[str]] = {}
        self._unindexed: frozenset[str] = frozenset()
        # Large weeks that were asked about, and whether most of them is deleted, by their blocks as well.
        self._emptied: dict[str, tuple[frozenset[str], bool]] = {}

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """A merge under way is abandoned; indexing goes on in the engine, and after its next start."""
        self._stopping.set()
        if self._task is None:
            return
        if self._merging:
            await self._execute(_STOP_MERGES)
        await self._task
        await self._execute(_START_MERGES)
        self._task = None

    async def _execute(self, statements: Sequence[str]) -> None:
        for statement in statements:
            await self._engine.execute(statement)

    def wrote(self, rows: int) -> None:
        """So many runs and pieces of feedback."""
        self._written += rows

    async def _run(self) -> None:
        while not await self._stopped_within(self._pace.seconds):
            try:
                while not self._stopping.is_set() and await self.step(quiet=self.quiet()):
                    pass
            except StoreUnavailable as trouble:
                log.warning("the run store does not settle", reason=trouble.message[:500])
            except Exception:
                log.exception("settling failed")

    async def _stopped_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        return self._stopping.is_set()

    def quiet(self) -> bool:
        """Whether few runs were written since this was last asked."""
        now = time.monotonic()
        most = QUIET_RUNS * max(now - self._looked_at, 1.0)
        quiet = self._written <= most
        self._written, self._looked_at = 0, now
        return quiet

    async def step(self, *, quiet: bool) -> bool:
        """Do the next thing, if there is one to do now. StoreUnavailable when the engine does not answer."""
        busy = await busy_with(self._engine)
        if busy.trouble:
            raise StoreUnavailable(f"the engine cannot index words: {busy.trouble}")
        if busy.indexing or (quiet and busy.merging):
            return False
        parts = [
            replace(part, indexed=True) if part.blocks in self._unindexed else part
            for part in await parts_of(self._engine)
        ]
        spared = {week for week, blocks in self._unmerged.items() if blocks == _blocks(_in(week, parts))}
        emptied = await self._mostly_deleted(parts) if quiet else []
        match next_step(parts, self._pace, quiet=quiet, now=time.time(), spared=spared, emptied=emptied):
            case Merge(week):
                await self._merge(week, _in(week, parts))
            case Index():
                await self._index([part for part in parts if not part.indexed])
            case None:
                return False
        return True

    async def _mostly_deleted(self, parts: Sequence[Part]) -> list[str]:
        """Large weeks whose room a merge would free."""
        found = []
        for week in large_and_cold(parts, self._pace, time.time()):
            blocks = _blocks(_in(week, parts))
            if self._emptied.get(week, (None, False))[0] != blocks:
                params = Params()
                columns = await self._engine.query(_TOMBSTONES.format(week=params.text(week)), params.values)
                mostly = bool(columns) and EMPTIED * columns["dead"][0] >= columns["rows"][0] > 0
                self._emptied[week] = (blocks, mostly)
            if self._emptied[week][1]:
                found.append(week)
        return found

    async def _merge(self, week: str, before: Sequence[Part]) -> None:
        started = time.monotonic()
        self._unmerged[week] = _blocks(before)  # holds unless it succeeds, which changes them
        self._merging = True
        try:
            statement = _MERGE_FEEDBACK if week == FEEDBACK else _MERGE.format(week=week)
            await self._engine.maintain(statement)
        except StoreUnavailable:
            if self._stopping.is_set():
                return
            raise
        finally:
            self._merging = False
        after = _in(week, await parts_of(self._engine))
        log.debug(
            "merged a week",
            week=week,
            parts=len(before),
            left=len(after),
            rows=sum(part.rows for part in after),
            seconds=round(time.monotonic() - started, 3),
        )

    async def _index(self, tail: Sequence[Part]) -> None:
        started = time.monotonic()
        await self._engine.maintain(_INDEX)
        pause = 0.02
        while (busy := await busy_with(self._engine)).indexing:
            if busy.trouble:
                raise StoreUnavailable(f"the engine cannot index words: {busy.trouble}")
            if await self._stopped_within(pause):
                return
            pause = min(pause * 1.5, 2.0)
        left = [part for part in await parts_of(self._engine) if not part.indexed]
        self._unindexed |= _blocks(tail) & _blocks(left)
        log.debug(
            "indexed words",
            parts=len(tail),
            runs=sum(part.rows for part in tail),
            tail=sum(part.rows for part in left),
            seconds=round(time.monotonic() - started, 3),
        )


def _in(week: str, parts: Sequence[Part]) -> list[Part]:
    return [part for part in parts if part.week == week]


def _blocks(parts: Sequence[Part]) -> frozenset[str]:
    return frozenset(part.blocks for part in parts)

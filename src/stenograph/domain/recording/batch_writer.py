"""Writing one batch of what is pending: load bases, merge, derive, insert; what cannot be written is kept apart.

The recorder decides when and what; this is how. It holds no batch and no queue.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import chain
from uuid import UUID, uuid5

import msgspec
import structlog

from stenograph.domain.feedback.filing import Filing
from stenograph.domain.projects.deleted import DeletedProjects
from stenograph.domain.recording.derive import UsageOf, derive
from stenograph.domain.usage.prices import PriceBook
from stenograph.model.carried_metadata import Members, carried
from stenograph.model.dead_letters import UNREADABLE, DeadLetter
from stenograph.model.feedback import Feedback, supersede
from stenograph.model.runs import Run, RunPatch, merge
from stenograph.observability import Metrics
from stenograph.store.api import MetaStore, RejectedRows, RunStore
from stenograph.store.pending import Batch, Key, PendingRun
from stenograph.store.seen import SeenIds

log = structlog.get_logger("stenograph.batches")

_encode = msgspec.msgpack.Encoder().encode


class _Derived(msgspec.Struct, frozen=True, gc=False):
    """What becomes of one run in a flush.

    `row` is how it stands in the store afterwards; None when it does not, being deleted or a dead letter. It is
    written unless it is there already (`stored`). `left` are tombstones for rows in places that it has left.
    """

    run: PendingRun
    row: Run | None
    stored: bool = False
    left: tuple[Run, ...] = ()

    @property
    def moved(self) -> bool:
        """Whether feedback may be filed by the run as it was, and that stood elsewhere.

        Of a run that is replayed after a crash nobody knows: it may have been written and its feedback not filed.
        """
        base = self.run.base
        if base is None or base.deleted or self.row is None:
            return False
        replayed = self.run.records[0].position <= base.version
        return replayed or (base.place, base.trace_id) != (self.row.place, self.row.trace_id)

    def is_among(self, lost: Container[tuple[UUID, UUID]]) -> bool:
        """Whether the row is one of these, by workspace and id."""
        return self.row is not None and (self.row.workspace, self.row.id) in lost


class BatchWriter:
    """Takes batches to the run store. One a process, one batch at a time.

    `seen` knows which ids the store may hold, `deleted` which projects are going.
    """

    def __init__(self, store: RunStore, meta: MetaStore, prices: PriceBook, metrics: Metrics) -> None:
        self._store = store
        self._dead_letters = meta.dead_letters
        self._examples = meta.examples
        self._prices = prices
        self._metrics = metrics
        self.deleted = DeletedProjects()
        self.seen = SeenIds()
        self.filing = Filing(store, self.seen)

    async def write(self, batch: Batch) -> list[tuple[PendingRun, Run | None]]:
        """Have the batch in the run store, or in the dead letters; returns each run with its row there."""
        await self._prices.load([UUID(int=workspace) for workspace in {run.key[0] for run in batch.runs}])
        strays = await self._load_bases(batch.runs)
        examples = await self._carried(batch.runs)
        derived, letters = await asyncio.to_thread(self._derive, batch.runs, strays, examples)
        feedback = await self._feedback_rows([item for item, _ in batch.feedback], derived)
        rows = [one.row for one in derived if one.row is not None and not one.stored]
        refused = await self._insert(rows, feedback)
        if refused:
            letters += self._letters(derived, refused)
            lost = {(item.workspace, item.id) for item, _ in refused}
            derived = [_Derived(one.run, None) if one.is_among(lost) else one for one in derived]
            feedback = [item for item in feedback if (item.workspace, item.id) not in lost]
        # A crash in between leaves two rows of a run, which its replay finds; the other way round it leaves none.
        if left := [row for one in derived for row in one.left]:
            await self._store.write(left, [])
        self.filing.wait(feedback)
        stands = {one.run.key: one.row for one in derived if one.row is not None}
        await self.filing.follow(stands, [one.run.key for one in derived if one.moved])
        await self._bury(letters)
        self._metrics.stored("run", len(stands))
        self._metrics.stored(
            "feedback", len(batch.feedback) - sum(isinstance(it, Feedback) for it, _ in refused)
        )
        written = [run_id for _, run_id in stands] + [item.id.int for item in feedback]
        await asyncio.to_thread(self.seen.add, written)
        return [(one.run, one.row) for one in derived]

    async def _load_bases(self, runs: Sequence[PendingRun]) -> dict[Key, list[Run]]:
        """Fetch the stored row of runs that may have one and do not have it in memory.

        Returns, for runs that are replayed after a crash, rows that the crash left in places they had moved from.
        """
        without = [run for run in runs if run.base is None]
        maybe = await asyncio.to_thread(self.seen.maybe, [run.key[1] for run in without])
        wanted = [run for run, known in zip(without, maybe, strict=True) if known]
        if not wanted:
            return {}
        ids = [(UUID(int=run.key[0]), UUID(int=run.key[1])) for run in wanted]
        found = await self._store.stored(ids)
        replayed: list[Run] = []
        for run, key in zip(wanted, ids, strict=True):
            run.base = base = found.get(key)
            if base is not None and not base.deleted and run.records[0].position <= base.version:
                replayed.append(base)
        strays: dict[Key, list[Run]] = {}
        for stray in await self._store.strays(replayed) if replayed else ():
            strays.setdefault((stray.workspace.int, stray.id.int), []).append(stray)
        return strays

    async def _carried(self, runs: Sequence[PendingRun]) -> dict[Key, Members]:
        """What runs take over from the examples they refer to, by workspace and example; one look-up for all.

        Not remembered from one batch to the next: an example may have changed.
        """
        stated: Iterator[RunPatch | Run] = chain(
            chain.from_iterable([run.patches for run in runs]),
            [run.base for run in runs if run.base is not None],
        )
        wanted = {
            (said.workspace.int, said.reference_example_id.int)
            for said in stated
            if said.reference_example_id is not None
        }
        if not wanted:
            return {}
        keys = [(UUID(int=workspace), UUID(int=example)) for workspace, example in wanted]
        found = await self._examples.newest_metadata(keys)
        return {(workspace.int, example.int): carried(each) for (workspace, example), each in found.items()}

    async def _feedback_rows(self, items: Sequence[Feedback], derived: Sequence[_Derived]) -> list[Feedback]:
        """The rows for these pieces, each filed by its run and put in the place of what is stored under its id."""
        if not items:
            return []
        standing = {one.run.key: one.row for one in derived if one.row is not None}
        items = [item for item in items if not self.deleted.closed(item.workspace, item.project_id)]
        items = await self.filing.file(items, standing)
        items = [item for item in items if not self.deleted.closed(item.workspace, item.home)]
        maybe = await asyncio.to_thread(self.seen.maybe, [item.id.int for item in items])
        known = {(item.workspace, item.id) for item, stored in zip(items, maybe, strict=True) if stored}
        return supersede(await self._store.stored_feedback(list(known)) if known else {}, items)

    def _derive(
        self,
        runs: Sequence[PendingRun],
        strays: Mapping[Key, Sequence[Run]],
        examples: Mapping[Key, Members],
    ) -> tuple[list[_Derived], list[DeadLetter]]:
        """What becomes of each run, in their order, and dead letters for those of which nothing can."""
        derived: list[_Derived] = []
        letters: list[DeadLetter] = []
        usage = {key: self._prices.of(UUID(int=key)) for key in {run.key[0] for run in runs}}
        for run in runs:
            try:
                derived.append(self._row(run, strays.get(run.key, ()), examples, usage[run.key[0]]))
            except Exception as error:  # whatever one run does, the others go on
                log.exception("a run cannot be derived", run=str(UUID(int=run.key[1])))
                letters.append(_run_letter(run, f"cannot be derived: {error}"))
                derived.append(_Derived(run, None))
        return derived, letters

    def _row(
        self, run: PendingRun, strays: Sequence[Run], examples: Mapping[Key, Members], usage: UsageOf
    ) -> _Derived:
        base, patches = run.base, run.patches[: run.taken]
        if base is not None:
            patches = [
                patch
                for patch, record in zip(patches, run.records, strict=False)
                if record.position > base.version  # the others are replayed: in `base`, or deleted with it
            ]
            if base.deleted:
                if not any(patch.create for patch in patches):
                    return _Derived(run, None)
                base = None
            elif not patches:
                left = tuple(stray.tombstone(base.version - 1) for stray in strays)
                return _Derived(run, base, stored=True, left=left)
        facts = merge(base, patches)
        reference = facts.reference_example_id
        example = None if reference is None else examples.get((run.key[0], reference.int))
        row = derive(facts, run.version, usage, example)
        if self.deleted.closed(row.workspace, row.project_id):
            return _Derived(run, None)  # acknowledged before its project was deleted
        if base is None:
            return _Derived(run, row)
        left = tuple(old.tombstone(row.version - 1) for old in (base, *strays) if old.place != row.place)
        return _Derived(run, row, left=left)

    def _letters(
        self, derived: Sequence[_Derived], refused: Sequence[tuple[Run | Feedback, str]]
    ) -> list[DeadLetter]:
        """What the run store refused, as it stood in the inbox, so that it can be sent in again."""
        runs = {(one.row.workspace, one.row.id): one.run for one in derived if one.row is not None}
        return [
            _run_letter(runs[item.workspace, item.id], reason)
            if isinstance(item, Run)
            else _letter(item.workspace, "feedback", item.id, item.version, reason, _encode([item]))
            for item, reason in refused
        ]

    async def _bury(self, letters: Sequence[DeadLetter]) -> None:
        if not letters:
            return
        await self._dead_letters.bury(letters)
        feedback = sum(letter.kind == "feedback" for letter in letters)
        self._metrics.dead_lettered("feedback", feedback)
        self._metrics.dead_lettered("run", len(letters) - feedback)

    async def _insert(
        self, rows: Sequence[Run], feedback: Sequence[Feedback]
    ) -> list[tuple[Run | Feedback, str]]:
        """Insert; halve a batch that the engine refuses until the rows at fault stand alone: these are returned."""
        if not rows and not feedback:
            return []
        try:
            await self._store.write(rows, feedback)
        except RejectedRows as refusal:
            if len(rows) + len(feedback) == 1:
                item: Run | Feedback = rows[0] if rows else feedback[0]
                return [(item, str(refusal)[:2000])]
            if rows and feedback:
                return [*await self._insert(rows, []), *await self._insert([], feedback)]
            half, part = len(rows) // 2, len(feedback) // 2
            return [
                *await self._insert(rows[:half], feedback[:part]),
                *await self._insert(rows[half:], feedback[part:]),
            ]
        return []

    async def bury_unreadable(self, position: int, body: bytes, reason: str) -> None:
        """Keep a record of the inbox that cannot be decoded."""
        await self._bury([_letter(UNREADABLE, "record", UNREADABLE, position, reason, body)])


def _run_letter(run: PendingRun, reason: str) -> DeadLetter:
    workspace, run_id = UUID(int=run.key[0]), UUID(int=run.key[1])
    return _letter(workspace, "run", run_id, run.version, reason, _encode(run.patches[: run.taken]))


def _letter(
    workspace: UUID, kind: str, subject: UUID, version: int, reason: str, record: bytes
) -> DeadLetter:
    """The id follows from what is buried, so that a replay after a crash does not bury it twice."""
    return DeadLetter(
        id=uuid5(subject, f"{workspace} {kind} {version}"),
        workspace=workspace,
        kind=kind,
        subject_id=subject,
        reason=reason,
        record=record,
        created_at=time.time_ns() // 1000,
    )

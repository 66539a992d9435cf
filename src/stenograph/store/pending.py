"""Runs and feedback between their acknowledgement and the run store, in memory.

A run's create and update meet here, so that one row is written. What is finished goes out first; what is still
open waits for its update, for a reader, or until it has waited long enough; then it is written as it stands and
kept, within a budget, so that a later update still finds its base in memory.

    absent --add--> open --add (ended)--> ready --take, written--> absent
                     |  ^
        take, written|  |add
                     v  |
                    clean --over budget--> absent (a later update loads its base from the run store)
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final
from uuid import UUID

from stenograph.model.feedback import Feedback
from stenograph.model.runs import Run, RunPatch

Key = tuple[int, int]
"""(workspace, run id) as integers: hashing a UUID object costs ten times as much."""

_CLEAN_RUNS: Final = 100_000


class Record:
    """An inbox record some of whose contents are not in the run store yet."""

    __slots__ = ("position", "release", "remaining")

    def __init__(self, position: int, remaining: int, release: Callable[[], None]) -> None:
        self.position = position
        self.remaining = remaining
        self.release = release

    def done(self) -> None:
        self.remaining -= 1
        if self.remaining == 0:
            self.release()


class PendingRun:
    """One run's patches that are not stored, over the stored row as far as it is in memory."""

    __slots__ = ("base", "bytes", "created", "ended", "key", "patches", "records", "since", "taken")

    def __init__(self, key: Key) -> None:
        self.key = key
        self.base: Run | None = None
        self.patches: list[RunPatch] = []
        self.records: list[Record] = []
        self.bytes = 0
        self.created = False
        self.ended = False
        self.since = 0.0
        self.taken = 0

    @property
    def finished(self) -> bool:
        return self.created and self.ended

    @property
    def version(self) -> int:
        """The position of the newest patch taken."""
        return self.records[self.taken - 1].position


@dataclass(slots=True)
class Batch:
    """What one flush writes."""

    runs: list[PendingRun]
    feedback: list[tuple[Feedback, Record]]

    def __bool__(self) -> bool:
        return bool(self.runs or self.feedback)


class Pending:
    """Not thread-safe: one event loop owns it; a flush reads what it has taken from another thread."""

    def __init__(self, *, clean_bytes: int, now: Callable[[], float] = time.monotonic) -> None:
        self._clean_limit = clean_bytes
        self._now = now
        self._ready: dict[Key, PendingRun] = {}
        self._open: OrderedDict[Key, PendingRun] = OrderedDict()
        self._clean: OrderedDict[Key, PendingRun] = OrderedDict()
        self._clean_bytes = 0
        self._feedback: list[tuple[Feedback, Record]] = []
        self._taken: dict[Key, PendingRun] = {}
        self._taken_feedback: list[tuple[Feedback, Record]] = []
        self._unsaved: dict[int, int] = {}
        self.bytes = 0

    # -- in ----------------------------------------------------------------------------------------------

    def add(self, patches: Sequence[RunPatch], feedback: Sequence[Feedback], record: Record) -> None:
        """Take in one record's contents, in the order of its position."""
        now = self._now()
        for patch in patches:
            self._add(patch, record, now)
        for item in feedback:
            self._feedback.append((item, record))
            self._count(item.workspace.int, 1)
            self.bytes += item.size()

    def _add(self, patch: RunPatch, record: Record, now: float) -> None:
        key = (patch.workspace.int, patch.id.int)
        run = self._taken.get(key) or self._ready.get(key) or self._open.get(key)
        is_new = run is None
        if run is None:
            run = self._clean.pop(key, None)
            if run is None:
                run = PendingRun(key)
            else:
                self._clean_bytes -= run.bytes
                run.bytes = 0
            run.since = now
            self._count(key[0], 1)
        size = patch.size()
        run.patches.append(patch)
        run.records.append(record)
        run.bytes += size
        self.bytes += size
        run.created = run.created or patch.create
        run.ended = run.ended or patch.end_time is not None
        if not run.finished:
            if is_new:
                self._open[key] = run
        elif is_new or self._open.pop(key, None) is not None:
            self._ready[key] = run

    def _count(self, workspace: int, by: int) -> None:
        count = self._unsaved.get(workspace, 0) + by
        if count:
            self._unsaved[workspace] = count
        else:
            self._unsaved.pop(workspace, None)

    # -- what waits --------------------------------------------------------------------------------------

    def unsaved(self, workspace: UUID) -> bool:
        """Whether anything of this workspace is not in the run store yet."""
        return workspace.int in self._unsaved

    def oldest(self) -> dict[int, int]:
        """By workspace, the position of the oldest record of which something is not in the run store yet."""
        found: dict[int, int] = {}
        for runs in (self._taken, self._ready, self._open):
            for (workspace, _), run in runs.items():
                at = run.records[0].position
                if at < found.get(workspace, at + 1):
                    found[workspace] = at
        for item, record in (*self._taken_feedback, *self._feedback):
            workspace = item.workspace.int
            if record.position < found.get(workspace, record.position + 1):
                found[workspace] = record.position
        return found

    @property
    def runs(self) -> int:
        """Runs that wait."""
        return len(self._ready) + len(self._open) + len(self._taken)

    @property
    def due(self) -> int:
        """Runs and feedback that wait for nothing but the next flush."""
        return len(self._ready) + len(self._feedback)

    # -- out ---------------------------------------------------------------------------------------------

    def take(self, limit: int, *, open_since: float | None = None) -> Batch:
        """Up to `limit` runs to write: the finished, then those open since `open_since` or longer.

        What was taken must come back through `written` or `give_back`.
        """
        # All keys first: to ask for the first again after each would step over the holes that the others have left.
        due = list(islice(self._ready, limit))
        batch = Batch([self._ready.pop(key) for key in due], [])
        while self._open and open_since is not None and len(batch.runs) < limit:
            key, run = next(iter(self._open.items()))
            if run.since > open_since:
                break
            batch.runs.append(self._open.pop(key))
        for run in batch.runs:
            run.taken = len(run.patches)
            self._taken[run.key] = run
        batch.feedback, self._feedback = self._feedback[:limit], self._feedback[limit:]
        self._taken_feedback = batch.feedback
        return batch

    def written(self, batch: Batch, rows: Iterable[tuple[PendingRun, Run | None]]) -> None:
        """The batch is durable in the run store: forget it, release its records.

        A run whose row is None is in no store and never will be (it went to the dead letters).
        """
        for run, row in rows:
            del self._taken[run.key]
            if run.taken == len(run.patches):  # nothing came while it was being written: nearly always
                done, run.records, run.patches = run.records, [], []
                size, run.bytes = run.bytes, 0
            else:
                done, run.records = run.records[: run.taken], run.records[run.taken :]
                gone, run.patches = run.patches[: run.taken], run.patches[run.taken :]
                size = sum(patch.size() for patch in gone)
                run.bytes -= size
            self.bytes -= size
            run.base = row
            if run.patches:
                run.since = self._now()
                (self._ready if run.finished else self._open)[run.key] = run
            else:
                self._count(run.key[0], -1)
                if row is not None and not run.finished:
                    self._keep_clean(run, size)
            for record in done:
                record.done()
        self._taken_feedback = []
        for item, record in batch.feedback:
            self._count(item.workspace.int, -1)
            self.bytes -= item.size()
            record.done()

    def give_back(self, batch: Batch) -> None:
        """The batch could not be written: it waits again, in front."""
        for run in batch.runs:
            self._taken.pop(run.key, None)
        waiting = {run.key: run for run in batch.runs if run.finished}
        self._ready = waiting | self._ready
        for run in reversed(batch.runs):
            if not run.finished:
                self._open[run.key] = run
                self._open.move_to_end(run.key, last=False)
        self._feedback, self._taken_feedback = batch.feedback + self._feedback, []

    def _keep_clean(self, run: PendingRun, size: int) -> None:
        run.bytes = size
        self._clean[run.key] = run
        self._clean_bytes += size
        while self._clean_bytes > self._clean_limit or len(self._clean) > _CLEAN_RUNS:
            _, dropped = self._clean.popitem(last=False)
            self._clean_bytes -= dropped.bytes

    def forget(self, workspace: UUID, runs: Iterable[UUID]) -> None:
        """Drop the stored state kept for these runs: they have been deleted. Not while a batch is taken."""
        for run_id in runs:
            key = (workspace.int, run_id.int)
            run = self._clean.pop(key, None)
            if run is not None:
                self._clean_bytes -= run.bytes
            waiting = self._ready.get(key) or self._open.get(key)
            if waiting is not None:
                waiting.base = None

    def get(self, workspace: UUID, run_id: UUID) -> PendingRun | None:
        """A run that is in memory, whole or in part: for finding a parent without a read barrier."""
        key = (workspace.int, run_id.int)
        return self._taken.get(key) or self._ready.get(key) or self._open.get(key) or self._clean.get(key)

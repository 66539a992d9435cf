"""What waits between the inbox and the run store: nothing is released before it is written, nothing twice."""

from __future__ import annotations

from collections import Counter
from uuid import UUID, uuid4

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from stenograph.domain.recording.derive import derive
from stenograph.model.feedback import Feedback
from stenograph.model.runs import NO_USAGE, Run, RunPatch, merge
from stenograph.store.pending import Batch, Pending, PendingRun, Record
from tests.effort import tries

MINE, OTHER = UUID(int=1), UUID(int=2)
RUN = UUID(int=10)
BIG = 10**9


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def patch(
    run: UUID = RUN, *, create: bool = False, ended: bool = False, at: int = 1, workspace: UUID = MINE, **more
) -> RunPatch:
    end = 5 if ended else None
    return RunPatch(workspace=workspace, id=run, create=create, received_at=at, end_time=end, **more)


def feedback(workspace: UUID = MINE) -> Feedback:
    return Feedback(workspace=workspace, id=uuid4(), key="k", created_at=1, modified_at=1, run_id=RUN)


def row(run: PendingRun) -> Run:
    return derive(merge(run.base, run.patches[: run.taken]), run.version, lambda *_: NO_USAGE)


def write(pending: Pending, batch: Batch) -> list[Run]:
    rows = [(run, row(run)) for run in batch.runs]
    pending.written(batch, rows)
    return [each for _, each in rows]


class Released:
    """Records what was released, in order."""

    def __init__(self) -> None:
        self.positions: list[int] = []

    def record(self, position: int, contents: int = 1) -> Record:
        return Record(position, contents, lambda: self.positions.append(position))


def test_create_and_update_become_one_row() -> None:
    pending, released = Pending(clean_bytes=BIG), Released()
    pending.add([patch(create=True, inputs=b"1")], [], released.record(1))
    assert pending.due == 0
    assert not pending.take(10)
    pending.add([patch(ended=True, outputs=b"2")], [], released.record(2))
    assert pending.due == 1
    [stored] = write(pending, pending.take(10))
    assert (stored.inputs, stored.outputs, stored.version) == (b"1", b"2", 2)
    assert released.positions == [1, 2]
    assert (pending.bytes, pending.runs, pending.unsaved(MINE)) == (0, 0, False)


def test_an_open_run_waits_and_then_its_stored_row_is_the_base_of_its_update() -> None:
    clock = Clock()
    pending, released = Pending(clean_bytes=BIG, now=clock), Released()
    pending.add([patch(create=True, inputs=b"1")], [], released.record(1))
    assert not pending.take(10, open_since=clock.now - 60)
    clock.now += 60
    [first] = write(pending, pending.take(10, open_since=clock.now - 60))
    assert released.positions == [1]
    pending.add([patch(ended=True)], [], released.record(2))
    batch = pending.take(10)
    assert batch.runs[0].base is first
    assert write(pending, batch)[0].inputs == b"1"


def test_an_update_alone_is_not_finished() -> None:
    pending, released = Pending(clean_bytes=BIG), Released()
    pending.add([patch(ended=True)], [], released.record(1))
    assert pending.due == 0
    pending.add([patch(create=True)], [], released.record(2))
    assert pending.due == 1


def test_what_arrives_during_a_write_waits_for_the_next() -> None:
    pending, released = Pending(clean_bytes=BIG), Released()
    pending.add([patch(create=True, ended=True)], [], released.record(1))
    batch = pending.take(10)
    pending.add([patch(outputs=b"late")], [], released.record(2))
    assert pending.oldest() == {MINE.int: 1}
    assert write(pending, batch)[0].outputs is None
    assert released.positions == [1]
    assert pending.unsaved(MINE)
    assert pending.oldest() == {MINE.int: 2}
    [second] = write(pending, pending.take(10))
    assert (second.outputs, second.version, released.positions) == (b"late", 2, [1, 2])


def test_feedback_waits_until_it_is_written() -> None:
    """Whoever asks meanwhile what is stored must not be told that it is."""
    pending, released = Pending(clean_bytes=BIG), Released()
    pending.add([], [feedback()], released.record(1))
    batch = pending.take(10)
    pending.add([], [feedback()], released.record(2))
    assert pending.oldest() == {MINE.int: 1}
    pending.give_back(batch)
    assert pending.oldest() == {MINE.int: 1}
    pending.written(pending.take(1), [])
    assert (pending.oldest(), released.positions) == ({MINE.int: 2}, [1])


def test_a_record_is_released_with_the_last_of_its_contents() -> None:
    pending, released = Pending(clean_bytes=BIG), Released()
    runs = [patch(uuid4(), create=True, ended=True) for _ in range(3)]
    pending.add(runs, [feedback(), feedback()], released.record(1, 5))
    while batch := pending.take(1):
        assert released.positions == []
        write(pending, batch)
    assert released.positions == [1]


def test_a_batch_given_back_goes_first_and_whole() -> None:
    pending, released = Pending(clean_bytes=BIG), Released()
    done, still = uuid4(), uuid4()
    pending.add(
        [patch(done, create=True, ended=True), patch(still, create=True)], [feedback()], released.record(1, 3)
    )
    batch = pending.take(10, open_since=BIG)
    pending.add([patch(still, ended=True)], [feedback()], released.record(2, 2))
    pending.add([patch(uuid4(), create=True, ended=True)], [], released.record(3))
    size = pending.bytes
    pending.give_back(batch)
    assert (pending.bytes, pending.unsaved(MINE), released.positions) == (size, True, [])
    again = pending.take(10)
    assert [run.key[1] for run in again.runs][:2] == [done.int, still.int]
    assert [record.position for _, record in again.feedback] == [1, 2]
    assert {each.end_time for each in write(pending, again)} == {5}
    assert sorted(released.positions) == [1, 2, 3]
    assert pending.bytes == 0


def test_a_dead_letter_is_released_and_forgotten() -> None:
    pending, released = Pending(clean_bytes=BIG), Released()
    pending.add([patch(create=True)], [], released.record(1))
    batch = pending.take(10, open_since=BIG)
    pending.written(batch, [(batch.runs[0], None)])
    assert released.positions == [1]
    assert pending.get(MINE, RUN) is None
    assert pending.bytes == 0


def test_workspaces_are_counted_apart() -> None:
    pending, released = Pending(clean_bytes=BIG), Released()
    pending.add([patch(workspace=OTHER)], [feedback(MINE)], released.record(4, 2))
    assert (pending.unsaved(MINE), pending.unsaved(OTHER)) == (True, True)
    write(pending, pending.take(10))
    assert (pending.unsaved(MINE), pending.unsaved(OTHER)) == (False, True)
    assert pending.oldest() == {OTHER.int: 4}


def test_the_same_id_in_two_workspaces_is_two_runs() -> None:
    pending, released = Pending(clean_bytes=BIG), Released()
    pending.add([patch(create=True), patch(workspace=OTHER, ended=True)], [], released.record(1, 2))
    assert pending.due == 0
    assert len(write(pending, pending.take(10, open_since=BIG))) == 2


def test_stored_rows_kept_for_updates_stay_within_their_budget() -> None:
    pending, released = Pending(clean_bytes=3000), Released()
    runs = [uuid4() for _ in range(5)]
    for at, run in enumerate(runs):
        pending.add([patch(run, create=True, inputs=b"x" * 600)], [], released.record(at))
    write(pending, pending.take(10, open_since=BIG))
    assert [pending.get(MINE, run) is not None for run in runs] == [False, False, True, True, True]


def test_a_deleted_run_is_no_base() -> None:
    pending, released = Pending(clean_bytes=BIG), Released()
    pending.add([patch(create=True)], [], released.record(1))
    write(pending, pending.take(10, open_since=BIG))
    pending.forget(MINE, [RUN, uuid4()])
    assert pending.get(MINE, RUN) is None


def test_a_deleted_run_is_no_base_for_an_update_that_waits() -> None:
    pending, released = Pending(clean_bytes=BIG), Released()
    pending.add([patch(create=True)], [], released.record(1))
    write(pending, pending.take(10, open_since=BIG))
    pending.add([patch(ended=True)], [], released.record(2))
    pending.forget(MINE, [RUN])
    assert pending.take(10).runs[0].base is None


class AnyOrder(RuleBasedStateMachine):
    """Adding, taking, writing, failing in any order: each record is released once, when all of it is stored."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.pending = Pending(clean_bytes=2500, now=self.clock)
        self.released: Counter[int] = Counter()
        self.position = 0
        self.contents: dict[int, list[bytes]] = {}
        self.batch: Batch | None = None
        self.table: dict[int, Run] = {}
        self.stored: set[bytes] = set()

    @rule(
        runs=st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.booleans()), max_size=4),
        judged=st.integers(0, 2),
    )
    def add(self, runs: list[tuple[int, bool, bool]], judged: int) -> None:
        if not runs and not judged:
            return
        self.position += 1
        marks = [b"%d.%d" % (self.position, at) for at in range(len(runs) + judged)]
        patches = [
            patch(UUID(int=run), create=create, ended=ended, inputs=mark, at=self.position)
            for (run, create, ended), mark in zip(runs, marks, strict=False)
        ]
        items = [msgspec.structs.replace(feedback(), value=mark) for mark in marks[len(runs) :]]
        position = self.position
        record = Record(position, len(marks), lambda: self.released.update([position]))
        self.contents[position] = marks
        self.pending.add(patches, items, record)

    @precondition(lambda self: self.batch is None)
    @rule(limit=st.integers(1, 5), everything=st.booleans())
    def take(self, limit: int, everything: bool) -> None:
        self.batch = self.pending.take(limit, open_since=BIG if everything else None)

    @precondition(lambda self: self.batch is not None)
    @rule()
    def succeed(self) -> None:
        assert self.batch is not None
        for run in self.batch.runs:
            run.base = run.base or self.table.get(run.key[1])  # as the recorder looks it up
        self.stored |= {each.inputs or b"" for run in self.batch.runs for each in run.patches[: run.taken]}
        self.stored |= {item.value or b"" for item, _ in self.batch.feedback}
        for stored in write(self.pending, self.batch):
            assert stored.version > (self.table[stored.id.int].version if stored.id.int in self.table else 0)
            self.table[stored.id.int] = stored
        self.batch = None

    @precondition(lambda self: self.batch is not None)
    @rule()
    def fail(self) -> None:
        assert self.batch is not None
        self.pending.give_back(self.batch)
        self.batch = None

    @invariant()
    def released_exactly_when_stored(self) -> None:
        for position, marks in self.contents.items():
            assert self.released[position] == int(self.stored.issuperset(marks)), position

    @invariant()
    def unsaved_means_that_something_waits(self) -> None:
        waiting = [at for at, marks in self.contents.items() if not self.stored.issuperset(marks)]
        assert self.pending.unsaved(MINE) == bool(waiting)
        assert self.pending.oldest() == ({MINE.int: min(waiting)} if waiting else {})

    def teardown(self) -> None:
        if self.batch is not None:
            self.fail()
        while batch := self.pending.take(3, open_since=BIG):
            self.batch = batch
            self.succeed()
        assert all(self.released[position] == 1 for position in self.contents)
        assert self.pending.bytes == 0
        assert self.pending.runs == 0


AnyOrder.TestCase.settings = settings(max_examples=tries(150), stateful_step_count=25)
TestAnyOrder = AnyOrder.TestCase

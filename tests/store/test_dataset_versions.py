"""Any sequence of writes to a dataset, read back as of any moment, equals the replay of the writes up to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stenograph.errors import CallerError
from stenograph.model.access import DEFAULT_WORKSPACE as MINE
from stenograph.model.datasets import Dataset
from stenograph.model.examples import (
    ExampleChanges,
    ExamplePatch,
    ExampleQuery,
    ListChange,
    NewExample,
    with_splits,
)
from stenograph.store.api import MetaStore
from tests.effort import tries

SLOTS = 6
"""Examples are known by a number, so that drawn writes hit the same ones again and again."""

State = dict[UUID, tuple[int, Any]]
"""Example to its input and metadata."""


@dataclass(frozen=True)
class Write:
    """Numbers of examples to create, edit, delete, wipe, and put into or take out of a split, in one version."""

    creates: frozenset[int] = frozenset()
    edits: frozenset[int] = frozenset()
    deletes: frozenset[int] = frozenset()
    wipes: frozenset[int] = frozenset()
    splits: frozenset[int] = frozenset()
    split: str = "train"
    remove: bool = False
    value: int = 0
    ticks: int = 1


def writes() -> st.SearchStrategy[Write]:
    """Each example is in one part of a write at most: in two, the write is refused for that alone."""

    def build(parts: list[int], split: str, remove: bool, value: int, ticks: int) -> Write:
        def of(part: int) -> frozenset[int]:
            return frozenset(slot for slot, chosen in enumerate(parts) if chosen == part)

        return Write(of(1), of(2), of(3), of(4), of(5), split, remove, value, ticks)

    # mostly untouched, so that writes succeed more often than not
    part = st.sampled_from([0] * 8 + [1, 1, 2, 2, 3, 4, 5, 5])
    return st.builds(
        build,
        st.lists(part, min_size=SLOTS, max_size=SLOTS).filter(any),
        st.sampled_from(["train", "test", "base"]),
        st.booleans(),
        st.integers(0, 9),
        st.integers(0, 3),
    )


@dataclass
class Replay:
    """What a dataset is said to have been: the state after each moment, in their order."""

    ids: list[UUID] = field(default_factory=lambda: [uuid4() for _ in range(SLOTS)])
    history: list[tuple[int, State]] = field(default_factory=list)

    @property
    def now(self) -> State:
        return self.history[-1][1] if self.history else {}

    def of(self, slots: Iterable[int]) -> list[UUID]:
        return [self.ids[slot] for slot in sorted(slots)]

    def changes(self, write: Write) -> ExampleChanges:
        created = [
            NewExample(id=each, inputs=b'{"v":%d}' % write.value, metadata=with_splits(b'{"new":1}', None))
            for each in self.of(write.creates)
        ]
        edited = [
            ExamplePatch(id=each, inputs=b'{"v":%d}' % write.value, metadata=b'{"edited":%d}' % write.value)
            for each in self.of(write.edits)
        ]
        change = (
            ListChange("dataset_split", remove=(write.split,))
            if write.remove
            else ListChange("dataset_split", add=(write.split,))
        )
        moved = [ExamplePatch(id=each, lists=(change,)) for each in self.of(write.splits)]
        return ExampleChanges(
            creates=created,
            patches=[*edited, *moved],
            deletes=tuple(self.of(write.deletes)),
            wipes=tuple(self.of(write.wipes)),
        )

    def allows(self, write: Write) -> bool:
        """Whether the write succeeds now: nothing new is there, all that is changed or deleted is."""
        needed = {*self.of(write.edits), *self.of(write.deletes), *self.of(write.splits)}
        return needed <= set(self.now) and not set(self.of(write.creates)) & set(self.now)

    def play(self, write: Write, at: int) -> None:
        state = dict(self.now)
        for each in (*self.of(write.deletes), *self.of(write.wipes)):
            state.pop(each, None)
        for each in self.of(write.creates):
            state[each] = (write.value, {"new": 1, "dataset_split": ["base"]})
        for each in self.of(write.edits):
            state[each] = (
                write.value,
                {"edited": write.value, "dataset_split": state[each][1]["dataset_split"]},
            )
        for each in self.of(write.splits):
            value, metadata = state[each]
            state[each] = (value, {**metadata, "dataset_split": _moved(metadata["dataset_split"], write)})
        wiped = set(self.of(write.wipes))
        self.history = [
            (moment, {each: kept for each, kept in then.items() if each not in wiped})
            for moment, then in self.history
        ]
        self.history.append((at, state))


def _moved(splits: list[str], write: Write) -> list[str]:
    if write.remove:
        return [each for each in splits if each != write.split]
    return splits if write.split in splits else [*splits, write.split]


async def state(store: MetaStore, dataset: UUID, as_of: int | None) -> State:
    found = await store.examples.find(ExampleQuery(workspace=MINE, dataset_id=dataset, as_of=as_of))
    return {
        each.id: (msgspec.json.decode(each.inputs)["v"], msgspec.json.decode(each.metadata)) for each in found
    }


async def check(store: MetaStore, dataset: UUID, replay: Replay) -> None:
    """Every moment of the history, and those just before and after, in every way of asking."""
    before: State = {}
    for place, (moment, then) in enumerate(replay.history):
        assert await state(store, dataset, moment) == then
        assert await state(store, dataset, moment - 1) == before
        query = ExampleQuery(workspace=MINE, dataset_id=dataset, as_of=moment)
        assert await store.examples.count(query) == len(then)
        assert set(await store.examples.ids(query)) == set(then)
        names = {name for _, metadata in then.values() for name in metadata["dataset_split"]}
        assert await store.examples.splits(MINE, dataset, moment) == sorted(names)
        diff = await store.datasets.diff(MINE, dataset, moment - 1, moment)
        assert set(diff.added) == set(then) - set(before)
        assert set(diff.removed) == set(before) - set(then)
        assert {each for each in then if each in before and then[each] != before[each]} <= set(diff.modified)
        for example in (each for each in replay.ids if each in then):
            asked = ExampleQuery(workspace=MINE, ids=(example,), as_of=moment)
            assert len(await store.examples.find(asked)) == 1
        version = await store.datasets.version(MINE, dataset, as_of=moment)
        assert version is not None
        assert version.as_of == moment
        before = replay.history[place][1]
    assert await state(store, dataset, None) == before
    assert await state(store, dataset, 10**15) == before
    versions = await store.datasets.versions(MINE, dataset)
    assert [each.as_of for each in versions] == [moment for moment, _ in reversed(replay.history)]


async def new_dataset(store: MetaStore) -> UUID:
    made = Dataset(id=uuid4(), workspace=MINE, name=uuid4().hex, created_at=1, modified_at=1)
    await store.datasets.create(made)
    return made.id


@settings(max_examples=tries(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sequence=st.lists(writes(), max_size=12))
def test_one_writer(meta: Callable[..., None], sequence: list[Write]) -> None:
    async def work(store: MetaStore) -> None:
        dataset, replay, clock = await new_dataset(store), Replay(), 10
        for write in sequence:
            clock += write.ticks
            allowed = replay.allows(write)
            try:
                at = await store.examples.change(MINE, dataset, replay.changes(write), clock)
            except CallerError:
                assert not allowed
                continue
            assert allowed
            assert at >= clock
            replay.play(write, at)
        await check(store, dataset, replay)

    meta(work)


@settings(max_examples=tries(30), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=st.lists(writes(), max_size=3), together=st.lists(writes(), min_size=2, max_size=10))
def test_writers_at_the_same_time(
    meta: Callable[..., None], first: list[Write], together: list[Write]
) -> None:
    """They have some order, and that of the moments they were given is it."""

    async def work(store: MetaStore) -> None:
        dataset, replay = await new_dataset(store), Replay()
        done: list[tuple[int, Write]] = []

        async def change(write: Write) -> None:
            # a refused write has no moment, and what it found depends on an order that nobody learns
            try:
                done.append((await store.examples.change(MINE, dataset, replay.changes(write), 50), write))
            except CallerError:
                return

        for write in (Write(creates=frozenset(range(SLOTS))), *first):
            await change(write)
        await asyncio.gather(*(change(write) for write in together))
        assert len({at for at, _ in done}) == len(done)
        for at, write in sorted(done, key=lambda each: each[0]):
            assert replay.allows(write)
            replay.play(write, at)
        await check(store, dataset, replay)

    meta(work)

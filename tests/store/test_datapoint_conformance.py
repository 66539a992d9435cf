"""What `store.api.Datapoints` promises, for every engine of the metadata store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from stenograph.errors import Conflict, NotFound
from stenograph.model.access import DEFAULT_WORKSPACE
from stenograph.model.datapoints import Copy, Datapoint, DatapointChanges, DatasetChange
from stenograph.model.datasets import Dataset, DatasetPatch
from stenograph.model.examples import ExampleChanges, ExampleFile, ExamplePatch, ExampleQuery, NewExample
from stenograph.store.api import MetaStore

MINE = DEFAULT_WORKSPACE
OTHER = UUID("00000000-0000-4000-8000-00000000000b")
Meta = Callable[..., Any]
FILE = ExampleFile("f", "text/plain", 1, "key")


async def dataset(store: MetaStore, workspace: UUID = MINE) -> UUID:
    made = Dataset(id=uuid4(), workspace=workspace, name=str(uuid4()), created_at=1, modified_at=1)
    await store.datasets.create(made)
    return made.id


def new(n: int = 0, **more: Any) -> NewExample:
    return msgspec.structs.replace(NewExample(id=uuid4(), inputs=b'{"n":%d}' % n, created_at=n), **more)


def loose(n: int = 0, workspace: UUID = MINE, **more: Any) -> Datapoint:
    plain = Datapoint(id=uuid4(), workspace=workspace, created_at=n, modified_at=n, inputs=b'{"n":%d}' % n)
    return msgspec.structs.replace(plain, **more)


def putting(*examples: NewExample, deletes: tuple[UUID, ...] = ()) -> DatasetChange:
    return DatasetChange(examples=ExampleChanges(creates=examples, deletes=deletes))


async def shared(store: MetaStore) -> tuple[UUID, UUID, UUID, UUID]:
    """A datapoint that two datasets have: its id, that of the copy in the second, and the datasets."""
    first, second = await dataset(store), await dataset(store)
    own, copy = new(1), new(1)
    datasets = {first: putting(own), second: putting(copy)}
    changes = DatapointChanges(datasets=datasets, copies=(Copy(own.id, second, copy.id),))
    await store.datapoints.write(MINE, changes, 10)
    return own.id, copy.id, first, second


# -- reading ---------------------------------------------------------------------------------------------


def test_every_example_is_a_datapoint(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        home = await dataset(store)
        made = new(7, outputs=b'{"a":1}', metadata=b'{"m":1}', source_run_id=uuid4(), files=(FILE,))
        await store.examples.change(MINE, home, ExampleChanges(creates=[made]), 50)
        assert await store.datapoints.read(MINE, [made.id]) == [
            Datapoint(
                id=made.id, workspace=MINE, created_at=7, modified_at=50, inputs=made.inputs, outputs=b'{"a":1}',
                metadata=b'{"m":1}', source_run_id=made.source_run_id, files=(FILE,), datasets=(home,),
            )
        ]  # fmt: skip
        assert await store.datapoints.copies(MINE, [made.id]) == [Copy(made.id, home, made.id)]
        assert await store.datapoints.of_examples(MINE, [made.id]) == {}

    meta(work)


def test_members_come_in_the_order_they_were_made(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        home, other, empty = [await dataset(store) for _ in range(3)]
        late, early, same = new(9), new(2), new(2)
        await store.examples.change(MINE, home, ExampleChanges(creates=[late, early, same]), 20)
        await store.examples.change(MINE, other, ExampleChanges(creates=[third := new(3)]), 20)
        single = loose(5)
        await store.datapoints.write(MINE, DatapointChanges(kept=[single]), 20)
        members = await store.datapoints.members(MINE, [home, other, empty])
        assert members == {home: [early.id, same.id, late.id], other: [third.id], empty: []}
        assert await store.datapoints.ids(MINE) == [early.id, same.id, third.id, single.id, late.id]

    meta(work)


def test_a_datapoint_in_two_datasets_is_one(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        own, copy, first, second = await shared(store)
        assert await store.datapoints.members(MINE, [first, second]) == {first: [own], second: [own]}
        assert await store.datapoints.ids(MINE) == [own]
        assert await store.datapoints.of_examples(MINE, [own, copy]) == {copy: own}
        (found,) = await store.datapoints.read(MINE, [own])
        assert set(found.datasets) == {first, second}
        assert await store.datapoints.read(MINE, [copy]) == []
        found_copies = await store.datapoints.copies(MINE, [own, copy])
        assert sorted(found_copies, key=str) == sorted(
            [Copy(own, first, own), Copy(own, second, copy)], key=str
        )

    meta(work)


def test_what_was_written_last_is_what_a_datapoint_is(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        own, copy, first, second = await shared(store)
        for example, home, at in ((copy, second, 20), (own, first, 30)):
            patch = ExamplePatch(id=example, inputs=b'{"n":%d}' % at)
            await store.examples.change(MINE, home, ExampleChanges(patches=[patch]), at)
            (found,) = await store.datapoints.read(MINE, [own])
            assert (found.inputs, found.modified_at) == (b'{"n":%d}' % at, at)

    meta(work)


def test_ids_come_once_in_the_order_asked(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        home = await dataset(store)
        first, second, third = new(1), new(2), loose(3)
        changes = DatapointChanges(datasets={home: putting(first, second)}, kept=[third])
        await store.datapoints.write(MINE, changes, 10)
        asked = [third.id, uuid4(), second.id, first.id, second.id]
        found = await store.datapoints.read(MINE, asked)
        assert [each.id for each in found] == [third.id, second.id, first.id]
        assert await store.datapoints.read(MINE, []) == []

    meta(work)


def test_another_workspace_has_other_datapoints(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        own, copy, first, second = await shared(store)
        single = loose(1)
        await store.datapoints.write(MINE, DatapointChanges(kept=[single]), 10)
        asked = [own, copy, single.id]
        assert await store.datapoints.read(OTHER, asked) == []
        assert await store.datapoints.ids(OTHER) == []
        assert await store.datapoints.copies(OTHER, asked) == []
        assert await store.datapoints.of_examples(OTHER, asked) == {}
        assert await store.datapoints.members(OTHER, [first]) == {first: []}
        with pytest.raises(NotFound):
            await store.datapoints.write(OTHER, DatapointChanges(datasets={second: putting(new())}), 20)
        await store.datapoints.write(OTHER, DatapointChanges(dropped=(single.id,)), 20)
        assert (await store.datapoints.delete_dataset(OTHER, first)).ids == ()
        assert len(await store.datapoints.read(MINE, asked)) == 2

    meta(work)


# -- writing ---------------------------------------------------------------------------------------------


def test_a_write_is_a_version_of_each_dataset(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        _, _, first, second = await shared(store)
        for home in (first, second):
            assert [each.as_of for each in await store.datasets.versions(MINE, home)] == [10]
        patch = DatasetChange(patch=DatasetPatch(description="d"))
        await store.datapoints.write(MINE, DatapointChanges(datasets={first: patch}), 20)
        found = await store.datasets.read(MINE, first)
        assert found is not None
        assert (found.description, found.modified_at) == ("d", 20)
        assert [each.as_of for each in await store.datasets.versions(MINE, first)] == [10]

    meta(work)


def test_all_or_nothing(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        home = await dataset(store)
        single = loose(1)
        with pytest.raises(NotFound):
            await store.datapoints.write(
                MINE,
                DatapointChanges(datasets={home: putting(new(1)), uuid4(): putting(new(2))}, kept=[single]),
                10,
            )
        assert await store.datapoints.ids(MINE) == []
        assert await store.datasets.versions(MINE, home) == []

    meta(work)


def test_a_dataset_has_a_datapoint_once(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        own, _, first, second = await shared(store)
        for home in (first, second):
            again = new(5)
            copies = (Copy(own, home, again.id),)
            with pytest.raises(Conflict):
                await store.datapoints.write(
                    MINE, DatapointChanges(datasets={home: putting(again)}, copies=copies), 20
                )
        assert len(await store.datapoints.copies(MINE, [own])) == 2

    meta(work)


def test_a_copy_that_was_deleted_can_be_made_again(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        own, copy, _, second = await shared(store)
        await store.examples.change(MINE, second, ExampleChanges(deletes=(copy,)), 20)
        assert len(await store.datapoints.copies(MINE, [own])) == 1
        again = new(5)
        changes = DatapointChanges(datasets={second: putting(again)}, copies=(Copy(own, second, again.id),))
        await store.datapoints.write(MINE, changes, 30)
        assert await store.datapoints.members(MINE, [second]) == {second: [own]}

    meta(work)


def test_concurrent_copies_of_one_datapoint_into_one_dataset(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        own, _, _, _ = await shared(store)
        home = await dataset(store)
        tries = [new(n) for n in range(8)]
        done = await asyncio.gather(
            *(
                store.datapoints.write(
                    MINE,
                    DatapointChanges(datasets={home: putting(each)}, copies=(Copy(own, home, each.id),)),
                    20,
                )
                for each in tries
            ),
            return_exceptions=True,
        )
        assert sum(isinstance(each, Conflict) for each in done) == 7
        assert sum(each is None for each in done) == 1
        assert await store.examples.count(ExampleQuery(workspace=MINE, dataset_id=home)) == 1

    meta(work)


# -- what no dataset has ---------------------------------------------------------------------------------


def test_what_is_kept_comes_back_whole_and_is_replaced(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        single = loose(3, outputs=b'{"a":1}', metadata=b'{"m":1}', source_run_id=uuid4(), files=(FILE,))
        await store.datapoints.write(MINE, DatapointChanges(kept=[single]), 10)
        assert await store.datapoints.read(MINE, [single.id]) == [single]
        changed = msgspec.structs.replace(single, outputs=None, modified_at=20)
        await store.datapoints.write(MINE, DatapointChanges(kept=[changed]), 20)
        assert await store.datapoints.read(MINE, [single.id]) == [changed]
        await store.datapoints.write(MINE, DatapointChanges(dropped=(single.id,)), 30)
        assert await store.datapoints.read(MINE, [single.id]) == []

    meta(work)


def test_a_datapoint_that_leaves_its_last_dataset_is_kept(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        own, copy, first, second = await shared(store)
        leave = DatapointChanges(datasets={first: putting(deletes=(own,))}, releases=True)
        await store.datapoints.write(MINE, leave, 20)
        (found,) = await store.datapoints.read(MINE, [own])
        assert found.datasets == (second,)
        leave = DatapointChanges(
            datasets={second: putting(deletes=(copy,))}, releases=True, files={own: (FILE,)}
        )
        await store.datapoints.write(MINE, leave, 30)
        assert await store.datapoints.read(MINE, [own]) == [
            Datapoint(id=own, workspace=MINE, created_at=1, modified_at=10, inputs=b'{"n":1}', files=(FILE,))
        ]
        assert await store.datapoints.of_examples(MINE, [copy]) == {}
        assert await store.examples.ids(ExampleQuery(workspace=MINE, dataset_id=second, as_of=10)) == [copy]

    meta(work)


def test_both_of_its_datasets_at_once(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        own, copy, first, second = await shared(store)
        both = {first: putting(deletes=(own,)), second: putting(deletes=(copy,))}
        await store.datapoints.write(MINE, DatapointChanges(datasets=both, releases=True), 20)
        assert [each.id for each in await store.datapoints.read(MINE, [own])] == [own]
        assert await store.datapoints.ids(MINE) == [own]

    meta(work)


def test_two_who_take_it_out_of_its_last_two_datasets_keep_it(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        for _ in range(10):
            own, copy, first, second = await shared(store)
            await asyncio.gather(
                *(
                    store.datapoints.write(
                        MINE,
                        DatapointChanges(datasets={home: putting(deletes=(example,))}, releases=True),
                        20,
                    )
                    for home, example in ((first, own), (second, copy))
                )
            )
            (found,) = await store.datapoints.read(MINE, [own])
            assert found.datasets == ()

    meta(work)


def test_without_releases_deleted_is_deleted(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        own, copy, first, second = await shared(store)
        both = {first: putting(deletes=(own,)), second: putting(deletes=(copy,))}
        await store.datapoints.write(MINE, DatapointChanges(datasets=both), 20)
        assert await store.datapoints.ids(MINE) == []

    meta(work)


# -- deleting a dataset ----------------------------------------------------------------------------------


def test_datapoints_outlive_their_dataset_with_their_files(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        own, copy, first, second = await shared(store)
        old = ExampleFile("f", "text/plain", 1, "old")
        alone, changing = new(2, files=(FILE,)), new(3, files=(old,))
        await store.examples.change(MINE, first, ExampleChanges(creates=[alone, changing]), 20)
        newer = ExamplePatch(id=changing.id, files=(ExampleFile("f", "text/plain", 1, "newer"),))
        await store.examples.change(MINE, first, ExampleChanges(patches=[newer]), 30)
        gone = await store.datapoints.delete_dataset(MINE, first)
        assert (gone.ids, gone.files) == ((first,), ("old",))
        assert await store.datasets.read(MINE, first) is None
        found = {each.id: each for each in await store.datapoints.read(MINE, [own, alone.id, changing.id])}
        assert found[own].datasets == (second,)
        assert (found[alone.id].datasets, found[alone.id].files) == ((), (FILE,))
        assert found[changing.id].files[0].key == "newer"
        assert await store.datapoints.copies(MINE, [own]) == [Copy(own, second, copy)]
        assert (await store.datapoints.delete_dataset(MINE, first)).ids == ()

    meta(work)


def test_a_copy_keeps_its_datapoint_when_the_first_dataset_is_deleted_elsewhere(meta: Meta) -> None:
    """As LangSmith's clients delete one: with its examples."""

    async def work(store: MetaStore) -> None:
        own, _, first, second = await shared(store)
        await store.datasets.delete(MINE, [first])
        (found,) = await store.datapoints.read(MINE, [own])
        assert (found.id, found.datasets) == (own, (second,))
        await store.datasets.delete(MINE, [second])
        assert await store.datapoints.read(MINE, [own]) == []

    meta(work)

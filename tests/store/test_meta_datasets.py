"""What `store.api.Datasets` and `Examples` promise, for every engine of the metadata store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from stenograph.errors import Conflict, Invalid, NotFound
from stenograph.model.access import DEFAULT_WORKSPACE
from stenograph.model.datasets import (
    LATEST,
    Dataset,
    DatasetPatch,
    DatasetQuery,
    DatasetSort,
    DatasetVersion,
    DataType,
)
from stenograph.model.examples import (
    AllOf,
    AnyOf,
    Example,
    ExampleChanges,
    ExampleFile,
    ExampleOrder,
    ExamplePatch,
    ExampleQuery,
    Exists,
    FileOperations,
    Holds,
    ListChange,
    NewExample,
    NoneOf,
    splits_of,
    with_splits,
)
from stenograph.model.projects import Project
from stenograph.store.api import MetaStore

OTHER = UUID("00000000-0000-4000-8000-00000000000b")
MINE = DEFAULT_WORKSPACE


def dataset(name: str = "d", workspace: UUID = MINE, at: int = 1, **fields: Any) -> Dataset:
    plain = Dataset(id=uuid4(), workspace=workspace, name=name, created_at=at, modified_at=at)
    return msgspec.structs.replace(plain, **fields)


def new(n: int = 0, metadata: bytes = b"{}", **fields: Any) -> NewExample:
    plain = NewExample(id=uuid4(), inputs=b'{"n":%d}' % n, metadata=with_splits(metadata, None))
    return msgspec.structs.replace(plain, **fields)


def named(found: Iterable[Dataset]) -> list[str]:
    return [each.name for each in found]


async def filled(store: MetaStore, *examples: NewExample, at: int = 10) -> Dataset:
    """A dataset with these, written at one moment."""
    made = dataset(f"d{uuid4().hex}")
    await store.datasets.create(made)
    await store.examples.change(MINE, made.id, ExampleChanges(creates=examples), at)
    return made


def of(made: Dataset, **conditions: Any) -> ExampleQuery:
    return msgspec.structs.replace(ExampleQuery(workspace=MINE, dataset_id=made.id), **conditions)


# -- datasets --------------------------------------------------------------------------------------------


def test_a_dataset_comes_back_as_it_went_in(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        full = dataset(
            "  Ünïcode 🎉 ",
            description="",
            data_type=DataType.CHAT,
            inputs_schema=b'{"type": "object", "x": 1.50}',
            outputs_schema=b"{}",
            transformations=b"[]",
            metadata='{"ключ": [1, 2.50]}'.encode(),
            externally_managed=True,
            created_at=3,
            modified_at=2**52,
        )
        await store.datasets.create(full)
        assert await store.datasets.read(MINE, full.id) == full
        assert await store.datasets.find(DatasetQuery(workspace=MINE)) == [full]
        assert await store.datasets.read(MINE, uuid4()) is None

    meta(work)


def test_a_dataset_comes_with_its_examples_or_not_at_all(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made, example = dataset("full", at=5), new(1)
        await store.datasets.create(made, ExampleChanges(creates=(example, new(2))))
        assert await store.examples.count(of(made)) == 2
        (version,) = await store.datasets.versions(MINE, made.id)
        read = await store.datasets.read(MINE, made.id)
        assert read is not None
        assert read.modified_at == version.as_of > 5
        for refused in (
            (dataset("half"), (new(3), example)),
            (dataset("full"), (new(3),)),
            (dataset("again", id=made.id), (new(3),)),
        ):
            with pytest.raises(Conflict):
                await store.datasets.create(refused[0], ExampleChanges(creates=refused[1]))
        assert named(await store.datasets.find(DatasetQuery(workspace=MINE))) == ["full"]
        assert await store.examples.count(of(made)) == 2

    meta(work)


def test_names_and_ids_are_taken_in_one_workspace_until_deleted(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        first = dataset("a")
        await store.datasets.create(first)
        await store.datasets.create(dataset("A"))
        await store.datasets.create(dataset("a", workspace=OTHER, id=first.id))
        with pytest.raises(Conflict, match="already exists"):
            await store.datasets.create(dataset("a"))
        with pytest.raises(Conflict, match=str(first.id)):
            await store.datasets.create(dataset("b", id=first.id))
        with pytest.raises(Conflict, match="'A'"):
            await store.datasets.update(MINE, first.id, DatasetPatch(name="A", description="lost"), at=5)
        assert await store.datasets.read(MINE, first.id) == first
        assert (await store.datasets.delete(MINE, [first.id, uuid4()])).ids == (first.id,)
        assert (await store.datasets.delete(MINE, [first.id])).ids == ()
        assert await store.datasets.read(OTHER, first.id) is not None
        await store.datasets.create(dataset("a", id=first.id))

    meta(work)


def test_update_changes_what_is_stated_and_null_clears(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made = dataset(description="old", metadata=b'{"x":1}', inputs_schema=b"{}")
        await store.datasets.create(made)
        experiment = uuid4()
        patch = DatasetPatch(name="new", description=None, baseline_experiment_id=experiment)
        changed = await store.datasets.update(MINE, made.id, patch, at=7)
        assert changed == msgspec.structs.replace(
            made, name="new", description=None, baseline_experiment_id=experiment, modified_at=7
        )
        assert await store.datasets.read(MINE, made.id) == changed
        again = await store.datasets.update(MINE, made.id, DatasetPatch(metadata=None), at=3)
        assert again is not None
        assert (again.metadata, again.modified_at) == (None, 8)
        assert await store.datasets.versions(MINE, made.id) == []
        assert named(await store.datasets.find(DatasetQuery(workspace=MINE, name_contains="NE"))) == ["new"]
        assert await store.datasets.update(MINE, uuid4(), patch, at=9) is None

    meta(work)


def test_a_change_of_dataset_and_examples_is_made_whole_or_not_at_all(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        example = new(1)
        made = await filled(store, example)
        before = await store.datasets.read(MINE, made.id)
        broken = ExampleChanges(patches=(ExamplePatch(id=uuid4(), inputs=b"{}"),))
        with pytest.raises(NotFound):
            await store.datasets.update(MINE, made.id, DatasetPatch(description="x"), 20, broken)
        assert await store.datasets.read(MINE, made.id) == before
        good = ExampleChanges(patches=(ExamplePatch(id=example.id, inputs=b'{"n":2}'),))
        changed = await store.datasets.update(MINE, made.id, DatasetPatch(description="x"), 20, good)
        assert changed is not None
        assert (changed.description, changed.modified_at, changed.example_count) == ("x", 20, 1)
        assert [each.inputs for each in await store.examples.find(of(made))] == [b'{"n":2}']
        assert [each.as_of for each in await store.datasets.versions(MINE, made.id)] == [20, 10]

    meta(work)


def test_find_filters_sorts_and_pages(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made = [
            dataset("Straße 100%", at=5, metadata=b'{"team":"a","deep":{"n":[1,"x"]}}'),
            dataset("beta_2", at=9, data_type=DataType.CHAT, metadata=b'{"team":"b"}'),
            dataset("Beta", at=7, data_type=DataType.LLM),
        ]
        for each in made:
            await store.datasets.create(each)
        await store.datasets.create(dataset("beta_2", workspace=OTHER))
        creates = (new(1), new(2))
        await store.examples.change(MINE, made[2].id, ExampleChanges(creates=creates), 20)
        for number, start in enumerate((50, 70)):
            project = Project(
                id=uuid4(),
                workspace=MINE,
                name=f"e{number}",
                start_time=start,
                created_at=1,
                modified_at=1,
                reference_dataset_id=made[0].id,
            )
            await store.projects.create(project)

        async def names(**conditions: Any) -> list[str]:
            query = msgspec.structs.replace(DatasetQuery(workspace=MINE), **conditions)
            return named(await store.datasets.find(query))

        assert await names() == ["Straße 100%", "beta_2", "Beta"]
        assert await names(ids=(made[1].id, uuid4())) == ["beta_2"]
        assert await names(ids=()) == []
        assert await names(name="beta") == []
        assert await names(name="Beta") == ["Beta"]
        assert await names(name_contains="BETA") == ["beta_2", "Beta"]
        assert await names(name_contains="STRASSE") == ["Straße 100%"]
        assert await names(name_contains="%") == ["Straße 100%"]
        assert await names(name_contains="a_") == ["beta_2"]
        assert await names(data_types=(DataType.LLM, DataType.CHAT)) == ["beta_2", "Beta"]
        assert await names(metadata=b'{"deep":{"n":["x"]}}') == ["Straße 100%"]
        assert await names(metadata=b"{}", offset=1, limit=1) == ["beta_2"]
        assert await names(sort=DatasetSort.NAME, descending=False) == ["Beta", "Straße 100%", "beta_2"]
        assert await names(sort=DatasetSort.CREATED_AT) == ["beta_2", "Beta", "Straße 100%"]
        assert await names(sort=DatasetSort.MODIFIED_AT) == ["Beta", "beta_2", "Straße 100%"]
        assert await names(sort=DatasetSort.EXAMPLE_COUNT) == ["Beta", "beta_2", "Straße 100%"]
        assert await names(sort=DatasetSort.SESSION_COUNT, descending=False) == [
            "Beta",
            "beta_2",
            "Straße 100%",
        ]
        pages = [await names(sort=DatasetSort.NAME, offset=offset, limit=2) for offset in (0, 2, 4)]
        assert pages == [["beta_2", "Straße 100%"], ["Beta"], []]
        first = (await store.datasets.find(DatasetQuery(workspace=MINE, limit=1)))[0]
        assert (first.session_count, first.last_session_start_time) == (2, 70)

    meta(work)


def test_a_deleted_dataset_takes_everything_with_it(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        files = (ExampleFile("a", "text/plain", 1, "k1"),)
        example = new(1, files=files)
        made = await filled(store, example)
        patch = ExamplePatch(id=example.id, files=(ExampleFile("a", "text/plain", 1, "k2"),))
        await store.examples.change(MINE, made.id, ExampleChanges(patches=(patch,)), 20)
        await store.datasets.tag(MINE, made.id, "prod", 20)
        gone = await store.datasets.delete(MINE, [made.id])
        assert gone.ids == (made.id,)
        assert set(gone.files) == {"k1", "k2"}
        assert await store.examples.find(of(made, as_of=15)) == []
        assert await store.examples.datasets_of(MINE, [example.id]) == {}
        assert await store.datasets.versions(MINE, made.id) == []
        assert await store.datasets.version(MINE, made.id, tag="prod") is None

    meta(work)


def test_what_is_another_workspaces_is_unknown(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        example = new(1, metadata=b'{"dataset_split":["secret"]}')
        made = await filled(store, example)
        await store.datasets.tag(MINE, made.id, "secret", 10)
        assert await store.datasets.read(OTHER, made.id) is None
        assert await store.datasets.find(DatasetQuery(workspace=OTHER, ids=(made.id,))) == []
        assert await store.datasets.update(OTHER, made.id, DatasetPatch(name="x"), 30) is None
        assert (await store.datasets.delete(OTHER, [made.id])).ids == ()
        assert await store.datasets.versions(OTHER, made.id) == []
        assert await store.datasets.version(OTHER, made.id, tag="secret") is None
        assert (await store.datasets.diff(OTHER, made.id, 0, 99)).added == ()
        foreign = ExampleQuery(workspace=OTHER, ids=(example.id,))
        assert await store.examples.find(foreign) == await store.examples.ids(foreign) == []
        assert await store.examples.count(foreign) == 0
        assert await store.examples.splits(OTHER, made.id) == []
        assert await store.examples.datasets_of(OTHER, [example.id]) == {}
        assert await store.examples.files(OTHER, [example.id]) == []
        for changes in (
            ExampleChanges(creates=(new(1),)),
            ExampleChanges(deletes=(example.id,)),
            ExampleChanges(wipes=(example.id,)),
        ):
            with pytest.raises(NotFound):
                await store.examples.change(OTHER, made.id, changes, 30)
        theirs = dataset("theirs", workspace=OTHER)
        await store.datasets.create(theirs)
        with pytest.raises(NotFound):
            await store.examples.change(OTHER, theirs.id, ExampleChanges(deletes=(example.id,)), 30)
        await store.examples.change(OTHER, theirs.id, ExampleChanges(wipes=(example.id,)), 30)
        assert len(await store.examples.find(of(made))) == 1

    meta(work)


# -- versions --------------------------------------------------------------------------------------------


def test_a_version_begins_with_its_moment(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made = dataset(at=100)
        await store.datasets.create(made)
        first = await store.examples.change(MINE, made.id, ExampleChanges(creates=(new(1),)), 50)
        assert first == 101  # the clock has not moved on
        second = await store.examples.change(MINE, made.id, ExampleChanges(creates=(new(2),)), 500)
        assert second == 500
        counts = [await store.examples.count(of(made, as_of=at)) for at in (100, 101, 499, 500, 10**15)]
        assert counts == [0, 1, 1, 2, 2]
        read = await store.datasets.read(MINE, made.id)
        assert read is not None
        assert (read.modified_at, read.example_count) == (500, 2)
        uncounted = await store.datasets.read(MINE, made.id, counted=False)
        assert uncounted == msgspec.structs.replace(read, example_count=0)

    meta(work)


def test_versions_tags_and_the_newest(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        example = new(1)
        made = await filled(store, example)
        assert await store.datasets.versions(MINE, made.id) == [DatasetVersion(10, (LATEST,))]
        await store.examples.change(MINE, made.id, ExampleChanges(creates=(new(2),)), 20)
        await store.examples.change(MINE, made.id, ExampleChanges(deletes=(example.id,)), 30)
        await store.datasets.tag(MINE, made.id, "Prod", 10)
        await store.datasets.tag(MINE, made.id, "alpha", 30)
        assert await store.datasets.versions(MINE, made.id) == [
            DatasetVersion(30, (LATEST, "alpha")),
            DatasetVersion(20),
            DatasetVersion(10, ("Prod",)),
        ]
        assert [v.as_of for v in await store.datasets.versions(MINE, made.id, example=example.id)] == [30, 10]
        assert [v.as_of for v in await store.datasets.versions(MINE, made.id, tag_contains="pRO")] == [10]
        assert [v.as_of for v in await store.datasets.versions(MINE, made.id, offset=1, limit=1)] == [20]
        await store.datasets.tag(MINE, made.id, "Prod", 20)
        moved = await store.datasets.version(MINE, made.id, tag="Prod")
        assert moved == DatasetVersion(20, ("Prod",))
        assert await store.datasets.version(MINE, made.id, as_of=29) == moved
        assert await store.datasets.version(MINE, made.id, as_of=9) is None
        assert await store.datasets.version(MINE, made.id, tag="prod") is None
        newest = await store.datasets.version(MINE, made.id, tag=LATEST)
        assert newest is not None
        assert newest.as_of == 30

    meta(work)


def test_diff(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        kept, rewritten, fleeting, late = (new(n) for n in range(4))
        made = await filled(store, kept, rewritten)
        same = ExamplePatch(id=rewritten.id, inputs=rewritten.inputs)
        await store.examples.change(
            MINE, made.id, ExampleChanges(creates=(fleeting,), patches=(same,)), at=20
        )
        await store.examples.change(
            MINE, made.id, ExampleChanges(creates=(late,), deletes=(fleeting.id,)), at=30
        )
        await store.examples.change(MINE, made.id, ExampleChanges(deletes=(rewritten.id,)), at=40)

        async def between(since: int, until: int) -> list[set[UUID]]:
            found = await store.datasets.diff(MINE, made.id, since, until)
            return [set(ids) for ids in (found.added, found.removed, found.modified)]

        assert await between(10, 20) == [{fleeting.id}, set(), {rewritten.id}]
        assert await between(10, 30) == [{late.id}, set(), {rewritten.id}]
        assert await between(10, 40) == [{late.id}, {rewritten.id}, set()]
        assert await between(0, 10) == [{kept.id, rewritten.id}, set(), set()]
        assert await between(40, 10) == [{rewritten.id}, {late.id}, set()]
        assert await between(20, 20) == [set(), set(), set()]

    meta(work)


# -- writing examples ------------------------------------------------------------------------------------


def test_an_example_comes_back_as_it_went_in(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        example = NewExample(
            id=uuid4(),
            inputs='{"ü": [1.50, "\\u0000"]}'.encode(),
            outputs=b'{"a": null}',
            metadata=b'{"n":1,"dataset_split":["base"]}',
            created_at=3,
            source_run_id=uuid4(),
            files=(ExampleFile("ä/..", "image/png", 7, "key"),),
        )
        plain = new(1)
        made = await filled(store, example, plain)
        assert await store.examples.find(of(made)) == [
            Example(
                id=example.id,
                workspace=MINE,
                dataset_id=made.id,
                created_at=3,
                modified_at=10,
                inputs=example.inputs,
                outputs=example.outputs,
                metadata=example.metadata,
                source_run_id=example.source_run_id,
                files=example.files,
                ordinal=0,
            ),
            Example(
                id=plain.id,
                workspace=MINE,
                dataset_id=made.id,
                created_at=10,
                modified_at=10,
                inputs=plain.inputs,
                metadata=plain.metadata,
                ordinal=1,
            ),
        ]
        assert await store.examples.files(MINE, [example.id, plain.id]) == ["key"]
        assert [each.inputs for each in await store.examples.find(of(made, payloads=False))] == [b"{}"] * 2

    meta(work)


def test_patches_change_what_they_state(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        first = ExampleFile("a", "text/plain", 1, "k1")
        second = ExampleFile("b", "text/plain", 1, "k2")
        example = new(1, metadata=b'{"x":1,"tags":["p"]}', files=(first, second))
        made = await filled(store, example)
        at = 10

        async def patched(**change: Any) -> Example:
            nonlocal at
            at += 10
            patch = ExamplePatch(id=example.id, **change)
            await store.examples.change(MINE, made.id, ExampleChanges(patches=(patch,)), at)
            (found,) = await store.examples.find(of(made))
            assert (found.modified_at, found.created_at) == (at, 10)
            return found

        def metadata(found: Example) -> Any:
            return msgspec.json.decode(found.metadata)

        found = await patched(inputs=b'{"n":2}')
        assert (found.inputs, found.outputs, found.files) == (b'{"n":2}', None, (first, second))
        found = await patched(outputs=b'{"o":1}', splits=("train", "test"))
        assert (found.inputs, found.outputs) == (b'{"n":2}', b'{"o":1}')
        assert metadata(found) == {"x": 1, "tags": ["p"], "dataset_split": ["train", "test"]}
        found = await patched(metadata=b'{"y":2}')
        assert metadata(found) == {"y": 2, "dataset_split": ["train", "test"]}
        lists = (ListChange("dataset_split", remove=("test",)), ListChange("tags", add=("q", "q")))
        found = await patched(set_members=b'{"z":{"deep":1}}', unset_members=("y",), lists=lists)
        assert metadata(found) == {"dataset_split": ["train"], "z": {"deep": 1}, "tags": ["q"]}
        found = await patched(lists=(ListChange("dataset_split", remove=("train",)),))
        assert metadata(found)["dataset_split"] == []
        assert splits_of(found.metadata) == ()
        third = ExampleFile("c", "text/plain", 1, "k3")
        found = await patched(files=(third,), operations=FileOperations(rename=(("a", "d"),)))
        assert {file.name: file.key for file in found.files} == {"d": "k1", "c": "k3"}
        with pytest.raises(Invalid):
            await patched(operations=FileOperations(rename=(("gone", "x"),)))
        assert set(await store.examples.files(MINE, [example.id])) == {"k1", "k2", "k3"}

    meta(work)


def test_a_write_is_made_whole_or_not_at_all(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        mine, elsewhere, gone = new(1), new(2), new(3)
        made = await filled(store, mine, gone)
        other = await filled(store, elsewhere)
        await store.examples.change(MINE, made.id, ExampleChanges(deletes=(gone.id,)), 20)
        before = await store.examples.find(of(made))
        fresh = new(9)
        refused: list[tuple[ExampleChanges, type[Exception]]] = [
            (ExampleChanges(creates=(fresh, mine)), Conflict),
            (ExampleChanges(creates=(fresh, elsewhere)), Conflict),
            (ExampleChanges(creates=(fresh, fresh)), Conflict),
            (ExampleChanges(creates=(fresh,), patches=(ExamplePatch(id=elsewhere.id),)), Conflict),
            (ExampleChanges(creates=(fresh,), patches=(ExamplePatch(id=gone.id),)), NotFound),
            (ExampleChanges(creates=(fresh,), deletes=(elsewhere.id,)), Conflict),
            (ExampleChanges(creates=(fresh,), deletes=(gone.id,)), NotFound),
            (ExampleChanges(patches=(ExamplePatch(id=mine.id),), deletes=(mine.id,)), Conflict),
            (ExampleChanges(patches=(ExamplePatch(id=mine.id), ExamplePatch(id=mine.id))), Conflict),
        ]
        for changes, error in refused:
            with pytest.raises(error):
                await store.examples.change(MINE, made.id, changes, 30)
        with pytest.raises(NotFound, match="dataset not found"):
            await store.examples.change(MINE, uuid4(), ExampleChanges(creates=(fresh,)), 30)
        assert await store.examples.find(of(made)) == before
        assert [each.as_of for each in await store.datasets.versions(MINE, made.id)] == [20, 10]
        assert await store.examples.count(of(other)) == 1

    meta(work)


def test_a_deleted_id_is_free_again(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        example = new(1)
        made = await filled(store, example)
        other = await filled(store)
        await store.examples.change(MINE, made.id, ExampleChanges(deletes=(example.id,)), 20)
        await store.examples.change(MINE, other.id, ExampleChanges(creates=(example,)), 30)
        assert await store.examples.datasets_of(MINE, [example.id, uuid4()]) == {example.id: other.id}
        assert await store.examples.count(of(made, as_of=19)) == 1
        assert await store.examples.count(of(made)) == 0
        assert await store.examples.count(of(other)) == 1

    meta(work)


def test_a_wiped_example_was_never_there(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        example, kept = new(1), new(2)
        made = await filled(store, example, kept)
        patch = ExamplePatch(id=example.id, inputs=b'{"secret":1}')
        await store.examples.change(MINE, made.id, ExampleChanges(patches=(patch,)), 20)
        at = await store.examples.change(MINE, made.id, ExampleChanges(wipes=(example.id, uuid4())), 30)
        for moment in (10, 20, 30, None):
            assert [each.id for each in await store.examples.find(of(made, as_of=moment))] == [kept.id]
        assert await store.examples.datasets_of(MINE, [example.id]) == {}
        assert [each.as_of for each in await store.datasets.versions(MINE, made.id)] == [at, 20, 10]
        await store.examples.change(MINE, made.id, ExampleChanges(creates=(example,)), 40)
        assert await store.examples.count(of(made)) == 2

    meta(work)


# -- reading examples ------------------------------------------------------------------------------------


def test_find_filters(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        examples = [
            new(0, b'{"k":"a","n":1,"dataset_split":["train","base"]}', outputs=b'{"text":"Hello 100%"}'),
            new(1, b'{"k":"b","deep":{"list":[1,{"x":2}]},"dataset_split":"test"}'),
            new(2, b'{"other":null}', inputs=b'{"q":"say \\"hi\\" to hello"}'),
        ]
        made = await filled(store, *examples)
        size = {each.id: len(each.inputs) + len(each.outputs or b"") for each in examples}

        async def found(**conditions: Any) -> list[int]:
            query = of(made, **conditions)
            places = {example.id: place for place, example in enumerate(examples)}
            ids = await store.examples.ids(query)
            assert [each.id for each in await store.examples.find(query)] == ids
            assert await store.examples.count(query) == len(ids)
            sizes = await store.examples.sizes(query)
            assert {each: sizes[each] for each in ids} == {each: size[each] for each in ids}
            return [places[each] for each in ids]

        assert await found() == [0, 1, 2]
        assert await found(ids=(examples[2].id, examples[0].id, uuid4())) == [0, 2]
        assert await found(ids=()) == []
        assert await found(splits=("base",)) == [0, 2]
        assert await found(splits=("test", "train")) == [0, 1]
        assert await found(splits=("none",)) == []
        assert await found(texts=("HELLO",)) == [0, 2]
        assert await found(texts=("0%",)) == [0]
        assert await found(texts=('"hi"',)) == [2]
        assert await found(texts=("hello", "say")) == [2]
        assert await found(test=Holds(b'{"deep":{"list":[{"x":2}]}}')) == [1]
        assert await found(test=Holds(b'{"n":true}')) == []
        assert await found(test=Exists("other")) == [2]
        assert await found(test=NoneOf(Exists("k"))) == [2]
        assert await found(test=AllOf((Exists("k"), NoneOf(Holds(b'{"k":"a"}'))))) == [1]
        assert await found(test=AnyOf((Exists("other"), Holds(b'{"n":1}')))) == [0, 2]
        assert await found(test=Exists("k"), splits=("train",), texts=("hello",)) == [0]
        foreign = await filled(store, new(5))
        assert await found(ids=tuple(await store.examples.ids(of(foreign)))) == []
        with pytest.raises(Invalid):
            await found(ids=tuple(uuid4() for _ in range(5001)))

    meta(work)


def test_find_orders_and_pages(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        first = [new(n, created_at=100 - n) for n in range(3)]
        second = [new(n, created_at=200) for n in range(3, 5)]
        made = await filled(store, *first)
        await store.examples.change(MINE, made.id, ExampleChanges(creates=second), 20)
        number = {example.id: n for n, example in enumerate([*first, *second])}

        async def order(**conditions: Any) -> list[int]:
            query = of(made, **conditions)
            found = [number[example.id] for example in await store.examples.find(query)]
            whole = [number[each] for each in await store.examples.ids(query)]
            end = None if query.limit is None else query.offset + query.limit
            assert found == whole[query.offset : end]
            return found

        recent = ExampleOrder.RECENTLY_CREATED
        assert await order() == [3, 4, 0, 1, 2]
        assert await order(descending=False) == [0, 1, 2, 3, 4]
        assert await order(as_of=10) == [0, 1, 2]
        assert await order(order=recent) == [3, 4, 0, 1, 2]
        assert await order(order=recent, descending=False) == [2, 1, 0, 3, 4]
        by_id = await order(order=ExampleOrder.ID)
        assert by_id == [number[each] for each in sorted(number)]
        assert await order(order=ExampleOrder.ID, descending=True) == by_id[::-1]
        shuffled = await order(order=ExampleOrder.RANDOM, random_seed=1.0)
        assert sorted(shuffled) == [0, 1, 2, 3, 4]
        assert await order(order=ExampleOrder.RANDOM, random_seed=1.0) == shuffled
        seeds = [await order(order=ExampleOrder.RANDOM, random_seed=float(seed)) for seed in range(20)]
        assert any(each != shuffled for each in seeds)
        for conditions in ({}, {"splits": ("base",)}, {"order": ExampleOrder.RANDOM, "random_seed": 3.0}):
            whole = await order(**conditions)
            pages = [await order(**conditions, offset=offset, limit=2) for offset in (0, 2, 4, 6)]
            assert [len(page) for page in pages] == [2, 2, 1, 0]
            assert [each for page in pages for each in page] == whole
            assert await store.examples.count(of(made, **conditions, offset=4, limit=1)) == 5

    meta(work)


def test_splits_are_those_of_the_moment(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        example = new(1, b'{"dataset_split":["train","base"]}')
        made = await filled(store, example, new(2))
        change = ListChange("dataset_split", add=("test",), remove=("train",))
        patch = ExamplePatch(id=example.id, lists=(change,))
        await store.examples.change(MINE, made.id, ExampleChanges(patches=(patch,)), 20)
        assert await store.examples.splits(MINE, made.id) == ["base", "test"]
        assert await store.examples.splits(MINE, made.id, as_of=19) == ["base", "train"]
        assert await store.examples.splits(MINE, made.id, as_of=9) == []

    meta(work)


def test_writers_at_the_same_time_follow_one_another(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made = await filled(store)
        moments = await asyncio.gather(
            *(store.examples.change(MINE, made.id, ExampleChanges(creates=(new(n),)), 100) for n in range(20))
        )
        assert sorted(moments) == list(range(100, 120))
        for place, moment in enumerate(sorted(moments), 1):
            assert await store.examples.count(of(made, as_of=moment)) == place

    meta(work)

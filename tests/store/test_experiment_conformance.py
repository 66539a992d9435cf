"""What `store.api.MetaStore` promises of experiments, for every engine of the metadata store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from stenograph.errors import Conflict, NotFound
from stenograph.model.access import DEFAULT_WORKSPACE
from stenograph.model.datasets import Dataset
from stenograph.model.examples import ExampleChanges, ExamplePatch, NewExample
from stenograph.model.experiments import ComparativeExperiment, ComparisonQuery, ComparisonSort, ViewOverride
from stenograph.model.projects import Project, ProjectPatch
from stenograph.store.api import MetaStore

MINE = DEFAULT_WORKSPACE
OTHER = UUID("00000000-0000-4000-8000-00000000000b")
Meta = Callable[..., Any]


async def dataset(store: MetaStore, workspace: UUID = MINE) -> UUID:
    made = Dataset(id=uuid4(), workspace=workspace, name=str(uuid4()), created_at=1, modified_at=1)
    await store.datasets.create(made)
    return made.id


def comparison(dataset_id: UUID, **more: Any) -> ComparativeExperiment:
    plain = ComparativeExperiment(
        id=uuid4(), workspace=MINE, dataset_id=dataset_id, experiments=(uuid4(),), created_at=1, modified_at=1
    )
    return msgspec.structs.replace(plain, **more)


# -- comparative experiments -----------------------------------------------------------------------------


def test_a_comparison_comes_back_as_it_was(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        home = await dataset(store)
        made = comparison(
            home,
            experiments=(uuid4(), uuid4()),
            name="A or B",
            description="?",
            extra=b'{"x": 1.50}',
            modified_at=2,
        )
        await store.comparative_experiments.create(made)
        assert await store.comparative_experiments.find(ComparisonQuery(workspace=MINE, dataset_id=home)) == [
            made
        ]
        with pytest.raises(Conflict):
            await store.comparative_experiments.create(made)
        with pytest.raises(NotFound):
            await store.comparative_experiments.create(comparison(uuid4()))
        assert not await store.comparative_experiments.delete(OTHER, made.id)
        assert await store.comparative_experiments.delete(MINE, made.id)
        assert not await store.comparative_experiments.delete(MINE, made.id)

    meta(work)


def test_comparisons_are_those_of_one_workspace_and_dataset(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        home, elsewhere, foreign = await dataset(store), await dataset(store), await dataset(store, OTHER)
        mine = comparison(home)
        theirs = comparison(foreign, id=mine.id, workspace=OTHER)  # the same id in another workspace
        for each in (mine, comparison(elsewhere), theirs):
            await store.comparative_experiments.create(each)
        with pytest.raises(NotFound):
            await store.comparative_experiments.create(comparison(foreign))
        find = store.comparative_experiments.find
        assert await find(ComparisonQuery(workspace=MINE, dataset_id=home)) == [mine]
        assert await find(ComparisonQuery(workspace=MINE, dataset_id=foreign)) == []
        assert await find(ComparisonQuery(workspace=OTHER, dataset_id=foreign)) == [theirs]
        await store.datasets.delete(MINE, [home])
        assert await find(ComparisonQuery(workspace=MINE, dataset_id=home)) == []
        assert await find(ComparisonQuery(workspace=OTHER, dataset_id=foreign)) == [theirs]

    meta(work)


def test_orders_and_conditions(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        home = await dataset(store)
        made = {
            name: comparison(home, name=name, created_at=at)
            for at, name in ((2, "Straße 100%"), (1, "a_b"), (3, None), (2, "Z"))
        }
        for each in made.values():
            await store.comparative_experiments.create(each)

        async def names(**more: Any) -> list[str | None]:
            query = ComparisonQuery(workspace=MINE, dataset_id=home, **more)
            return [each.name for each in await store.comparative_experiments.find(query)]

        assert await names(sort=ComparisonSort.NAME, descending=False) == ["Straße 100%", "Z", "a_b", None]
        assert await names(sort=ComparisonSort.NAME) == ["a_b", "Z", "Straße 100%", None]
        newest = await names()
        assert (newest[0], newest[3]) == (None, "a_b")
        assert await names(descending=False) == newest[::-1]
        assert await names(name_contains="STRASSE") == ["Straße 100%"]
        assert await names(name_contains="0%") == ["Straße 100%"]
        assert await names(name_contains="a_") == ["a_b"]
        assert await names(name="z") == []
        assert await names(ids=(made["Z"].id,)) == ["Z"]
        assert await names(ids=()) == []
        assert await names(offset=1, limit=2) == newest[1:3]

    meta(work)


# -- how columns are shown -------------------------------------------------------------------------------


def test_a_dataset_has_one_set_of_overrides(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        home = await dataset(store)
        made = ViewOverride(
            id=uuid4(), workspace=MINE, dataset_id=home, overrides=b"[1]", created_at=1, modified_at=1
        )
        to = store.view_overrides
        assert await to.of_dataset(MINE, home) is None
        await to.create(made)
        assert await to.of_dataset(MINE, home) == made
        with pytest.raises(Conflict):
            await to.create(msgspec.structs.replace(made, id=uuid4()))
        with pytest.raises(NotFound):
            await to.create(msgspec.structs.replace(made, dataset_id=uuid4()))
        with pytest.raises(NotFound):
            await to.create(msgspec.structs.replace(made, workspace=OTHER))
        assert await to.of_dataset(OTHER, home) is None
        assert await to.update(OTHER, home, made.id, b"[2]", at=2) is None
        assert await to.update(MINE, home, uuid4(), b"[2]", at=2) is None
        changed = msgspec.structs.replace(made, overrides=b"[2]", modified_at=2)
        assert await to.update(MINE, home, made.id, b"[2]", at=2) == changed
        assert await to.of_dataset(MINE, home) == changed
        assert not await to.delete(OTHER, home, made.id)
        assert not await to.delete(MINE, home, uuid4())
        assert await to.delete(MINE, home, made.id)
        await to.create(made)
        await store.datasets.delete(MINE, [home])
        assert await to.of_dataset(MINE, home) is None

    meta(work)


# -- what experiments expect -----------------------------------------------------------------------------


def test_a_project_keeps_what_it_expects(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        plain = Project(id=uuid4(), workspace=MINE, name="x", start_time=1, created_at=1, modified_at=1)
        made = msgspec.structs.replace(
            plain,
            num_examples=3,
            num_repetitions=2,
            evaluator_keys=("tone", 'a"b'),
            reference_dataset_id=uuid4(),
        )
        created = await store.projects.create(made)
        assert created == msgspec.structs.replace(made, test_run_number=1)
        assert await store.projects.read(MINE, made.id) == created
        changed = await store.projects.update(MINE, made.id, ProjectPatch(num_examples=4), at=2)
        assert changed == msgspec.structs.replace(created, num_examples=4, modified_at=2)
        assert changed.expected_runs == 8
        assert plain.expected_runs is None
        assert msgspec.structs.replace(plain, num_examples=5).expected_runs == 5

    meta(work)


def test_numbers_are_given_once_whoever_creates_at_once(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        over = uuid4()
        plain = Project(id=uuid4(), workspace=MINE, name="x", start_time=1, created_at=1, modified_at=1)
        wanted = [
            msgspec.structs.replace(plain, id=uuid4(), name=str(number), reference_dataset_id=over)
            for number in range(20)
        ]
        made = await asyncio.gather(*(store.projects.create(each) for each in wanted))
        assert sorted(each.test_run_number or 0 for each in made) == list(range(1, 21))

    meta(work)


# -- versions of examples --------------------------------------------------------------------------------


def test_examples_as_they_stood_or_as_they_were_last(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        home, elsewhere = await dataset(store), await dataset(store)
        kept, changed, deleted, wiped, late, foreign = (uuid4() for _ in range(6))
        to = store.examples

        async def change(dataset_id: UUID, **what: Any) -> int:
            return await to.change(MINE, dataset_id, ExampleChanges(**what), 10)

        def new(*ids: UUID) -> list[NewExample]:
            return [NewExample(id=each, inputs=b'{"v":1}', metadata=b'{"m":1}') for each in ids]

        first = await change(home, creates=new(kept, changed, deleted, wiped))
        patch = ExamplePatch(id=changed, inputs=b'{"v":2}', metadata=b'{"m":2}')
        second = await change(home, patches=(patch,), deletes=(deleted,), wipes=(wiped,))
        third = await change(home, creates=new(late))
        await change(elsewhere, creates=new(foreign))
        every = [late, kept, changed, deleted, wiped, foreign, uuid4()]

        async def standing(as_of: int | None) -> list[tuple[UUID, int]]:
            return await to.standing(MINE, home, every, as_of)

        old = [(kept, first), (changed, first), (deleted, first)]
        # last written first, and what came later is there as it came
        assert await standing(first) == [(late, third), *old]
        new_order = [(late, third), (changed, second), (kept, first), (deleted, first)]
        assert await standing(second) == await standing(third) == await standing(None) == new_order
        assert await standing(0) == new_order  # before there was anything: as they are
        assert await to.standing(OTHER, home, every, None) == []
        assert await to.standing(MINE, home, [], None) == []
        found = await to.versions(MINE, [(changed, first), (changed, second), (kept, second), (late, third)])
        assert {(each.id, each.modified_at, each.inputs) for each in found} == {
            (changed, first, b'{"v":1}'), (changed, second, b'{"v":2}'), (late, third, b'{"v":1}')
        }  # fmt: skip
        assert await to.versions(OTHER, [(changed, first)]) == []
        wanted = [(MINE, changed), (MINE, deleted), (MINE, wiped), (OTHER, kept), (MINE, foreign)]
        metadata = await to.newest_metadata(wanted)
        assert {key: msgspec.json.decode(each)["m"] for key, each in metadata.items()} == {
            (MINE, changed): 2, (MINE, deleted): 1, (MINE, foreign): 1
        }  # fmt: skip

    meta(work)

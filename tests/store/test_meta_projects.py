"""What `store.api.Projects` promises, for every engine of the metadata store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import UUID, uuid4

import msgspec
import pytest

from stenograph.errors import Conflict
from stenograph.model.access import DEFAULT_WORKSPACE
from stenograph.model.projects import DEFAULT_PROJECT, Project, ProjectPatch, ProjectQuery, ProjectSort
from stenograph.store.api import MetaStore

OTHER = UUID("00000000-0000-4000-8000-00000000000b")
MINE = DEFAULT_WORKSPACE


def project(name: str, workspace: UUID = MINE, at: int = 1, **fields: object) -> Project:
    known = {
        "id": uuid4(),
        "workspace": workspace,
        "name": name,
        "start_time": at,
        "created_at": at,
        "modified_at": at,
    }
    return msgspec.convert(known | fields, Project, builtin_types=(UUID, bytes))


def named(projects: list[Project]) -> list[str]:
    return [each.name for each in projects]


def test_a_project_comes_back_as_it_went_in(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        full = Project(
            id=uuid4(),
            workspace=MINE,
            name="  Ünïcode 🎉 ",
            start_time=-5,
            created_at=2**62,
            modified_at=3,
            description="",
            end_time=4,
            extra='{"metadata": {"ключ": [1, 2.50]}}'.encode(),
            default_dataset_id=uuid4(),
            reference_dataset_id=uuid4(),
            trace_tier="longlived",
            longlived_ttl_days=30,
        )
        created = await store.projects.create(full)
        assert created == msgspec.structs.replace(full, test_run_number=1)
        assert await store.projects.read(MINE, full.id) == created
        assert await store.projects.find_named(MINE, full.name) == created
        assert await store.projects.find_named(MINE, full.name.strip()) is None

    meta(work)


def test_names_are_taken_in_one_workspace_and_until_deleted(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        first = await store.projects.create(project("a"))
        await store.projects.create(project("A"))
        await store.projects.create(project("a", workspace=OTHER))
        with pytest.raises(Conflict, match="'a'"):
            await store.projects.create(project("a"))
        assert await store.projects.delete(MINE, [first.id], at=9) == [first.id]
        assert await store.projects.read(MINE, first.id) is None
        assert await store.projects.find_named(MINE, "a") is None
        assert await store.projects.update(MINE, first.id, ProjectPatch(description="x"), at=9) is None
        assert await store.projects.delete(MINE, [first.id], at=9) == []
        second = await store.projects.create(project("a"))
        assert await store.projects.find_named(MINE, "a") == second

    meta(work)


def test_an_id_is_taken_for_good_in_its_workspace_and_free_in_others(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        first = await store.projects.create(project("a"))
        with pytest.raises(Conflict, match=str(first.id)):
            await store.projects.create(project("b", id=first.id))
        await store.projects.delete(MINE, [first.id], at=9)
        with pytest.raises(Conflict, match=str(first.id)):
            await store.projects.create(project("b", id=first.id))
        await store.projects.create(project("b", id=first.id, workspace=OTHER))
        assert await store.projects.read(MINE, first.id) is None

    meta(work)


def test_ensure_gives_everybody_one_project(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        found = await asyncio.gather(*(store.projects.ensure(project("new")) for _ in range(20)))
        assert len({each.id for each in found}) == 1
        foreign = await store.projects.ensure(project("new", workspace=OTHER))
        assert foreign.id != found[0].id
        await store.projects.delete(MINE, [found[0].id], at=9)
        again = await store.projects.ensure(project("new"))
        assert again.id != found[0].id

    meta(work)


def test_update_changes_what_is_stated_and_refuses_a_taken_name(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        first = await store.projects.create(project("a", description="kept", extra=b'{"x": 1}'))
        await store.projects.create(project("b"))
        changed = await store.projects.update(MINE, first.id, ProjectPatch(name="c", extra=b"{}"), at=7)
        assert changed == msgspec.structs.replace(first, name="c", extra=b"{}", modified_at=7)
        assert await store.projects.read(MINE, first.id) == changed
        with pytest.raises(Conflict, match="'b'"):
            await store.projects.update(MINE, first.id, ProjectPatch(name="b", description="lost"), at=8)
        assert await store.projects.read(MINE, first.id) == changed
        assert await store.projects.update(MINE, first.id, ProjectPatch(name="c"), at=9)
        assert await store.projects.find(ProjectQuery(workspace=MINE, name_contains="A")) == [
            await store.projects.find_named(MINE, DEFAULT_PROJECT)
        ]

    meta(work)


def test_experiments_count_up_for_each_dataset(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        one, two = uuid4(), uuid4()
        numbers = [
            (await store.projects.create(project(f"e{n}", reference_dataset_id=dataset))).test_run_number
            for n, dataset in enumerate([one, one, two, one, two])
        ]
        assert numbers == [1, 2, 1, 3, 2]
        foreign = await store.projects.create(project("e", workspace=OTHER, reference_dataset_id=one))
        assert foreign.test_run_number == 1
        last = await store.projects.find_named(MINE, "e3")
        assert last is not None
        await store.projects.delete(MINE, [last.id], at=9)
        after = await store.projects.create(project("e5", reference_dataset_id=one))
        assert after.test_run_number == 4
        moved = await store.projects.update(MINE, after.id, ProjectPatch(reference_dataset_id=two), at=9)
        assert moved is not None
        assert moved.test_run_number == 3
        plain = await store.projects.create(project("p"))
        assert plain.test_run_number is None

    meta(work)


def test_find_filters(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        dataset = uuid4()
        alpha = await store.projects.create(project("Straße 100%", at=10))
        beta = await store.projects.create(project("beta_2", at=11, reference_dataset_id=dataset))
        await store.projects.create(project("beta_2", workspace=OTHER, at=12, reference_dataset_id=dataset))

        async def names(**conditions: object) -> list[str]:
            query = msgspec.structs.replace(ProjectQuery(workspace=MINE), **conditions)
            return sorted(named(await store.projects.find(query)))

        assert await names() == ["Straße 100%", "beta_2", "default"]
        assert await names(ids=(alpha.id, beta.id, uuid4())) == ["Straße 100%", "beta_2"]
        assert await names(ids=()) == []
        assert await names(name="beta_2") == ["beta_2"]
        assert await names(name="Beta_2") == []
        assert await names(name_contains="BETA") == ["beta_2"]
        assert await names(name_contains="STRASSE") == ["Straße 100%"]
        assert await names(name_contains="0%") == ["Straße 100%"]
        assert await names(name_contains="%") == ["Straße 100%"]
        assert await names(name_contains="a_") == ["beta_2"]
        assert await names(reference_free=True) == ["Straße 100%", "default"]
        assert await names(reference_datasets=(dataset, uuid4())) == ["beta_2"]
        assert await names(reference_datasets=()) == []

    meta(work)


def test_find_by_metadata_cuts_the_page_after_the_condition(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        for n in range(6):
            extra = b'{"metadata": {"even": %s, "deep": {"n": [%d, "x"]}}}' % (
                b"false" if n % 2 else b"true",
                n,
            )
            await store.projects.create(project(f"p{n}", at=100 + n, extra=extra))
        await store.projects.create(project("odd", extra=b'{"metadata": null}'))

        async def names(metadata: bytes, offset: int = 0, limit: int | None = None) -> list[str]:
            query = ProjectQuery(workspace=MINE, metadata=metadata, offset=offset, limit=limit)
            return named(await store.projects.find(query))

        assert await names(b'{"even": true}') == ["p4", "p2", "p0"]
        assert await names(b'{"even": true}', 1, 1) == ["p2"]
        assert await names(b'{"even": true}', 2, 5) == ["p0"]
        assert await names(b'{"even": true}', 0, 0) == []
        assert await names(b'{"deep": {"n": ["x", 3]}}') == ["p3"]
        assert await names(b'{"even": 1}') == []
        assert await names(b'{"other": null}') == []

    meta(work)


def test_find_sorts_totally_and_pages(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        for name, at in (("b", 5), ("a", 5), ("B", 4), ("é", 6), ("Z", 5)):
            await store.projects.create(project(name, at=at))
        gone = await store.projects.find_named(MINE, DEFAULT_PROJECT)
        assert gone is not None
        await store.projects.delete(MINE, [gone.id], at=9)
        by_name = ProjectQuery(workspace=MINE, sort=ProjectSort.NAME, descending=False)
        assert named(await store.projects.find(by_name)) == ["B", "Z", "a", "b", "é"]
        for descending in (True, False):
            by_time = ProjectQuery(workspace=MINE, descending=descending)
            everything = await store.projects.find(by_time)
            keys = [(each.start_time, each.id.hex) for each in everything]
            assert keys == sorted(keys, reverse=descending)
            pages = [
                await store.projects.find(msgspec.structs.replace(by_time, offset=offset, limit=2))
                for offset in (0, 2, 4, 6)
            ]
            assert [len(page) for page in pages] == [2, 2, 1, 0]
            assert [each for page in pages for each in page] == everything

    meta(work)


def test_projects_of_another_workspace_are_unknown(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        mine = await store.projects.create(project("secret"))
        assert await store.projects.read(OTHER, mine.id) is None
        assert await store.projects.find_named(OTHER, "secret") is None
        assert await store.projects.find(ProjectQuery(workspace=OTHER, ids=(mine.id,))) == []
        assert await store.projects.update(OTHER, mine.id, ProjectPatch(name="taken"), at=9) is None
        assert await store.projects.delete(OTHER, [mine.id], at=9) == []
        assert await store.projects.read(MINE, mine.id) == mine

    meta(work)

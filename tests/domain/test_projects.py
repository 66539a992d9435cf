"""The use-cases of projects, on the embedded store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stenograph.domain.projects.projects import CACHE_SIZE, CACHE_TTL, MAX_NAME, Projects, check_name
from stenograph.errors import Conflict, Invalid, NotFound, StoreUnavailable
from stenograph.model.access import DEFAULT_WORKSPACE, Workspace
from stenograph.model.projects import NewProject, Project, ProjectPatch, ProjectQuery, contains
from stenograph.store.meta.database import Database, open_meta
from tests.metadata import new_metadata

MINE = DEFAULT_WORKSPACE
OTHER = UUID("00000000-0000-4000-8000-00000000000b")
MINE_ALL = ProjectQuery(workspace=MINE)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


Work = Callable[[Database, Projects], Awaitable[None]]


@pytest.fixture
def run(tmp_path: Path) -> Callable[[Work], None]:
    """Runs a coroutine on a fresh store with a second workspace; the clock of the cache stands still."""

    async def session(work: Work) -> None:
        store = await open_meta(new_metadata(tmp_path / "meta.db"))
        first = Project(
            id=uuid4(), workspace=OTHER, name="default", start_time=1, created_at=1, modified_at=1
        )
        await store.workspaces.create(Workspace(id=OTHER, name="O", handle="o", created_at=1), first)
        try:
            await work(store, Projects(store, clock=Clock()))
        finally:
            await store.close()

    return lambda work: asyncio.run(session(work))


# ---- by name, on the way in ------------------------------------------------------------------------------


def test_callers_at_once_get_one_project(run: Callable[[Work], None]) -> None:
    async def work(store: Database, projects: Projects) -> None:
        found = await asyncio.gather(*(projects.get_or_create(MINE, "new") for _ in range(50)))
        assert len(set(found)) == 1
        assert [each.name for each in await projects.find(MINE_ALL)] == ["new", "default"]
        assert await projects.get_or_create(OTHER, "new") != found[0]
        assert (await projects.read(MINE, found[0])).name == "new"

    run(work)


def test_a_known_name_costs_no_query_for_a_while(
    run: Callable[[Work], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(store: Database, projects: Projects) -> None:
        clock = Clock()
        projects = Projects(store, clock=clock)
        known = await projects.get_or_create(MINE, "new")

        async def away(project: Project) -> None:
            raise StoreUnavailable

        monkeypatch.setattr(store.projects, "ensure", away)
        clock.now += CACHE_TTL * 0.99
        assert await projects.get_or_create(MINE, "new") == known
        clock.now += CACHE_TTL * 0.02
        with pytest.raises(StoreUnavailable):
            await projects.get_or_create(MINE, "new")

    run(work)


def test_names_are_right_after_delete_and_rename(run: Callable[[Work], None]) -> None:
    async def work(store: Database, projects: Projects) -> None:
        first = await projects.get_or_create(MINE, "a")
        await projects.update(MINE, first, ProjectPatch(name="b"))
        second = await projects.get_or_create(MINE, "a")
        assert second != first
        assert await projects.get_or_create(MINE, "b") == first
        await projects.delete(MINE, second)
        third = await projects.get_or_create(MINE, "a")
        assert third not in (first, second)
        assert set(await projects.delete_many(MINE, [first, third, uuid4()])) == {first, third}
        assert await projects.get_or_create(MINE, "b") != first

    run(work)


def test_a_look_up_under_way_does_not_outlive_a_delete(
    run: Callable[[Work], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(store: Database, projects: Projects) -> None:
        gone = await projects.create(MINE, NewProject(name="a"))
        ensure = store.projects.ensure

        async def overtaken(project: Project) -> Project:
            found = await ensure(project)
            await projects.delete(MINE, gone.id)
            return found

        with monkeypatch.context() as patched:
            patched.setattr(store.projects, "ensure", overtaken)
            assert await projects.get_or_create(MINE, "a") == gone.id
        assert await projects.get_or_create(MINE, "a") != gone.id

    run(work)


def test_the_memory_of_names_is_bounded(run: Callable[[Work], None], monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(store: Database, projects: Projects) -> None:
        async def echo(project: Project) -> Project:
            return project

        monkeypatch.setattr(store.projects, "ensure", echo)
        for n in range(CACHE_SIZE + 10):
            await projects.get_or_create(MINE, f"p{n}")
        assert len(projects._ids) == CACHE_SIZE

    run(work)


@pytest.mark.parametrize("name", ["", "n" * (MAX_NAME + 1), "研" * 900, "nul \0", "half \ud800"])
def test_bad_names_are_invalid_everywhere(run: Callable[[Work], None], name: str) -> None:
    async def work(store: Database, projects: Projects) -> None:
        known = await projects.create(MINE, NewProject(name="a"))
        with pytest.raises(Invalid):
            await projects.get_or_create(MINE, name)
        with pytest.raises(Invalid):
            await projects.create(MINE, NewProject(name=name))
        with pytest.raises(Invalid):
            await projects.update(MINE, known.id, ProjectPatch(name=name))
        assert len(await projects.find(MINE_ALL)) == 2

    run(work)


def test_names_are_kept_as_they_are(run: Callable[[Work], None]) -> None:
    async def work(store: Database, projects: Projects) -> None:
        names = [" ", "a", " a", "a ", "A", "n" * MAX_NAME, "é", "e\u0301", "line\nbreak", "'; --"]
        ids = [await projects.get_or_create(MINE, name) for name in names]
        assert len(set(ids)) == len(names)
        assert [(await projects.read(MINE, each)).name for each in ids] == names

    run(work)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=600))
def test_any_short_text_is_a_name(name: str) -> None:
    check_name(name)


# ---- create, update, delete ------------------------------------------------------------------------------


def test_create_fills_in_what_is_not_stated(run: Callable[[Work], None]) -> None:
    async def work(store: Database, projects: Projects) -> None:
        plain = await projects.create(MINE, NewProject(name="a"))
        assert plain.start_time == plain.created_at == plain.modified_at > 1_700_000_000_000_000
        assert plain.test_run_number is None
        stated = NewProject(
            name="b",
            id=uuid4(),
            description="d",
            start_time=0,
            end_time=6,
            extra=b'{"metadata": {}}',
            default_dataset_id=uuid4(),
            reference_dataset_id=uuid4(),
            trace_tier="shortlived",
            longlived_ttl_days=7,
        )
        created = await projects.create(MINE, stated)
        assert msgspec.convert(created, NewProject, from_attributes=True) == stated
        assert created.test_run_number == 1
        assert await projects.read(MINE, created.id) == created

    run(work)


def test_a_taken_name_or_id_is_a_conflict(run: Callable[[Work], None]) -> None:
    async def work(store: Database, projects: Projects) -> None:
        first = await projects.create(MINE, NewProject(name="a"))
        with pytest.raises(Conflict, match="'a'"):
            await projects.create(MINE, NewProject(name="a"))
        for upsert in (False, True):
            with pytest.raises(Conflict, match=str(first.id)):
                await projects.create(MINE, NewProject(name="b", id=first.id), upsert=upsert)
        assert await projects.find_all(msgspec.structs.replace(MINE_ALL, name="a")) == [first]

    run(work)


def test_upsert_takes_over_what_is_stated_and_keeps_the_id(run: Callable[[Work], None]) -> None:
    async def work(store: Database, projects: Projects) -> None:
        new = NewProject(name="a", description="kept", extra=b'{"v": 1}')
        first = await projects.create(MINE, new, upsert=True)
        dataset = uuid4()
        second = await projects.create(
            MINE,
            NewProject(name="a", id=uuid4(), extra=b'{"v": 2}', reference_dataset_id=dataset),
            upsert=True,
        )
        assert second == msgspec.structs.replace(
            first,
            extra=b'{"v": 2}',
            reference_dataset_id=dataset,
            test_run_number=1,
            modified_at=second.modified_at,
        )
        assert await projects.read(MINE, first.id) == second

    run(work)


def test_upserts_at_once_make_one_project(run: Callable[[Work], None]) -> None:
    async def work(store: Database, projects: Projects) -> None:
        made = await asyncio.gather(
            *(projects.create(MINE, NewProject(name="a", description=str(n)), upsert=True) for n in range(20))
        )
        assert len({each.id for each in made}) == 1

    run(work)


def test_update_says_what_went_wrong(run: Callable[[Work], None]) -> None:
    async def work(store: Database, projects: Projects) -> None:
        first = await projects.create(MINE, NewProject(name="a", description="kept"))
        await projects.create(MINE, NewProject(name="b"))
        changed = await projects.update(MINE, first.id, ProjectPatch(end_time=9))
        assert changed == msgspec.structs.replace(first, end_time=9, modified_at=changed.modified_at)
        with pytest.raises(Conflict, match="'b'"):
            await projects.update(MINE, first.id, ProjectPatch(name="b"))
        unknown = uuid4()
        with pytest.raises(NotFound, match=str(unknown)):
            await projects.update(MINE, unknown, ProjectPatch(name="c"))

    run(work)


def test_a_deleted_project_is_gone_and_its_name_free(run: Callable[[Work], None]) -> None:
    async def work(store: Database, projects: Projects) -> None:
        first = await projects.create(MINE, NewProject(name="a"))
        await projects.delete(MINE, first.id)
        for attempt in (
            projects.read(MINE, first.id),
            projects.delete(MINE, first.id),
            projects.update(MINE, first.id, ProjectPatch(description="x")),
        ):
            with pytest.raises(NotFound):
                await attempt
        assert await projects.delete_many(MINE, [first.id]) == []
        assert (await projects.create(MINE, NewProject(name="a"))).id != first.id

    run(work)


@pytest.mark.parametrize(
    "wrong",
    [
        {"extra": b"[]"},
        {"extra": b"null"},
        {"extra": b"{"},
        {"extra": b'{"a": "\xff"}'},
        {"extra": b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"},
        {"trace_tier": "forever"},
        {"longlived_ttl_days": 0},
        {"longlived_ttl_days": 2**40},
        {"description": "nul \0"},
        {"description": "half \ud800"},
        {"start_time": 2**63},
    ],
)
def test_bad_fields_are_invalid(run: Callable[[Work], None], wrong: dict[str, object]) -> None:
    async def work(store: Database, projects: Projects) -> None:
        known = await projects.create(MINE, NewProject(name="a"))
        with pytest.raises(Invalid):
            await projects.create(MINE, msgspec.structs.replace(NewProject(name="b"), **wrong))
        with pytest.raises(Invalid):
            await projects.update(MINE, known.id, msgspec.structs.replace(ProjectPatch(), **wrong))
        assert await projects.read(MINE, known.id) == known

    run(work)


def test_projects_of_another_workspace_are_unknown(run: Callable[[Work], None]) -> None:
    async def work(store: Database, projects: Projects) -> None:
        mine = await projects.create(MINE, NewProject(name="secret"))
        for attempt in (
            projects.read(OTHER, mine.id),
            projects.delete(OTHER, mine.id),
            projects.update(OTHER, mine.id, ProjectPatch(name="x")),
        ):
            with pytest.raises(NotFound):
                await attempt
        assert await projects.delete_many(OTHER, [mine.id]) == []
        assert await projects.find(ProjectQuery(workspace=OTHER, ids=(mine.id,))) == []
        same_id = await projects.create(OTHER, NewProject(name="secret", id=mine.id))
        assert same_id.workspace == OTHER
        assert await projects.read(MINE, mine.id) == mine

    run(work)


# ---- listing ---------------------------------------------------------------------------------------------


def test_find_pages_and_find_all_does_not(run: Callable[[Work], None]) -> None:
    async def work(store: Database, projects: Projects) -> None:
        for n in range(5):
            await projects.create(MINE, NewProject(name=f"p{n}", start_time=n))
        query = ProjectQuery(workspace=MINE, name_contains="P", offset=1, limit=2)
        assert [each.name for each in await projects.find(query)] == ["p3", "p2"]
        assert [each.name for each in await projects.find_all(query)] == ["p4", "p3", "p2", "p1", "p0"]

    run(work)


@pytest.mark.parametrize(
    "wrong",
    [
        {"metadata": b"[]"},
        {"metadata": b"{nonsense"},
        {"metadata": b'{"a": ' + b"[" * 101 + b"]" * 101 + b"}"},
        {"metadata": b'{"a": "' + b"x" * 9000 + b'"}'},
        {"offset": -1},
        {"offset": 2**63},
        {"limit": -1},
        {"name_contains": "n" * 1001},
        {"name_contains": "\0"},
        {"name": "half \ud800"},
    ],
)
def test_bad_queries_are_invalid(run: Callable[[Work], None], wrong: dict[str, object]) -> None:
    async def work(store: Database, projects: Projects) -> None:
        with pytest.raises(Invalid):
            await projects.find(msgspec.structs.replace(MINE_ALL, **wrong))

    run(work)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_everything_contains_itself(value: object) -> None:
    assert contains(value, value)


@given(st.dictionaries(st.text(max_size=2), JSON), st.dictionaries(st.text(max_size=2), JSON))
def test_an_object_contains_what_was_put_into_it(whole: dict[str, object], part: dict[str, object]) -> None:
    assert contains(whole | part, part)


@pytest.mark.parametrize(
    ("whole", "part", "expected"),
    [
        ({"a": 1, "b": 2}, {}, True),
        ({}, {"a": None}, False),
        ({"a": None}, {"a": None}, True),
        ({"a": [1, {"b": 2, "c": 3}]}, {"a": [{"b": 2}]}, True),
        ({"a": [1, 2]}, {"a": [2, 1, 1]}, True),
        ({"a": [1, 2]}, {"a": [3]}, False),
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": 1}, {"a": True}, False),
        ({"a": False}, {"a": 0}, False),
        ({"a": "1"}, {"a": 1}, False),
        ({"a": [1]}, {"a": 1}, False),
        ({"a": {"b": 1}}, {"b": 1}, False),
        (None, {}, False),
    ],
)
def test_containment(whole: object, part: object, expected: bool) -> None:
    assert contains(whole, part) is expected

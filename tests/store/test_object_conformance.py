"""What `store.api.Configurations`, `Tools` and `Charts` promise, for every engine of the metadata store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from stenograph.errors import Conflict, Invalid, NotFound
from stenograph.model.access import DEFAULT_WORKSPACE, ApiKey, KeyKind, Role
from stenograph.model.charts import Chart, ChartPatch
from stenograph.model.configurations import (
    Configuration,
    ConfigurationPatch,
    ConfigurationQuery,
    ConfigurationType,
    Tool,
    ToolPatch,
    ToolType,
)
from stenograph.model.projects import Project
from stenograph.store.api import MetaStore

OTHER = UUID("00000000-0000-4000-8000-00000000000b")
MINE = DEFAULT_WORKSPACE
EVERYTHING = "ünï ' \" \\ \u2028 \U0001f600"


def configuration(name: str = "c", workspace: UUID = MINE, at: int = 1, **fields: Any) -> Configuration:
    plain = Configuration(
        id=uuid4(), workspace=workspace, name=name, provider="p", parameters=b'{"a":1}', created_at=at
    )
    return msgspec.structs.replace(plain, **fields)


def tool(name: str = "t", workspace: UUID = MINE, at: int = 1, **fields: Any) -> Tool:
    plain = Tool(id=uuid4(), workspace=workspace, task="", name=name, parameters=b'{"a":1}', created_at=at)
    return msgspec.structs.replace(plain, **fields)


def chart(name: str = "c", workspace: UUID = MINE, at: int = 1, **fields: Any) -> Chart:
    plain = Chart(id=uuid4(), workspace=workspace, name=name, metric="duration", created_at=at)
    return msgspec.structs.replace(plain, **fields)


async def project(store: MetaStore, workspace: UUID = MINE) -> UUID:
    made = Project(
        id=uuid4(), workspace=workspace, name=f"{uuid4()}", start_time=1, created_at=1, modified_at=1
    )
    return (await store.projects.create(made)).id


# -- configurations ----------------------------------------------------------------------------------------


def test_configurations_come_back_as_they_were_made(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made = configuration(
            EVERYTHING,
            provider=EVERYTHING,
            parameters=f'{{ "{EVERYTHING[:3]}" : 1.50 }}'.encode(),
            type=ConfigurationType.PIPELINE,
            project_id=await project(store),
            env=("dev", "prod"),
            tags=(EVERYTHING, "", "b"),
            user_properties=b'{"who":null}',
            updated_at=7,
        )
        await store.configurations.create(made)
        assert await store.configurations.find(ConfigurationQuery(workspace=MINE)) == [made]
        assert await store.configurations.find(ConfigurationQuery(workspace=OTHER)) == []
        with pytest.raises(Conflict):
            await store.configurations.create(made)

    meta(work)


def test_configurations_are_found_by_all_that_is_asked(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        mine, theirs = await project(store), await project(store)
        every = configuration("a", at=3)
        own = configuration("a", at=2, project_id=mine, env=("dev",), tags=("x", "y"))
        other = configuration("b", at=1, project_id=theirs, env=("dev", "prod"), tags=("x",))
        foreign = configuration("a", workspace=OTHER, env=("dev",), tags=("x",))
        for each in (every, own, other, foreign):
            await store.configurations.create(each)

        async def found(**query: Any) -> list[Configuration]:
            return await store.configurations.find(ConfigurationQuery(workspace=MINE, **query))

        assert await found() == [other, own, every]
        assert await found(name="a") == [own, every]
        assert await found(name="A") == []
        assert await found(project_id=mine) == [own, every]
        assert await found(env="dev") == [other, own]
        assert await found(tags=("x",)) == [other, own]
        assert await found(tags=("y", "x")) == [own]
        assert await found(env="prod", tags=("y",)) == []
        assert await found(project_id=theirs, name="a") == [every]

    meta(work)


def test_a_change_of_a_configuration_leaves_what_it_does_not_state(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        home = await project(store)
        made = configuration(env=("dev",), tags=("x",), user_properties=b"{}")
        await store.configurations.create(made)
        update = store.configurations.update
        changed = msgspec.structs.replace(made, name="new", updated_at=5)
        assert await update(MINE, made.id, ConfigurationPatch(name="new"), 5) == changed
        patch = ConfigurationPatch(
            provider="q",
            parameters=b"{}",
            type=ConfigurationType.PIPELINE,
            project_id=home,
            env=(),
            tags=("z",),
            user_properties=None,
        )
        stated = {name: getattr(patch, name) for name in patch.__struct_fields__ if name != "name"}
        changed = msgspec.structs.replace(changed, **stated, updated_at=6)
        assert await update(MINE, made.id, patch, 6) == changed
        assert await store.configurations.find(ConfigurationQuery(workspace=MINE)) == [changed]
        assert await update(OTHER, made.id, ConfigurationPatch(name="theirs"), 7) is None
        assert await update(MINE, uuid4(), ConfigurationPatch(name="new"), 7) is None
        with pytest.raises(NotFound):
            await update(MINE, made.id, ConfigurationPatch(project_id=uuid4()), 7)
        assert await store.configurations.find(ConfigurationQuery(workspace=MINE)) == [changed]
        assert not await store.configurations.delete(OTHER, made.id)
        assert await store.configurations.delete(MINE, made.id)
        assert not await store.configurations.delete(MINE, made.id)

    meta(work)


def test_what_belongs_to_a_project_needs_it_and_goes_with_it(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        home, foreign = await project(store), await project(store, OTHER)
        for nowhere in (uuid4(), foreign):
            with pytest.raises(NotFound):
                await store.configurations.create(configuration(project_id=nowhere))
            with pytest.raises(NotFound):
                await store.charts.create(chart(project_id=nowhere))
        kept, kept_chart = configuration(), chart()
        for each in (kept, configuration(project_id=home)):
            await store.configurations.create(each)
        for one in (kept_chart, chart(project_id=home)):
            await store.charts.create(one)
        assert await store.projects.delete(MINE, [home], at=9) == [home]
        assert await store.configurations.find(ConfigurationQuery(workspace=MINE)) == [kept]
        assert await store.charts.find(MINE) == [kept_chart]
        with pytest.raises(NotFound):
            await store.charts.create(chart(project_id=home))

    meta(work)


# -- tools -------------------------------------------------------------------------------------------------


def test_tools(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made = tool(EVERYTHING, at=2, task="p", description=EVERYTHING, type=ToolType.TOOL)
        older, foreign = tool(at=1), tool(workspace=OTHER)
        for each in (made, older, foreign):
            await store.tools.create(each)
        assert await store.tools.all(MINE) == [older, made]
        with pytest.raises(Conflict):
            await store.tools.create(made)
        changed = msgspec.structs.replace(made, name="n", type=ToolType.FUNCTION, updated_at=4)
        patch = ToolPatch(name="n", type=ToolType.FUNCTION)
        assert await store.tools.update(MINE, made.id, patch, 4) == changed
        patch = ToolPatch(description="d", parameters=b"{}", task="t")
        changed = msgspec.structs.replace(changed, description="d", parameters=b"{}", task="t", updated_at=5)
        assert await store.tools.update(MINE, made.id, patch, 5) == changed
        assert await store.tools.update(OTHER, made.id, patch, 6) is None
        assert await store.tools.all(MINE) == [older, changed]
        assert not await store.tools.delete(OTHER, made.id)
        assert await store.tools.delete(MINE, made.id)
        assert not await store.tools.delete(MINE, made.id)
        assert await store.tools.all(OTHER) == [foreign]

    meta(work)


# -- charts ------------------------------------------------------------------------------------------------


def test_charts_come_back_as_they_were_made_and_changed(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made = chart(
            EVERYTHING,
            metric=EVERYTHING,
            description="d",
            func="avg",
            group_by="g",
            bucketing="week",
            date_range=b'{"relative":"7d"}',
            query=b"[]",
            owner_id="o",
        )
        await store.charts.create(made)
        assert await store.charts.read(MINE, made.id) == made
        with pytest.raises(Conflict):
            await store.charts.create(made)
        changed = msgspec.structs.replace(made, name="n", group_by=None, updated_at=3)
        assert await store.charts.update(MINE, made.id, ChartPatch(name="n", group_by=None), 3) == changed
        assert await store.charts.update(OTHER, made.id, ChartPatch(name="x"), 4) is None
        assert await store.charts.update(MINE, uuid4(), ChartPatch(name="x"), 4) is None
        assert await store.charts.read(MINE, made.id) == changed
        assert await store.charts.read(OTHER, made.id) is None
        assert not await store.charts.delete(OTHER, made.id)
        assert await store.charts.delete(MINE, made.id)
        assert not await store.charts.delete(MINE, made.id)

    meta(work)


def test_a_project_has_its_own_charts_and_those_of_every_project(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        mine, theirs = await project(store), await project(store)
        every, own = chart(at=2), chart(at=1, project_id=mine)
        other = chart(at=3, project_id=theirs)
        for each in (every, own, other, chart(workspace=OTHER)):
            await store.charts.create(each)
        assert await store.charts.find(MINE) == [own, every, other]
        assert await store.charts.find(MINE, mine) == [own, every]
        assert await store.charts.read(MINE, other.id, mine) is None
        assert await store.charts.read(MINE, every.id, mine) == every
        assert await store.charts.update(MINE, other.id, ChartPatch(name="x"), 4, mine) is None
        assert not await store.charts.delete(MINE, other.id, mine)
        assert await store.charts.delete(MINE, every.id, mine)
        assert await store.charts.find(MINE) == [own, other]

    meta(work)


# -- what no table can hold --------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["nul \0", "half \ud800"])
def test_texts_that_no_table_can_hold_are_refused(meta: Callable[..., None], text: str) -> None:
    async def work(store: MetaStore) -> None:
        for made in (
            store.configurations.create(configuration(text)),
            store.tools.create(tool(text)),
            store.charts.create(chart(metric=text)),
            store.configurations.find(ConfigurationQuery(workspace=MINE, name=text)),
        ):
            with pytest.raises(Invalid):
                await made

    meta(work)


# -- keys --------------------------------------------------------------------------------------------------


def test_keys_keep_what_they_were_made_with_and_stop_counting_when_they_expire(
    meta: Callable[..., None],
) -> None:
    async def work(store: MetaStore) -> None:
        made = ApiKey(
            id=uuid4(),
            workspace=MINE,
            name="n",
            role=Role.READ,
            hint="abcd",
            created_at=1,
            kind=KeyKind.FINE_GRAINED,
            description=EVERYTHING,
            permissions=("a:read", "b:read"),
            expires_at=10,
        )
        await store.keys.create(made, "h1")
        assert await store.keys.find("h1") == made
        assert await store.keys.all(MINE) == [made]
        assert await store.keys.any_active(9)
        assert not await store.keys.any_active(10)

    meta(work)

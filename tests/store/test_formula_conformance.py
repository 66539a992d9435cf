"""What `store.api.FeedbackFormulas` promises, for every engine of the metadata store."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

import msgspec
import pytest

from stenograph.errors import Conflict, NotFound
from stenograph.model.access import DEFAULT_WORKSPACE
from stenograph.model.datasets import Dataset
from stenograph.model.feedback_formulas import Aggregation, FeedbackFormula, Formula, FormulaPart
from stenograph.model.projects import Project, ProjectPatch
from stenograph.store.api import MetaStore

MINE = DEFAULT_WORKSPACE
OTHER = UUID("00000000-0000-4000-8000-00000000000b")


async def a_project(store: MetaStore, name: str, dataset: UUID | None = None, workspace: UUID = MINE) -> UUID:
    project = Project(
        id=uuid4(),
        workspace=workspace,
        name=name,
        start_time=1,
        created_at=1,
        modified_at=1,
        reference_dataset_id=dataset,
    )
    return (await store.projects.create(project)).id


async def a_dataset(store: MetaStore, name: str = "d", workspace: UUID = MINE) -> UUID:
    dataset = Dataset(id=uuid4(), workspace=workspace, name=name, created_at=1, modified_at=1)
    await store.datasets.create(dataset)
    return dataset.id


def formula(
    project: UUID | None = None, dataset: UUID | None = None, key: str = "k", at: int = 1, **fields: object
) -> FeedbackFormula:
    plain = FeedbackFormula(
        id=uuid4(),
        workspace=MINE,
        formula=Formula(
            key=key,
            aggregation=Aggregation.AVERAGE,
            parts=(FormulaPart("é'\"", 0.1), FormulaPart("b", -2.0)),
        ),
        created_at=at,
        modified_at=at,
        project_id=project,
        dataset_id=dataset,
    )
    return msgspec.structs.replace(plain, **fields)


def test_formulas_come_back_as_they_were_made(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        formulas = store.feedback_formulas
        project, dataset = await a_project(store, "p"), await a_dataset(store)
        late, early = formula(project, at=2), formula(dataset=dataset, at=1)
        for each in (late, early):
            await formulas.create(each)
            assert await formulas.read(MINE, each.id) == each
        assert await formulas.page(MINE) == [early, late]
        assert await formulas.page(MINE, project=project) == [late]
        assert await formulas.page(MINE, dataset=dataset) == [early]
        assert await formulas.page(MINE, dataset=dataset, project=project) == []
        assert await formulas.page(MINE, offset=1, limit=1) == [late]
        assert await formulas.page(MINE, offset=2) == []
        with pytest.raises(Conflict):
            await formulas.create(msgspec.structs.replace(late, formula=formula(key="other").formula))
        assert await formulas.delete(MINE, late.id)
        assert not await formulas.delete(MINE, late.id)
        assert await formulas.read(MINE, late.id) is None

    meta(work)


def test_a_project_or_dataset_has_one_formula_of_a_key(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        formulas = store.feedback_formulas
        dataset = await a_dataset(store)
        project = await a_project(store, "p", dataset)
        first, second = formula(project), formula(project, key="k2")
        for each in (first, second, formula(dataset=dataset), formula(await a_project(store, "q"))):
            await formulas.create(each)
        for again in (formula(project), formula(dataset=dataset)):
            with pytest.raises(Conflict, match="'k'"):
                await formulas.create(again)
        with pytest.raises(Conflict, match="'k'"):
            await formulas.replace(MINE, second.id, first.formula, at=5)
        assert await formulas.read(MINE, second.id) == second
        changed = await formulas.replace(MINE, first.id, formula(key="k3").formula, at=6)
        assert changed == msgspec.structs.replace(first, formula=formula(key="k3").formula, modified_at=6)
        assert await formulas.read(MINE, first.id) == changed
        assert await formulas.replace(MINE, first.id, first.formula, at=7) is not None
        assert await formulas.replace(MINE, uuid4(), first.formula, at=7) is None

    meta(work)


def test_formulas_need_what_they_belong_to_and_go_with_it(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        formulas = store.feedback_formulas
        project, dataset = await a_project(store, "p"), await a_dataset(store)
        theirs, their_data = await a_project(store, "p", workspace=OTHER), await a_dataset(store, "d", OTHER)
        for unknown in (
            formula(uuid4()),
            formula(theirs),
            formula(dataset=uuid4()),
            formula(dataset=their_data),
        ):
            with pytest.raises(NotFound, match="not found"):
                await formulas.create(unknown)
        await formulas.create(formula(project))
        await formulas.create(formula(dataset=dataset))
        await store.projects.delete(MINE, [project], at=9)
        assert [each.dataset_id for each in await formulas.page(MINE)] == [dataset]
        with pytest.raises(NotFound):
            await formulas.create(formula(project))
        await store.datasets.delete(MINE, [dataset])
        assert await formulas.page(MINE) == []

    meta(work)


def test_formulas_of_projects(meta: Callable[..., None]) -> None:
    """A project's own first, then those of its dataset; whatever project is made over it later has them, too."""

    async def work(store: MetaStore) -> None:
        formulas = store.feedback_formulas
        dataset = await a_dataset(store)
        plain, experiment = await a_project(store, "plain"), await a_project(store, "experiment", dataset)
        other = await a_project(store, "none", await a_dataset(store, "e"))
        shared, mine, own = formula(dataset=dataset, at=1), formula(plain, at=2), formula(experiment, at=3)
        for each in (shared, mine, own):
            await formulas.create(each)
        assert await formulas.of_projects(MINE) == {plain: [mine], experiment: [own, shared]}
        assert await formulas.of_projects(MINE, [experiment, other]) == {experiment: [own, shared]}
        assert await formulas.of_projects(MINE, [other]) == {}
        assert await formulas.of_projects(MINE, []) == {}
        assert await formulas.of_projects(OTHER) == {}
        later = await a_project(store, "later", dataset)
        assert await formulas.of_projects(MINE, [later]) == {later: [shared]}
        await store.projects.update(MINE, plain, ProjectPatch(reference_dataset_id=dataset), at=5)
        assert await formulas.of_projects(MINE, [plain]) == {plain: [mine, shared]}
        await store.projects.delete(MINE, [later], at=6)
        assert await formulas.of_projects(MINE, [later]) == {}
        many = [uuid4() for _ in range(6000)]
        assert list(await formulas.of_projects(MINE, [*many, plain])) == [plain]

    meta(work)


def test_formulas_of_another_workspace_are_unknown(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        formulas = store.feedback_formulas
        mine = formula(await a_project(store, "p"))
        await formulas.create(mine)
        assert await formulas.page(OTHER) == []
        assert await formulas.read(OTHER, mine.id) is None
        assert await formulas.replace(OTHER, mine.id, formula(key="x").formula, at=5) is None
        assert not await formulas.delete(OTHER, mine.id)
        assert await formulas.read(MINE, mine.id) == mine

    meta(work)

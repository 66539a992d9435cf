"""What `store.api.MetaStore` promises of evaluations, for every engine of the metadata store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from stenograph.errors import Conflict
from stenograph.model.access import DEFAULT_WORKSPACE
from stenograph.model.datasets import Dataset
from stenograph.model.evaluations import (
    Evaluation,
    EvaluationPatch,
    EvaluationQuery,
    EvaluationSort,
    EvaluationStatus,
    Experiment,
)
from stenograph.model.projects import Project, ProjectPatch
from stenograph.store.api import MetaStore

MINE = DEFAULT_WORKSPACE
OTHER = UUID("00000000-0000-4000-8000-00000000000b")
Meta = Callable[..., Any]


def experiment(name: str = "", workspace: UUID = MINE, at: int = 1, **said: Any) -> Experiment:
    """One that says as much as one can; `project_*` are the project's."""
    own = {key.removeprefix("project_"): said.pop(key) for key in list(said) if key.startswith("project_")}
    plain = Project(
        id=uuid4(), workspace=workspace, name=str(uuid4()), start_time=at, created_at=at, modified_at=at
    )
    project = msgspec.structs.replace(plain, **own)
    whole = Evaluation(
        workspace=workspace,
        project_id=project.id,
        name=name or project.name,
        project_name=project.name,
        status=EvaluationStatus.PENDING,
        created_at=at,
        modified_at=at,
        within_id=uuid4(),
        dataset="EXT-1",
        is_active=False,
        event_ids=("a", "b"),
        session_ids=("c",),
        datapoint_ids=("EXT-2",),
        results=b'{"x": 1.50}',
        configuration=b'{"y":2}',
        evaluators=b'["z"]',
        passing_ranges=b'{"x":{"min":0.5}}',
    )
    return Experiment(project=project, evaluation=msgspec.structs.replace(whole, **said))


def of(store: MetaStore, **more: Any) -> Any:
    return store.evaluations.find(EvaluationQuery(workspace=MINE, **more))


def test_an_experiment_comes_back_as_it_was(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        assert not await store.evaluations.any(MINE)
        made = experiment()
        assert await store.evaluations.create(made) == made
        assert await store.evaluations.read(MINE, made.project.id) == made
        assert await of(store) == [made]
        assert await store.evaluations.any(MINE)
        assert await store.projects.read(MINE, made.project.id) == made.project
        with pytest.raises(Conflict):
            await store.evaluations.create(experiment(project_id=made.project.id))
        with pytest.raises(Conflict):
            await store.evaluations.create(experiment(project_name=made.project.name))
        assert len(await of(store)) == 1  # both or neither

    meta(work)


def test_experiments_are_of_one_workspace(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        theirs = experiment(workspace=OTHER)
        await store.evaluations.create(theirs)
        assert await of(store) == []
        assert await store.evaluations.count(EvaluationQuery(workspace=MINE)) == 0
        assert await store.evaluations.read(MINE, theirs.project.id) is None
        assert not await store.evaluations.any(MINE)
        assert await store.evaluations.update(MINE, theirs.project.id, EvaluationPatch(name="x"), 2) is None
        assert await store.evaluations.read(OTHER, theirs.project.id) == theirs
        mine = experiment(project_id=theirs.project.id)
        await store.evaluations.create(mine)
        assert await of(store) == [mine]

    meta(work)


def test_what_is_bound_to_a_dataset_is_one_too_and_other_projects_are_not(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        dataset = Dataset(id=uuid4(), workspace=MINE, name="d", created_at=1, modified_at=1)
        await store.datasets.create(dataset)
        bound = Project(
            id=uuid4(), workspace=MINE, name="bound", start_time=5, created_at=5, modified_at=5,
            reference_dataset_id=dataset.id,
        )  # fmt: skip
        made = await store.projects.create(bound)
        assert await of(store) == [Experiment(project=made)]
        assert (await of(store))[0].status is EvaluationStatus.RUNNING
        assert await of(store, dataset=str(dataset.id)) == [Experiment(project=made)]
        assert [each.name for each in await of(store, status=EvaluationStatus.RUNNING)] == ["bound"]
        await store.projects.update(MINE, bound.id, ProjectPatch(end_time=9), 9)
        assert await of(store, status=EvaluationStatus.RUNNING) == []
        assert [each.name for each in await of(store, status=EvaluationStatus.COMPLETED)] == ["bound"]
        default = await store.projects.find_named(MINE, "default")
        assert default is not None
        assert await store.evaluations.read(MINE, default.id) is None
        assert await store.evaluations.update(MINE, default.id, EvaluationPatch(name="x"), 2) is None
        changed = await store.evaluations.update(MINE, bound.id, EvaluationPatch(results=b"{}"), 10)
        assert changed is not None
        assert changed.evaluation is not None
        assert (changed.evaluation.event_ids, changed.status) == (None, EvaluationStatus.COMPLETED)
        assert await store.evaluations.read(MINE, bound.id) == changed

    meta(work)


def test_a_change_is_of_project_and_evaluation(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        made = experiment(name="before", project_extra=b'{"metadata":{"git":1,"x":1},"other":2}')
        await store.evaluations.create(made)
        patch = EvaluationPatch(
            name="after", status=EvaluationStatus.COMPLETED, metadata={"x": 2}, event_ids=("e",)
        )
        changed = await store.evaluations.update(MINE, made.project.id, patch, 7)
        assert changed is not None
        assert changed == await store.evaluations.read(MINE, made.project.id)
        assert changed.evaluation is not None
        assert changed.project.name == f"after-{made.project.id.hex[:8]}"
        assert (changed.name, changed.status, changed.modified_at) == ("after", "completed", 7)
        assert changed.project.end_time == 7
        assert msgspec.json.decode(changed.project.extra or b"") == {
            "metadata": {"git": 1, "x": 2},
            "other": 2,
        }
        assert changed.evaluation.event_ids == ("e",)
        assert changed.evaluation.results == b'{"x": 1.50}'
        # Renamed elsewhere: the project's name is the newer word, and saying the same again changes nothing.
        await store.projects.update(MINE, made.project.id, ProjectPatch(name="elsewhere"), 8)
        assert [each.name for each in await of(store, name_contains="ELSE")] == ["elsewhere"]
        assert await of(store, name_contains="after") == []
        again = await store.evaluations.update(MINE, made.project.id, EvaluationPatch(name="elsewhere"), 9)
        assert again is not None
        assert (again.name, again.project.name) == ("elsewhere", "elsewhere")

    meta(work)


def test_orders_conditions_and_pages(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        within = uuid4()
        a = experiment("Älpha 100%", at=1, within_id=within, status=EvaluationStatus.FAILED)
        b = experiment("beta", at=3, dataset="ds-9", modified_at=30)
        c = experiment("gamma", at=2, within_id=None, status=EvaluationStatus.RUNNING)
        for each in (a, b, c):
            await store.evaluations.create(each)

        async def names(**more: Any) -> list[str]:
            return [each.name[0] for each in await of(store, **more)]

        assert await names() == ["b", "g", "Ä"]
        assert await names(sort=EvaluationSort.NAME, descending=False) == ["b", "g", "Ä"]
        assert await names(sort=EvaluationSort.STATUS, descending=False) == ["Ä", "b", "g"]
        assert await names(sort=EvaluationSort.UPDATED_AT) == ["b", "g", "Ä"]
        assert await names(offset=1, limit=1) == ["g"]
        assert await names(name_contains="äLPHA 100%") == ["Ä"]
        assert await names(name_contains="_") == []
        assert await names(dataset="ds-9") == ["b"]
        assert await names(dataset=str(uuid4())) == []
        assert await names(within=within) == ["g", "Ä"]
        assert await names(ids=(b.project.id, uuid4())) == ["b"]
        assert await names(ids=()) == []
        assert await names(since=2, until=2) == ["g"]
        assert await names(status=EvaluationStatus.FAILED) == ["Ä"]
        assert await store.evaluations.count(EvaluationQuery(workspace=MINE, limit=1, name_contains="m")) == 1
        assert await store.evaluations.within(MINE, within) == [a.project.id]
        either = await store.evaluations.within(MINE, within, or_none=True)
        assert set(either) == {a.project.id, c.project.id}

    meta(work)


def test_an_evaluation_is_in_the_name_of_the_first_project_that_claims_it(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        first, second, theirs = uuid4(), uuid4(), uuid4()
        unnamed, named = experiment(within_id=None), experiment(within_id=second)
        for each in (unnamed, named):
            await store.evaluations.create(each)
        await store.evaluations.claim(OTHER, unnamed.project.id, theirs)
        for claimed in (first, second):
            await store.evaluations.claim(MINE, unnamed.project.id, claimed)
        await store.evaluations.claim(MINE, named.project.id, first)
        assert await store.evaluations.within(MINE, first) == [unnamed.project.id]
        assert await store.evaluations.within(MINE, second) == [named.project.id]

    meta(work)


def test_an_experiment_goes_with_its_project(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        made = experiment()
        await store.evaluations.create(made)
        await store.projects.delete(MINE, [made.project.id], 5)
        assert await of(store) == []
        assert await store.evaluations.read(MINE, made.project.id) is None
        assert await store.evaluations.update(MINE, made.project.id, EvaluationPatch(name="x"), 6) is None

    meta(work)


def test_of_changes_at_once_none_is_lost(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        made = experiment()
        await store.evaluations.create(made)
        await asyncio.gather(
            *(
                store.evaluations.update(MINE, made.project.id, EvaluationPatch(metadata={str(at): at}), at)
                for at in range(10)
            )
        )
        found = await store.evaluations.read(MINE, made.project.id)
        assert found is not None
        assert len(msgspec.json.decode(found.project.extra or b"")["metadata"]) == 10

    meta(work)

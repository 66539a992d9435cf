"""Runs and the examples that they refer to, when one of them is late or a store is away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest

from stenograph.domain.examples.late import LateExamples
from stenograph.domain.feedback.formulas import FeedbackFormulas
from stenograph.domain.recording.recorder import Recorder
from stenograph.domain.runs import RunReader
from stenograph.errors import StoreUnavailable
from stenograph.model.datasets import Dataset
from stenograph.model.examples import ExampleChanges, NewExample
from stenograph.model.projects import Project
from stenograph.store.blobs import Blobs
from tests.recording import ELSEWHERE, MINE, PATIENT, PROJECT, START, House, create, finish


async def experiment(here: House, project: UUID = PROJECT) -> UUID:
    """A dataset, over which `project` is an experiment."""
    dataset = Dataset(id=uuid4(), workspace=MINE, name=str(uuid4()), created_at=1, modified_at=1)
    await here.meta.datasets.create(dataset)
    await here.meta.projects.create(
        Project(
            id=project,
            workspace=MINE,
            name=str(project),
            start_time=1,
            created_at=1,
            modified_at=1,
            reference_dataset_id=dataset.id,
        )
    )
    return dataset.id


async def add(here: House, dataset: UUID, example: UUID) -> None:
    new = NewExample(id=example, inputs=b"{}", metadata=b'{"topic":"tea"}')
    await here.meta.examples.change(MINE, dataset, ExampleChanges(creates=[new]), 10)


def late(here: House, to: Recorder) -> LateExamples:
    blobs = Blobs.open((here.folder / "blobs").as_uri())
    return LateExamples(
        here.meta, RunReader(here.store, to, blobs, FeedbackFormulas(here.meta), here.metrics), to
    )


def test_runs_of_other_projects_are_left_alone(on_house: Callable[..., None]) -> None:
    async def work(here: House) -> None:
        example, mine, foreign = uuid4(), uuid4(), uuid4()
        dataset = await experiment(here)
        async with here.recorder(PATIENT) as to:
            await to.accept([create(mine, reference_example_id=example)], [])
            await to.accept([create(foreign, reference_example_id=example, project_id=ELSEWHERE)], [])
            await to.settle(MINE)
            before = {run.id: run.version for run in await here.runs()}
            await add(here, dataset, example)
            await late(here, to).arrived(MINE, dataset, [example])
            await to.settle(MINE)
            rows = {run.id: run for run in await here.runs()}
        assert rows[mine].metadata["ls_example_topic"] == "tea"
        assert (rows[mine].project_id, rows[mine].start_time) == (PROJECT, START)
        assert rows[foreign].version == before[foreign]
        assert "ls_example_topic" not in rows[foreign].metadata

    on_house(work)


def test_what_was_said_of_a_run_afterwards_is_kept(on_house: Callable[..., None]) -> None:
    async def work(here: House) -> None:
        example, run = uuid4(), uuid4()
        dataset = await experiment(here)
        async with here.recorder(PATIENT) as to:
            await to.accept([create(run, reference_example_id=example)], [])
            await to.settle(MINE)
            await add(here, dataset, example)
            await to.accept([finish(run, extra=b'{"metadata":{"mine":1}}')], [])
            await late(here, to).arrived(MINE, dataset, [example])
        [row] = await here.runs()
        assert (row.status, row.outputs) == ("success", b'{"a":2}')
        assert (row.metadata["mine"], row.metadata["ls_example_topic"]) == ("1", "tea")

    on_house(work)


def test_a_deleted_run_stays_deleted(on_house: Callable[..., None]) -> None:
    async def work(here: House) -> None:
        example, run = uuid4(), uuid4()
        dataset = await experiment(here)
        async with here.recorder(PATIENT) as to:
            await to.accept([create(run, reference_example_id=example)], [])
            await to.settle(MINE)
            waiting = late(here, to)
            found = waiting._runs.page

            async def deleted_meanwhile(query: Any) -> Any:
                rows = await found(query)
                await to.delete(query.selection)
                return rows

            waiting._runs.page = deleted_meanwhile  # type: ignore[method-assign]
            await waiting.arrived(MINE, dataset, [example])
        assert await here.runs() == []

    on_house(work)


def test_an_example_does_not_fail_because_the_run_store_does(on_house: Callable[..., None]) -> None:
    async def work(here: House) -> None:
        example, run = uuid4(), uuid4()
        dataset = await experiment(here)
        async with here.recorder(PATIENT) as to:
            here.store.fail_with(StoreUnavailable())
            await to.accept([create(run, reference_example_id=example)], [])
            await add(here, dataset, example)
            await late(here, to).arrived(MINE, dataset, [example])
            here.store.before = None
        [row] = await here.runs()
        assert row.metadata["ls_example_topic"] == "tea"  # it was written after the example came

    on_house(work)


def test_only_runs_that_refer_to_an_example_ask_for_it(on_house: Callable[..., None]) -> None:
    """All others pay nothing; and what cannot be looked up is written later, not without."""

    async def work(here: House) -> None:
        asked: list[Sequence[Any]] = []
        real, broken = here.meta.examples.newest_metadata, True

        async def counted(examples: Sequence[tuple[UUID, UUID]]) -> Any:
            asked.append(examples)
            if broken:
                raise StoreUnavailable()
            return await real(examples)

        here.meta.examples.newest_metadata = counted  # type: ignore[method-assign]
        example, plain, first, second = (uuid4() for _ in range(4))
        dataset = await experiment(here)
        await add(here, dataset, example)
        async with here.recorder(PATIENT) as to:
            await to.accept([create(plain), finish(plain)], [])
            await to.settle(MINE)
            assert asked == []
            await to.accept([create(run, reference_example_id=example) for run in (first, second)], [])
            with pytest.raises(StoreUnavailable):
                await to.settle(MINE)
            assert [run.id for run in await here.runs()] == [plain]
            broken = False
            await to.settle(MINE)
            assert asked[-1] == [(MINE, example)]
        rows = {run.id: run for run in await here.runs()}
        assert rows[first].metadata["ls_example_topic"] == rows[second].metadata["ls_example_topic"] == "tea"

    on_house(work)

"""Sessions follow the experiment that they name, in whatever order its parts arrive."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

from stenograph.domain.experiments.evaluations import Evaluations, NewEvaluation
from stenograph.domain.experiments.sessions import CACHE_TTL, Belonging, ExperimentSessions
from stenograph.domain.feedback.formulas import FeedbackFormulas
from stenograph.domain.recording.known import KnownRuns
from stenograph.domain.recording.recorder import Recorder
from stenograph.domain.runs import RunReader
from stenograph.model.access import Workspace
from stenograph.model.datasets import Dataset
from stenograph.model.evaluations import EvaluationPatch
from stenograph.model.projects import Project
from stenograph.model.query import FeedbackQuery
from stenograph.model.runs import Run
from stenograph.store.blobs import Blobs
from tests.recording import (
    EAGER,
    ELSEWHERE,
    MINE,
    OTHER,
    PATIENT,
    PROJECT,
    House,
    create,
    house,
    judgement,
)


@dataclass
class Desk:
    """The use-cases over one house."""

    here: House
    recorder: Recorder
    sessions: ExperimentSessions
    evaluations: Evaluations
    now: float = 0.0

    async def began(self, dataset: bool = False) -> UUID:
        """A new experiment."""
        named = None
        if dataset:
            made = Dataset(id=uuid4(), workspace=MINE, name=str(uuid4()), created_at=1, modified_at=1)
            await self.here.meta.datasets.create(made)
            named = str(made.id)
        return (await self.evaluations.create(MINE, NewEvaluation(dataset=named))).project.id

    async def stored(self, *ids: UUID) -> dict[UUID, Run]:
        await self.recorder.settle(MINE)
        return {run.id: run for run in await self.here.runs(*ids)}


@contextlib.asynccontextmanager
async def desk(folder: Path, patient: bool = False) -> AsyncIterator[Desk]:
    async with house(folder) as here, here.recorder(PATIENT if patient else EAGER) as recorder:
        reader = RunReader(
            here.store,
            recorder,
            Blobs.open((folder / "blobs").as_uri()),
            FeedbackFormulas(here.meta),
            here.metrics,
        )
        made = Desk(here, recorder, None, None)  # type: ignore[arg-type]
        made.sessions = ExperimentSessions(
            here.meta, KnownRuns(recorder, here.store), recorder, reader, clock=lambda: made.now
        )
        made.evaluations = Evaluations(here.meta, made.sessions)
        yield made


def test_what_names_no_experiment_belongs_to_none(tmp_path: Path) -> None:
    async def work() -> None:
        async with desk(tmp_path) as at:
            session = uuid4()
            for run in (None, "no uuid", str(uuid4()), 7, {"x": 1}, str(PROJECT)):
                assert await at.sessions.of(MINE, session, run, "x") is None
            experiment = await at.began()
            assert await at.sessions.of(MINE, session, str(uuid4())) is None
            assert await at.sessions.of(OTHER, session, str(experiment)) is None

    asyncio.run(work())


def test_a_session_belongs_where_it_says_and_its_events_with_it(tmp_path: Path) -> None:
    async def work() -> None:
        async with desk(tmp_path) as at:
            experiment, session, example = await at.began(dataset=True), uuid4(), uuid4()
            found = await at.sessions.of(MINE, session, str(experiment), str(example))
            assert found == Belonging(experiment, example)
            assert await at.sessions.of(MINE, session) == found
            assert await at.sessions.of(MINE, session, str(experiment)) == found
            over_none = await at.began()
            assert await at.sessions.of(MINE, uuid4(), str(over_none), str(example)) == Belonging(over_none)
            assert await at.sessions.of(MINE, uuid4(), str(experiment), "EXT-1") == Belonging(experiment)

    asyncio.run(work())


def test_after_a_restart_events_follow_their_recorded_session(tmp_path: Path) -> None:
    async def work() -> None:
        session = uuid4()
        async with desk(tmp_path) as at:
            experiment = await at.began()
            await at.recorder.accept([create(session, project_id=experiment)], [])
        async with desk(tmp_path) as at:
            assert await at.sessions.of(MINE, session) == Belonging(experiment)
            assert await at.sessions.of(MINE, uuid4()) is None
        async with desk(tmp_path, patient=True) as at:  # not written yet
            waiting = uuid4()
            await at.recorder.accept([create(waiting, project_id=experiment)], [])
            assert await at.sessions.of(MINE, waiting) == Belonging(experiment)

    asyncio.run(work())


def test_a_session_that_was_elsewhere_moves_whole_with_its_feedback(tmp_path: Path) -> None:
    async def work() -> None:
        async with desk(tmp_path) as at:
            experiment, example = await at.began(dataset=True), uuid4()
            session, child, other = uuid4(), uuid4(), uuid4()
            below = {"trace_id": session, "parent_run_id": session, "project_id": PROJECT}
            await at.recorder.accept(
                [create(session), create(child, **below), create(other)], [judgement(child)]
            )
            await at.stored()
            await at.sessions.of(MINE, session, str(experiment), str(example))
            runs = await at.stored()
            assert {each.id: each.project_id for each in runs.values()} == {
                session: experiment,
                child: experiment,
                other: PROJECT,
            }
            assert runs[session].reference_example_id == example
            assert runs[child].reference_example_id is None
            assert runs[session].inputs == b'{"q":1}'
            query = FeedbackQuery(workspace=MINE, projects=(experiment,))
            assert len(await at.here.store.real.feedback(query)) == 1

    asyncio.run(work())


def test_an_example_that_is_named_later_is_told_to_the_root(tmp_path: Path) -> None:
    async def work() -> None:
        async with desk(tmp_path) as at:
            experiment, session, example = await at.began(dataset=True), uuid4(), uuid4()
            await at.sessions.of(MINE, session, str(experiment))
            await at.recorder.accept([create(session, project_id=experiment)], [])
            await at.sessions.of(MINE, session, str(experiment), str(example))
            assert (await at.stored(session))[session].reference_example_id == example

    asyncio.run(work())


def test_sessions_that_an_experiment_counts_in_move_when_they_say_so_themselves(tmp_path: Path) -> None:
    async def work() -> None:
        async with desk(tmp_path) as at:
            mine, others, missing, experiment = uuid4(), uuid4(), uuid4(), uuid4()
            said = b'{"metadata":{"run_id":"%s"}}' % str(experiment).encode()
            await at.recorder.accept([create(mine, extra=said), create(others)], [])
            made = await at.evaluations.create(MINE, NewEvaluation(id=experiment, event_ids=(str(mine),)))
            assert made.project.id == experiment
            patch_ = EvaluationPatch(event_ids=(str(mine), str(others), str(missing), "no uuid"))
            changed = await at.evaluations.update(MINE, experiment, patch_)
            assert changed.unknown == (str(missing), "no uuid")
            runs = await at.stored()
            assert runs[mine].project_id == experiment
            assert runs[others].project_id == PROJECT
            assert await at.sessions.of(MINE, mine) == Belonging(experiment)

    asyncio.run(work())


def test_what_is_not_there_is_looked_for_again_later(tmp_path: Path) -> None:
    """An experiment may be made by another process."""

    async def work() -> None:
        async with desk(tmp_path) as at:
            experiment, session = uuid4(), uuid4()
            assert await at.sessions.of(MINE, session, str(experiment)) is None
            aside = Evaluations(
                at.here.meta,
                ExperimentSessions(
                    at.here.meta, KnownRuns(at.recorder, at.here.store), at.recorder, at.sessions._runs
                ),
            )
            await aside.create(MINE, NewEvaluation(id=experiment))
            assert await at.sessions.of(MINE, session, str(experiment)) is None
            at.now += CACHE_TTL + 1
            assert await at.sessions.of(MINE, session, str(experiment)) == Belonging(experiment)

    asyncio.run(work())


def test_a_deleted_experiment_takes_no_more(tmp_path: Path) -> None:
    async def work() -> None:
        async with desk(tmp_path) as at:
            experiment, session = await at.began(), uuid4()
            assert await at.sessions.of(MINE, session, str(experiment)) is not None
            at.recorder.deleted.add(MINE, [experiment], rows_left=True)
            assert await at.sessions.of(MINE, session, str(experiment)) is None
            assert await at.sessions.of(MINE, session) is None

    asyncio.run(work())


def test_where_there_are_no_experiments_no_session_is_looked_up(tmp_path: Path) -> None:
    async def work() -> None:
        async with desk(tmp_path) as at:
            session = uuid4()
            await at.recorder.accept([create(session)], [])
            await at.stored()

            def fail(*_: object) -> None:
                raise AssertionError("looked up")

            at.sessions._home = fail  # type: ignore[method-assign, assignment]
            assert await at.sessions.of(MINE, session) is None

    asyncio.run(work())


def test_workspaces_do_not_see_each_others_experiments(tmp_path: Path) -> None:
    async def work() -> None:
        async with desk(tmp_path) as at:
            await at.here.meta.workspaces.create(
                Workspace(id=OTHER, name="Other", handle="other", created_at=2),
                Project(
                    id=ELSEWHERE, workspace=OTHER, name="default", start_time=1, created_at=1, modified_at=1
                ),
            )
            experiment, session = await at.began(), uuid4()
            await at.recorder.accept([create(session, workspace=OTHER)], [])
            theirs = await at.evaluations.create(OTHER, NewEvaluation(id=experiment))
            assert await at.sessions.of(MINE, session, str(experiment)) == Belonging(experiment)
            await at.recorder.settle(OTHER)
            assert [run.project_id for run in await at.here.runs(workspace=OTHER)] == [PROJECT]
            assert await at.sessions.of(OTHER, session, str(theirs.project.id)) == Belonging(experiment)
            await at.recorder.settle(OTHER)
            assert [run.project_id for run in await at.here.runs(workspace=OTHER)] == [experiment]
            assert await at.here.runs() == []

    asyncio.run(work())

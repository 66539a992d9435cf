"""Deleting projects on the real embedded stores: unseen at once, freed later, and what happens in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from stenograph.domain.attachments import attachment_key
from stenograph.domain.feedback.configs import FeedbackConfigs
from stenograph.domain.feedback.feedback import FeedbackService
from stenograph.domain.feedback.formulas import FeedbackFormulas
from stenograph.domain.projects.deletion import ProjectDeletion
from stenograph.domain.projects.projects import Projects
from stenograph.domain.recording.ingest import Ingest
from stenograph.domain.recording.recorder import Recorder
from stenograph.domain.runs import RunReader
from stenograph.errors import Invalid, NotFound, StoreUnavailable
from stenograph.model.projects import NewProject
from stenograph.model.query import FeedbackQuery, RunQuery, RunSelection
from stenograph.model.runs import Attachment
from stenograph.store.blobs import Blobs
from tests.recording import EAGER, MINE, PATIENT, House, create, finish, house, judgement


@dataclass
class Desk:
    """The use-cases around one recorder."""

    recorder: Recorder
    projects: Projects
    deletion: ProjectDeletion
    reader: RunReader
    feedback: FeedbackService
    ingest: Ingest
    blobs: Blobs

    async def project(self, name: str) -> UUID:
        return (await self.projects.create(MINE, NewProject(name=name))).id

    async def run(self, project: UUID, file: bool = False) -> UUID:
        """A finished run, with a file perhaps."""
        run = uuid4()
        files = [Attachment("note", "text/plain", 5)] if file else None
        if file:
            await self.blobs.put(attachment_key(MINE, run, "note"), b"words")
        await self.recorder.accept([create(run, project_id=project, attachments=files), finish(run)], [])
        return run

    async def has_file(self, run: UUID) -> bool:
        try:
            await self.blobs.get(attachment_key(MINE, run, "note"))
        except NotFound:
            return False
        return True

    async def seen(self, run: UUID) -> bool:
        """Whether any way of asking for this run finds it; all have to agree."""
        by_id = RunSelection(workspace=MINE, ids=(run,))
        by_trace = RunSelection(workspace=MINE, traces=(run,))
        everywhere = RunSelection(workspace=MINE)
        found = {
            bool(await self.reader.page(RunQuery(selection=by_id, columns=frozenset({"name"})))),
            bool(await self.reader.page(RunQuery(selection=by_trace, columns=frozenset({"inputs"})))),
            run
            in {
                each.id
                for each in await self.reader.page(RunQuery(selection=everywhere, columns=frozenset()))
            },
            bool(await self.reader.stats(by_id)),
        }
        assert len(found) == 1
        return found.pop()

    async def judgements(self, run: UUID) -> int:
        return len(await self.feedback.page(FeedbackQuery(workspace=MINE, runs=(run,))))


@asynccontextmanager
async def desk(here: House, patience: float = 30, patient: bool = False) -> AsyncIterator[Desk]:
    async with here.recorder(PATIENT if patient else EAGER) as recorder:
        blobs = Blobs.open(f"file://{here.folder / 'blobs'}")
        projects = Projects(here.meta)
        store = here.store
        deletion = ProjectDeletion(
            here.meta,
            projects,
            store,
            recorder,
            blobs,
            patience=patience,
        )
        await deletion.start()
        try:
            yield Desk(
                recorder,
                projects,
                deletion,
                RunReader(store, recorder, blobs, FeedbackFormulas(here.meta), here.metrics),
                FeedbackService(store, recorder, FeedbackConfigs(here.meta), here.metrics),
                Ingest(recorder, store, projects, here.files(recorder), max_runs_per_trace=0),
                blobs,
            )
        finally:
            await deletion.stop()


def on_house(folder: Path, work: Callable[[House], Awaitable[None]]) -> None:
    async def session() -> None:
        async with house(folder) as here:
            await work(here)

    asyncio.run(session())


class Gate:
    """Stands in for the store's drop_projects: waits to be opened, then does it."""

    def __init__(self, here: House) -> None:
        self.reached = asyncio.Event()
        self.open = asyncio.Event()
        self._real = here.store.real
        here.store.drop_projects = self.drop  # type: ignore[attr-defined]

    async def drop(self, workspace: UUID, projects: list[UUID]) -> None:
        self.reached.set()
        await self.open.wait()
        await self._real.drop_projects(workspace, projects)


@pytest.mark.parametrize("patient", [False, True])
def test_everything_of_a_project_goes_and_nothing_else(tmp_path: Path, patient: bool) -> None:
    """`patient`: what was acknowledged is still in memory when the deletion begins."""

    async def work(here: House) -> None:
        async with desk(here, patient=patient) as at:
            gone, kept = await at.project("gone"), await at.project("kept")
            lost, spared = await at.run(gone, file=True), await at.run(kept, file=True)
            given = [judgement(lost), judgement(spared), judgement(None, project_id=gone)]  # type: ignore[arg-type]
            await at.recorder.accept([], given)

            deleted = await at.deletion.delete(MINE, [gone, uuid4()])

            assert (deleted.projects, deleted.freed) == ((gone,), True)
            assert not await at.seen(lost)
            assert await at.seen(spared)
            assert (await at.has_file(lost), await at.has_file(spared)) == (False, True)
            assert [item.run_id for item in await here.feedback()] == [spared]
            assert await here.store.real.projects_with_rows([gone, kept]) == {(MINE, kept)}

    on_house(tmp_path, work)


def test_it_is_unseen_while_its_rows_are_still_there(tmp_path: Path) -> None:
    async def work(here: House) -> None:
        async with desk(here, patience=0) as at:
            gone = await at.project("gone")
            run = await at.run(gone)
            await at.recorder.accept([], [judgement(run), judgement(None, project_id=gone)])  # type: ignore[arg-type]
            assert (await at.seen(run), await at.judgements(run)) == (True, 1)
            gate = Gate(here)

            deleted = await at.deletion.delete(MINE, [gone])
            await gate.reached.wait()

            assert not deleted.freed
            assert (MINE, gone) in await here.store.real.projects_with_rows([gone])
            assert (await at.seen(run), await at.judgements(run)) == (False, 0)
            assert await at.feedback.page(FeedbackQuery(workspace=MINE)) == []
            assert await at.project("gone") != gone

            gate.open.set()
            while at.recorder.deleted.dropping(MINE):
                await asyncio.sleep(0)
            assert await here.store.real.projects_with_rows([gone]) == set()
            assert not await at.seen(run)

    on_house(tmp_path, work)


def test_what_was_on_its_way_is_let_go(tmp_path: Path) -> None:
    """A request that had found its project before it was deleted, and records after it."""

    async def work(here: House) -> None:
        async with desk(here) as at:
            gone, kept = await at.project("gone"), await at.project("kept")
            await at.run(gone)
            await at.deletion.delete(MINE, [gone])

            late, other = await at.run(gone), await at.run(kept)
            await at.recorder.accept([], [judgement(None, project_id=gone)])  # type: ignore[arg-type]

            assert (await at.seen(late), await at.seen(other)) == (False, True)
            assert await here.feedback() == []
            assert await here.store.real.projects_with_rows([gone]) == set()
            with pytest.raises(Invalid, match=str(gone)):
                at.ingest.admit(create(uuid4(), project_id=gone))

    on_house(tmp_path, work)


def test_an_update_of_a_deleted_run_brings_nothing_back(tmp_path: Path) -> None:
    async def work(here: House) -> None:
        async with desk(here) as at:
            gone = await at.project("gone")
            run = uuid4()
            await at.recorder.accept([create(run, project_id=gone)], [])
            await at.recorder.settle(MINE)
            await at.deletion.delete(MINE, [gone])
            await at.recorder.accept([finish(run)], [])
            assert not await at.seen(run)

    on_house(tmp_path, work)


def test_it_is_tried_again_when_the_store_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(here: House) -> None:
        async with desk(here) as at:
            gone = await at.project("gone")
            run = await at.run(gone)
            tries = 0

            async def fail_once(workspace: UUID, projects: list[UUID]) -> None:
                nonlocal tries
                tries += 1
                if tries == 1:
                    raise StoreUnavailable
                await here.store.real.drop_projects(workspace, projects)

            here.store.drop_projects = fail_once  # type: ignore[attr-defined]
            deleted = await at.deletion.delete(MINE, [gone])
            assert (deleted.freed, tries) == (True, 2)
            assert not await at.seen(run)

    monkeypatch.setattr("stenograph.domain.projects.deletion.FIRST_PAUSE", 0.0)
    on_house(tmp_path, work)


def test_what_a_stop_cut_short_is_taken_up(tmp_path: Path) -> None:
    async def work(here: House) -> None:
        async with desk(here, patience=0) as at:
            gone = await at.project("gone")
            run = await at.run(gone, file=True)
            gate = Gate(here)
            await at.deletion.delete(MINE, [gone])
            await gate.reached.wait()
        async with desk(here, patience=0) as at:
            assert not await at.seen(run)
            gate.open.set()
            while at.recorder.deleted.dropping(MINE):
                await asyncio.sleep(0)
            assert await here.store.real.projects_with_rows([gone]) == set()
            assert not await at.has_file(run)
            with pytest.raises(Invalid):
                at.ingest.admit(create(uuid4(), project_id=gone))

    on_house(tmp_path, work)


def test_unknown_projects(tmp_path: Path) -> None:
    async def work(here: House) -> None:
        async with desk(here) as at:
            for unknown in ([uuid4()], [uuid4(), uuid4()]):
                with pytest.raises(NotFound):
                    await at.deletion.delete(MINE, unknown)

    on_house(tmp_path, work)

"""Dead letters replayed and discarded: what is stored then, and what is left alone."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

import msgspec
import pytest

from stenograph.domain.attachments import attachment_key
from stenograph.domain.recording.dead_letters import DeadLetters, Outcome, folded
from stenograph.domain.recording.recorder import Recorder
from stenograph.domain.unclaimed_files import UnclaimedFiles
from stenograph.errors import Forbidden, NotFound, StoreUnavailable
from stenograph.model.access import DEFAULT_WORKSPACE, Caller, Role
from stenograph.model.dead_letters import UNREADABLE, DeadLetter
from stenograph.model.feedback import Feedback
from stenograph.model.query import RunSelection
from stenograph.model.runs import Attachment, RunPatch, merge
from stenograph.store.api import RejectedRows
from tests.recording import (
    EAGER,
    MINE,
    OTHER,
    PATIENT,
    PROJECT,
    START,
    House,
    create,
    finish,
    judgement,
    patch,
)

OnHouse = Callable[..., None]
OPERATOR = Caller(DEFAULT_WORKSPACE, Role.ADMIN)
STRANGER = Caller(OTHER, Role.ADMIN)
"""Of the other workspace, which is not the default one."""


def letters(here: House, to: Recorder, files: UnclaimedFiles | None = None) -> DeadLetters:
    return DeadLetters(here.meta, here.store, to, files or here.files(to))


def letter_of(*items: RunPatch | Feedback, workspace: UUID = MINE) -> DeadLetter:
    """As the batch writer buries what the run store refused."""
    kind = "run" if isinstance(items[0], RunPatch) else "feedback"
    return DeadLetter(
        id=uuid4(),
        workspace=workspace,
        kind=kind,
        subject_id=items[0].id,
        reason="bad row",
        record=msgspec.msgpack.encode(list(items)),
        created_at=START,
    )


def refuse(here: House) -> None:
    here.store.fail_with(
        RejectedRows("bad row"), lambda rows: any(not row.deleted for row in rows) or not rows
    )


def test_what_was_refused_is_stored_once_the_reason_is_gone(on_house: OnHouse) -> None:
    async def work(here: House) -> None:
        run = uuid4()
        async with here.recorder() as to:
            refuse(here)
            given = judgement(run)
            await to.accept([create(run), finish(run)], [given])
            await to.settle(MINE)
            desk = letters(here, to)
            waiting = await desk.find(OPERATOR)
            assert sorted(note.kind for note in waiting) == ["feedback", "run"]
            assert await here.runs() == []
            here.store.before = None
            done = await desk.replay(OPERATOR, [note.id for note in waiting])
            assert [(one.id, one.outcome, one.reason) for one in done] == [
                (note.id, Outcome.STORED, None) for note in waiting
            ]
            [stored] = await here.runs()
            assert (stored.inputs, stored.outputs, stored.status) == (b'{"q":1}', b'{"a":2}', "success")
            [found] = await here.feedback()
            assert (found.id, found.run_id, found.home) == (given.id, run, PROJECT)
            assert await desk.find(OPERATOR) == []
            assert len(await desk.find(OPERATOR, replayed=True)) == 2
            again = await desk.replay(OPERATOR, [waiting[0].id])
            assert [one.outcome for one in again] == [Outcome.REPLAYED]

    on_house(work)


def test_what_is_refused_again_waits_with_its_new_reason(on_house: OnHouse) -> None:
    async def work(here: House) -> None:
        run = uuid4()
        old = letter_of(create(run))
        await here.meta.dead_letters.bury([old])
        async with here.recorder() as to:
            here.store.fail_with(RejectedRows("still bad"))
            desk = letters(here, to)
            [one] = await desk.replay(OPERATOR, [old.id])
            [note] = await desk.find(OPERATOR, replayed=None)
            assert (one.outcome, one.successor) == (Outcome.REFUSED, note.id)
            assert "still bad" in (one.reason or "")
            assert note.subject_id == run
            assert note.id != old.id
            here.store.before = None
            assert [one.outcome for one in await desk.replay(OPERATOR, [note.id])] == [Outcome.STORED]
            assert [stored.id for stored in await here.runs()] == [run]

    on_house(work)


def test_a_letter_replaces_nothing_that_was_said_since(on_house: OnHouse) -> None:
    async def work(here: House) -> None:
        run = uuid4()
        old = letter_of(create(run, tags=["old"]), patch(run, error="old", outputs=b'{"a":"old"}'))
        async with here.recorder() as to:
            await to.accept([finish(run)], [])
            await to.settle(MINE)
            await here.meta.dead_letters.bury([old])
            desk = letters(here, to)
            assert [one.outcome for one in await desk.replay(OPERATOR, [old.id])] == [Outcome.STORED]
            [stored] = await here.runs()
            assert stored.outputs == b'{"a":2}'
            assert (stored.inputs, stored.tags, stored.error) == (b'{"q":1}', ["old"], "old")

    on_house(work)


def test_newer_feedback_stands(on_house: OnHouse) -> None:
    async def work(here: House) -> None:
        run, given = uuid4(), uuid4()
        old = letter_of(judgement(run, given, score=0.0, version=1))
        await here.meta.dead_letters.bury([old])
        async with here.recorder() as to:
            await to.accept([create(run)], [judgement(run, given, score=1.0)])
            desk = letters(here, to)
            assert [one.outcome for one in await desk.replay(OPERATOR, [old.id])] == [Outcome.SUPERSEDED]
            assert [each.score for each in await here.feedback()] == [1.0]

    on_house(work)


def test_what_was_deleted_since_stays_deleted(on_house: OnHouse) -> None:
    async def work(here: House) -> None:
        run, closed = uuid4(), uuid4()
        of_run, of_project = letter_of(create(run)), letter_of(create(uuid4(), project_id=closed))
        await here.meta.dead_letters.bury([of_run, of_project])
        async with here.recorder() as to:
            await to.accept([create(run)], [])
            await to.settle(MINE)
            await to.delete(RunSelection(workspace=MINE, ids=(run,)))
            to.deleted.add(MINE, [closed], rows_left=False)
            done = await letters(here, to).replay(OPERATOR, [of_run.id, of_project.id])
            assert [one.outcome for one in done] == [Outcome.DELETED, Outcome.DELETED]
            assert await here.runs() == []
            assert await here.meta.dead_letters.count(MINE) == 2

    on_house(work)


def test_a_record_that_nobody_could_read_is_the_operators(on_house: OnHouse) -> None:
    async def work(here: House) -> None:
        run = uuid4()
        readable = msgspec.msgpack.encode([create(run), judgement(run)])
        bad, good = (
            msgspec.structs.replace(
                letter_of(create(run), workspace=UNREADABLE), id=uuid4(), kind="record", record=record
            )
            for record in (b"\xc1", readable)
        )
        await here.meta.dead_letters.bury([bad, good])
        async with here.recorder() as to:
            desk = letters(here, to)
            assert await desk.find(STRANGER) == []
            with pytest.raises(NotFound):
                await desk.read(STRANGER, bad.id)
            unknown = await desk.replay(STRANGER, [good.id])
            assert [one.outcome for one in unknown] == [Outcome.UNKNOWN]
            assert {note.id for note in await desk.find(OPERATOR)} == {bad.id, good.id}
            done = await desk.replay(OPERATOR, [bad.id, good.id])
            assert [one.outcome for one in done] == [Outcome.UNREADABLE, Outcome.STORED]
            assert len(await here.runs()) == len(await here.feedback()) == 1

    on_house(work)


def test_while_the_run_store_is_away_nothing_is_lost(on_house: OnHouse) -> None:
    async def work(here: House) -> None:
        run, waiting = uuid4(), uuid4()
        old = letter_of(create(run))
        await here.meta.dead_letters.bury([old])
        async with here.recorder(EAGER) as to:
            desk = letters(here, to)
            here.store.fail_with(StoreUnavailable("away"))
            [one] = await desk.replay(OPERATOR, [old.id])
            assert (one.outcome, one.reason) == (Outcome.ACCEPTED, "away")
            second = letter_of(create(waiting))
            await here.meta.dead_letters.bury([second])
            with pytest.raises(StoreUnavailable):  # nothing is done while it is known to be away
                await desk.replay(OPERATOR, [second.id])
            assert [note.id for note in await desk.find(OPERATOR)] == [second.id]
            here.store.before = None
            await to.settle(MINE)
            assert [stored.id for stored in await here.runs()] == [run]

    on_house(work)


def test_files_go_with_a_discarded_letter_unless_a_run_names_them(on_house: OnHouse) -> None:
    async def work(here: House) -> None:
        gone, kept = uuid4(), uuid4()
        with_file = [
            msgspec.structs.replace(create(run), attachments=[Attachment("f", "text/plain", 1)])
            for run in (gone, kept)
        ]
        discarded = [letter_of(each) for each in with_file]
        await here.meta.dead_letters.bury(discarded)
        async with here.recorder(PATIENT) as to:
            files = here.files(to)
            for run in (gone, kept):
                key = attachment_key(MINE, run, "f")
                async with files.storing({key}):
                    await files.put(key, b"x")
            await to.accept([with_file[1]], [])
            assert await files.sweep() == 0
            desk = letters(here, to, files)
            ids = [each.id for each in discarded]
            assert await desk.discard(OPERATOR, [*ids, uuid4()]) == 2
            assert await desk.discard(OPERATOR, ids) == 0
            assert await files.sweep() == 1
            left = [path for path in (here.folder / "blobs").rglob("*") if path.is_file()]
            assert [str(kept) in str(path) for path in left] == [True]

    on_house(work)


def test_workspaces_and_roles(on_house: OnHouse) -> None:
    async def work(here: House) -> None:
        mine = letter_of(create(uuid4()))
        theirs = letter_of(create(uuid4(), workspace=OTHER), workspace=OTHER)
        await here.meta.dead_letters.bury([mine, theirs])
        async with here.recorder() as to:
            desk = letters(here, to)
            assert [note.id for note in await desk.find(STRANGER)] == [theirs.id]
            assert await desk.read(STRANGER, theirs.id) == theirs
            assert await desk.discard(STRANGER, [mine.id]) == 0
            assert [one.outcome for one in await desk.replay(STRANGER, [mine.id])] == [Outcome.UNKNOWN]
            assert await here.meta.dead_letters.page(MINE) == [mine]
            for role in (Role.INGEST, Role.READ, Role.WRITE):
                for workspace in (MINE, OTHER):
                    with pytest.raises(Forbidden):
                        await desk.find(Caller(workspace, role))
            assert [one.outcome for one in await desk.replay(OPERATOR, [theirs.id])] == [Outcome.STORED]
            assert [run.id for run in await here.runs(workspace=OTHER)] == [theirs.subject_id]

    on_house(work)


def test_a_fold_says_what_its_patches_said() -> None:
    run = uuid4()
    said = [
        create(run, extra=b'{"metadata":{"a":1}}'),
        patch(run, extra=b'{"metadata":{"b":2}}', merges=True, attachments=[Attachment("f", "t", 1)]),
        finish(run),
    ]
    [one] = folded(said)
    assert one.create
    before, after = merge(None, said), merge(None, [one])
    assert {name: getattr(after, name) for name in after.__slots__} == {
        name: getattr(before, name) for name in before.__slots__
    }
    assert [each.id for each in folded([*said, create(run), create(MINE)])] == [run, MINE]

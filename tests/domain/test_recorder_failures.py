"""The recorder when runs are deleted, when the store fails, and at the end: nothing lost, nothing doubled."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from stenograph.domain.recording import batch_writer as module
from stenograph.domain.recording.derive import derive
from stenograph.errors import InboxFull, StoreUnavailable
from stenograph.model.feedback import Feedback
from stenograph.model.query import RunSelection
from stenograph.model.runs import Run, RunPatch
from stenograph.store.api import RejectedRows
from tests.recording import (
    EAGER,
    ELSEWHERE,
    MINE,
    PATIENT,
    PROJECT,
    START,
    House,
    create,
    finish,
    judgement,
    patch,
    whole,
)

# ---- deletion --------------------------------------------------------------------------------------------


def test_a_late_update_does_not_bring_a_deleted_run_back(on_house) -> None:
    async def work(here: House) -> None:
        run, other = uuid4(), uuid4()
        async with here.recorder(PATIENT) as to:
            await to.accept([create(run), create(other)], [judgement(run)])
            await to.settle(MINE)
            assert await to.delete(RunSelection(workspace=MINE, ids=(run,))) == [run]
            await to.accept([finish(run), finish(other)], [])
            await to.settle(MINE)
            assert [stored.id for stored in await here.runs()] == [other]
            assert await here.feedback() == []
            assert here.inbox_bytes() == 0

    on_house(work)


def test_an_update_that_waits_while_its_run_is_deleted_does_not_bring_it_back(on_house) -> None:
    async def work(here: House) -> None:
        run = uuid4()
        async with here.recorder(PATIENT) as to:
            await to.accept([create(run)], [])
            await to.settle(MINE)
            await to.accept([finish(run)], [])  # its base is in memory
            await to.delete(RunSelection(workspace=MINE, ids=(run,)))
            await to.settle(MINE)
            assert await here.runs() == []

    on_house(work)


def test_a_deletion_waits_for_the_write_that_is_under_way(on_house) -> None:
    async def work(here: House) -> None:
        run = uuid4()
        writing, go = asyncio.Event(), asyncio.Event()

        async def wait(runs: Sequence[Run], feedback: Sequence[Feedback]) -> None:
            if runs and not runs[0].deleted:
                writing.set()
                await go.wait()

        async with here.recorder(PATIENT) as to:
            await to.accept([create(run)], [])
            await to.settle(MINE)
            here.store.before = wait
            await to.accept([finish(run)], [])
            reading = asyncio.create_task(to.settle(MINE))
            await writing.wait()
            deleting = asyncio.create_task(to.delete(RunSelection(workspace=MINE, ids=(run,))))
            await asyncio.sleep(0)
            go.set()
            await reading
            assert await deleting == [run]
            assert await here.runs() == []

    on_house(work)


def test_a_replay_after_a_crash_does_not_bring_a_deleted_run_back(on_house) -> None:
    """The records of the run are still in the inbox, held by another run of the same file."""

    async def work(here: House) -> None:
        run, open_one = uuid4(), uuid4()
        async with here.recorder(PATIENT) as to:
            await to.accept([create(run)], [])
            await to.settle(MINE)
            await to.accept([create(open_one)], [])
            await to.accept([finish(run, project_id=ELSEWHERE)], [])
            await to.settle(MINE)
            here.store.fail_with(StoreUnavailable("cut"), lambda rows: not rows[0].deleted)
            await to.accept([create(uuid4())], [])  # keeps the file
            await to.delete(RunSelection(workspace=MINE, ids=(run,)))
            await to.accept([patch(run, error="late")], [])
            await here.crash(to)
        here.store.before = None
        async with here.recorder(PATIENT) as to:
            await to.settle(MINE)
            assert run not in [stored.id for stored in await here.runs()]
            assert len(await here.runs()) == 2

    on_house(work)


def test_a_run_may_be_created_again_after_its_deletion(on_house) -> None:
    async def work(here: House) -> None:
        run = uuid4()
        async with here.recorder() as to:
            await to.accept([create(run, tags=["old"]), finish(run, error="old")], [])
            await to.settle(MINE)
            await to.delete(RunSelection(workspace=MINE, ids=(run,)))
            await to.accept([create(run, project_id=ELSEWHERE)], [])
            await to.accept([finish(run)], [])
            await to.settle(MINE)
            [stored] = await here.runs()
            assert (stored.project_id, stored.error, stored.tags) == (ELSEWHERE, None, [])
            assert whole(stored)

    on_house(work)


def test_a_deletion_takes_effect_when_the_clock_has_been_set_back(
    on_house, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(here: House) -> None:
        run, again = uuid4(), uuid4()
        async with here.recorder() as to:
            await to.accept([create(run), finish(run)], [])
            await to.settle(MINE)
            monkeypatch.setattr(time, "time_ns", lambda: START * 1000)
            assert await to.delete(RunSelection(workspace=MINE, ids=(run,))) == [run]
            await to.accept([create(again), finish(again)], [])
            await to.settle(MINE)
            await to.accept([create(run)], [])
            await to.settle(MINE)
        assert {stored.id for stored in await here.runs()} == {run, again}

    on_house(work)


# ---- a store that fails ----------------------------------------------------------------------------------


def test_a_store_that_is_away_for_a_while_loses_nothing(on_house) -> None:
    async def work(here: House) -> None:
        here.store.fail_with(StoreUnavailable("away"))
        runs = [uuid4() for _ in range(20)]
        async with here.recorder() as to:
            for run in runs:
                await to.accept([create(run)], [judgement(run)])
                await to.accept([finish(run)], [])
            with pytest.raises(StoreUnavailable, match="away"):
                await to.settle(MINE)
            assert await here.runs() == []
            here.store.before = None
            await to.settle(MINE)
            stored = await here.runs()
            assert sorted(run.id for run in stored) == sorted(runs)
            assert all(map(whole, stored))
            assert len(await here.feedback()) == 20
            assert here.inbox_bytes() == 0

    on_house(work)


def test_a_batch_that_is_too_much_for_the_engine_is_tried_smaller(on_house) -> None:
    async def work(here: House) -> None:
        stored = asyncio.Event()

        async def limited(rows: Sequence[Run], feedback: Sequence[Feedback]) -> None:
            if len(rows) > 4:
                raise StoreUnavailable("memory limit")
            if sum(len(written) for written, _ in here.store.writes) + len(rows) == 50:
                stored.set()

        here.store.before = limited
        async with here.recorder(replace(EAGER, flush_runs=10)) as to:
            runs = [uuid4() for _ in range(50)]
            await to.accept([each for run in runs for each in (create(run), finish(run))], [])
            async with asyncio.timeout(30):
                await stored.wait()
        assert len(await here.runs()) == 50

    on_house(work)


def test_a_row_that_is_refused_becomes_a_dead_letter_and_the_others_are_stored(on_house) -> None:
    async def work(here: House) -> None:
        runs = [uuid4() for _ in range(9)]
        bad = runs[4]
        here.store.fail_with(RejectedRows("bad row"), lambda rows: any(row.id == bad for row in rows))
        async with here.recorder(PATIENT) as to:
            await to.accept([create(run) for run in runs], [judgement(run) for run in runs])
            await to.accept([finish(run) for run in runs], [])
            await to.settle(MINE)
            assert sorted(run.id for run in await here.runs()) == sorted(set(runs) - {bad})
            assert len(await here.feedback()) == 9
            [letter] = await here.meta.dead_letters.page(MINE)
            assert (letter.subject_id, letter.kind, letter.reason) == (bad, "run", "bad row")
            # As it stood in the inbox, so that it can be sent in again once the reason is gone.
            here.store.before = None
            await to.accept(msgspec.msgpack.decode(letter.record, type=list[RunPatch]), [])
            await to.settle(MINE)
            assert whole(*await here.runs(bad))
            assert here.inbox_bytes() == 0

    on_house(work)


def test_feedback_that_is_refused_becomes_a_dead_letter(on_house) -> None:
    async def work(here: House) -> None:
        run, bad = uuid4(), uuid4()

        async def refuse(rows: Sequence[Run], feedback: Sequence[Feedback]) -> None:
            if any(item.id == bad for item in feedback):
                raise RejectedRows("bad row")

        here.store.before = refuse
        async with here.recorder(PATIENT) as to:
            await to.accept([create(run)], [judgement(run), judgement(run, bad), judgement(run)])
            await to.settle(MINE)
        assert len(await here.runs()) == 1
        assert len(await here.feedback()) == 2
        [letter] = await here.meta.dead_letters.page(MINE)
        [record] = msgspec.msgpack.decode(letter.record, type=list[Feedback])
        assert (letter.kind, record.id) == ("feedback", bad)

    on_house(work)


def test_a_row_that_no_column_can_hold_does_not_hold_up_the_others(on_house, monkeypatch) -> None:
    async def work(here: House) -> None:
        runs = [uuid4(), uuid4()]

        def overflowing(facts: Any, *rest: Any) -> Run:
            row = derive(facts, *rest)
            return msgspec.structs.replace(row, end_time=2**70) if facts.id == runs[0] else row

        monkeypatch.setattr(module, "derive", overflowing)
        async with here.recorder(PATIENT) as to:
            await to.accept([create(run) for run in runs], [])
            await to.settle(MINE)
        assert [stored.id for stored in await here.runs()] == runs[1:]
        assert [letter.subject_id for letter in await here.meta.dead_letters.page(MINE)] == runs[:1]

    on_house(work)


def test_a_refused_update_that_moves_its_run_leaves_the_stored_row_alone(on_house) -> None:
    async def work(here: House) -> None:
        run = uuid4()
        async with here.recorder(PATIENT) as to:
            await to.accept([create(run)], [])
            await to.settle(MINE)
            here.store.fail_with(RejectedRows("bad row"), lambda rows: any(not row.deleted for row in rows))
            await to.accept([finish(run, project_id=ELSEWHERE)], [])
            await to.settle(MINE)
            here.store.before = None
            [stored] = await here.runs()
            assert (stored.project_id, stored.inputs) == (PROJECT, b'{"q":1}')
            await to.accept([finish(run)], [])
            await to.settle(MINE)
            assert [whole(each) for each in await here.runs()] == [True]

    on_house(work)


def test_a_run_that_cannot_be_derived_becomes_a_dead_letter_once(on_house, monkeypatch) -> None:
    async def work(here: House) -> None:
        runs = [uuid4(), uuid4()]

        def failing(facts: Any, *rest: Any) -> Run:
            if facts.id == runs[0]:
                raise ZeroDivisionError("what a payload")
            return derive(facts, *rest)

        monkeypatch.setattr(module, "derive", failing)
        async with here.recorder(PATIENT) as to:
            await to.accept([create(run) for run in runs], [])
            with monkeypatch.context() as patched:
                # The letter is written, the crash comes before the inbox hears of it.
                patched.setattr(to.pending, "written", _crash)
                with pytest.raises(StoreUnavailable):
                    await to.settle(MINE)
            await here.crash(to)
        async with here.recorder(PATIENT) as to:
            await to.settle(MINE)
            assert [stored.id for stored in await here.runs()] == runs[1:]
            [letter] = await here.meta.dead_letters.page(MINE)
            assert letter.subject_id == runs[0]
            assert "what a payload" in letter.reason
            assert here.inbox_bytes() == 0

    on_house(work)


def _crash(*arguments: object) -> None:
    raise SystemError("crash")


# ---- the end ---------------------------------------------------------------------------------------------


def test_stopping_writes_everything(on_house) -> None:
    async def work(here: House) -> None:
        runs = [uuid4() for _ in range(30)]
        async with here.recorder(replace(PATIENT, pending_bytes=8000)) as to:
            for run in runs:
                await to.accept([create(run)], [judgement(run)])
        assert sorted(run.id for run in await here.runs()) == sorted(runs)
        assert len(await here.feedback()) == 30
        assert here.inbox_bytes() == 0

    on_house(work)


@pytest.mark.parametrize("error", [StoreUnavailable("away"), KeyError("a bug of ours")])
def test_stopping_without_a_store_leaves_it_to_the_next_start(on_house, error: Exception) -> None:
    async def work(here: House) -> None:
        run = uuid4()
        here.store.fail_with(error)
        async with here.recorder(PATIENT) as to:
            await to.accept([create(run)], [judgement(run)])
            await to.accept([finish(run)], [])
            async with asyncio.timeout(20):
                await to.stop()
        here.store.before = None
        async with here.recorder(PATIENT) as to:
            assert await here.runs() == []
            await to.settle(MINE)
            assert whole(*await here.runs())
            assert len(await here.feedback()) == 1

    on_house(work)


def test_a_crash_and_a_replay_double_nothing(on_house) -> None:
    """Stored, and the inbox has not heard of it: every row is written over again, to no effect."""

    async def work(here: House) -> None:
        runs = [uuid4() for _ in range(10)]
        async with here.recorder(PATIENT) as to:
            for run in runs:
                await to.accept([create(run)], [judgement(run)])
                await to.accept([finish(run)], [])
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(to.pending, "written", _crash)
                with pytest.raises(StoreUnavailable):
                    await to.settle(MINE)
            await here.crash(to)
        before = await here.runs()
        assert len(before) == 10
        async with here.recorder(PATIENT) as to:
            await to.settle(MINE)
            assert await here.runs() == before
            assert len(await here.feedback()) == 10
            assert here.inbox_bytes() == 0

    on_house(work)


def test_a_full_inbox_refuses_and_keeps_nothing_of_it(on_house) -> None:
    async def work(here: House) -> None:
        here.store.fail_with(StoreUnavailable("away"))
        taken, refused = [], 0
        async with here.recorder(PATIENT, max_bytes=3000) as to:
            for _ in range(30):
                run = uuid4()
                try:
                    await to.accept([create(run)], [])
                    taken.append(run)
                except InboxFull:
                    refused += 1
            assert refused
            here.store.before = None
            await to.settle(MINE)
            assert sorted(stored.id for stored in await here.runs()) == sorted(taken)
            await to.accept([create(uuid4())], [])

    on_house(work)

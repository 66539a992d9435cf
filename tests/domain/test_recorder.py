"""The recorder on the real embedded store: what was acknowledged is stored, once, whatever goes wrong meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from stenograph.domain import recorder as module
from stenograph.domain.derive import derive
from stenograph.errors import InboxFull, StoreUnavailable
from stenograph.model.feedback import Feedback
from stenograph.model.query import RunSelection
from stenograph.model.runs import Attachment, Run, RunPatch
from stenograph.store.api import RejectedRows
from tests.recording import (
    EAGER,
    ELSEWHERE,
    MINE,
    OTHER,
    PATIENT,
    PROJECT,
    SECOND,
    START,
    House,
    create,
    finish,
    house,
    judgement,
    patch,
)

Work = Callable[[House], Awaitable[None]]
WEEK = 7 * 86_400 * SECOND


@pytest.fixture
def on_house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Work], None]:
    monkeypatch.setattr(module, "_PAUSE", 0.01)

    async def session(work: Work) -> None:
        async with house(tmp_path) as made:
            await work(made)

    return lambda work: asyncio.run(session(work))


def whole(run: Run) -> bool:
    return (run.inputs, run.outputs, run.status) == (b'{"q":1}', b'{"a":2}', "success")


# ---- create and update -----------------------------------------------------------------------------------


def test_create_and_update_of_one_flush_are_one_row(on_house) -> None:
    async def work(here: House) -> None:
        run = uuid4()
        async with here.recorder(PATIENT) as to:
            await to.accept([create(run)], [])
            await to.accept([finish(run)], [])
            await to.settle(MINE)
            [stored] = await here.runs()
            assert whole(stored)
            assert [len(rows) for rows, _ in here.store.writes] == [1]
            assert here.inbox_bytes() == 0

    on_house(work)


ORDERS: dict[str, Callable[[UUID], list[RunPatch]]] = {
    "create, update": lambda run: [create(run), finish(run)],
    "update, create": lambda run: [finish(run), create(run)],
    "create again": lambda run: [create(run), finish(run), create(run)],
    "all again": lambda run: [create(run), finish(run), create(run), finish(run)],
    "backwards again": lambda run: [finish(run), create(run), finish(run), create(run)],
    "update in parts": lambda run: [
        patch(run, outputs=b'{"a":2}'),
        patch(run, end_time=START + SECOND),
        create(run),
    ],
    "create with tags last": lambda run: [finish(run), create(run, tags=["kept"])],
}


@pytest.mark.parametrize("settled", [True, False], ids=["settled in between", "together"])
@pytest.mark.parametrize("kept", [2**28, 0], ids=["base in memory", "base from the store"])
def test_any_order_gives_the_same_run(on_house, settled: bool, kept: int) -> None:
    """With and without a read in between, which has the run stored as it stands."""

    async def work(here: House) -> None:
        named = {uuid4(): name for name in ORDERS}
        async with here.recorder(PATIENT) as to:
            to.pending._clean_limit = kept
            for run, name in named.items():
                for each in ORDERS[name](run):
                    await to.accept([each], [])
                    if settled:
                        await to.settle(MINE)
            await to.settle(MINE)
            stored = await here.runs()
            assert {named[run.id] for run in stored if whole(run)} == set(ORDERS)
            assert len(stored) == len(ORDERS)
            assert [run.tags for run in stored if named[run.id] == "create with tags last"] == [["kept"]]
            assert {(run.project_id, run.start_time, run.name) for run in stored} == {
                (PROJECT, START, "step")
            }
            assert here.inbox_bytes() == 0

    on_house(work)


def test_an_update_after_the_finish_changes_only_what_it_states(on_house) -> None:
    async def work(here: House) -> None:
        run, file = uuid4(), Attachment("a.txt", "text/plain", 1)
        async with here.recorder() as to:
            await to.accept([create(run), finish(run, attachments=[file])], [])
            await to.settle(MINE)
            await to.accept([patch(run, error="it broke after all")], [])
            await to.settle(MINE)
            [stored] = await here.runs()
            assert (stored.error, stored.status, stored.outputs) == (
                "it broke after all",
                "error",
                b'{"a":2}',
            )
            assert stored.attachments == [file]

    on_house(work)


def test_a_recorder_that_has_just_started_does_not_take_a_late_update_for_a_new_run(on_house) -> None:
    async def work(here: House) -> None:
        run = uuid4()
        async with here.recorder() as to:
            await to.accept([create(run)], [])
        async with here.recorder() as to:
            await to.accept([finish(run)], [])
        async with here.recorder() as to:
            while not to._seen.ready:
                await asyncio.sleep(0)
            await to.accept([patch(run, error="late")], [])
        [stored] = await here.runs()
        assert (stored.inputs, stored.outputs, stored.error) == (b'{"q":1}', b'{"a":2}', "late")

    on_house(work)


MOVES: dict[str, dict[str, Any]] = {
    "project": {"project_id": ELSEWHERE},
    "start, same week": {"start_time": START + SECOND},
    "start, another week": {"start_time": START + 3 * WEEK},
    "root": {"parent_run_id": UUID(int=77)},
    "all": {"project_id": ELSEWHERE, "start_time": START - 3 * WEEK, "parent_run_id": UUID(int=77)},
}


def test_a_run_that_moves_in_the_table_leaves_one_row(on_house) -> None:
    """Its place is project, root or not, and start; each may be stated late, or changed, and changed back."""

    async def work(here: House) -> None:
        named = {uuid4(): name for name in MOVES}
        async with here.recorder(PATIENT) as to:
            for run in named:
                await to.accept([create(run)], [])
            await to.settle(MINE)
            for run, name in named.items():
                await to.accept([patch(run, **MOVES[name])], [])
            await to.settle(MINE)
            stored = {named[run.id]: run for run in await here.runs()}
            assert len(await here.runs()) == len(MOVES)
            for name, stated in MOVES.items():
                assert {field: getattr(stored[name], field) for field in stated} == stated
                assert stored[name].inputs == b'{"q":1}'
            back: dict[str, Any] = {"project_id": PROJECT, "start_time": START}
            await to.accept([patch(run, **back) for run in named], [])
            await to.settle(MINE)
            again = await here.runs()
            assert sorted(run.id for run in again) == sorted(named)
            assert {(run.project_id, run.start_time) for run in again} == {(PROJECT, START)}

    on_house(work)


@pytest.mark.parametrize("name", MOVES)
def test_a_crash_in_the_middle_of_a_move_leaves_one_row(on_house, name: str) -> None:
    """The row in the new place is written and the tombstone in the old one is not: the replay makes up for it."""

    async def work(here: House) -> None:
        run = uuid4()
        async with here.recorder(PATIENT) as to:
            await to.accept([create(run)], [])
            await to.settle(MINE)
            here.store.fail_with(StoreUnavailable("cut"), lambda rows: any(row.deleted for row in rows))
            await to.accept([finish(run, **MOVES[name])], [])
            with pytest.raises(StoreUnavailable):
                await to.settle(MINE)
            assert len(await here.runs(run)) == 2  # what the crash leaves
            await here.crash(to)
        here.store.before = None
        async with here.recorder(PATIENT) as to:
            await to.settle(MINE)
            [stored] = await here.runs()
            assert whole(stored)
            assert {field: getattr(stored, field) for field in MOVES[name]} == MOVES[name]
            assert here.inbox_bytes() == 0

    on_house(work)


def test_ids_of_two_workspaces_do_not_meet(on_house) -> None:
    async def work(here: House) -> None:
        run = uuid4()
        async with here.recorder() as to:
            await to.accept([create(run), create(run, workspace=OTHER, inputs=b'{"q":"other"}')], [])
            await to.settle(MINE)
            await to.accept([finish(run), finish(run, workspace=OTHER, outputs=b'{"a":"other"}')], [])
            await to.settle(MINE)
            await to.settle(OTHER)
        [mine], [other] = await here.runs(), await here.runs(workspace=OTHER)
        assert whole(mine)
        assert (other.inputs, other.outputs) == (b'{"q":"other"}', b'{"a":"other"}')

    on_house(work)


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


# ---- feedback --------------------------------------------------------------------------------------------


def test_of_versions_of_feedback_the_last_wins_and_stays_one(on_house) -> None:
    async def work(here: House) -> None:
        run, judged = uuid4(), uuid4()
        async with here.recorder(PATIENT) as to:
            await to.accept([], [judgement(run, judged, score=0.0)])
            await to.accept([create(run)], [judgement(run, judged, score=0.5)])
            await to.settle(MINE)
            await to.accept([], [judgement(run, judged, score=1.0), judgement(run)])
            await to.settle(MINE)
            found = await here.feedback()
            assert sorted((item.score is None, item.score) for item in found) == [(False, 1.0), (True, None)]
            await to.accept([], [judgement(run, judged, deleted=True)])
            await to.settle(MINE)
            assert [item.score for item in await here.feedback()] == [None]

    on_house(work)


def test_replayed_feedback_keeps_its_version(on_house) -> None:
    async def work(here: House) -> None:
        run, judged = uuid4(), uuid4()
        async with here.recorder(PATIENT) as to:
            await to.accept([], [judgement(run, judged, score=0.0)])
            await to.accept([], [judgement(run, judged, score=1.0)])
            await to.accept([], [judgement(run, score=0.25)])
            await here.crash(to)
        for _ in range(2):
            async with here.recorder(PATIENT) as to:
                await to.settle(MINE)
                assert sorted(item.score or 0 for item in await here.feedback()) == [0.25, 1.0]

    on_house(work)


# ---- backlog ---------------------------------------------------------------------------------------------


def test_more_than_memory_holds_is_read_back_in_order_and_whole(on_house) -> None:
    async def work(here: House) -> None:
        runs = [uuid4() for _ in range(120)]
        tight = replace(EAGER, flush_runs=10, pending_bytes=8000)
        stalled = asyncio.Event()

        async def wait(rows: Sequence[Run], feedback: Sequence[Feedback]) -> None:
            await stalled.wait()

        here.store.before = wait
        async with here.recorder(tight, segment_bytes=4000) as to:
            for run in runs:
                await to.accept([create(run)], [judgement(run)])
            for run in runs:
                await to.accept([patch(run, name="first", outputs=b'"wrong"')], [])
            for run in runs:
                await to.accept([finish(run, name="last")], [])
            assert len(to._backlog) > 200
            assert to.pending.bytes < 2 * tight.pending_bytes
            stalled.set()
            await to.settle(MINE)
            stored = await here.runs()
            assert sorted(run.id for run in stored) == sorted(runs)
            assert all(whole(run) and run.name == "last" for run in stored)
            assert len(await here.feedback()) == len(runs)
            assert here.inbox_bytes() == 0

    on_house(work)


def test_a_backlog_of_open_runs_goes_on_without_a_reader(on_house) -> None:
    async def work(here: House) -> None:
        tight = replace(PATIENT, flush_seconds=0.01, pending_bytes=8000)
        async with here.recorder(PATIENT) as to:
            for _ in range(40):
                await to.accept([create(uuid4())], [])
            await here.crash(to)
        nearly_read = asyncio.Event()

        async def wait(rows: Sequence[Run], feedback: Sequence[Feedback]) -> None:
            if len(to._backlog) <= 10:
                nearly_read.set()

        here.store.before = wait
        async with here.recorder(tight) as to, asyncio.timeout(20):
            await nearly_read.wait()
        assert len(await here.runs()) == 40

    on_house(work)


def test_a_record_that_cannot_be_read_back_now_is_not_forgotten(
    on_house, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(here: House) -> None:
        run = uuid4()
        async with here.recorder(PATIENT) as to:
            await to.accept([create(run)], [])
            await here.crash(to)
        async with here.recorder(PATIENT) as to:
            with monkeypatch.context() as patched:
                patched.setattr(to._inbox, "read", _unreadable)
                with pytest.raises(StoreUnavailable, match="not now"):
                    await to.settle(MINE)
            await to.settle(MINE)
            assert [stored.id for stored in await here.runs()] == [run]

    on_house(work)


def _unreadable(entry: object) -> bytes:
    raise StoreUnavailable("not now")


def test_a_record_that_makes_no_sense_becomes_a_dead_letter(on_house) -> None:
    async def work(here: House) -> None:
        run = uuid4()
        async with here.recorder(PATIENT) as to:
            await to._inbox.append(b"\xc1 no msgpack", lambda entry: None)
            await to.accept([create(run)], [])
            await here.crash(to)
        async with here.recorder(PATIENT) as to:
            await to.settle(MINE)
            assert [stored.id for stored in await here.runs()] == [run]
            [letter] = await here.meta.dead_letters.page(UUID(int=0))
            assert (letter.kind, letter.record) == ("record", b"\xc1 no msgpack")
            assert here.inbox_bytes() == 0

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

        def overflowing(facts: Any, version: int, usage: Any) -> Run:
            row = derive(facts, version, usage)
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

        def failing(facts: Any, version: int, usage: Any) -> Run:
            if facts.id == runs[0]:
                raise ZeroDivisionError("what a payload")
            return derive(facts, version, usage)

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


# ---- readers ---------------------------------------------------------------------------------------------


def test_a_reader_is_not_held_up_by_what_comes_after_it(on_house) -> None:
    """Each write lets one more run in: there is always something that is not stored yet."""

    async def work(here: House) -> None:
        first = uuid4()
        async with here.recorder(replace(EAGER, settle_seconds=20)) as to:

            async def another(rows: Sequence[Run], feedback: Sequence[Feedback]) -> None:
                run = uuid4()
                await to.accept([create(run), finish(run)], [])

            here.store.before = another
            await to.accept([create(first)], [])
            await to.settle(MINE)
            assert first in [run.id for run in await here.runs()]
            assert to.pending.unsaved(MINE)
            here.store.before = None

    on_house(work)


def test_a_reader_need_not_wait_until_the_store_is_tried_again(on_house) -> None:
    async def work(here: House) -> None:
        async with here.recorder(PATIENT) as to:
            here.store.fail_with(StoreUnavailable("away"))
            await to.accept([create(uuid4())], [])
            to._pause = 3600
            with pytest.raises(StoreUnavailable):
                await to.settle(MINE)
            here.store.before = None
            async with asyncio.timeout(20):
                await to.settle(MINE)
            assert len(await here.runs()) == 1

    on_house(work)


def test_a_reader_of_a_workspace_with_nothing_pending_does_not_wait(on_house) -> None:
    async def work(here: House) -> None:
        here.store.fail_with(StoreUnavailable("away"))
        async with here.recorder(PATIENT) as to:
            await to.accept([create(uuid4(), workspace=OTHER)], [])
            await to.settle(MINE)
            here.store.before = None

    on_house(work)


def test_a_reader_that_waits_too_long_is_told_to_come_back(on_house) -> None:
    async def work(here: House) -> None:
        go = asyncio.Event()

        async def wait(rows: Sequence[Run], feedback: Sequence[Feedback]) -> None:
            await go.wait()

        here.store.before = wait
        async with here.recorder(replace(PATIENT, settle_seconds=0.01)) as to:
            await to.accept([create(uuid4())], [])
            with pytest.raises(StoreUnavailable, match="still being written") as raised:
                await to.settle(MINE)
            assert raised.value.retry_after == 2
            go.set()
        assert len(await here.runs()) == 1

    on_house(work)


def test_a_reader_that_goes_away_leaves_nothing_behind(on_house) -> None:
    async def work(here: House) -> None:
        async with here.recorder(PATIENT) as to:
            await to.accept([create(uuid4())], [])
            reading = asyncio.create_task(to.settle(MINE))
            await asyncio.sleep(0)
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await to.settle(MINE)
            assert len(await here.runs()) == 1

    on_house(work)


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

"""The recorder on the real embedded store: what was acknowledged is stored, once, whatever goes wrong meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from stenograph.domain.recording import recorder
from stenograph.errors import StoreUnavailable
from stenograph.model.feedback import Feedback
from stenograph.model.runs import Attachment, Run, RunPatch
from stenograph.store import inbox
from stenograph.store.inbox import Entry
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
    judgement,
    patch,
    whole,
)

WEEK = 7 * 86_400 * SECOND


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


class Slow:
    """Stands in for `_scan` of the inbox: each file waits to be let go, and may fail first."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.go = threading.Event(), threading.Semaphore(0)
        self.fail = 0
        self._real = inbox._scan
        monkeypatch.setattr(inbox, "_scan", self)

    def __call__(self, path: Path, number: int) -> tuple[list[Entry], bool]:
        if threading.current_thread() is not threading.main_thread():
            self.reached.set()
            assert self.go.acquire(timeout=60)
            if self.fail:
                self.fail -= 1
                raise OSError("not now")
        return self._real(path, number)


def test_what_is_accepted_while_a_long_inbox_is_read_comes_after_it(
    on_house, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And whoever reads meanwhile sees what was acknowledged by any process, or waits."""

    async def work(here: House) -> None:
        runs = [uuid4() for _ in range(6)]
        async with here.recorder(PATIENT, segment_bytes=1) as to:
            for run in runs:
                await to.accept([create(run, name="old")], [judgement(run)])
            await here.crash(to)
        slow = Slow(monkeypatch)
        slow.fail = 1
        monkeypatch.setattr(recorder, "_PAUSE", 0.01)
        async with here.recorder(PATIENT, segment_bytes=1) as to:
            await asyncio.to_thread(slow.reached.wait)
            for run in runs:
                await to.accept([finish(run, name="new")], [])
            reading = asyncio.create_task(to.settle(MINE))
            for _ in range(100):
                await asyncio.sleep(0)
            assert not reading.done()
            slow.go.release(6)  # one fails: five files and that one again
            await reading
            stored = await here.runs()
            assert sorted(run.id for run in stored) == sorted(runs)
            assert all(whole(run) and run.name == "new" for run in stored)
            assert len(await here.feedback()) == 6
            assert here.inbox_bytes() == 0
            late = uuid4()
            await to.accept([create(late)], [])
            assert to.pending.get(MINE, late) is not None, "memory takes over again"

    on_house(work)


def test_a_stop_while_the_inbox_is_read_leaves_the_rest_to_the_next(
    on_house, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(here: House) -> None:
        runs = [uuid4() for _ in range(4)]
        async with here.recorder(PATIENT, segment_bytes=1) as to:
            for run in runs:
                await to.accept([create(run)], [])
            await here.crash(to)
        with monkeypatch.context() as patched:
            slow = Slow(patched)
            async with here.recorder(PATIENT, segment_bytes=1) as to:
                await asyncio.to_thread(slow.reached.wait)
                await to.accept([finish(runs[0])], [])
            slow.go.release(10)  # the thread has nobody to tell
        assert await here.runs() == []
        async with here.recorder(PATIENT) as to:
            await to.settle(MINE)
            assert sorted(run.id for run in await here.runs()) == sorted(runs)
            assert [run.id for run in await here.runs() if whole(run)] == runs[:1]

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

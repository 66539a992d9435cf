"""What is known of runs without a flush: in memory, in the store, or partly in both."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID, uuid4

from stenograph.domain.recording.known import KnownRuns, Standing
from stenograph.domain.recording.recorder import Recorder
from stenograph.model.query import RunSelection
from tests.recording import MINE, OTHER, PATIENT, PROJECT, START, House, create, finish, house, patch


def within(folder: Path, work: Callable[[House, Recorder, KnownRuns], Awaitable[None]]) -> None:
    """On a recorder that writes nothing until it is asked to."""

    async def run() -> None:
        async with house(folder) as home, home.recorder(PATIENT) as recorder:
            await work(home, recorder, KnownRuns(recorder, home.store))

    asyncio.run(run())


def order(run: UUID) -> str:
    return f"20250615T150640000000Z{run}"


def test_in_memory_in_the_store_and_nowhere(tmp_path: Path) -> None:
    async def work(home: House, recorder: Recorder, known: KnownRuns) -> None:
        run, partial, other = uuid4(), uuid4(), uuid4()
        assert await known.standing(MINE, [run]) == {}
        assert await known.run(MINE, run) is None
        await recorder.accept([create(run, dotted_order=order(run)), patch(partial, end_time=START)], [])
        await recorder.accept([create(other, workspace=OTHER)], [])
        whole = Standing(run, order(run), PROJECT, START)
        for stored in (False, True):
            if stored:
                await recorder.settle(MINE)
            found = await known.standing(MINE, [run, partial, other])
            assert found[run] == whole
            assert found[run].place == (run, order(run))
            assert found[partial].project_id is None
            assert other not in found
            one = await known.run(MINE, run)
            assert one is not None
            assert (one.inputs, one.project_id) == (b'{"q":1}', PROJECT)
            assert await known.run(MINE, other) is None

    within(tmp_path, work)


def test_what_was_said_since_the_row_was_written(tmp_path: Path) -> None:
    """Written, forgotten in memory as ended runs are, then updated: the update alone is in memory."""

    async def work(home: House, recorder: Recorder, known: KnownRuns) -> None:
        run = uuid4()
        await recorder.accept([create(run), finish(run)], [])
        await recorder.settle(MINE)
        assert recorder.pending.get(MINE, run) is None
        await recorder.accept(
            [patch(run, extra=b'{"metadata":{"a":1}}', merges=True, start_time=START + 7)], []
        )
        assert (await known.standing(MINE, [run]))[run].project_id == PROJECT
        assert (await known.standing(MINE, [run]))[run].start_time == START + 7
        one = await known.run(MINE, run)
        assert one is not None
        assert (one.outputs, one.extra, one.start_time) == (b'{"a":2}', b'{"metadata":{"a":1}}', START + 7)

    within(tmp_path, work)


def test_a_deleted_run_is_unknown_until_it_is_created_again(tmp_path: Path) -> None:
    async def work(home: House, recorder: Recorder, known: KnownRuns) -> None:
        run = uuid4()
        await recorder.accept([create(run), finish(run)], [])
        await recorder.settle(MINE)
        await recorder.delete(RunSelection(workspace=MINE, ids=(run,)))
        assert await known.run(MINE, run) is None
        assert await known.standing(MINE, [run]) == {}
        await recorder.accept([finish(run)], [])
        assert await known.run(MINE, run) is None
        await recorder.accept([create(run, name="again")], [])
        one = await known.run(MINE, run)
        assert one is not None
        assert one.name == "again"

    within(tmp_path, work)

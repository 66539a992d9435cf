"""Feedback ends up under the project of its run, whichever comes first, moves, or is cut off by a crash."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import pytest

from stenograph.domain.feedback import filing as feedback_filing
from stenograph.domain.recording.recorder import Recorder
from stenograph.errors import StoreUnavailable
from stenograph.model.feedback import Feedback
from stenograph.model.query import FeedbackQuery, RunSelection
from stenograph.model.runs import Run
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
)

OnHouse: TypeAlias = Callable[[Callable[[House], Awaitable[None]]], None]
STATED = UUID(int=0xCC)


async def homes(here: House) -> list[UUID | None]:
    return sorted((item.home for item in await here.feedback()), key=str)


async def listed(here: House, *projects: UUID) -> int:
    """How many pieces a page of these projects has, and their statistics count: always as many."""
    page = await here.store.real.feedback(FeedbackQuery(workspace=MINE, projects=projects))
    stats = await here.store.real.feedback_stats(RunSelection(workspace=MINE, projects=projects), "all")
    counted = sum(stat.count for stat in stats.get("", {}).values())
    assert counted == len(page)
    return counted


def test_with_its_run_in_one_batch(on_house: OnHouse) -> None:
    async def work(here: House) -> None:
        run = uuid4()
        async with here.recorder(PATIENT) as to:
            said = judgement(run, project_id=STATED, trace_id=uuid4(), start_time=5)
            await to.accept([create(run), finish(run)], [said])
            await to.settle(MINE)
            (item,) = await here.feedback()
            assert (item.home, item.project_id, item.trace_id) == (PROJECT, PROJECT, run)
            assert (item.start_time, item.is_root) == (START, True)
            assert len(here.store.writes) == 1
            assert (await listed(here, PROJECT), await listed(here, STATED)) == (1, 0)

    on_house(work)


def test_after_its_run(on_house: OnHouse) -> None:
    async def work(here: House) -> None:
        run = uuid4()
        for restart in range(2):
            async with here.recorder(PATIENT) as to:
                if not restart:
                    await to.accept([create(run), finish(run)], [])
                    await to.settle(MINE)
                await to.accept([], [judgement(run)])
                await to.settle(MINE)
                assert await homes(here) == [PROJECT] * (restart + 1)

    on_house(work)


def test_before_its_run(on_house: OnHouse) -> None:
    async def work(here: House) -> None:
        run, never = uuid4(), uuid4()
        async with here.recorder(PATIENT) as to:
            said = judgement(run, project_id=STATED)
            await to.accept([], [said, judgement(never), judgement(run, workspace=OTHER)])
            await to.settle(MINE)
            assert await homes(here) == [None, None]
            assert await listed(here, PROJECT) == 0
        for restart in range(2):  # an earlier process left it waiting
            async with here.recorder(PATIENT) as to:
                if restart:
                    await to.accept([create(run), finish(run)], [])
                    await to.settle(MINE)
        assert await homes(here) == [PROJECT, None]
        by_run = await here.store.real.feedback(FeedbackQuery(workspace=MINE, runs=(run,)))
        assert [(item.id, item.project_id) for item in by_run] == [(said.id, PROJECT)]
        assert (await listed(here, PROJECT), await listed(here, STATED)) == (1, 0)

    on_house(work)


def test_while_its_run_is_held_open_in_memory(on_house: OnHouse) -> None:
    async def work(here: House) -> None:
        run = uuid4()
        async with here.recorder(replace(EAGER, hold_open_seconds=3600, flush_runs=1)) as to:
            await to.accept([create(run)], [])
            await to.accept([], [judgement(run)])
            async with asyncio.timeout(30):
                while not here.store.writes:
                    await asyncio.sleep(0.01)
            assert here.store.writes[0][0] == [], "the feedback was written first"
            assert await homes(here) == [None]
            await to.accept([finish(run)], [])
            await to.settle(MINE)
            assert await homes(here) == [PROJECT]

    on_house(work)


@pytest.mark.parametrize(
    "change", [{"project_id": ELSEWHERE}, {"start_time": START - SECOND}, {"trace_id": uuid4()}]
)
def test_feedback_follows_its_run(on_house: OnHouse, change: dict[str, Any]) -> None:
    async def work(here: House) -> None:
        run = uuid4()
        async with here.recorder(PATIENT) as to:
            fields = {"project_id": None, "start_time": None, "trace_id": None}
            stated = {"project_id": PROJECT, **{name: None for name in fields if name in change}}
            await to.accept([create(run, **stated)], [judgement(run)])
            await to.settle(MINE)
            await to.accept([patch(run, **change)], [])
            await to.settle(MINE)
            (row,) = await here.runs()
            (item,) = await here.feedback()
            assert (item.project_id, item.trace_id, item.start_time) == (
                row.project_id, row.trace_id, row.start_time,
            )  # fmt: skip
            assert item.home == row.project_id
            assert all(getattr(row, name) == value for name, value in change.items())

    on_house(work)


def test_a_run_without_a_project_keeps_its_feedback_waiting(on_house: OnHouse) -> None:
    async def work(here: House) -> None:
        run = uuid4()
        async with here.recorder(PATIENT) as to:
            await to.accept([finish(run)], [judgement(run)])
            await to.settle(MINE)
            assert await homes(here) == [None]
            await to.accept([create(run)], [])
            await to.settle(MINE)
            assert await homes(here) == [PROJECT]

    on_house(work)


def test_a_changed_piece_is_filed_anew_and_a_withdrawn_one_is_gone(on_house: OnHouse) -> None:
    async def work(here: House) -> None:
        run, other, judged = uuid4(), uuid4(), uuid4()
        async with here.recorder(PATIENT) as to:
            await to.accept([create(run), create(other, project_id=ELSEWHERE)], [judgement(run, judged)])
            await to.settle(MINE)
            await to.accept([], [judgement(other, judged, score=1.0)])
            await to.settle(MINE)
            assert (await listed(here, PROJECT), await listed(here, ELSEWHERE)) == (0, 1)
            await to.accept([], [judgement(uuid4(), judged)])
            await to.settle(MINE)
            assert (await listed(here, PROJECT, ELSEWHERE), await homes(here)) == (0, [None])
            await to.accept([], [judgement(run, judged, deleted=True)])
            await to.settle(MINE)
            assert await here.feedback() == []

    on_house(work)


def stop_filing(here: House) -> None:
    """From now on the store takes runs, but not feedback alone: what filing anew writes."""

    async def refuse(rows: Sequence[Run], items: Sequence[Feedback]) -> None:
        if items and not rows:
            raise StoreUnavailable("not now")

    here.store.before = refuse


@pytest.mark.parametrize("more", [False, True])
def test_a_crash_before_filing_is_made_good(on_house: OnHouse, more: bool) -> None:
    """`more`: acknowledged before the crash, too, so that the replayed update is not the run's last."""

    async def work(here: House) -> None:
        run, late = uuid4(), uuid4()
        async with here.recorder(PATIENT) as to:
            await to.accept([create(run)], [judgement(run), judgement(late)])
            await to.settle(MINE)
            stop_filing(here)
            await to.accept([patch(run, project_id=ELSEWHERE), create(late, project_id=ELSEWHERE)], [])
            with pytest.raises(StoreUnavailable):
                await to.settle(MINE)
            assert {row.project_id for row in await here.runs()} == {ELSEWHERE}, "the runs were written"
            assert ELSEWHERE not in await homes(here)
            if more:
                await to.accept([finish(run), finish(late)], [])
            await here.crash(to)
        here.store.before = None
        async with here.recorder(PATIENT) as to:
            await to.settle(MINE)
            assert await homes(here) == [ELSEWHERE, ELSEWHERE]
            assert (await listed(here, ELSEWHERE), await listed(here, PROJECT)) == (2, 0)

    on_house(work)


def test_what_does_not_fit_into_memory_is_found_all_the_same(
    on_house: OnHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feedback_filing, "MAX_WAITING", 2)

    async def work(here: House) -> None:
        runs = [uuid4() for _ in range(5)]
        async with here.recorder(PATIENT) as to:
            await to.accept([], [judgement(run) for run in runs])
            await to.settle(MINE)
            await to.accept([create(run) for run in runs], [])
            await to.settle(MINE)
            assert sorted(map(str, await homes(here))) == [str(PROJECT)] * 2 + ["None"] * 3
            assert await listed(here, PROJECT) == 5

    on_house(work)


@pytest.mark.parametrize("seed", range(4))
def test_any_order_comes_to_the_same(on_house: OnHouse, seed: int) -> None:
    """Runs are created, moved and judged in any order, with flushes, restarts and crashes in between."""
    chance = random.Random(seed)

    async def work(here: House) -> None:
        runs, pieces = [uuid4() for _ in range(4)], [uuid4() for _ in range(6)]
        where: dict[UUID, UUID] = {}
        about: dict[UUID, UUID] = {}

        async def step(to: Recorder) -> None:
            run = chance.choice(runs)
            match chance.randrange(5):
                case 0:
                    where.setdefault(run, PROJECT)
                    await to.accept([create(run, project_id=where[run])], [])
                case 1 if run in where:
                    where[run] = chance.choice((PROJECT, ELSEWHERE))
                    await to.accept([patch(run, project_id=where[run])], [])
                case 2 | 3:
                    piece = chance.choice(pieces)
                    about[piece] = run
                    await to.accept([], [judgement(run, piece, score=chance.random())])
                case _:
                    await to.settle(MINE)

        for _ in range(4):
            async with here.recorder(PATIENT) as to:
                for _ in range(12):
                    await step(to)
                if chance.random() < 0.5:
                    await here.crash(to)
        async with here.recorder(PATIENT) as to:
            await to.settle(MINE)
        found = {item.id: item.home for item in await here.feedback()}
        assert found == {piece: where.get(run) for piece, run in about.items()}
        for project in (PROJECT, ELSEWHERE):
            expected = sum(where.get(run) == project for run in about.values())
            assert await listed(here, project) == expected

    on_house(work)

"""Settling: weeks are merged and words indexed behind the inserts, and nothing that is read changes by it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from stenograph.errors import StoreUnavailable
from stenograph.model.feedback import refile
from stenograph.model.filters import Search
from stenograph.model.query import FeedbackQuery, RunQuery, RunSelection
from stenograph.model.runs import Run
from stenograph.store.runs import settle
from stenograph.store.runs.chdb import Chdb
from stenograph.store.runs.settle import (
    COLD_SECONDS,
    FEEDBACK,
    QUIET_RUNS,
    Index,
    Merge,
    Pace,
    Part,
    Settling,
    large_and_cold,
    next_step,
    parts_of,
)
from stenograph.store.runs.store import Runs
from tests.store.run_samples import feedback, run

WORKSPACE = UUID(int=0x5E77)
WEEK = 7 * 24 * 3600
EAGER = Pace(seconds=0.01, tail=1, longest_tail=1, merge_bytes=2**40)


# -- deciding ----------------------------------------------------------------------------------------------

NOW = 1_800_000_000.0
PACE = Pace(seconds=10, tail=100, longest_tail=1000, merge_bytes=10_000)


def part(week: str = "w1", rows: int = 10, *, indexed: bool = True, size: int = 10, age: int = 0) -> Part:
    return Part(week, f"{week}_{rows}", rows, size, int(NOW) - age, indexed)


@pytest.mark.parametrize(
    ("parts", "quiet", "step"),
    [
        ([], True, None),
        ([part()], True, None),
        # merging: the small ones together need half the rows of the largest
        ([part(rows=100), part(rows=49)], True, None),
        ([part(rows=100), part(rows=50)], True, Merge("w1")),
        ([part(rows=100), part(rows=25), part(rows=25)], True, Merge("w1")),
        ([part(rows=100), part(rows=50)], False, None),
        ([part("w1", rows=50), part("w2", rows=50)], True, None),
        ([part("w1"), part("w2", rows=50), part("w2", rows=50)], True, Merge("w2")),
        ([part(size=6000), part(size=6000)], True, None),
        ([part(rows=100), part(rows=1, age=COLD_SECONDS + 1)], True, None),
        ([part(rows=100, age=COLD_SECONDS + 1), part(rows=1, age=COLD_SECONDS + 1)], True, Merge("w1")),
        # feedback sooner: a sixteenth is enough, or a minute of rest for every 100,000 pieces
        ([part(FEEDBACK, rows=160), part(FEEDBACK, rows=9)], True, None),
        ([part(FEEDBACK, rows=160), part(FEEDBACK, rows=10)], True, Merge(FEEDBACK)),
        ([part(FEEDBACK, rows=160, age=60), part(FEEDBACK, rows=1, age=60)], True, None),
        ([part(FEEDBACK, rows=160, age=90), part(FEEDBACK, rows=1, age=61)], True, Merge(FEEDBACK)),
        ([part(FEEDBACK, rows=260_000, age=180), part(FEEDBACK, rows=1, age=180)], True, None),
        ([part(FEEDBACK, rows=260_000, age=181), part(FEEDBACK, rows=1, age=181)], True, Merge(FEEDBACK)),
        ([part(FEEDBACK, rows=10**9, age=3601), part(FEEDBACK, rows=1, age=3601)], True, Merge(FEEDBACK)),
        ([part(FEEDBACK, rows=160), part(FEEDBACK, rows=160)], False, None),
        # indexing: by the length of the tail, after merging
        ([part(rows=99, indexed=False)], True, None),
        ([part(rows=100, indexed=False)], True, Index()),
        ([part("w1", rows=50, indexed=False), part("w2", rows=50, indexed=False)], True, Index()),
        ([part(rows=999, indexed=False)], False, None),
        ([part(rows=1000, indexed=False)], False, Index()),
        ([part(rows=500, indexed=False), part(rows=500, indexed=False)], True, Merge("w1")),
        ([part(rows=10_000), part(rows=100, indexed=False)], True, Index()),
    ],
)
def test_what_is_done_next(parts: Sequence[Part], quiet: bool, step: Merge | Index | None) -> None:
    assert next_step(parts, PACE, quiet=quiet, now=NOW) == step


def test_a_large_week_is_merged_when_most_of_it_was_deleted() -> None:
    large = [part(size=6000, age=COLD_SECONDS + 1), part(rows=5, size=6000, age=COLD_SECONDS + 1)]
    small = [part("w2", rows=10), part("w2", rows=1)]
    one = [part("w3", size=20_000, age=COLD_SECONDS + 1)]
    warm = [part("w4", size=6000), part("w4", rows=1, size=6000, age=COLD_SECONDS + 1)]
    parts = [*large, *small, *one, *warm]
    assert large_and_cold(parts, PACE, NOW) == ["w1"]
    assert next_step(parts, PACE, quiet=True, now=NOW) is None
    assert next_step(parts, PACE, quiet=True, now=NOW, emptied=["w1", "w3", "w4"]) == Merge("w1")
    assert next_step(parts, PACE, quiet=True, now=NOW, emptied=["w1"], spared=["w1"]) is None
    assert next_step(parts, PACE, quiet=False, now=NOW, emptied=["w1"]) is None
    judged = [part(FEEDBACK, size=20_000, age=COLD_SECONDS + 1)] * 2
    assert large_and_cold(judged, PACE, NOW) == []


def test_the_room_of_a_large_week_is_freed_when_it_was_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settle, "COLD_SECONDS", -3600)

    async def work() -> None:
        async with opened(tmp_path) as (engine, store):
            settling = Settling(engine, replace(EAGER, merge_bytes=0, tail=2**40, longest_tail=2**40))
            runs = [*batch(0), *batch(1)]
            await store.write(runs[: len(runs) // 2], [])
            await store.write(runs[len(runs) // 2 :], [])
            assert await settling.step(quiet=True) is False
            everything = RunSelection(workspace=WORKSPACE)
            await store.delete(everything, max(run.version for run in runs) + 1)
            assert await settling.step(quiet=True) is True
            assert await settling.step(quiet=True) is False
            left = [each for each in await parts_of(engine) if each.week != FEEDBACK]
            assert len(left) == 1
            assert left[0].rows == len({run.id for run in runs}), "the tombstones"
            assert await store.count(everything) == 0

    asyncio.run(work())


def test_a_week_that_is_spared_is_not_merged() -> None:
    parts = [part("w1"), part("w1"), part("w2"), part("w2")]
    assert next_step(parts, PACE, quiet=True, now=NOW, spared={"w1"}) == Merge("w2")


@pytest.mark.parametrize(("week", "times"), [("w1", 3), (FEEDBACK, 17)])
def test_what_is_rewritten_is_a_bounded_multiple_of_what_is_written(week: str, times: int) -> None:
    """A week of a hundred thousand runs, that falls quiet after each ten."""
    largest = small = rewritten = 0
    for _ in range(10_000):
        small += 10
        parts = [part(week, largest), part(week, small)]
        if next_step(parts, PACE, quiet=True, now=NOW) == Merge(week):
            largest, small = largest + small, 0
            rewritten += largest
    assert rewritten < times * 100_000


# -- doing it ----------------------------------------------------------------------------------------------


@asynccontextmanager
async def opened(folder: Path, pace: Pace | None = None) -> AsyncIterator[tuple[Chdb, Runs]]:
    engine = Chdb(folder, readers=2, threads=2, memory=2**30)
    store = await Runs.open(engine, pace)
    try:
        yield engine, store
    finally:
        await store.close()


def batch(number: int, weeks: int = 1) -> list[Run]:
    """Thirty runs with a word of their batch, and one in all batches that is written anew each time."""
    rows = [
        run(
            WORKSPACE,
            f"b{number}.{at}",
            at % weeks * WEEK,
            inputs=b'{"q":"Needle%d and common"}' % number,
            outputs=b'"straw %d"' % at,
        )
        for at in range(30)
    ]
    return [*rows, run(WORKSPACE, "again", version=number + 1, outputs=b'"take %d"' % number)]


SEARCHES = ("needle3", "common", "straw", "take", "nowhere", "needle1 common", "图书")


async def answers(store: Runs) -> dict[str, list[UUID]]:
    found = {}
    for text in SEARCHES:
        selection = RunSelection(workspace=WORKSPACE, filter=Search(text))
        page = await store.page(RunQuery(selection=selection, columns=frozenset({"id"}), limit=1000))
        found[text] = sorted(one.id for one in page)
    return found


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not await holds():
        assert time.monotonic() < deadline, "it does not come to pass"
        await asyncio.sleep(0.01)


def test_every_part_gets_its_index_and_answers_stay(tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(tmp_path) as (engine, store):
            for number in range(6):
                await store.write(batch(number, weeks=2), [])
            before = await answers(store)
            assert len(before["needle3"]) == 30
            assert len(before["common"]) == 180
            assert len(before["take"]) == 1
            assert not any(one.indexed for one in await parts_of(engine))
            settling = Settling(engine, EAGER)
            while await settling.step(quiet=True):
                pass
            parts = await parts_of(engine)
            assert all(one.indexed for one in parts)
            assert len({one.week for one in parts}) == len(parts) == 2
            assert sum(one.rows for one in parts) == 181, "what was superseded is gone from the disk"
            assert await answers(store) == before

    asyncio.run(story())


def test_feedback_is_merged_too_and_answers_stay(tmp_path: Path) -> None:
    """Also of what was filed anew: of equal versions in one place the last written counts, before and after."""

    async def listed(store: Runs) -> dict[UUID, tuple[UUID | None, float | None]]:
        found = await store.feedback(FeedbackQuery(workspace=WORKSPACE, limit=1000))
        return {item.id: (item.home, item.score) for item in found}

    async def story() -> None:
        async with opened(tmp_path) as (engine, store):
            here = run(WORKSPACE, "a")
            there = msgspec.structs.replace(here, project_id=UUID(int=0xBEEF))
            items = [feedback(WORKSPACE, f"f{number}", "a", score=float(number)) for number in range(40)]
            for start in range(0, 40, 10):
                await store.write([], items[start : start + 10])
            for place in (here, there, here):
                found = await store.feedback(FeedbackQuery(workspace=WORKSPACE, limit=1000))
                await store.write([], refile(found[::2], place))
            await store.write([], [msgspec.structs.replace(items[1], deleted=True, version=2)])
            before = await listed(store)
            assert len(before) == 39
            assert sorted(map(str, {home for home, _ in before.values()})) == [str(here.project_id), "None"]
            settling = Settling(engine, EAGER)
            while await settling.step(quiet=True):
                pass
            (whole,) = await parts_of(engine)
            assert (whole.week, whole.indexed) == (FEEDBACK, True)
            assert await listed(store) == before

    asyncio.run(story())


def test_feedback_does_not_wait_for_weeks_of_runs(tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(tmp_path) as (engine, store):
            for number in range(2):
                await store.write(batch(number), [feedback(WORKSPACE, f"f{number}", "a")])
            assert [one.week == FEEDBACK for one in await parts_of(engine)] == [True, True, False, False]
            await Settling(engine, EAGER).step(quiet=True)
            assert [one.week == FEEDBACK for one in await parts_of(engine)] == [True, False, False]

    asyncio.run(story())


def test_only_what_is_new_is_indexed_again(tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(tmp_path) as (engine, store):
            await store.write([row for number in range(10) for row in batch(number)], [])
            settling = Settling(engine, EAGER)
            assert await settling.step(quiet=True)
            [large] = await parts_of(engine)
            assert large.indexed
            await store.write(batch(20), [])
            assert [one.indexed for one in await parts_of(engine)] == [True, False]
            assert await settling.step(quiet=True)
            after = await parts_of(engine)
            assert [one.indexed for one in after] == [True, True]
            assert after[0].blocks == large.blocks, "too little came to merge the large part again"
            assert not await settling.step(quiet=True)

    asyncio.run(story())


def test_short_tails_wait_and_long_ones_do_not(tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(tmp_path) as (engine, store):
            await store.write(batch(0), [])
            settling = Settling(engine, Pace(seconds=1, tail=40, longest_tail=90, merge_bytes=0))
            assert not await settling.step(quiet=True)
            await store.write(batch(1), [])
            assert not await settling.step(quiet=False)
            assert await settling.step(quiet=True)
            assert all(one.indexed for one in await parts_of(engine))
            for number in (2, 3, 4):
                assert not await settling.step(quiet=False)
                await store.write(batch(number), [])
            assert await settling.step(quiet=False)
            assert all(one.indexed for one in await parts_of(engine))

    asyncio.run(story())


def test_it_is_quiet_while_few_runs_come(tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(tmp_path) as (engine, _):
            settling = Settling(engine, EAGER)
            assert settling.quiet()
            settling.wrote(QUIET_RUNS)
            assert settling.quiet()
            settling.wrote(QUIET_RUNS * 1000)
            assert not settling.quiet()
            assert settling.quiet(), "what was written before the last look does not count again"

    asyncio.run(story())


def test_a_week_that_cannot_be_merged_is_left_until_it_changes(tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(tmp_path) as (engine, store):
            for number in range(3):
                await store.write(batch(number), [])
            settling = Settling(engine, EAGER)
            await engine.execute("SYSTEM STOP MERGES runs")
            with pytest.raises(StoreUnavailable):
                await settling.step(quiet=True)
            await engine.execute("SYSTEM START MERGES runs")
            assert await settling.step(quiet=True)
            parts = await parts_of(engine)
            assert [one.indexed for one in parts] == [True, True, True], "indexed, though not merged"
            assert not await settling.step(quiet=True)
            await store.write(batch(3), [])
            while await settling.step(quiet=True):
                pass
            assert len(await parts_of(engine)) == 1

    asyncio.run(story())


def test_the_loop_settles_by_itself_and_stops_with_the_store(tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(tmp_path, EAGER) as (engine, store):
            for number in range(4):
                await store.write(batch(number), [])
            before = await answers(store)

            async def settled() -> bool:
                return all(one.indexed for one in await parts_of(engine))

            await until(settled)
            assert await answers(store) == before
        assert {task for task in asyncio.all_tasks() if task is not asyncio.current_task()} == set()
        # … and the folder is free for the next, whose merges are not held up by how the last one ended.
        async with opened(tmp_path, replace(EAGER, longest_tail=10**9)) as (engine, store):
            assert await answers(store) == before
            await store.write([row for number in range(10, 20) for row in batch(number)], [])
            await until(settled)

    asyncio.run(story())


def test_stopping_in_the_middle_of_a_merge_loses_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(tmp_path) as (engine, store):
            noise = bytes(range(35, 92)) * 100
            for number in range(4):
                rows = [
                    run(WORKSPACE, f"{number}.{at}", at, inputs=b'"%d %d %s"' % (number, at, noise))
                    for at in range(3000)
                ]
                await store.write(rows, [])
            settling = Settling(engine, EAGER)
            settling.start()

            async def merging() -> bool:
                found = await engine.query(
                    "SELECT count() AS merges FROM system.merges WHERE NOT is_mutation"
                )
                parts = await parts_of(engine)
                return bool(found["merges"][0]) or len(parts) == 1

            await until(merging)
            await settling.stop()
            counted = await engine.query("SELECT count() AS runs FROM runs FINAL")
            assert counted["runs"] == [12_000]
            again = Settling(engine, EAGER)

            async def settled() -> bool:
                await again.step(quiet=True)
                return all(one.indexed for one in await parts_of(engine))

            await until(settled)

    asyncio.run(story())


KILLED = """
import asyncio, os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.store.test_settle import batch, opened

async def story():
    async with opened(Path(sys.argv[1])) as (engine, store):
        for number in range(6):
            await store.write(batch(number), [])
        await engine.maintain("ALTER TABLE runs MATERIALIZE INDEX words_in, MATERIALIZE INDEX words_out")
        os.kill(os.getpid(), 9)

asyncio.run(story())
"""


def test_a_kill_in_the_middle_of_indexing_does_no_harm(tmp_path: Path) -> None:
    root = Path(__file__).parent.parent.parent
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), str(root)], capture_output=True, check=False
    )
    assert killed.returncode == -9, killed.stderr.decode()

    async def story() -> None:
        async with opened(tmp_path) as (engine, store):
            found = await answers(store)
            assert (len(found["needle3"]), len(found["common"]), len(found["take"])) == (30, 180, 1)

            async def indexed() -> bool:
                return all(one.indexed for one in await parts_of(engine))

            await until(indexed)
            assert await answers(store) == found

    asyncio.run(story())

"""A data folder that an earlier version wrote: opened, it has everything that was in it, where it belongs now."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest

from stenograph.model.query import FeedbackQuery, RunSelection
from stenograph.model.runs import Run
from stenograph.settings import Settings
from stenograph.store.open import open_runs
from stenograph.store.runs.chdb import Chdb
from tests.store.run_samples import NOON, feedback, run

OLD_FEEDBACK = """CREATE TABLE feedback (
    workspace_id UUID, run_id UUID, id UUID, version UInt64, deleted UInt8 DEFAULT 0, trace_id UUID, project_id UUID,
    key LowCardinality(String), created_at DateTime64(6, 'UTC'), modified_at DateTime64(6, 'UTC'),
    score Nullable(Float64), raw_score String, value String CODEC(ZSTD(1)), comment Nullable(String) CODEC(ZSTD(1)),
    correction String CODEC(ZSTD(1)), source_type LowCardinality(String), source String CODEC(ZSTD(1)), group_id UUID,
    comparative_experiment_id UUID, start_time Nullable(DateTime64(6, 'UTC')), extra String CODEC(ZSTD(1)), error UInt8,
    INDEX by_id id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX by_project project_id TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = ReplacingMergeTree(version, deleted) ORDER BY (workspace_id, run_id, id)"""
NIL = UUID(int=0)


def _old_row(
    workspace: UUID, key: str, version: int, piece: UUID, *, of: UUID, project: UUID, deleted: int = 0
) -> str:
    return (
        f"('{workspace}', '{of}', '{piece}', {version}, {deleted}, '{of}', '{project}', '{key}', "
        f"fromUnixTimestamp64Micro({NOON}), fromUnixTimestamp64Micro({NOON + 1}), {version}, '{version}', '', 'said', "
        f"'', 'api', '', '{NIL}', '{NIL}', NULL, '', 0)"
    )


async def _make_old(folder: Path, rows: list[str], *, interrupted: bool) -> None:
    engine = Chdb(folder / "runs", readers=1, threads=1, memory=1 << 30, seconds=30)
    try:
        await engine.execute("DROP TABLE feedback SYNC")
        await engine.execute(OLD_FEEDBACK)
        await engine.execute(f"INSERT INTO feedback VALUES {', '.join(rows)}")
        if interrupted:
            await engine.execute("CREATE TABLE feedback_copy (x UInt8) ENGINE = MergeTree ORDER BY x")
    finally:
        await engine.close()


@pytest.mark.parametrize("interrupted", [False, True])
def test_feedback_sorted_by_its_run_moves_to_its_project(tmp_path: Path, interrupted: bool) -> None:
    settings = Settings(data_dir=tmp_path, runs_url=f"chdb://{tmp_path / 'runs'}", settle_seconds=0)
    workspace, project = uuid4(), uuid4()
    judged: Run = run(workspace, "judged", project_id=project)
    on_run, on_project, early, withdrawn, twice = (uuid4() for _ in range(5))
    rows = [
        _old_row(workspace, "on_run", 1, on_run, of=judged.id, project=NIL),
        _old_row(workspace, "on_project", 1, on_project, of=NIL, project=project),
        _old_row(workspace, "early", 1, early, of=uuid4(), project=NIL),
        _old_row(workspace, "withdrawn", 1, withdrawn, of=judged.id, project=NIL),
        _old_row(workspace, "withdrawn", 2, withdrawn, of=judged.id, project=NIL, deleted=1),
        _old_row(workspace, "twice", 1, twice, of=judged.id, project=NIL),
        _old_row(workspace, "twice", 2, twice, of=judged.id, project=NIL),
    ]

    async def work() -> None:
        store = await open_runs(settings)
        await store.write([judged], [])
        await store.close()
        await _make_old(tmp_path, rows, interrupted=interrupted)
        for _ in range(2):  # a second opening finds nothing to do
            store = await open_runs(settings)
            try:
                found = {each.key: each for each in await store.feedback(FeedbackQuery(workspace=workspace))}
                assert set(found) == {"on_run", "on_project", "early", "twice"}
                assert (found["on_run"].home, found["on_run"].trace_id) == (project, judged.trace_id)
                assert found["on_run"].start_time == judged.start_time
                assert found["on_run"].is_root == judged.is_root
                assert (found["on_project"].home, found["on_project"].run_id) == (project, None)
                assert found["early"].home is None
                assert (found["twice"].score, found["twice"].comment) == (2, "said")
                selection = RunSelection(workspace=workspace, projects=(project,))
                stats = await store.feedback_stats(selection, "project")
                assert {key: stat.n for key, stat in stats[str(project)].items()} == {"on_run": 1, "twice": 1}
            finally:
                await store.close()
        assert await _is_in_small_blocks(tmp_path)

    asyncio.run(work())


async def _is_in_small_blocks(folder: Path) -> bool:
    engine = Chdb(folder / "runs", readers=1, threads=1, memory=1 << 30, seconds=30)
    try:
        found = await engine.query("SELECT engine_full FROM system.tables WHERE name = 'feedback'")
        return b"min_compress_block_size = 2048" in found["engine_full"][0]
    finally:
        await engine.close()


def test_a_table_of_feedback_in_large_blocks_gets_small_ones(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, runs_url=f"chdb://{tmp_path / 'runs'}", settle_seconds=0)

    async def work() -> None:
        await (await open_runs(settings)).close()
        engine = Chdb(tmp_path / "runs", readers=1, threads=1, memory=1 << 30, seconds=30)
        await engine.execute("ALTER TABLE feedback RESET SETTING min_compress_block_size")
        await engine.close()
        assert not await _is_in_small_blocks(tmp_path)
        await (await open_runs(settings)).close()
        assert await _is_in_small_blocks(tmp_path)

    asyncio.run(work())


def test_feedback_of_a_time_without_retention_has_its_traces_kept(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, runs_url=f"chdb://{tmp_path / 'runs'}", settle_seconds=0)
    workspace = uuid4()
    judged: Run = run(workspace, "judged")
    given = feedback(workspace, "given", "judged", home=judged.project_id, trace_id=judged.trace_id)

    async def work() -> None:
        store = await open_runs(settings)
        await store.write([judged], [given])
        await store.close()
        engine = Chdb(tmp_path / "runs", readers=1, threads=1, memory=1 << 30, seconds=30)
        await engine.execute("ALTER TABLE feedback DROP COLUMN keeps SETTINGS mutations_sync = 1")
        await engine.close()
        for again in (0, 2):
            store = await open_runs(settings)
            try:
                (found,) = await store.feedback(FeedbackQuery(workspace=workspace))
                assert found.keeps is True
                assert await store.judged_traces(workspace, [judged.trace_id]) == {judged.trace_id}
                await store.write(
                    [], [msgspec.structs.replace(given, keeps=False, version=given.version + again + 1)]
                )
                assert await store.judged_traces(workspace, [judged.trace_id]) == set()
                await store.write([], [msgspec.structs.replace(given, version=given.version + again + 2)])
            finally:
                await store.close()

    asyncio.run(work())

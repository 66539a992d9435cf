"""Brings a data folder of an earlier version up to date when it is opened.

Killed at any moment, it is begun again at the next start: the old table stays until the new one is whole.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from stenograph.store.runs.engine import Engine, statements

_NAMED: Final = "CREATE TABLE IF NOT EXISTS feedback\n"


async def upgrade(engine: Engine, schema: dict[str, str]) -> None:
    """To be called once the tables are there. `schema` has the statements that create them as they are now."""
    steps = statements(files("stenograph.store.runs").joinpath("upgrade.sql").read_text())
    await _index_runs(engine, steps)
    await _sort_feedback(engine, steps, schema)
    await _divide_feedback(engine, steps)
    await _let_feedback_keep(engine, steps)


async def _sort_feedback(engine: Engine, steps: dict[str, str], schema: dict[str, str]) -> None:
    """By the project that it is filed under, where it is sorted by its run."""
    found = await engine.query(steps["columns_of_feedback"])
    await engine.execute(steps["forget_copy"])
    if b"home" in found["name"]:
        return
    create = schema["create_feedback"]
    assert _NAMED in create
    await engine.execute(create.replace(_NAMED, "CREATE TABLE feedback_copy\n"))
    await engine.maintain(steps["copy_feedback"])
    await engine.execute(steps["exchange"])
    await engine.execute(steps["forget_copy"])


async def _index_runs(engine: Engine, steps: dict[str, str]) -> None:
    """Indexes that tables of earlier versions lack. They are built behind what else goes on, and not begun anew after a
    crash: parts without one are read whole until they are merged."""
    found = await engine.query(steps["indexes_of_runs"])
    if b"by_metadata" not in found["name"]:
        await engine.execute(steps["index_metadata"])
        await engine.execute(steps["build_metadata_index"])


async def _let_feedback_keep(engine: Engine, steps: dict[str, str]) -> None:
    """The column that says whether feedback has its trace kept longer: all that is there does."""
    found = await engine.query(steps["columns_of_feedback"])
    if b"keeps" not in found["name"]:
        await engine.execute(steps["let_feedback_keep"])


async def _divide_feedback(engine: Engine, steps: dict[str, str]) -> None:
    """Into small blocks, as new tables have it. What is there is divided when it is merged."""
    found = await engine.query(steps["settings_of_feedback"])
    if b"min_compress_block_size" not in found["engine_full"][0]:
        await engine.execute(steps["small_blocks"])

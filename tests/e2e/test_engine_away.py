"""The engine refuses inserts for a while: writers are acknowledged, readers are told, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from stenograph.domain.feedback.formulas import FeedbackFormulas
from stenograph.domain.recording import recorder
from stenograph.domain.runs import RunReader
from stenograph.errors import StoreUnavailable
from stenograph.model.query import FeedbackQuery, RunQuery, RunSelection
from stenograph.store.blobs import Blobs
from stenograph.store.runs.chdb import Chdb
from tests.recording import EAGER, MINE, OTHER, House, create, finish, house, judgement


@pytest.fixture(autouse=True)
def quick_to_try_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "_PAUSE", 0.01)


class Away:
    """An engine in front of the real one. `inserts` and `queries` say which of them fail; `half` lets one table in."""

    def __init__(self, real: Chdb) -> None:
        self.real = real
        self.inserts = self.queries = False
        self.half = False

    async def query(self, statement: str, params: Mapping[str, str] | None = None) -> dict[str, list[Any]]:
        if self.queries:
            raise StoreUnavailable("the engine is away")
        return await self.real.query(statement, params)

    async def insert(self, table: str, block: Sequence[bytes]) -> None:
        if self.inserts and not (self.half and table == "runs"):
            raise StoreUnavailable("the engine is away")
        await self.real.insert(table, block)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


def with_engine_away(here: House) -> Away:
    runs: Any = here.store.real
    runs._engine = engine = Away(runs._engine)
    return engine


@pytest.mark.parametrize("half", [False, True], ids=["every insert", "feedback only"])
@pytest.mark.parametrize("crash", [False, True], ids=["it comes back", "crash and restart"])
def test_writes_go_on_while_the_engine_is_away(tmp_path: Path, half: bool, crash: bool) -> None:
    runs = [uuid4() for _ in range(30)]

    async def work() -> None:
        async with house(tmp_path) as here:
            engine = with_engine_away(here)
            blobs = Blobs.open(f"file://{tmp_path / 'blobs'}")
            stored = RunQuery(
                selection=RunSelection(workspace=MINE), columns=frozenset({"outputs"}), limit=1000
            )
            async with here.recorder() as to:
                reader = RunReader(here.store, to, blobs, FeedbackFormulas(here.meta), here.metrics)
                await to.accept([create(runs[0])], [])
                assert len(await reader.page(stored)) == 1
                engine.inserts, engine.half = True, half
                for run in runs:
                    await to.accept([create(run)], [judgement(run)])
                    await to.accept([finish(run)], [judgement(run)])
                for _ in range(3):
                    with pytest.raises(StoreUnavailable, match="away"):
                        await reader.page(stored)
                    with pytest.raises(StoreUnavailable, match="away"):
                        await reader.stats(RunSelection(workspace=MINE))
                await to.settle(OTHER)  # nothing of theirs waits
                if crash:
                    await here.crash(to)
                else:
                    engine.inserts = False
                    await to.settle(MINE)
            engine.inserts = False
            async with here.recorder() as to:
                reader = RunReader(here.store, to, blobs, FeedbackFormulas(here.meta), here.metrics)
                page = await reader.page(stored)
                assert sorted(run.id for run in page) == sorted(runs)
                assert {run.outputs for run in page} == {b'{"a":2}'}
                stats = await reader.stats(RunSelection(workspace=MINE))
                assert stats[""].run_count == 30
                found = await here.store.real.feedback(FeedbackQuery(workspace=MINE, limit=1000))
                assert len(found) == 60
                assert here.inbox_bytes() == 0

    asyncio.run(work())


def test_an_engine_that_cannot_be_asked_holds_up_late_updates_only(tmp_path: Path) -> None:
    """Without the stored row an update must not be written: it would take the place of what it does not know."""
    old, new = uuid4(), uuid4()

    async def work() -> None:
        async with house(tmp_path) as here:
            engine = with_engine_away(here)
            async with here.recorder() as to:
                await to.accept([create(old)], [])
            async with here.recorder(EAGER) as to:
                engine.queries = True
                await to.accept([finish(old)], [])
                await to.accept([create(new), finish(new)], [])
                with pytest.raises(StoreUnavailable, match="away"):
                    await to.settle(MINE)
                engine.queries = False
                await to.settle(MINE)
            stored = {run.id: run for run in await here.runs()}
            assert set(stored) == {old, new}
            assert (stored[old].inputs, stored[old].outputs) == (b'{"q":1}', b'{"a":2}')

    asyncio.run(work())

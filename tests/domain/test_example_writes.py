"""Large writes of examples pass through the disk, and a write that is not made leaves no files."""

from __future__ import annotations

import asyncio
import os
import threading
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from stenograph.domain.datasets.datasets import NewDataset
from stenograph.domain.examples import spool as example_spool
from stenograph.domain.examples.drafts import ExampleDraft, ExampleEdit, NewFile
from stenograph.errors import Conflict, Invalid
from stenograph.main import running
from stenograph.model.access import DEFAULT_WORKSPACE as MINE
from stenograph.model.datasets import DatasetQuery
from stenograph.model.examples import ExampleQuery, NewExample
from stenograph.settings import Settings
from stenograph.store.blobs import Blobs
from stenograph.wire.http import Services

MIB = 1 << 20
Work = Callable[[Services, UUID], Awaitable[None]]


@pytest.fixture
def on_services(tmp_path: Path) -> Callable[[Work], None]:
    """Runs a coroutine with everything in place, and an empty dataset."""

    async def session(work: Work) -> None:
        async with running(Settings(data_dir=tmp_path)) as services:
            dataset = await services.datasets.create(MINE, NewDataset(name="examples"))
            await work(services, dataset.id)

    return lambda work: asyncio.run(session(work))


def blobs(folder: Path) -> list[Path]:
    return [path for path in (folder / "blobs").rglob("*") if path.is_file()]


def draft(*files: NewFile, **stated: Any) -> ExampleDraft:
    return ExampleDraft(id=uuid4(), files=files, **{"inputs": b'{"q":1}', **stated})


FILE = NewFile("file", "text/plain", b"content")


# -- large writes ----------------------------------------------------------------------------------------


def large(place: int) -> bytes:
    return b'{"n":%d,"q":"%s"}' % (place, b"x" * MIB)


def test_a_large_write_takes_little_memory(
    on_services: Callable[[Work], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """64 MiB are added, then changed, with the memory of a few examples."""
    monkeypatch.setattr(example_spool, "IN_MEMORY", MIB)

    async def work(services: Services, dataset: UUID) -> None:
        tracemalloc.start()
        try:
            written = await services.examples.add(MINE, dataset, (draft(inputs=large(n)) for n in range(64)))
            assert tracemalloc.get_traced_memory()[1] < 24 * MIB
            tracemalloc.reset_peak()
            edits = (ExampleEdit(id=each, outputs=large(n)) for n, each in enumerate(written.ids))
            await services.examples.edit(MINE, dataset, edits)
            # what is changed is read in order to be written anew: some examples at a time
            assert tracemalloc.get_traced_memory()[1] < 64 * MIB
        finally:
            tracemalloc.stop()
        last = await services.examples.read(MINE, written.ids[-1])
        assert last.inputs == last.outputs == large(63)

    on_services(work)


def test_a_spool_keeps_order_in_memory_and_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(example_spool, "IN_MEMORY", 1000)
    few = [NewExample(id=uuid4(), inputs=b'{"q":1}', outputs=None) for _ in range(2)]
    with example_spool.ExampleSpool(NewExample) as spool:
        for example in few:
            spool.add(example)
        assert not spool.on_disk
        assert list(spool) == list(spool) == few
    many = [NewExample(id=uuid4(), inputs=b"{}", outputs=b"x" * n, metadata=b"m") for n in range(100)]
    with example_spool.ExampleSpool(NewExample) as spool:
        for example in many:
            spool.add(example)
        assert spool.on_disk
        assert list(spool) == list(spool) == many


def test_others_get_their_turn(on_services: Callable[[Work], None]) -> None:
    async def work(services: Services, dataset: UUID) -> None:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        seen: list[int] = []

        def drafts(inputs: bytes) -> Iterator[ExampleDraft]:
            for _ in range(640):
                seen.append(turns)
                yield draft(inputs=inputs)

        busy = asyncio.create_task(other())
        await services.examples.add(MINE, dataset, drafts(b"{}"))
        assert len(set(seen)) >= 10, "many small ones"
        seen.clear()
        await services.examples.add(MINE, dataset, drafts(b'{"q":"%s"}' % (b"x" * 100_000)))
        assert len(set(seen)) >= 50, "large ones"
        busy.cancel()

    on_services(work)


# -- what is left of a write that is not made ------------------------------------------------------------


def test_a_refused_write_leaves_no_files(on_services: Callable[[Work], None], tmp_path: Path) -> None:
    def broken(error: Exception) -> Iterator[ExampleDraft]:
        yield draft(FILE)
        raise error

    async def work(services: Services, dataset: UUID) -> None:
        first = draft(FILE)
        await services.examples.add(MINE, dataset, [first])
        (kept,) = blobs(tmp_path)
        with pytest.raises(Invalid):
            await services.examples.add(MINE, dataset, broken(Invalid("part 7")))
        with pytest.raises(ZeroDivisionError):
            await services.examples.add(MINE, dataset, broken(ZeroDivisionError()))
        with pytest.raises(Conflict):
            await services.examples.add(MINE, dataset, [draft(FILE), first])
        assert first.id is not None
        with pytest.raises(Conflict):
            await services.examples.edit(MINE, dataset, [ExampleEdit(id=first.id, files=(FILE,))] * 2)
        assert blobs(tmp_path) == [kept]
        assert kept.read_bytes() == FILE.data

    on_services(work)


def test_a_dataset_is_there_with_its_examples_or_not_at_all(
    on_services: Callable[[Work], None], tmp_path: Path
) -> None:
    """Whoever looks while its examples come in sees none: neither would anybody after a crash."""

    async def work(services: Services, dataset: UUID) -> None:
        async def seen() -> list[str]:
            return [each.name for each in await services.datasets.find(DatasetQuery(workspace=MINE))]

        async def coming(error: Exception | None) -> AsyncIterator[ExampleDraft]:
            for _ in range(3):
                assert await seen() == ["examples"]
                yield draft(FILE)
            if error is not None:
                raise error

        for error in (Invalid("part 7"), ZeroDivisionError()):
            with pytest.raises(type(error)):
                await services.examples.create_dataset(MINE, NewDataset(name="new"), coming(error))
        with pytest.raises(Conflict):
            await services.examples.create_dataset(MINE, NewDataset(name="examples"), coming(None))
        assert await seen() == ["examples"]
        assert blobs(tmp_path) == []
        made = await services.examples.create_dataset(MINE, NewDataset(name="new"), coming(None))
        assert made.example_count == 3
        assert len(blobs(tmp_path)) == 3
        empty = await services.examples.create_dataset(MINE, NewDataset(name="empty"), [])
        assert await services.datasets.versions(MINE, empty.id) == []

    on_services(work)


class Held:
    """The store of examples, whose `change` returns, or raises, only when it is let go."""

    def __init__(self, real: Any, error: Exception | None) -> None:
        self._real = real
        self._error = error
        self.reached, self.release = asyncio.Event(), asyncio.Event()

    async def change(self, *arguments: Any) -> Any:
        found = None if self._error else await self._real.change(*arguments)
        self.reached.set()
        await self.release.wait()
        if self._error:
            raise self._error
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


@pytest.mark.parametrize("error", [None, Conflict("taken")])
def test_who_is_cancelled_while_the_store_writes(
    on_services: Callable[[Work], None], tmp_path: Path, error: Exception | None
) -> None:
    """Files stay when the examples were written, and only then."""

    async def work(services: Services, dataset: UUID) -> None:
        held = Held(services.meta.examples, error)
        services.examples._writing._store = held
        writing = asyncio.create_task(services.examples.add(MINE, dataset, [draft(FILE)]))
        await held.reached.wait()
        writing.cancel()
        await asyncio.sleep(0)
        held.release.set()
        with pytest.raises(asyncio.CancelledError):
            await writing
        found = await services.examples.find(ExampleQuery(workspace=MINE, dataset_id=dataset))
        assert len(found) == len(blobs(tmp_path)) == (0 if error else 1)
        for example in found:
            assert await services.blobs.get(example.files[0].key) == FILE.data

    on_services(work)


def test_who_is_cancelled_while_a_file_is_stored(
    on_services: Callable[[Work], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, release = threading.Event(), threading.Event()
    sync = Blobs._sync

    def slow(self: Blobs, path: Path) -> None:
        reached.set()
        release.wait()
        sync(self, path)

    monkeypatch.setattr(Blobs, "_sync", slow)

    async def work(services: Services, dataset: UUID) -> None:
        writing = asyncio.create_task(services.examples.add(MINE, dataset, [draft(FILE)]))
        await asyncio.to_thread(reached.wait)
        writing.cancel()
        await asyncio.sleep(0)
        release.set()
        with pytest.raises(asyncio.CancelledError):
            await writing
        assert blobs(tmp_path) == []
        assert await services.examples.count(ExampleQuery(workspace=MINE, dataset_id=dataset)) == 0

    on_services(work)


def test_folders_that_stay_are_synced_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    real = os.open

    def watched(path: Any, *more: Any) -> int:
        opened.append(str(Path(path).relative_to(tmp_path)))
        return real(path, *more)

    async def put(store: Blobs, key: str) -> list[str]:
        opened.clear()
        await store.put(key, b"data")
        return list(opened)

    async def work() -> None:
        store = Blobs.open(f"file://{tmp_path}")
        monkeypatch.setattr(os, "open", watched)
        assert await put(store, "kind/workspace/a") == [
            "kind/workspace/a", "kind/workspace", "kind", ".",
        ]  # fmt: skip
        assert await put(store, "kind/workspace/b") == ["kind/workspace/b", "kind/workspace"]
        assert await put(store, "kind/other/a") == ["kind/other/a", "kind/other", "kind"]
        # the folder of a run is not remembered: there are too many
        deep = ["kind/workspace/run/a", "kind/workspace/run", "kind/workspace"]
        assert await put(store, deep[0]) == await put(store, deep[0]) == deep

    asyncio.run(work())

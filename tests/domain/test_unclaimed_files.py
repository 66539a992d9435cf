"""Files that no record names are deleted, and no others, whatever comes between storing and recording."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from stenograph.domain.attachments import attachment_key, example_file_key
from stenograph.domain.projects.projects import Projects
from stenograph.domain.recording.ingest import Delivery, Ingest
from stenograph.domain.recording.recorder import Recorder
from stenograph.domain.unclaimed_files import UnclaimedFiles
from stenograph.errors import InboxFull, StoreUnavailable
from stenograph.model.datasets import Dataset
from stenograph.model.dead_letters import UNREADABLE, DeadLetter
from stenograph.model.examples import ExampleChanges, ExampleFile, NewExample
from stenograph.model.query import RunSelection
from stenograph.model.runs import Attachment, RunPatch
from stenograph.store.blobs import Blobs
from tests.recording import MINE, OTHER, PATIENT, House, create, finish

OnHouse = Callable[..., None]


def names(here: House) -> set[str]:
    """Keys of the files that there are."""
    folder = here.folder / "blobs"
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def with_file(run: UUID, name: str = "f") -> RunPatch:
    return msgspec.structs.replace(create(run), attachments=[Attachment(name, "text/plain", 1)])


def delivery(run: UUID, *names: str) -> Delivery:
    patches = [with_file(run, name) for name in names]
    return Delivery(patches=patches, files=[(attachment_key(MINE, run, name), b"x") for name in names])


def ingest(here: House, to: Recorder, files: UnclaimedFiles) -> Ingest:
    return Ingest(to, here.store, Projects(here.meta), files, max_runs_per_trace=0)


def key_of(run: UUID, name: str = "f") -> str:
    return attachment_key(MINE, run, name)


def test_what_was_stored_and_never_recorded_goes(on_house: OnHouse) -> None:
    """A process is killed after it stored two files: one was recorded, and is in the inbox still."""

    async def work(here: House) -> None:
        kept, lost, theirs = uuid4(), uuid4(), uuid4()
        async with here.recorder(PATIENT) as to:
            files = here.files(to)
            await files.begin([key_of(kept), key_of(lost), attachment_key(OTHER, theirs, "f")])
            for key in (key_of(kept), key_of(lost), attachment_key(OTHER, theirs, "f")):
                await files.put(key, b"x")
            await to.accept([with_file(kept)], [])
            assert await files.sweep() == 0, "what is being stored is nobody's business"
            await here.crash(to)
        async with here.recorder(PATIENT) as to:
            files = here.files(to)
            assert await files.sweep() == 2
            assert names(here) == {key_of(kept)}
            assert here.files(to)._unclaimed == set(), "the journal knows"

    on_house(work)


def test_a_record_that_is_refused(on_house: OnHouse) -> None:
    """Its files stay for the client that tries again, until they are swept."""

    async def work(here: House) -> None:
        refused, again = uuid4(), uuid4()
        async with here.recorder(PATIENT, max_bytes=10) as to:
            files = here.files(to)
            for run in (refused, again):
                with pytest.raises(InboxFull):
                    await ingest(here, to, files).record(delivery(run, "f"))
            assert names(here) == {key_of(refused), key_of(again)}
        async with here.recorder(PATIENT) as to:
            files = here.files(to)
            await ingest(here, to, files).record(delivery(again, "f"))
            assert await files.sweep() == 1
            assert names(here) == {key_of(again)}

    on_house(work)


def test_whoever_stores_a_file_anew_while_it_is_swept(
    on_house: OnHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(here: House) -> None:
        early, late, free = uuid4(), uuid4(), uuid4()
        async with here.recorder(PATIENT) as to:
            files = here.files(to)
            keys = [key_of(run) for run in (early, late, free)]
            await files.begin(keys)
            for key in keys:
                await files.put(key, b"old")
            files.abandoned(keys)
            looking, deleting, look, delete = (asyncio.Event() for _ in range(4))
            settle, remove = to.settle, Blobs.delete

            async def settled(workspace: UUID) -> None:
                looking.set()
                await look.wait()
                await settle(workspace)

            async def removed(self: Blobs, gone: Sequence[str]) -> None:
                deleting.set()
                await delete.wait()
                await remove(self, gone)

            with monkeypatch.context() as patched:
                patched.setattr(to, "settle", settled)
                patched.setattr(Blobs, "delete", removed)
                sweeping = asyncio.create_task(files.sweep())
                await looking.wait()
                first = asyncio.create_task(ingest(here, to, files).record(delivery(early, "f")))
                await asyncio.sleep(0)
                look.set()
                await deleting.wait()
                second = asyncio.create_task(ingest(here, to, files).record(delivery(late, "f")))
                await asyncio.sleep(0)
                assert not second.done(), "it waits until the old file is gone"
                delete.set()
                assert await sweeping == 2
                await asyncio.gather(first, second)
            assert names(here) == {key_of(early), key_of(late)}
            assert await files.sweep() == 0

    on_house(work)


def test_files_that_a_dead_letter_names_stay_until_it_is_done_with(on_house: OnHouse) -> None:
    async def work(here: House) -> None:
        run = uuid4()
        letter = DeadLetter(
            id=uuid4(), workspace=MINE, kind="run", reason="r", record=b"", created_at=1, subject_id=run
        )
        async with here.recorder(PATIENT) as to:
            files = here.files(to)
            await files.begin([key_of(run)])
            await files.put(key_of(run), b"x")
            files.abandoned([key_of(run)])
            await here.meta.dead_letters.bury([letter])
            assert await files.sweep() == 0
            assert names(here) == {key_of(run)}

    on_house(work)


@pytest.mark.parametrize("unreadable", ["letter", "file"])
def test_while_something_cannot_be_read_no_file_of_a_run_goes(on_house: OnHouse, unreadable: str) -> None:
    async def work(here: House) -> None:
        run, example = uuid4(), example_file_key(MINE, uuid4())
        async with here.recorder(PATIENT) as to:
            if unreadable == "letter":
                letter = DeadLetter(
                    id=uuid4(), workspace=UNREADABLE, kind="record", reason="r", record=b"?", created_at=1
                )
                await here.meta.dead_letters.bury([letter])
            else:
                (here.folder / "inbox" / "000000000001.damaged").write_bytes(b"?")
            files = here.files(to)
            await files.begin([key_of(run), example])
            for key in (key_of(run), example):
                await files.put(key, b"x")
            files.abandoned([key_of(run), example])
            assert await files.sweep() == 1
            assert names(here) == {key_of(run)}

    on_house(work)


def test_a_store_that_does_not_tell_keeps_everything(on_house: OnHouse) -> None:
    async def work(here: House) -> None:
        run = uuid4()
        async with here.recorder() as to:
            files = here.files(to)
            await files.begin([key_of(run)])
            await files.put(key_of(run), b"x")
            files.abandoned([key_of(run)])
            here.store.fail_with(StoreUnavailable("away"))
            await to.accept([create(uuid4())], [])
            with pytest.raises(StoreUnavailable):
                await files.sweep()
            assert names(here) == {key_of(run)}
            here.store.before = None
            assert await files.sweep() == 1

    on_house(work)


def test_files_of_any_version_of_an_example_stay(on_house: OnHouse) -> None:
    async def work(here: House) -> None:
        old, gone = (example_file_key(MINE, uuid4()) for _ in range(2))
        dataset = Dataset(id=uuid4(), workspace=MINE, name="d", created_at=1, modified_at=1)
        example = NewExample(id=uuid4(), inputs=b"{}", files=(ExampleFile("f", "t", 1, old),))
        await here.meta.datasets.create(dataset, ExampleChanges(creates=(example,)))
        await here.meta.examples.change(MINE, dataset.id, ExampleChanges(deletes=(example.id,)), 2)
        async with here.recorder() as to:
            files = here.files(to)
            await files.begin([old, gone])
            for key in (old, gone):
                await files.put(key, b"x")
            files.abandoned([old, gone])
            assert await files.sweep() == 1
            assert names(here) == {old}

    on_house(work)


def test_files_that_were_added_to_a_run_one_by_one_all_stay(on_house: OnHouse) -> None:
    async def work(here: House) -> None:
        run = uuid4()
        async with here.recorder(PATIENT) as to:
            files = here.files(to)
            await ingest(here, to, files).record(delivery(run, "a"))
            await to.settle(MINE)
            more = [Attachment("b", "text/plain", 1)]
            await files.begin([key_of(run, "b"), key_of(run, "c")])
            for name in ("b", "c"):
                await files.put(key_of(run, name), b"x")
            await to.accept([msgspec.structs.replace(finish(run), attachments=more)], [])
            files.abandoned([key_of(run, name) for name in ("a", "b", "c")])
            assert await files.sweep() == 1
            assert names(here) == {key_of(run, "a"), key_of(run, "b")}
            await to.delete(RunSelection(workspace=MINE, ids=(run,)))

    on_house(work)


def test_a_journal_that_cannot_be_kept_refuses_the_file(on_house: OnHouse) -> None:
    async def work(here: House) -> None:
        async with here.recorder(PATIENT) as to:
            files = here.files(to)
            files._journal.close()
            with pytest.raises(StoreUnavailable):
                await ingest(here, to, files).record(delivery(uuid4(), "f"))
            assert names(here) == set()
            assert not files._storing

    on_house(work)


def test_deleting_fails(on_house: OnHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """What should have been discarded is swept later."""

    async def away(self: Blobs, keys: Sequence[str]) -> None:
        raise StoreUnavailable("away")

    async def work(here: House) -> None:
        key = example_file_key(MINE, uuid4())
        async with here.recorder() as to:
            files = here.files(to)
            await files.begin([key])
            await files.put(key, b"x")
            with monkeypatch.context() as patched, pytest.raises(StoreUnavailable):
                patched.setattr(Blobs, "delete", away)
                await files.discard([key])
            assert await files.sweep() == 1
            assert names(here) == set()

    on_house(work)


def test_the_loop_sweeps_when_it_starts(on_house: OnHouse) -> None:
    async def work(here: House) -> None:
        key = example_file_key(MINE, uuid4())
        async with here.recorder() as to:
            first = here.files(to)
            await first.begin([key])
            await first.put(key, b"x")
            second = here.files(to)
            gone = asyncio.Event()
            remove: Any = second._blobs.delete

            async def removed(keys: Sequence[str]) -> None:
                await remove(keys)
                if key in keys:
                    gone.set()

            second._blobs.delete = removed  # type: ignore[method-assign]
            second.start()
            await asyncio.wait_for(gone.wait(), 30)
            await second.stop()
            assert names(here) == set()
            assert Path(here.folder / "files.journal").exists()

    on_house(work)

"""How a write of examples is made: what each has to be, its files, and that it is one version or nothing.

    write = its dataset, which nobody else in this process writes to, and the keys of the files stored for it
    draft or edit -> shaped, checked, its files stored -> spooled ... -> all of them in one transaction
                                                                  \\-> or what is wrong, and the files go again

Shared by what adds examples and what changes them. What an example must be is `rules.py`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

import msgspec

from stenograph.domain.attachments import attachment_key, example_file_key
from stenograph.domain.datasets.datasets import Datasets
from stenograph.domain.examples.drafts import ExampleDraft, ExampleEdit, NewFile, Written
from stenograph.domain.examples.rules import Rules, SchemaViolations
from stenograph.domain.runs import RunReader
from stenograph.domain.unclaimed_files import UnclaimedFiles
from stenograph.errors import Invalid, NotFound
from stenograph.model.datasets import Dataset
from stenograph.model.examples import (
    ExampleChanges,
    ExampleFile,
    ExamplePatch,
    ExampleQuery,
    NewExample,
    with_splits,
)
from stenograph.model.runs import Micros
from stenograph.store.api import BlobStore, MetaStore

MAX_ASKED: Final = 1000
"""Ids asked for at a time."""

_TURN: Final = 64
_TURN_BYTES: Final = 1 << 20
"""Examples, and bytes of them, prepared before others get their turn on the event loop."""

Wanted = TypeVar("Wanted", ExampleDraft, ExampleEdit)
Result = TypeVar("Result")


@dataclass(slots=True)
class Write:
    """A write in the making, the keys of the files that were stored for it, and whether it was made."""

    workspace: UUID
    dataset: Dataset
    rules: Rules
    with_files: bool = True
    violations: SchemaViolations = field(default_factory=SchemaViolations)
    stored: list[str] = field(default_factory=list)
    made: bool = False
    places: dict[str, tuple[str | int, ...]] = field(default_factory=dict)
    """Of examples whose files are moved: where the client wrote of each."""


class ExampleWriting:
    """The steps of a write. Callers check the permission; another workspace's examples are unknown here."""

    def __init__(
        self, meta: MetaStore, blobs: BlobStore, files: UnclaimedFiles, datasets: Datasets, runs: RunReader
    ) -> None:
        self._store = meta.examples
        self._blobs = blobs
        self._files = files
        self._datasets = datasets
        self._runs = runs

    async def new(self, write: Write, draft: ExampleDraft) -> NewExample:
        example_id = draft.id or uuid4()
        inputs, outputs, extra = draft.inputs, draft.outputs, None
        files = {file.name: await self.put(write, file) for file in draft.files}
        if draft.source_run_id is not None and (draft.use_source_run_io or draft.source_run_files):
            run = await self._runs.one(
                write.workspace, draft.source_run_id, frozenset({"inputs", "outputs", "extra", "attachments"})
            )
            extra = run.extra
            if draft.use_source_run_io:
                inputs = run.inputs if inputs is None else inputs
                outputs = run.outputs if outputs is None else outputs
            for file in (run.attachments or ()) if write.with_files else ():
                wanted = draft.use_source_run_io or file.name in draft.source_run_files
                if wanted and file.name not in files:
                    data = await self._blobs.get(attachment_key(write.workspace, run.id, file.name))
                    copy = NewFile(file.name, file.mime_type, data)
                    files[file.name] = await self.put(write, copy)
        if inputs is None:
            raise Invalid(f"example {example_id} has no inputs", where=(*draft.where, "inputs"))
        shaped, outputs = write.rules.shaped(inputs, outputs, extra)
        inputs = inputs if shaped is None else shaped
        write.violations.add(write.rules.problems(inputs, outputs), example_id, draft.where)
        return NewExample(
            id=example_id,
            inputs=inputs,
            outputs=outputs,
            metadata=with_splits(draft.metadata, draft.splits),
            created_at=draft.created_at,
            source_run_id=draft.source_run_id,
            files=tuple(files.values()),
        )

    async def put(self, write: Write, file: NewFile) -> ExampleFile:
        key = example_file_key(write.workspace, uuid4())
        await self._files.begin([key])
        write.stored.append(key)
        await self._files.put(key, bytes(file.data))
        return ExampleFile(file.name, file.mime_type, len(file.data), key)

    @asynccontextmanager
    async def begun(self, workspace: UUID, dataset_id: UUID) -> AsyncIterator[Write]:
        """A write to a dataset that nobody else in this process writes to; its files go again if it fails."""
        async with (
            self._datasets.writing(workspace, dataset_id) as dataset,
            self.begun_with(dataset) as write,
        ):
            yield write

    @asynccontextmanager
    async def begun_with(self, dataset: Dataset) -> AsyncIterator[Write]:
        """The same where nobody else knows of the dataset yet."""
        write = Write(dataset.workspace, dataset, Rules(dataset))
        try:
            yield write
        finally:
            if write.made:
                self._files.claimed(write.stored)
            else:
                await self._files.discard(write.stored)

    async def commit(self, write: Write, ids: Sequence[UUID], changes: ExampleChanges) -> Written:
        write.violations.raise_if_any()
        if not ids:
            return Written(write.dataset.modified_at, ())
        change = self._store.change(write.workspace, write.dataset.id, changes, now())
        return Written(await settled(write, change), tuple(ids))

    async def patch(self, write: Write, edit: ExampleEdit) -> ExamplePatch:
        inputs, outputs = write.rules.shaped(edit.inputs, edit.outputs, None)
        write.violations.add(write.rules.problems(inputs, outputs, partly=True), edit.id, edit.where)
        if edit.operations is not None:
            write.places[str(edit.id)] = edit.where
        return ExamplePatch(
            id=edit.id,
            inputs=inputs,
            outputs=outputs,
            metadata=edit.metadata,
            splits=edit.splits,
            files=tuple([await self.put(write, file) for file in edit.files]),
            operations=edit.operations,
        )

    async def known(self, query: ExampleQuery, ids: Sequence[UUID]) -> set[UUID]:
        """Those of these ids that match."""
        known: set[UUID] = set()
        for start in range(0, len(ids), MAX_ASKED):
            asked = msgspec.structs.replace(query, ids=tuple(ids[start : start + MAX_ASKED]))
            known.update(await self._store.ids(asked))
        return known

    async def homes(self, workspace: UUID, example_ids: Sequence[UUID]) -> Mapping[UUID, UUID]:
        homes = await self._store.datasets_of(workspace, example_ids)
        for each in example_ids:
            if each not in homes:
                raise NotFound(f"example not found: {each}")
        return homes


async def in_turns(wanted: Iterable[Wanted] | AsyncIterable[Wanted]) -> AsyncIterator[Wanted]:
    """The same one by one; others get their turn on the event loop after so many, or so many bytes of them."""
    if isinstance(wanted, AsyncIterable):
        async for each in wanted:
            yield each
        return
    count = size = 0
    for each in wanted:
        yield each
        count, size = count + 1, size + len(each.inputs or b"") + len(each.outputs or b"")
        if count >= _TURN or size >= _TURN_BYTES:
            count = size = 0
            await asyncio.sleep(0)


async def settled(write: Write, change: Coroutine[Any, Any, Result]) -> Result:
    """The result of a change in the store. Who is cancelled meanwhile still learns whether it was made: the
    files of one that was have to stay."""
    task = asyncio.ensure_future(change)
    try:
        found = await asyncio.shield(task)
    except Invalid as error:
        example, *rest = error.where or ("",)
        place = write.places.get(str(example))
        raise error if place is None else Invalid(error.message, (*place, *rest)) from None
    except asyncio.CancelledError:
        await asyncio.wait([task])
        write.made = task.exception() is None
        raise
    write.made = True
    return found


def now() -> Micros:
    return time.time_ns() // 1000

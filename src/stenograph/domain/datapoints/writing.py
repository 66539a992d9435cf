"""Writes of datapoints, each to any number of datasets, by the rules of each: all of it or none.

What is written is decided by `datapoints.py` and `datasets.py`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from uuid import UUID, uuid4
from weakref import WeakValueDictionary

import msgspec

from stenograph.domain.attachments import example_file_key
from stenograph.domain.datasets.datasets import Datasets
from stenograph.domain.examples.late import LateExamples
from stenograph.domain.examples.rules import Rules, SchemaViolations
from stenograph.domain.examples.spool import ExampleSpool
from stenograph.model.datapoints import Copy, Datapoint, DatapointChanges, DatasetChange
from stenograph.model.datasets import Dataset, DatasetPatch
from stenograph.model.examples import (
    ExampleChanges,
    ExampleFile,
    ExamplePatch,
    NewExample,
    next_metadata,
    with_splits,
)
from stenograph.model.runs import Micros
from stenograph.store.api import BlobStore, MetaStore


@dataclass(slots=True)
class _Home:
    """What the write does to one dataset."""

    dataset: Dataset
    rules: Rules
    creates: ExampleSpool[NewExample]
    patch: DatasetPatch = field(default_factory=DatasetPatch)
    added: list[UUID] = field(default_factory=list)
    patches: list[ExamplePatch] = field(default_factory=list)
    deletes: list[UUID] = field(default_factory=list)

    def change(self) -> DatasetChange | None:
        """None when it stays as it is."""
        examples = ExampleChanges(
            creates=self.creates if self.added else (),
            patches=tuple(self.patches),
            deletes=tuple(self.deletes),
        )
        if not examples and self.patch == DatasetPatch():
            return None
        return DatasetChange(self.patch, examples or None)


class DatapointWrite:
    """Gathers what becomes of datapoints in these datasets, which the caller has to itself. A context manager."""

    def __init__(self, workspace: UUID, datasets: Iterable[Dataset], blobs: BlobStore) -> None:
        self._workspace = workspace
        self._blobs = blobs
        self._open = ExitStack()
        self._homes = {
            each.id: _Home(each, Rules(each), self._open.enter_context(ExampleSpool(NewExample)))
            for each in datasets
        }
        self._copies: list[Copy] = []
        self._kept = self._open.enter_context(ExampleSpool(Datapoint))
        self._keeps = False
        self._dropped: list[UUID] = []
        self._files: dict[UUID, tuple[ExampleFile, ...]] = {}
        self._violations = SchemaViolations()
        self.stored: list[str] = []
        """Keys of the files that were stored for this write."""

    def __enter__(self) -> DatapointWrite:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)

    @property
    def added(self) -> dict[UUID, list[UUID]]:
        """The new examples of each dataset."""
        return {dataset_id: home.added for dataset_id, home in self._homes.items() if home.added}

    def patch(self, dataset_id: UUID, patch: DatasetPatch) -> None:
        """Change the dataset itself."""
        self._homes[dataset_id].patch = patch

    async def add(
        self, datapoint: Datapoint, dataset_id: UUID, *, own_id: bool, own_files: bool = False
    ) -> None:
        """Put a copy into this dataset: under the datapoint's id, unless another example has that. Its files are
        copied, unless they are nobody else's."""
        home = self._homes[dataset_id]
        example_id = datapoint.id if own_id else uuid4()
        if not own_id:
            self._copies.append(Copy(datapoint.id, dataset_id, example_id))
        inputs, outputs = home.rules.shaped(datapoint.inputs, datapoint.outputs, None)
        inputs = datapoint.inputs if inputs is None else inputs
        self._violations.add(home.rules.problems(inputs, outputs), datapoint.id, ("body",))
        home.added.append(example_id)
        home.creates.add(
            NewExample(
                id=example_id,
                inputs=inputs,
                outputs=outputs,
                metadata=with_splits(datapoint.metadata, None),
                created_at=datapoint.created_at,
                source_run_id=datapoint.source_run_id,
                files=datapoint.files if own_files else await self._copied(datapoint.files),
            )
        )

    def change(self, copy: Copy, datapoint: Datapoint) -> None:
        """Make this copy what the datapoint is now. Splits that it does not state stay as they are."""
        home = self._homes[copy.dataset]
        inputs, outputs = home.rules.shaped(datapoint.inputs, datapoint.outputs, None)
        problems = home.rules.problems(inputs, outputs, partly=True)
        self._violations.add(problems, datapoint.id, ("body",))
        home.patches.append(
            ExamplePatch(
                id=copy.example,
                inputs=inputs,
                outputs=outputs,
                metadata=datapoint.metadata,
                source_run_id=datapoint.source_run_id,
            )
        )

    def remove(self, copy: Copy) -> None:
        """Take this copy out of its dataset."""
        self._homes[copy.dataset].deletes.append(copy.example)

    async def leave_files(self, datapoint: Datapoint) -> None:
        """Should no dataset have the datapoint after this: what it then has of its files is copies."""
        if datapoint.files:
            self._files[datapoint.id] = await self._copied(datapoint.files)

    def keep(self, datapoint: Datapoint, before: Datapoint | None = None) -> None:
        """Keep it as one that no dataset has; `before` is what was kept of it."""
        metadata = (
            with_splits(datapoint.metadata, None)
            if before is None
            else next_metadata(before.metadata, ExamplePatch(id=before.id, metadata=datapoint.metadata))
        )
        self._keeps = True
        self._kept.add(msgspec.structs.replace(datapoint, metadata=metadata, datasets=()))

    def drop(self, datapoint_id: UUID) -> None:
        """It is no longer one that no dataset has."""
        self._dropped.append(datapoint_id)

    async def _copied(self, files: tuple[ExampleFile, ...]) -> tuple[ExampleFile, ...]:
        made: list[ExampleFile] = []
        for file in files:
            key = example_file_key(self._workspace, uuid4())
            self.stored.append(key)
            await self._blobs.put(key, await self._blobs.get(file.key))
            made.append(ExampleFile(file.name, file.mime_type, file.size, key))
        return tuple(made)

    def changes(self, *, releases: bool) -> DatapointChanges:
        """All that was gathered; SchemaViolations when a dataset's rules do not allow it."""
        self._violations.raise_if_any()
        datasets = {dataset_id: home.change() for dataset_id, home in self._homes.items()}
        return DatapointChanges(
            datasets={dataset_id: change for dataset_id, change in datasets.items() if change},
            copies=tuple(self._copies),
            kept=self._kept if self._keeps else (),
            dropped=tuple(self._dropped),
            releases=releases,
            files=self._files,
        )


class DatapointWriter:
    """Makes such writes, one at a time where they change what datasets a datapoint is in."""

    def __init__(self, meta: MetaStore, blobs: BlobStore, datasets: Datasets, late: LateExamples) -> None:
        self._store = meta.datapoints
        self._blobs = blobs
        self._datasets = datasets
        self._late = late
        self._moving: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def moving(self, workspace: UUID) -> AsyncIterator[None]:
        """No datapoint of the workspace is put into a dataset, or taken out of one, by another inside the block,
        but for new ones. LangSmith's clients may still delete examples."""
        lock = self._moving.setdefault(workspace, asyncio.Lock())
        async with lock:
            yield

    @asynccontextmanager
    async def writing(
        self, workspace: UUID, dataset_ids: Iterable[UUID], *, releases: bool = False
    ) -> AsyncIterator[DatapointWrite]:
        """A write to these datasets, which nobody else in this process writes to; made when the block is left.

        With `releases`, datapoints that it takes out of the last dataset that has them stay. NotFound for an unknown
        dataset, and what `Datapoints.write` of the store raises.
        """
        async with AsyncExitStack() as held:
            datasets = [
                await held.enter_async_context(self._datasets.writing(workspace, each))
                for each in sorted(set(dataset_ids))
            ]
            write = held.enter_context(DatapointWrite(workspace, datasets, self._blobs))
            try:
                yield write
                changes = write.changes(releases=releases)
                if changes != DatapointChanges(releases=releases):
                    await self._store.write(workspace, changes, now())
            except Exception:  # not when cancelled: the write may have been made, and its files have to stay
                await self._blobs.delete(write.stored)
                raise
        for dataset_id, example_ids in write.added.items():
            await self._late.arrived(workspace, dataset_id, example_ids)


def now() -> Micros:
    return time.time_ns() // 1000

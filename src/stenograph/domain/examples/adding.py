"""Examples added to a dataset, one version each time: given by clients, copied, or with the dataset itself."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from dataclasses import replace
from uuid import UUID

from stenograph.domain.datasets.datasets import Datasets, NewDataset
from stenograph.domain.examples.drafts import ExampleDraft, ExampleEdit, NewFile, Written
from stenograph.domain.examples.late import LateExamples
from stenograph.domain.examples.reading import ExampleReader
from stenograph.domain.examples.rules import Rules
from stenograph.domain.examples.spool import ExampleSpool
from stenograph.domain.examples.writing import ExampleWriting, Write, in_turns, settled
from stenograph.domain.runs import RunReader
from stenograph.domain.unclaimed_files import UnclaimedFiles
from stenograph.model.datasets import Dataset
from stenograph.model.examples import ExampleChanges, ExamplePatch, ExampleQuery, NewExample
from stenograph.store.api import BlobStore, MetaStore


class ExampleAdder(ExampleReader):
    """Callers check the permission; another workspace's examples are unknown here."""

    def __init__(
        self,
        meta: MetaStore,
        blobs: BlobStore,
        files: UnclaimedFiles,
        datasets: Datasets,
        runs: RunReader,
        late: LateExamples,
    ) -> None:
        super().__init__(meta, datasets)
        self._dataset_store = meta.datasets
        self._projects = meta.projects
        self._blobs = blobs
        self._late = late
        self._writing = ExampleWriting(meta, blobs, files, datasets, runs)

    async def add(
        self, workspace: UUID, dataset_id: UUID, drafts: Iterable[ExampleDraft] | AsyncIterable[ExampleDraft]
    ) -> Written:
        """All of these or none, as one version. Drafts are gone through once and not kept in memory.

        SchemaViolations names the first examples at fault; Conflict when an id is taken; NotFound for an
        unknown dataset or source run.
        """
        with ExampleSpool(NewExample) as spool:
            async with self._writing.begun(workspace, dataset_id) as write:
                ids = await self._prepare(write, drafts, spool)
                written = await self._writing.commit(write, ids, ExampleChanges(creates=spool))
        await self._late.arrived(workspace, dataset_id, ids)
        return written

    async def create_dataset(
        self, workspace: UUID, new: NewDataset, drafts: Iterable[ExampleDraft] | AsyncIterable[ExampleDraft]
    ) -> Dataset:
        """A dataset with these examples as its first version: both, or neither, whatever happens meanwhile.

        Errors as for `add`, and Conflict when the dataset's name or id is taken.
        """
        dataset = self._datasets.made(workspace, new)
        with ExampleSpool(NewExample) as spool:
            async with self._writing.begun_with(dataset) as write:
                ids = await self._prepare(write, drafts, spool)
                write.violations.raise_if_any()
                changes = ExampleChanges(creates=spool) if ids else None
                await settled(write, self._dataset_store.create(dataset, changes))
        await self._late.arrived(workspace, dataset.id, ids)
        return await self._datasets.read(workspace, dataset.id)

    async def _prepare(
        self,
        write: Write,
        drafts: Iterable[ExampleDraft] | AsyncIterable[ExampleDraft],
        spool: ExampleSpool[NewExample],
    ) -> list[UUID]:
        """Puts all into the spool; their ids. None is in memory afterwards: the last one may be huge."""
        ids: list[UUID] = []
        async for draft in in_turns(drafts):
            new = await self._writing.new(write, draft)
            ids.append(new.id)
            spool.add(new)
        return ids

    async def upsert(
        self, workspace: UUID, dataset_id: UUID, ids: Sequence[UUID], drafts: Iterable[ExampleDraft]
    ) -> Written:
        """Add those that are not there and change those that are, by what each draft states: one version.

        `ids` are those of the drafts, in their order. Errors as for `add` and `edit`.
        """
        with ExampleSpool(NewExample) as creates, ExampleSpool(ExamplePatch) as patches:
            async with self._writing.begun(workspace, dataset_id) as write:
                known = await self._writing.known(ExampleQuery(workspace=workspace), ids)
                async for draft in in_turns(drafts):
                    if draft.id in known:
                        patches.add(await self._writing.patch(write, _as_edit(draft, draft.id)))
                    else:
                        creates.add(await self._writing.new(write, draft))
                changes = ExampleChanges(creates=creates, patches=patches)
                written = await self._writing.commit(write, ids, changes)
        await self._late.arrived(workspace, dataset_id, [each for each in ids if each not in known])
        return written

    async def validate(
        self, workspace: UUID, dataset_id: UUID, drafts: Sequence[ExampleDraft]
    ) -> list[NewExample]:
        """What `add` would make of these, files aside; raises what it would of their content. Writes nothing."""
        dataset = await self._datasets.read(workspace, dataset_id)
        write = Write(workspace, dataset, Rules(dataset), with_files=False)
        checked = [
            await self._writing.new(write, replace(draft, files=())) async for draft in in_turns(drafts)
        ]
        write.violations.raise_if_any()
        return checked

    async def clone(self, target: UUID, query: ExampleQuery) -> Written:
        """Copies, under new ids, of what the query selects: one version of the target dataset."""
        return await self.add(query.workspace, target, self._copies(query))

    async def _copies(self, query: ExampleQuery) -> AsyncIterator[ExampleDraft]:
        async for page in self.walk(query):
            for example in page:
                files = [
                    NewFile(file.name, file.mime_type, await self._blobs.get(file.key))
                    for file in example.files
                ]
                yield ExampleDraft(
                    inputs=example.inputs,
                    outputs=example.outputs,
                    metadata=example.metadata,
                    source_run_id=example.source_run_id,
                    files=tuple(files),
                )


def _as_edit(draft: ExampleDraft, example_id: UUID) -> ExampleEdit:
    return ExampleEdit(
        id=example_id,
        inputs=draft.inputs,
        outputs=draft.outputs,
        metadata=draft.metadata,
        splits=draft.splits,
        files=draft.files,
        where=draft.where,
    )

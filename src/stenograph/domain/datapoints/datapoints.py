"""Datapoints: made, read, changed and deleted, whichever datasets have them.

A change is made to every copy, so that HoneyHive's clients see one thing; LangSmith's clients change one example, and
what was written last is what the datapoint is. Callers check the permission; another workspace's datapoints are
unknown here. docs/decisions/065-a-datapoint-is-an-example-in-each-of-its-datasets.md
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeAlias
from uuid import UUID, uuid4

import msgspec

from stenograph.domain.datapoints.writing import DatapointWrite, DatapointWriter, now
from stenograph.domain.examples.drafts import ExampleDraft
from stenograph.domain.examples.examples import Examples
from stenograph.domain.examples.writing import in_turns
from stenograph.errors import Invalid, NotFound
from stenograph.model.datapoints import Copy, Datapoint
from stenograph.model.examples import without_splits
from stenograph.model.runs import Micros
from stenograph.store.api import BlobStore, MetaStore

PAGE: Final = 100
"""Datapoints read at a time where many are gone through: they may be large."""

MAX_LINKED: Final = 100
"""Datasets that one request may put a datapoint into: each of them gets a version."""

Edit: TypeAlias = Callable[[Datapoint], Datapoint]
"""What a datapoint becomes. It is handed one whose metadata states no splits; those stay that the result does not
state."""


class Datapoints:
    """The use-cases of datapoints. A datapoint can be named by its id, or by that of any example it is."""

    def __init__(
        self, meta: MetaStore, blobs: BlobStore, examples: Examples, writer: DatapointWriter
    ) -> None:
        self._store = meta.datapoints
        self._blobs = blobs
        self._examples = examples
        self._writer = writer

    # -- reading -------------------------------------------------------------------------------------------

    async def read(self, workspace: UUID, datapoint_id: UUID) -> Datapoint:
        """NotFound when there is none."""
        for found in await self._store.read(workspace, await self.named(workspace, [datapoint_id])):
            return found
        raise unknown(datapoint_id)

    async def find(
        self, workspace: UUID, datapoint_ids: Sequence[UUID] | None, dataset_id: UUID | None
    ) -> AsyncIterator[list[Datapoint]]:
        """Those of these ids that the dataset has, in the order of the ids, some at a time; None asks for all, in
        the order in which they were made."""
        wanted = None if datapoint_ids is None else await self.named(workspace, datapoint_ids)
        if dataset_id is not None:
            members = (await self._store.members(workspace, [dataset_id]))[dataset_id]
            inside = set(members)
            wanted = members if wanted is None else [each for each in wanted if each in inside]
        elif wanted is None:
            wanted = await self._store.ids(workspace)
        for start in range(0, len(wanted), PAGE):
            yield await self._store.read(workspace, wanted[start : start + PAGE])

    async def named(self, workspace: UUID, ids: Sequence[UUID]) -> list[UUID]:
        """The datapoints that these ids mean, once each. Not every one of them need be there."""
        aliases = await self._store.of_examples(workspace, ids)
        return list(dict.fromkeys(aliases.get(each, each) for each in ids))

    async def members(self, workspace: UUID, dataset_ids: Sequence[UUID]) -> Mapping[UUID, list[UUID]]:
        """The datapoints of each of these datasets, in the order in which they were made."""
        return await self._store.members(workspace, dataset_ids)

    async def examples_in(
        self, workspace: UUID, dataset_id: UUID, datapoint_ids: Sequence[UUID]
    ) -> Mapping[UUID, UUID]:
        """The example that each of these datapoints is in this dataset, for those that it has.

        An experiment over the dataset refers to examples, and HoneyHive's clients to datapoints. Those that a client
        keeps itself (`EXT-…`), and unknown ones, are in no dataset, so they are not in the answer.
        """
        copies = await self._store.copies(workspace, datapoint_ids)
        return {copy.datapoint: copy.example for copy in copies if copy.dataset == dataset_id}

    async def of_examples(self, workspace: UUID, example_ids: Sequence[UUID]) -> Mapping[UUID, UUID]:
        """The datapoint that each of these examples is a copy of: itself, unless it was put into a second dataset."""
        aliases = await self._store.of_examples(workspace, example_ids)
        return {each: aliases.get(each, each) for each in example_ids}

    # -- making --------------------------------------------------------------------------------------------

    async def create(self, workspace: UUID, draft: ExampleDraft, datasets: Sequence[UUID]) -> UUID:
        """A new datapoint in these datasets, or in none; its id. NotFound for an unknown dataset."""
        wanted = _distinct(datasets)
        made = _made(workspace, draft, now())
        async with self._writer.writing(workspace, wanted) as write:
            for place, dataset_id in enumerate(wanted):
                await write.add(made, dataset_id, own_id=place == 0, own_files=True)
            if not wanted:
                write.keep(made)
        return made.id

    async def create_many(
        self,
        workspace: UUID,
        dataset_id: UUID | None,
        drafts: Iterable[ExampleDraft] | AsyncIterable[ExampleDraft],
        count: int,
    ) -> list[UUID]:
        """As many new datapoints, in this dataset or in none, all of them or none; their ids in the order of the
        drafts, which is the order of the dataset: each gets a time of creation of its own."""
        timed = _one_after_another(drafts, now() - count)
        if dataset_id is not None:
            return list((await self._examples.add(workspace, dataset_id, timed)).ids)
        made: list[UUID] = []
        async with self._writer.writing(workspace, ()) as write:
            async for draft in timed:
                datapoint = _made(workspace, draft, draft.created_at or now())
                made.append(datapoint.id)
                write.keep(datapoint)
        return made

    # -- changing ------------------------------------------------------------------------------------------

    async def update(
        self, workspace: UUID, datapoint_id: UUID, edit: Edit | None, datasets: Sequence[UUID] | None
    ) -> None:
        """Change every copy of it, and which datasets have one; None leaves either as it is.

        NotFound for an unknown datapoint or dataset; SchemaViolations when a dataset does not allow it.
        """
        wanted = None if datasets is None else _distinct(datasets)
        async with self._writer.moving(workspace):
            (named,) = await self.named(workspace, [datapoint_id])
            copies = await self._store.copies(workspace, [named])
            touched = {*(wanted or ()), *(copy.dataset for copy in copies)}
            async with self._writer.writing(workspace, touched, releases=True) as write:
                before = await self.read(workspace, named)
                copies = await self._store.copies(workspace, [named])  # one may have been deleted meanwhile
                after = None if edit is None else _edited(before, edit)
                await self._place(write, before, after, copies, wanted)

    async def _place(
        self,
        write: DatapointWrite,
        before: Datapoint,
        after: Datapoint | None,
        copies: Sequence[Copy],
        wanted: Sequence[UUID] | None,
    ) -> None:
        here = {copy.dataset: copy for copy in copies}
        wanted = tuple(here) if wanted is None else wanted
        own_id = own_id_is_free(before.id, copies)
        for dataset_id in wanted:
            if dataset_id not in here:
                await write.add(after or before, dataset_id, own_id=own_id, own_files=not copies and own_id)
                own_id = False
            elif after is not None:
                write.change(here[dataset_id], after)
        for dataset_id, copy in here.items():
            if dataset_id not in wanted:
                write.remove(copy)
        if not wanted:
            if not copies and after is not None:
                write.keep(after, before)
            elif copies:
                await write.leave_files(before)
                if after is not None:
                    write.keep(after, before)
        elif not copies:
            write.drop(before.id)

    async def delete(self, workspace: UUID, datapoint_id: UUID) -> None:
        """From all datasets, whose older versions still have it; NotFound when there is none."""
        async with self._writer.moving(workspace):
            (named,) = await self.named(workspace, [datapoint_id])
            copies = await self._store.copies(workspace, [named])
            async with self._writer.writing(workspace, [copy.dataset for copy in copies]) as write:
                found = await self.read(workspace, named)
                for copy in await self._store.copies(workspace, [named]):
                    write.remove(copy)
                write.drop(named)
        if not copies:
            await self._blobs.delete([file.key for file in found.files])


def own_id_is_free(datapoint_id: UUID, copies: Iterable[Copy]) -> bool:
    """Whether a further copy can have the datapoint's id: none of these, which are all there are, has it."""
    return all(copy.example != datapoint_id for copy in copies)


def unknown(datapoint_id: UUID) -> NotFound:
    return NotFound(f"datapoint not found: {datapoint_id}")


def _distinct(datasets: Sequence[UUID]) -> tuple[UUID, ...]:
    found = tuple(dict.fromkeys(datasets))
    if len(found) > MAX_LINKED:
        raise Invalid(
            f"a datapoint is put into at most {MAX_LINKED} datasets at once", ("body", "linked_datasets")
        )
    return found


def _made(workspace: UUID, draft: ExampleDraft, at: Micros) -> Datapoint:
    return Datapoint(
        id=draft.id or uuid4(),
        workspace=workspace,
        created_at=at,
        modified_at=at,
        inputs=draft.inputs or b"{}",
        outputs=draft.outputs,
        metadata=draft.metadata or b"{}",
        source_run_id=draft.source_run_id,
    )


async def _one_after_another(
    drafts: Iterable[ExampleDraft] | AsyncIterable[ExampleDraft], at: Micros
) -> AsyncIterator[ExampleDraft]:
    """The drafts, with a time of creation each. Others get their turn on the event loop now and then."""
    async for draft in in_turns(drafts):
        yield replace(draft, created_at=at)
        at += 1


def _edited(before: Datapoint, edit: Edit) -> Datapoint:
    bare = msgspec.structs.replace(before, metadata=without_splits(before.metadata))
    return msgspec.structs.replace(edit(bare), modified_at=now())

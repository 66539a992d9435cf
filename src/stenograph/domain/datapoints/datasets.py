"""Datasets as lists of datapoints: made, changed, emptied and deleted.

Datapoints are not deleted here: those that no dataset has any more are kept by themselves. Callers check the
permission. docs/decisions/066-datasets-of-honeyhives-clients.md
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec

from stenograph.domain.datapoints.datapoints import PAGE, Datapoints, own_id_is_free, unknown
from stenograph.domain.datapoints.writing import DatapointWrite, DatapointWriter
from stenograph.domain.datasets import datasets as plain
from stenograph.domain.datasets.datasets import Datasets, NewDataset, check_patch
from stenograph.errors import Conflict
from stenograph.model.datasets import Dataset, DatasetPatch, DatasetQuery
from stenograph.store.api import BlobStore, MetaStore

_TRIES: Final = 10
"""How often a free name is looked for while other processes take it."""


class DatapointDatasets:
    """The use-cases of datasets that are written together with the list of what they have."""

    def __init__(
        self,
        meta: MetaStore,
        blobs: BlobStore,
        datasets: Datasets,
        datapoints: Datapoints,
        writer: DatapointWriter,
    ) -> None:
        self._store = meta.datapoints
        self._blobs = blobs
        self._datasets = datasets
        self._datapoints = datapoints
        self._writer = writer

    async def find(self, workspace: UUID, dataset_id: UUID) -> Dataset | None:
        """The dataset; None when there is none.

        That is no mistake where an experiment is said to be over it: clients keep datasets of their own, whose ids
        begin with `EXT-`, and only name them. Such an id is no uuid, so that it does not get here, and what an
        experiment says of it is a text to be kept. `Datapoints.examples_in` answers for datapoints in the same way.
        """
        found = await self._datasets.find(DatasetQuery(workspace=workspace, ids=(dataset_id,)))
        return found[0] if found else None

    async def create(
        self, workspace: UUID, new: NewDataset, datapoint_ids: Sequence[UUID], *, numbered: bool = False
    ) -> Dataset:
        """A dataset of these datapoints. Conflict when its name is taken, unless it may be `numbered` then: `Untitled
        Dataset 2`. NotFound for an unknown datapoint."""
        if numbered:
            async with self._writer.moving(
                workspace
            ):  # one at a time, so that each finds a number of its own
                made = await self._numbered(workspace, new)
        else:
            made = await self._datasets.create(workspace, new)
        try:
            return await self.update(workspace, made.id, DatasetPatch(), datapoint_ids)
        except BaseException:
            await self._datasets.delete(workspace, [made.id])
            raise

    async def _numbered(self, workspace: UUID, new: NewDataset) -> Dataset:
        numbered = re.compile(re.escape(new.name) + r"(?: ([0-9]{1,9}))?")
        for _ in range(_TRIES):
            taken = await self._datasets.find(DatasetQuery(workspace=workspace, name_contains=new.name))
            numbers = [int(found[1] or 1) for each in taken if (found := numbered.fullmatch(each.name))]
            name = f"{new.name} {max(numbers) + 1}" if numbers else new.name
            try:
                return await self._datasets.create(workspace, msgspec.structs.replace(new, name=name))
            except Conflict:
                continue
        raise Conflict(f"no number is free for another {new.name!r}: name the dataset")

    async def update(
        self, workspace: UUID, dataset_id: UUID, patch: DatasetPatch, datapoint_ids: Sequence[UUID] | None
    ) -> Dataset:
        """Change it, and have it have these datapoints and no others, unless they are None; all of it or nothing.

        NotFound for an unknown dataset or datapoint, Conflict when its new name is taken.
        """
        check_patch(patch)
        async with self._writer.moving(workspace):
            async with self._writer.writing(workspace, [dataset_id], releases=True) as write:
                write.patch(dataset_id, patch)
                if datapoint_ids is not None:
                    wanted = await self._datapoints.named(workspace, datapoint_ids)
                    await self._fill(write, workspace, dataset_id, wanted)
            return await self._datasets.read(workspace, dataset_id)

    async def _fill(
        self, write: DatapointWrite, workspace: UUID, dataset_id: UUID, wanted: Sequence[UUID]
    ) -> None:
        before = (await self._store.members(workspace, [dataset_id]))[dataset_id]
        inside, staying = set(before), set(wanted)
        await self._add(write, workspace, dataset_id, [each for each in wanted if each not in inside])
        await self._remove(write, workspace, dataset_id, [each for each in before if each not in staying])

    async def _add(
        self, write: DatapointWrite, workspace: UUID, dataset_id: UUID, datapoint_ids: Sequence[UUID]
    ) -> None:
        for start in range(0, len(datapoint_ids), PAGE):
            page = datapoint_ids[start : start + PAGE]
            found = {each.id: each for each in await self._store.read(workspace, page)}
            copies = await self._store.copies(workspace, page)
            for each in page:
                if each not in found:
                    raise unknown(each)
                datapoint = found[each]
                own_id = own_id_is_free(each, [copy for copy in copies if copy.datapoint == each])
                await write.add(datapoint, dataset_id, own_id=own_id, own_files=not datapoint.datasets)
                if not datapoint.datasets:
                    write.drop(each)

    async def _remove(
        self, write: DatapointWrite, workspace: UUID, dataset_id: UUID, datapoint_ids: Sequence[UUID]
    ) -> None:
        for start in range(0, len(datapoint_ids), PAGE):
            page = datapoint_ids[start : start + PAGE]
            for datapoint in await self._store.read(workspace, page):
                if len(datapoint.datasets) == 1:
                    await write.leave_files(datapoint)
            for copy in await self._store.copies(workspace, page):
                if copy.dataset == dataset_id:
                    write.remove(copy)

    async def remove(self, workspace: UUID, dataset_id: UUID, datapoint_id: UUID) -> bool:
        """Take a datapoint out of the dataset; whether it was in it. NotFound when there is no such dataset or
        datapoint."""
        async with self._writer.moving(workspace):
            async with self._writer.writing(workspace, [dataset_id], releases=True) as write:
                datapoint = await self._datapoints.read(workspace, datapoint_id)
                inside = dataset_id in datapoint.datasets
                if inside:
                    await self._remove(write, workspace, dataset_id, [datapoint.id])
            return inside

    async def delete(self, workspace: UUID, dataset_id: UUID) -> None:
        """With its versions; its datapoints stay, and so do experiments over it. NotFound when there is none."""
        async with self._writer.moving(workspace), self._datasets.writing(workspace, dataset_id):
            gone = await self._store.delete_dataset(workspace, dataset_id)
        await self._blobs.delete(gone.files)
        if not gone.ids:
            raise plain.unknown(dataset_id)

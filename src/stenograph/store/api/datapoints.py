"""Datapoints: examples that several datasets have, or none. A part of the metadata seam."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from stenograph.model.datapoints import Copy, Datapoint, DatapointChanges
from stenograph.model.datasets import DeletedDatasets
from stenograph.model.runs import Micros


class Datapoints(Protocol):
    """Every example is a datapoint, the one of its own id unless it is a copy of another."""

    async def members(self, workspace: UUID, dataset_ids: Sequence[UUID]) -> Mapping[UUID, list[UUID]]:
        """The datapoints of each of these datasets, in the order in which they were made."""

    async def ids(self, workspace: UUID) -> list[UUID]:
        """Every datapoint once, in that order."""

    async def of_examples(self, workspace: UUID, example_ids: Sequence[UUID]) -> Mapping[UUID, UUID]:
        """Example to datapoint, for those of these that are or were copies under an id of their own."""

    async def copies(self, workspace: UUID, datapoint_ids: Sequence[UUID]) -> list[Copy]:
        """Where these datapoints are, by datapoint and dataset."""

    async def read(self, workspace: UUID, datapoint_ids: Sequence[UUID]) -> list[Datapoint]:
        """Those that there are, once each, in the order of the ids."""

    async def write(self, workspace: UUID, changes: DatapointChanges, at: Micros) -> None:
        """All of the changes or none.

        Raises what `Examples.change` and `Datasets.update` raise; Conflict when a dataset that gets a copy has one.
        """

    async def delete_dataset(self, workspace: UUID, dataset_id: UUID) -> DeletedDatasets:
        """As `Datasets.delete`, but the datapoints that no other dataset has are kept, with their files."""

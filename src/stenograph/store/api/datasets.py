"""Datasets, their examples, and what is kept of experiments: a part of the metadata seam."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from stenograph.model.datasets import (
    Dataset,
    DatasetDiff,
    DatasetPatch,
    DatasetQuery,
    DatasetVersion,
    DeletedDatasets,
)
from stenograph.model.examples import Example, ExampleChanges, ExampleQuery
from stenograph.model.experiments import ComparativeExperiment, ComparisonQuery, ViewOverride
from stenograph.model.runs import Micros


class Datasets(Protocol):
    """Datasets, their versions and tags. A deleted one is gone with its examples; its name is free again."""

    async def create(self, dataset: Dataset, changes: ExampleChanges | None = None) -> None:
        """With changes, which become its first version, all at once or not at all.

        Conflict, naming what, when its name or id is taken; otherwise what `Examples.change` raises.
        """

    async def read(self, workspace: UUID, dataset_id: UUID, *, counted: bool = True) -> Dataset | None:
        """Unless `counted`, without what is counted of its examples and experiments: that takes time."""

    async def find(self, query: DatasetQuery) -> list[Dataset]:
        """Names sort by code point; ties fall to the id, in the same direction."""

    async def update(
        self,
        workspace: UUID,
        dataset_id: UUID,
        patch: DatasetPatch,
        at: Micros,
        changes: ExampleChanges | None = None,
    ) -> Dataset | None:
        """As changed, None when there is none; with changes to its examples all at once, or not at all.

        Conflict when the new name is taken; otherwise what `Examples.change` raises.
        """

    async def delete(self, workspace: UUID, dataset_ids: Sequence[UUID]) -> DeletedDatasets:
        """With examples, versions, tags and share links. Experiments over them stay."""

    async def versions(
        self,
        workspace: UUID,
        dataset_id: UUID,
        example: UUID | None = None,
        tag_contains: str | None = None,
        offset: int = 0,
        limit: int | None = None,
    ) -> list[DatasetVersion]:
        """Newest first; those that wrote `example`, those with such a tag. The newest has the tag `latest`."""

    async def version(
        self, workspace: UUID, dataset_id: UUID, as_of: Micros | None = None, tag: str | None = None
    ) -> DatasetVersion | None:
        """The newest version not after `as_of`, or the one with the tag; None when there is none."""

    async def tag(self, workspace: UUID, dataset_id: UUID, tag: str, as_of: Micros) -> None:
        """Put the tag on this moment, wherever it was."""

    async def diff(self, workspace: UUID, dataset_id: UUID, since: Micros, until: Micros) -> DatasetDiff:
        """What differs at `until` from what was at `since`."""


class Examples(Protocol):
    """The examples of datasets, in all their versions."""

    async def change(self, workspace: UUID, dataset_id: UUID, changes: ExampleChanges, at: Micros) -> Micros:
        """Write one version: all of the changes or none. The moment it is valid from.

        That is `at`, or just after the dataset's last change where the clock has not moved on; whoever asks as
        of that moment sees it, and as of the microsecond before does not. NotFound when there is no such
        dataset, or a patched or deleted example is in none; Conflict when a new id is taken, or a patched or
        deleted example is in another dataset. An id may occur once.
        """

    async def find(self, query: ExampleQuery) -> list[Example]: ...

    async def count(self, query: ExampleQuery) -> int:
        """How many match, whatever the page."""

    async def ids(self, query: ExampleQuery) -> list[UUID]:
        """All that match, whatever the page, in the order of the query."""

    async def sizes(self, query: ExampleQuery) -> Mapping[UUID, int]:
        """Characters of inputs and outputs together, of all that match but for splits and test, whatever the page."""

    async def datasets_of(self, workspace: UUID, example_ids: Sequence[UUID]) -> Mapping[UUID, UUID]:
        """Example to dataset, for those that any version has."""

    async def files(self, workspace: UUID, example_ids: Sequence[UUID]) -> list[str]:
        """Keys of the blobs that any version of these refers to."""

    async def files_named(self, workspace: UUID, keys: Collection[str]) -> list[str]:
        """Those of these keys that any version of any example refers to. Goes through all examples with files."""

    async def splits(self, workspace: UUID, dataset_id: UUID, as_of: Micros | None = None) -> list[str]:
        """Names of the splits that examples are in, sorted."""

    async def standing(
        self, workspace: UUID, dataset_id: UUID, example_ids: Sequence[UUID], as_of: Micros | None
    ) -> list[tuple[UUID, Micros]]:
        """Those of these that the dataset has or had, each in one version: that of the moment (None: now), or its
        last one when it was not there then. Last written first, of one write in its order; as `versions` takes
        them."""

    async def versions(self, workspace: UUID, versions: Sequence[tuple[UUID, Micros]]) -> list[Example]:
        """The examples of these ids as they were written at these moments, whole, in no order."""

    async def newest_metadata(
        self, examples: Sequence[tuple[UUID, UUID]]
    ) -> Mapping[tuple[UUID, UUID], bytes]:
        """The metadata of the newest version of each of these (workspace, example id), deleted ones too."""


class ComparativeExperiments(Protocol):
    """Comparisons of experiments over one dataset, with which they go. What was said in them is feedback."""

    async def create(self, comparison: ComparativeExperiment) -> None:
        """Conflict when the id is taken; NotFound when the workspace has no such dataset."""

    async def find(self, query: ComparisonQuery) -> list[ComparativeExperiment]:
        """Names sort by code point; ties fall to the id, in the same direction."""

    async def delete(self, workspace: UUID, comparison_id: UUID) -> bool:
        """Whether there was one."""


class ViewOverrides(Protocol):
    """How a dataset's experiments are shown: at most one set a dataset, with which it goes."""

    async def create(self, override: ViewOverride) -> None:
        """Conflict when the dataset has one; NotFound when the workspace has no such dataset."""

    async def of_dataset(self, workspace: UUID, dataset_id: UUID) -> ViewOverride | None: ...

    async def update(
        self, workspace: UUID, dataset_id: UUID, override_id: UUID, overrides: bytes, at: Micros
    ) -> ViewOverride | None:
        """As changed, None when there is none."""

    async def delete(self, workspace: UUID, dataset_id: UUID, override_id: UUID) -> bool:
        """Whether there was one."""

"""Datapoints: examples as HoneyHive's clients know them, each of which is in any number of datasets, or in none.

In every dataset that has it, a datapoint is an example of that dataset, a copy; one that no dataset has is kept by
itself. A datapoint's id is that of its first copy, whatever becomes of that one, so every example is a datapoint and
needs no record of being one. docs/decisions/065-a-datapoint-is-an-example-in-each-of-its-datasets.md
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from stenograph.model.datasets import DatasetPatch
from stenograph.model.examples import ExampleChanges, ExampleFile
from stenograph.model.runs import Micros


class Datapoint(msgspec.Struct, frozen=True, kw_only=True):
    """A datapoint as the copy of it that was written last has it; fields as those of `Example`.

    `datasets` are those that have it, in the order of their ids.
    """

    id: UUID
    workspace: UUID
    created_at: Micros
    modified_at: Micros
    inputs: bytes = b"{}"
    outputs: bytes | None = None
    metadata: bytes = b"{}"
    source_run_id: UUID | None = None
    files: tuple[ExampleFile, ...] = ()
    datasets: tuple[UUID, ...] = ()


class Copy(msgspec.Struct, frozen=True):
    """The example that a datapoint is in one dataset."""

    datapoint: UUID
    dataset: UUID
    example: UUID


@dataclass(frozen=True, slots=True)
class DatasetChange:
    """What becomes of a dataset itself, and of its examples. Without the latter no version is made."""

    patch: DatasetPatch = field(default_factory=DatasetPatch)
    examples: ExampleChanges | None = None


@dataclass(frozen=True, slots=True)
class DatapointChanges:
    """One write, all of it or none. The examples of each dataset that it touches become one version.

    `copies` are the new examples whose ids are not their datapoints'. `kept` are written as being in no dataset,
    `dropped` are no longer kept there: an example took their place, or they are deleted. With `releases` the
    datapoint of an example that the write deletes stays, in no dataset when no other has it; `files` are what it
    has there, by its id, since those of the example belong to the versions of its dataset.
    """

    datasets: Mapping[UUID, DatasetChange] = field(default_factory=dict)
    copies: tuple[Copy, ...] = ()
    kept: Iterable[Datapoint] = ()
    dropped: tuple[UUID, ...] = ()
    releases: bool = False
    files: Mapping[UUID, tuple[ExampleFile, ...]] = field(default_factory=dict)

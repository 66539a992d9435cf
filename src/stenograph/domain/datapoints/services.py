"""Gathers what can be done with datapoints, and with datasets as lists of them."""

from __future__ import annotations

from dataclasses import dataclass

from stenograph.domain.datapoints.datapoints import Datapoints
from stenograph.domain.datapoints.datasets import DatapointDatasets
from stenograph.domain.datapoints.writing import DatapointWriter
from stenograph.domain.datasets.datasets import Datasets
from stenograph.domain.examples.examples import Examples
from stenograph.domain.examples.late import LateExamples
from stenograph.store.api import BlobStore, MetaStore


@dataclass(frozen=True, slots=True)
class DatapointServices:
    """Datapoints in whichever datasets, and the datasets."""

    points: Datapoints
    datasets: DatapointDatasets

    @classmethod
    def over(
        cls, meta: MetaStore, blobs: BlobStore, *, datasets: Datasets, examples: Examples, late: LateExamples
    ) -> DatapointServices:
        """Put together over the services that they use."""
        writer = DatapointWriter(meta, blobs, datasets, late)
        points = Datapoints(meta, blobs, examples, writer)
        return cls(points, DatapointDatasets(meta, blobs, datasets, points, writer))

"""What the tests of datasets and datapoints share."""

from __future__ import annotations

import uuid
from typing import Any

from honeyhive import HoneyHive
from honeyhive.models import CreateDatapointRequest, CreateDatasetRequest


def fresh(what: str = "dataset") -> str:
    """A name that nobody else uses."""
    return f"{what} {uuid.uuid4().hex[:12]}"


def make_dataset(honeyhive: HoneyHive, name: str | None = None, **stated: Any) -> str:
    answer = honeyhive.datasets.create(CreateDatasetRequest(name=name or fresh(), **stated))
    assert answer.inserted
    made: str = answer.result.insertedId
    return made


def make_datapoint(honeyhive: HoneyHive, *datasets: str, **stated: Any) -> str:
    wanted = {"inputs": {"q": 1}, **stated}
    answer = honeyhive.datapoints.create(CreateDatapointRequest(linked_datasets=list(datasets), **wanted))
    assert answer.inserted
    (made,) = answer.result.insertedIds
    assert isinstance(made, str)
    return made


def read_datapoint(honeyhive: HoneyHive, datapoint_id: str) -> dict[str, Any]:
    (found,) = honeyhive.datapoints.get(datapoint_id).datapoint
    shown: dict[str, Any] = found.model_dump()
    return shown


def members(honeyhive: HoneyHive, dataset_id: str) -> list[str]:
    """The datapoints that a dataset lists."""
    (found,) = honeyhive.datasets.list(dataset_id=dataset_id).datasets
    listed: list[str] = found.datapoints
    return listed

"""Datasets and datapoints in HoneyHive's shapes, and what its clients say of them. Pure.

docs/honeyhive-datasets.md has the table of fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import UNSET, Raw

from stenograph.domain.datapoints.datapoints import Edit
from stenograph.domain.datasets.datasets import NewDataset
from stenograph.domain.examples.drafts import ExampleDraft
from stenograph.errors import Invalid, NotFound
from stenograph.model.datapoints import Datapoint
from stenograph.model.datasets import Dataset, DatasetPatch
from stenograph.model.examples import DEFAULT_SPLITS, splits_of, without_splits
from stenograph.wire.honeyhive.datasets.carried import apart, raw, together
from stenograph.wire.honeyhive.datasets.schemas import (
    DatapointIn,
    DatasetIn,
    DatasetUpdateIn,
    DatasetUpdateWithIdIn,
    LegacyDatasetIn,
    LegacyDatasetUpdateIn,
)
from stenograph.wire.honeyhive.times import iso
from stenograph.wire.http import of_body
from stenograph.wire.payloads import Payloads

UNTITLED: Final = "Untitled Dataset"
"""What HoneyHive calls a dataset whose client does not name it."""

HISTORY: Final = "history"
LINKED_EVENT: Final = "linked_event"
LINKED_EVALS: Final = "linked_evals"

OF_DATAPOINT: Final = {HISTORY: list[dict[str, Raw]], LINKED_EVENT: str, LINKED_EVALS: list[str]}
OF_DATASET: Final = {
    "project": str, "type": str, "pipeline_type": str, "saved": bool, LINKED_EVALS: list[str],
}  # fmt: skip
"""Fields that are kept in the metadata: see `carried.py`."""

_text = msgspec.json.Decoder(str).decode
_object = msgspec.json.Decoder(dict[str, Raw]).decode
_EMPTY: Final = b"{}"


def as_id(text: str) -> UUID | None:
    """The id that a client's text names; None for what is nothing of ours, such as the ids that begin with `EXT-`."""
    try:
        return UUID(text)
    except ValueError:
        return None


def ids(texts: Sequence[str], what: str) -> list[UUID]:
    """NotFound for one that is nothing of ours. `what` is a dataset or a datapoint."""
    return [an_id(text, what) for text in texts]


def an_id(text: str, what: str) -> UUID:
    found = as_id(text)
    if found is None:
        raise NotFound(f"{what} not found: {text[:80]!r}")
    return found


# -- datapoints in ---------------------------------------------------------------------------------------


def datapoint_draft(sent: DatapointIn, payloads: Payloads) -> ExampleDraft:
    """A datapoint to make. Invalid names the member that cannot be used."""
    metadata, fields = apart(_checked(sent.metadata, "metadata", payloads) or _EMPTY, OF_DATAPOINT)
    with of_body():
        stated = _stated(sent, payloads)
    for name in stated.keys() & fields.keys():
        raise Invalid(f"{name} is in metadata.honeyhive too", ("body", name))
    return draft(
        _checked(sent.inputs, "inputs", payloads) or _EMPTY,
        _checked(sent.ground_truth, "ground_truth", payloads),
        metadata,
        fields | stated,
    )


def draft(
    inputs: bytes,
    ground_truth: bytes | None,
    metadata: bytes,
    fields: dict[str, Raw],
    where: tuple[str | int, ...] = ("body",),
) -> ExampleDraft:
    """The example of these parts. A linked event that is a run's id is the example's source run."""
    event, fields = _source(fields)
    return ExampleDraft(
        inputs=inputs,
        outputs=ground_truth,
        metadata=together(metadata, fields),
        source_run_id=event,
        where=where,
    )


def datapoint_edit(sent: DatapointIn, payloads: Payloads) -> Edit | None:
    """What the body makes of a datapoint: members that it states replace the datapoint's. None when it states none."""
    inputs = _checked(sent.inputs, "inputs", payloads)
    ground_truth = _checked(sent.ground_truth, "ground_truth", payloads)
    metadata = _checked(sent.metadata, "metadata", payloads)
    with of_body():
        stated = _stated(sent, payloads)
    if inputs is None and ground_truth is None and metadata is None and not stated:
        return None

    def edit(before: Datapoint) -> Datapoint:
        own, fields = apart(before.metadata, OF_DATAPOINT)
        if before.source_run_id is not None:
            fields.setdefault(LINKED_EVENT, raw(str(before.source_run_id)))
        if metadata is not None:
            own, more = apart(metadata, OF_DATAPOINT)
            fields |= more
        event, fields = _source(fields | stated)
        return msgspec.structs.replace(
            before,
            inputs=before.inputs if inputs is None else inputs,
            outputs=before.outputs if ground_truth is None else ground_truth,
            metadata=together(own, fields),
            source_run_id=event,
        )

    return edit


def _checked(document: Raw, name: str, payloads: Payloads) -> bytes | None:
    with of_body():
        return payloads.check_values(document, name, "object")


def _stated(sent: DatapointIn, payloads: Payloads) -> dict[str, Raw]:
    """What of the fields that are kept in the metadata a body states. An empty list is one that is not there."""
    found: dict[str, Raw] = {}
    history = payloads.check_values(sent.history, HISTORY, "array")
    if history is not None:
        found[HISTORY] = messages(history)
    if sent.linked_event is not None:
        found[LINKED_EVENT] = raw(sent.linked_event)
    if sent.linked_evals is not None:
        found[LINKED_EVALS] = raw(sent.linked_evals)
    return found


def messages(document: bytes) -> Raw:
    """A history. Invalid unless each of the array is an object."""
    try:
        msgspec.json.decode(document, type=list[dict[str, Raw]])
    except msgspec.ValidationError:
        raise Invalid("history has to be a list of objects, one a message", (HISTORY,)) from None
    return Raw(document)


def _source(fields: dict[str, Raw]) -> tuple[UUID | None, dict[str, Raw]]:
    """The linked event where it is the id of a run as one is written here, and the other fields; empty lists go."""
    fields = {name: value for name, value in fields.items() if bytes(value) != b"[]"}
    if LINKED_EVENT in fields:
        text = _text(fields[LINKED_EVENT])
        event = as_id(text)
        if event is not None and str(event) == text:
            del fields[LINKED_EVENT]
            return event, fields
    return None, fields


# -- datapoints out --------------------------------------------------------------------------------------


def datapoint_json(datapoint: Datapoint) -> dict[str, Any]:
    """A datapoint for clients of today."""
    metadata, fields = apart(datapoint.metadata, OF_DATAPOINT)
    if splits_of(metadata) == DEFAULT_SPLITS:
        metadata = without_splits(metadata)
    event: Any = datapoint.source_run_id
    found: dict[str, Any] = {
        "id": datapoint.id,
        "inputs": Raw(datapoint.inputs),
        HISTORY: fields.get(HISTORY, []),
        "ground_truth": None if datapoint.outputs is None else Raw(datapoint.outputs),
        "metadata": Raw(metadata),
        LINKED_EVENT: fields.get(LINKED_EVENT, event),
        "linked_datasets": datapoint.datasets,
        "created_at": iso(datapoint.created_at),
        "updated_at": iso(datapoint.modified_at),
    }
    if LINKED_EVALS in fields:
        found[LINKED_EVALS] = fields[LINKED_EVALS]
    return found


def legacy_datapoint_json(datapoint: Datapoint) -> dict[str, Any]:
    """The same for older clients, which know it by `_id` and take null for nothing."""
    found = {name: value for name, value in datapoint_json(datapoint).items() if value is not None}
    return {"_id": datapoint.id, **found}


# -- datasets in -----------------------------------------------------------------------------------------


def new_dataset(sent: DatasetIn | LegacyDatasetIn, payloads: Payloads) -> NewDataset:
    """A dataset to make; one that is not named is to be numbered. Invalid names the member that cannot be used."""
    metadata: bytes | None = None
    if isinstance(sent, LegacyDatasetIn):
        own, fields = apart(_checked(sent.metadata, "metadata", payloads) or _EMPTY, OF_DATASET)
        metadata = together(own, fields | _labels(sent))
    return NewDataset(
        name=UNTITLED if sent.name is None else sent.name,
        description=sent.description,
        metadata=None if metadata == _EMPTY else metadata,
    )


def _labels(sent: LegacyDatasetIn | LegacyDatasetUpdateIn) -> dict[str, Raw]:
    return {name: raw(value) for name in OF_DATASET if (value := getattr(sent, name)) is not None}


def dataset_patch(
    sent: DatasetUpdateIn | DatasetUpdateWithIdIn | LegacyDatasetUpdateIn, before: Dataset, payloads: Payloads
) -> DatasetPatch:
    """What was stated; null says nothing. `before` is the dataset as it is."""
    metadata = before.metadata or _EMPTY
    if isinstance(sent, LegacyDatasetUpdateIn):
        own, fields = apart(metadata, OF_DATASET)
        stated = _checked(sent.metadata, "metadata", payloads)
        if stated is not None:
            own, more = apart(stated, OF_DATASET)
            fields |= more
        metadata = together(own, fields | _labels(sent))
    return DatasetPatch(
        name=UNSET if sent.name is None else sent.name,
        description=UNSET if sent.description is None else sent.description,
        metadata=UNSET if metadata == (before.metadata or _EMPTY) else metadata,
    )


# -- datasets out ----------------------------------------------------------------------------------------


def dataset_json(dataset: Dataset, datapoints: Sequence[UUID]) -> dict[str, Any]:
    """A dataset for clients of today."""
    return {
        "id": dataset.id,
        "name": dataset.name,
        "description": dataset.description,
        "datapoints": datapoints,
        "created_at": iso(dataset.created_at),
        "updated_at": iso(dataset.modified_at),
    }


def legacy_dataset_json(dataset: Dataset, datapoints: Sequence[UUID]) -> dict[str, Any]:
    """The same for older clients: with what they say of one, by `_id`, and without anything that is null."""
    metadata, fields = apart(dataset.metadata or _EMPTY, OF_DATASET)
    found = {name: value for name, value in dataset_json(dataset, datapoints).items() if value is not None}
    return {
        "_id": dataset.id,
        **found,
        "num_points": len(datapoints),
        "metadata": Raw(metadata),
        **fields,
    }


def purpose(dataset: Dataset) -> str:
    """What a dataset is for, as older clients say it: `evaluation` unless it says otherwise."""
    _, fields = apart(dataset.metadata or _EMPTY, OF_DATASET)
    return _text(fields["type"]) if "type" in fields else "evaluation"

"""Datasets and their versions in LangSmith's shapes, and what it says of them back into ours. Pure."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import UNSET, Raw, UnsetType

from stenograph.domain.datasets.datasets import AsOf, NewDataset
from stenograph.errors import Invalid
from stenograph.model.datasets import Dataset, DatasetDiff, DatasetPatch, DatasetVersion, DataType
from stenograph.model.runs import Micros
from stenograph.wire.http import as_uuid, of_body
from stenograph.wire.langsmith.datasets.schemas import DatasetIn, DatasetPatchIn
from stenograph.wire.langsmith.examples.shapes import utc_text
from stenograph.wire.langsmith.runs.convert import micros
from stenograph.wire.langsmith.runs.schemas import ABSENT
from stenograph.wire.payloads import Payloads

_members = msgspec.json.Decoder(dict[str, Raw]).decode
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_LAST: Final = 10_413_792_000_000_000 - 1
"""The last moment that stores hold: see `derive.moment`."""
_SECONDS: Final = re.compile(r"[0-9]{9,17}(?:\.[0-9]{0,9})?")
_ABSENCE: Final = re.compile(rb'\s*\{\s*"__missing__"\s*:\s*"[^"\\]*"\s*\}\s*')
_OFFSET_OF_A_QUERY: Final = re.compile(r"([T ]\d\d:\d\d\S*) (\d\d:?\d\d)$")


# -- in --------------------------------------------------------------------------------------------------


def new_dataset(sent: DatasetIn, payloads: Payloads) -> NewDataset:
    """Invalid names the member that cannot be used."""
    if sent.tag_value_ids:
        raise Invalid("there are no resource tags here", ("body", "tag_value_ids"))
    with of_body():
        return NewDataset(
            name=sent.name,
            id=sent.id,
            description=sent.description,
            data_type=DataType(sent.data_type or "kv"),
            inputs_schema=payloads.check_values(
                sent.inputs_schema_definition, "inputs_schema_definition", "object"
            ),
            outputs_schema=payloads.check_values(
                sent.outputs_schema_definition, "outputs_schema_definition", "object"
            ),
            transformations=payloads.check_values(sent.transformations, "transformations", "array"),
            metadata=_metadata_of(payloads.check_values(sent.extra, "extra", "object"), payloads),
            externally_managed=sent.externally_managed or False,
            created_at=micros(sent.created_at, "created_at"),
        )


def _metadata_of(extra: bytes | None, payloads: Payloads) -> bytes | None:
    if extra is None:
        return None
    return payloads.check_values(_members(extra).get("metadata", ABSENT), "extra.metadata", "object")


def dataset_patch(sent: DatasetPatchIn, payloads: Payloads) -> DatasetPatch:
    """What was stated. A null name says nothing, since there is no dataset without one."""

    def json(name: str, kind: str = "object") -> bytes | UnsetType | None:
        raw = _stated(sent, name)
        return UNSET if raw is UNSET else payloads.check_values(raw, name, kind)

    with of_body():
        name = _text(sent, "name")
        return DatasetPatch(
            name=UNSET if name is None else name,
            description=_text(sent, "description"),
            inputs_schema=json("inputs_schema_definition"),
            outputs_schema=json("outputs_schema_definition"),
            transformations=json("transformations", "array"),
            metadata=json("metadata"),
            baseline_experiment_id=_id(sent, "baseline_experiment_id"),
        )


def _stated(sent: DatasetPatchIn, name: str) -> Raw | UnsetType:
    raw: Raw = getattr(sent, name)
    document = bytes(raw)
    if not document:
        return UNSET
    # LangSmith's schema models absence as an object of this one member, and generated clients send it.
    return UNSET if _ABSENCE.fullmatch(document) else raw


def _text(sent: DatasetPatchIn, name: str) -> str | UnsetType | None:
    raw = _stated(sent, name)
    if raw is UNSET:
        return UNSET
    try:
        return msgspec.json.decode(raw, type=str | None)
    except msgspec.ValidationError:
        raise Invalid(f"{name} has to be a text", (name,)) from None


def _id(sent: DatasetPatchIn, name: str) -> UUID | UnsetType | None:
    text = _text(sent, name)
    return as_uuid(text, (name,)) if isinstance(text, str) else text


def as_of(value: str | float | None, where: tuple[str | int, ...]) -> AsOf:
    """What names a version: a time (ISO 8601, or seconds, milliseconds or microseconds since the epoch), or else
    a tag. A time beyond what stores hold means the first or the newest version."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        return _epoch(value, where)
    text = value.strip()
    if _SECONDS.fullmatch(text):
        return _epoch(float(text) if "." in text else int(text), where)
    try:
        # a plus that was not percent-encoded arrives as a space
        found = dt.datetime.fromisoformat(_OFFSET_OF_A_QUERY.sub(r"\1+\2", text))
    except ValueError:
        return text
    moment = (found if found.tzinfo else found.replace(tzinfo=dt.UTC)) - _EPOCH
    return min(max(moment // dt.timedelta(microseconds=1), 0), _LAST)


def _epoch(value: float, where: tuple[str | int, ...]) -> Micros:
    scale = 1_000_000 if abs(value) <= 2e10 else 1_000 if abs(value) <= 2e13 else 1
    try:
        return min(max(round(value * scale), 0), _LAST)
    except (ValueError, OverflowError):
        raise Invalid(f"{str(value)[:40]!r} is not a time", where) from None


# -- out -------------------------------------------------------------------------------------------------


def plain_dataset(dataset: Dataset) -> dict[str, Any]:
    """DatasetSchemaForUpdate: what a dataset is, without what is counted."""
    return {
        "id": dataset.id,
        "tenant_id": dataset.workspace,
        "name": dataset.name,
        "description": dataset.description,
        "created_at": utc_text(dataset.created_at),
        "data_type": dataset.data_type.value,
        "inputs_schema_definition": _raw(dataset.inputs_schema),
        "outputs_schema_definition": _raw(dataset.outputs_schema),
        "transformations": _raw(dataset.transformations),
        "externally_managed": dataset.externally_managed,
    }


def dataset_json(dataset: Dataset) -> dict[str, Any]:
    """LangSmith's Dataset."""
    return plain_dataset(dataset) | {
        "modified_at": utc_text(dataset.modified_at),
        "example_count": dataset.example_count,
        "session_count": dataset.session_count,
        "last_session_start_time": utc_text(dataset.last_session_start_time),
        "metadata": _raw(dataset.metadata),
        "baseline_experiment_id": dataset.baseline_experiment_id,
    }


def version_json(version: DatasetVersion) -> dict[str, Any]:
    """DatasetVersion."""
    return {"tags": version.tags, "as_of": utc_text(version.as_of)}


def diff_json(diff: DatasetDiff) -> dict[str, Any]:
    """DatasetDiffInfo."""
    return {
        "examples_added": diff.added,
        "examples_removed": diff.removed,
        "examples_modified": diff.modified,
    }


def _raw(document: bytes | None) -> Raw | None:
    return None if document is None else Raw(document)

"""Run and Feedback, to the engine's columns and back. Column names and types are those of schema.sql."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from stenograph.model.feedback import Feedback
from stenograph.model.runs import Attachment, Run, Usage
from stenograph.store.runs import native

ZERO: Final = UUID(int=0)
"""Stands for "none" in columns that sort a table and so cannot be null."""

_TIME: Final = "DateTime64(6, 'UTC')"
_MONEY: Final = "Decimal(18, 12)"
_INT64: Final = 2**63 - 1
_UINT64: Final = 2**64 - 1

_attachments_out = msgspec.json.Encoder().encode
_attachments_in = msgspec.json.Decoder(list[Attachment]).decode


def _optional_times(values: Sequence[int | None]) -> bytes:
    return native.nullable(values, native.ints, 0)


def _optional_uuids(values: Sequence[UUID | None]) -> bytes:
    return native.nullable(values, native.uuids, ZERO)


def _optional_texts(values: Sequence[str | None]) -> bytes:
    return native.nullable(values, native.texts, "")


def _money(values: Sequence[int | None]) -> bytes:
    return native.nullable(values, native.ints, 0)


def _sides(prompt: dict[str, int], completion: dict[str, int]) -> dict[str, int]:
    if not prompt and not completion:
        return _NOTHING
    return {f"prompt.{key}": value for key, value in prompt.items()} | {
        f"completion.{key}": value for key, value in completion.items()
    }


_NOTHING: Final[dict[str, int]] = {}


def runs_block(runs: Sequence[Run]) -> list[bytes]:
    """One block of rows for the table `runs`."""
    usages = [run.usage for run in runs]
    columns: list[tuple[str, str, bytes]] = [
        ("workspace_id", "UUID", native.uuids([run.workspace for run in runs])),
        ("project_id", "UUID", native.uuids([run.project_id for run in runs])),
        ("is_root", "UInt8", native.flags([run.is_root for run in runs])),
        ("start_time", _TIME, native.ints([run.start_time for run in runs])),
        ("id", "UUID", native.uuids([run.id for run in runs])),
        ("version", "UInt64", native.unsigned([run.version for run in runs])),
        ("deleted", "UInt8", native.flags([run.deleted for run in runs])),
        ("stated", "UInt8", bytes([run.stated for run in runs])),
        ("trace_id", "UUID", native.uuids([run.trace_id for run in runs])),
        ("parent_run_id", "Nullable(UUID)", _optional_uuids([run.parent_run_id for run in runs])),
        ("dotted_order", "String", native.texts([run.dotted_order or "" for run in runs])),
        ("name", "String", native.texts([run.name or "" for run in runs])),
        ("run_type", "String", native.texts([run.run_type or "" for run in runs])),
        ("status", "String", native.texts([run.status for run in runs])),
        ("end_time", f"Nullable({_TIME})", _optional_times([run.end_time for run in runs])),
        ("first_token_time", f"Nullable({_TIME})", _optional_times([run.first_token_time for run in runs])),
        ("received_at", _TIME, native.ints([run.received_at for run in runs])),
        ("error", "Nullable(String)", _optional_texts([run.error for run in runs])),
        ("inputs", "String", native.blobs([run.inputs or b"" for run in runs])),
        ("outputs", "String", native.blobs([run.outputs or b"" for run in runs])),
        ("events", "String", native.blobs([run.events or b"" for run in runs])),
        ("extra", "String", native.blobs([run.extra or b"" for run in runs])),
        ("serialized", "String", native.blobs([run.serialized or b"" for run in runs])),
        ("tags", "Array(String)", native.arrays([run.tags or () for run in runs], native.texts)),
        ("metadata", "Map(String, String)", native.maps([run.metadata for run in runs], native.texts)),
        ("thread_id", "String", native.texts([run.thread_id or "" for run in runs])),
        (
            "reference_example_id",
            "Nullable(UUID)",
            _optional_uuids([run.reference_example_id for run in runs]),
        ),
        (
            "attachments",
            "String",
            native.blobs([_attachments_out(run.attachments) if run.attachments else b"" for run in runs]),
        ),
        ("prompt_tokens", "UInt64", native.unsigned([usage.prompt_tokens for usage in usages])),
        ("completion_tokens", "UInt64", native.unsigned([usage.completion_tokens for usage in usages])),
        ("total_tokens", "UInt64", native.unsigned([usage.total_tokens for usage in usages])),
        ("prompt_cost", f"Nullable({_MONEY})", _money([usage.prompt_cost for usage in usages])),
        ("completion_cost", f"Nullable({_MONEY})", _money([usage.completion_cost for usage in usages])),
        ("total_cost", f"Nullable({_MONEY})", _money([usage.total_cost for usage in usages])),
        (
            "token_details",
            "Map(String, UInt64)",
            native.maps(
                [_sides(usage.prompt_token_details, usage.completion_token_details) for usage in usages],
                native.unsigned,
            ),
        ),
        (
            "cost_details",
            f"Map(String, {_MONEY})",
            native.maps(
                [_sides(usage.prompt_cost_details, usage.completion_cost_details) for usage in usages],
                native.ints,
            ),
        ),
    ]
    return native.block(columns, len(runs))


def feedback_block(items: Sequence[Feedback]) -> list[bytes]:
    """One block of rows for the table `feedback`."""
    columns: list[tuple[str, str, bytes]] = [
        ("workspace_id", "UUID", native.uuids([item.workspace for item in items])),
        ("home", "UUID", native.uuids([item.home or ZERO for item in items])),
        ("run_id", "UUID", native.uuids([item.run_id or ZERO for item in items])),
        ("id", "UUID", native.uuids([item.id for item in items])),
        ("version", "UInt64", native.unsigned([item.version for item in items])),
        ("deleted", "UInt8", native.flags([item.deleted for item in items])),
        ("trace_id", "UUID", native.uuids([item.trace_id or ZERO for item in items])),
        ("project_id", "UUID", native.uuids([item.project_id or ZERO for item in items])),
        ("key", "String", native.texts([item.key for item in items])),
        ("created_at", _TIME, native.ints([item.created_at for item in items])),
        ("modified_at", _TIME, native.ints([item.modified_at for item in items])),
        ("score", "Nullable(Float64)", native.nullable([item.score for item in items], native.floats, 0.0)),
        ("raw_score", "String", native.blobs([item.raw_score or b"" for item in items])),
        ("value", "String", native.blobs([item.value or b"" for item in items])),
        ("comment", "Nullable(String)", _optional_texts([item.comment for item in items])),
        ("correction", "String", native.blobs([item.correction or b"" for item in items])),
        ("source_type", "String", native.texts([item.source_type for item in items])),
        ("source", "String", native.blobs([item.source or b"" for item in items])),
        ("group_id", "UUID", native.uuids([item.group_id or ZERO for item in items])),
        (
            "comparative_experiment_id",
            "UUID",
            native.uuids([item.comparative_experiment_id or ZERO for item in items]),
        ),
        ("start_time", f"Nullable({_TIME})", _optional_times([item.start_time for item in items])),
        ("extra", "String", native.blobs([item.extra or b"" for item in items])),
        ("error", "UInt8", native.flags([item.error for item in items])),
        ("is_root", "UInt8", native.flags([item.is_root for item in items])),
        ("keeps", "UInt8", native.flags([item.keeps for item in items])),
    ]
    return native.block(columns, len(items))


# -- back ------------------------------------------------------------------------------------------------

Decode = Callable[[Any], Any]


def _text(value: bytes) -> str:
    return value.decode()


def _text_or_none(value: bytes | None) -> str | None:
    return value.decode() if value else None


def _error(value: bytes | None) -> str | None:
    return None if value is None else value.decode()


def _bytes_or_none(value: bytes) -> bytes | None:
    return value or None


def _uuid_or_none(value: UUID) -> UUID | None:
    return value if value.int else None


def _same(value: Any) -> Any:
    return value


_RUN_COLUMNS: Final[dict[str, tuple[str, Decode]]] = {
    "workspace_id": ("workspace", _same),
    "project_id": ("project_id", _same),
    "is_root": ("is_root", bool),
    "start_time": ("start_time", _same),
    "id": ("id", _same),
    "version": ("version", _same),
    "deleted": ("deleted", bool),
    "stated": ("stated", _same),
    "trace_id": ("trace_id", _same),
    "parent_run_id": ("parent_run_id", _same),
    "dotted_order": ("dotted_order", _text_or_none),
    "name": ("name", _text_or_none),
    "run_type": ("run_type", _text_or_none),
    "status": ("status", _text),
    "end_time": ("end_time", _same),
    "first_token_time": ("first_token_time", _same),
    "received_at": ("received_at", _same),
    "error": ("error", _error),
    "inputs": ("inputs", _bytes_or_none),
    "outputs": ("outputs", _bytes_or_none),
    "events": ("events", _bytes_or_none),
    "extra": ("extra", _bytes_or_none),
    "serialized": ("serialized", _bytes_or_none),
    "tags": ("tags", lambda tags: [tag.decode() for tag in tags]),
    "metadata": ("metadata", lambda pairs: {key: value.decode() for key, value in pairs.items()}),
    "thread_id": ("thread_id", _text_or_none),
    "reference_example_id": ("reference_example_id", _same),
    "attachments": ("attachments", lambda raw: _attachments_in(raw) if raw else None),
}
USAGE_COLUMNS: Final = (
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "prompt_cost",
    "completion_cost",
    "total_cost",
)
DETAIL_COLUMNS: Final = ("token_details", "cost_details")
RUN_COLUMNS: Final = frozenset((*_RUN_COLUMNS, *USAGE_COLUMNS, *DETAIL_COLUMNS))
KEY_COLUMNS: Final = ("project_id", "is_root", "start_time", "id", "trace_id")
"""Read with every run: its place in the table and in its trace."""


def runs(workspace: UUID | None, columns: Mapping[str, list[Any]]) -> list[Run]:
    """The rows of a result, with whichever columns it has. `workspace` fills in for an absent column."""
    if not columns:
        return []
    rows = len(columns["id"])
    fields: dict[str, list[Any]] = {}
    for column, values in columns.items():
        if column in _RUN_COLUMNS:
            field, decode = _RUN_COLUMNS[column]
            fields[field] = values if decode is _same else [decode(value) for value in values]
    if "workspace" not in fields:
        fields["workspace"] = [workspace] * rows
    if "total_tokens" in columns:
        fields["usage"] = [usage(columns, row) for row in range(rows)]
    names = list(fields)
    return [Run(**dict(zip(names, values, strict=True))) for values in zip(*fields.values(), strict=True)]


def usage(columns: Mapping[str, list[Any]], row: int) -> Usage:
    tokens = columns["token_details"][row] if "token_details" in columns else _NOTHING
    costs = columns["cost_details"][row] if "cost_details" in columns else _NOTHING
    return Usage(
        **{column: columns[column][row] for column in USAGE_COLUMNS if column in columns},
        prompt_token_details=side(tokens, "prompt."),
        completion_token_details=side(tokens, "completion."),
        prompt_cost_details=side(costs, "prompt."),
        completion_cost_details=side(costs, "completion."),
    )


def side(details: Mapping[str, int], prefix: str) -> dict[str, int]:
    """The details of one side, `prompt.` or `completion.`, without the prefix."""
    return {key.removeprefix(prefix): value for key, value in details.items() if key.startswith(prefix)}


_FEEDBACK_COLUMNS: Final[dict[str, tuple[str, Decode]]] = {
    "workspace_id": ("workspace", _same),
    "home": ("home", _uuid_or_none),
    "run_id": ("run_id", _uuid_or_none),
    "id": ("id", _same),
    "version": ("version", _same),
    "trace_id": ("trace_id", _uuid_or_none),
    "project_id": ("project_id", _uuid_or_none),
    "key": ("key", _text),
    "created_at": ("created_at", _same),
    "modified_at": ("modified_at", _same),
    "score": ("score", _same),
    "raw_score": ("raw_score", _bytes_or_none),
    "value": ("value", _bytes_or_none),
    "comment": ("comment", _error),
    "correction": ("correction", _bytes_or_none),
    "source_type": ("source_type", _text),
    "source": ("source", _bytes_or_none),
    "group_id": ("group_id", _uuid_or_none),
    "comparative_experiment_id": ("comparative_experiment_id", _uuid_or_none),
    "start_time": ("start_time", _same),
    "extra": ("extra", _bytes_or_none),
    "error": ("error", bool),
    "is_root": ("is_root", bool),
    "keeps": ("keeps", bool),
    "deleted": ("deleted", bool),
}
FEEDBACK_COLUMNS: Final = tuple(name for name in _FEEDBACK_COLUMNS if name not in ("workspace_id", "deleted"))
"""What a page has: its rows are of one workspace, and none is deleted."""


def feedback(columns: Mapping[str, list[Any]], workspace: UUID | None = None) -> list[Feedback]:
    """The rows of a result, with whichever columns it has. `workspace` fills in for an absent column."""
    if not columns:
        return []
    fields = {
        field: [decode(value) for value in columns[column]]
        for column, (field, decode) in _FEEDBACK_COLUMNS.items()
        if column in columns
    }
    if "workspace" not in fields:
        fields["workspace"] = [workspace] * len(columns["id"])
    names = list(fields)
    return [
        Feedback(**dict(zip(names, values, strict=True))) for values in zip(*fields.values(), strict=True)
    ]

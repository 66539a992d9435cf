"""Rows: what a file holds of an example or of a result, as one JSON object a line; and the same in flat columns.

A line has the row's fields. In a table, a field that is an object has a column for each of its members: the
member `question` of `inputs` is the column `inputs.question`. Only the first dot divides. An object without
members, where that differs from no object at all, is `{}` in a column of the field's own name.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

import msgspec
from msgspec import Raw

from stenograph.errors import Invalid
from stenograph.model.examples import SPLIT_KEY
from stenograph.transfer.client import NULL, AnsweredExample, AnsweringRun, Stat, StoredExample

Row = Mapping[str, Raw]
"""Column to JSON value; what is not there is missing."""

_members = msgspec.json.Decoder(dict[str, Raw]).decode
_names = msgspec.json.Decoder(list[str]).decode


class Kind(Enum):
    """What a field holds. MEMBERS is an object that is taken apart into columns, JSON any value."""

    TEXT = auto()
    TIME = auto()
    WHOLE = auto()
    REAL = auto()
    NAMES = auto()
    JSON = auto()
    MEMBERS = auto()


@dataclass(frozen=True, slots=True)
class Field:
    """`optional` has no column in a file none of whose rows states it; `shows_empty`: see above."""

    name: str
    kind: Kind
    optional: bool = False
    shows_empty: bool = False


Layout = tuple[Field, ...]
"""The fields of a row, in the order of their columns."""

EXAMPLE: Final[Layout] = (
    Field("id", Kind.TEXT),
    Field("split", Kind.NAMES),
    Field("inputs", Kind.MEMBERS, shows_empty=True),
    Field("outputs", Kind.MEMBERS, shows_empty=True),
    Field("metadata", Kind.MEMBERS),
    Field("created_at", Kind.TIME),
    Field("source_run_id", Kind.TEXT, optional=True),
    Field("attachments", Kind.JSON, optional=True),
)

RESULT: Final[Layout] = (
    Field("example_id", Kind.TEXT),
    Field("run_id", Kind.TEXT),
    Field("name", Kind.TEXT),
    Field("status", Kind.TEXT),
    Field("split", Kind.NAMES),
    Field("inputs", Kind.MEMBERS, shows_empty=True),
    Field("reference_outputs", Kind.MEMBERS, shows_empty=True),
    Field("outputs", Kind.MEMBERS, shows_empty=True),
    Field("error", Kind.TEXT),
    Field("feedback", Kind.MEMBERS),
    Field("start_time", Kind.TIME),
    Field("end_time", Kind.TIME),
    Field("latency", Kind.REAL),
    Field("first_token", Kind.REAL),
    Field("prompt_tokens", Kind.WHOLE),
    Field("completion_tokens", Kind.WHOLE),
    Field("total_tokens", Kind.WHOLE),
    Field("prompt_cost", Kind.REAL),
    Field("completion_cost", Kind.REAL),
    Field("total_cost", Kind.REAL),
    Field("metadata", Kind.MEMBERS),
    Field("run_metadata", Kind.MEMBERS),
)


# -- lines -----------------------------------------------------------------------------------------------


def example_line(example: StoredExample, files: Mapping[str, Any] | None = None) -> bytes:
    """An example as a line. `files`: what is to be said of its attachments."""
    split, metadata = _parted(example.metadata)
    row: dict[str, Any] = {
        "id": example.id,
        "split": split,
        "inputs": example.inputs,
        "outputs": example.outputs,
        "metadata": metadata,
        "created_at": example.created_at,
    }
    if example.source_run_id is not None:
        row["source_run_id"] = example.source_run_id
    if files:
        row["attachments"] = files
    return one_line(row)


def result_line(example: AnsweredExample, run: AnsweringRun) -> bytes:
    """A run beside the example that it answered, as a line. Durations are in seconds."""
    split, metadata = _parted(example.metadata)
    return one_line(
        {
            "example_id": example.id,
            "run_id": run.id,
            "name": run.name,
            "status": run.status,
            "split": split,
            "inputs": example.inputs,
            "reference_outputs": example.outputs,
            "outputs": run.outputs,
            "error": run.error,
            "feedback": {key: _score(stat) for key, stat in (run.feedback_stats or {}).items()},
            "start_time": _utc(run.start_time),
            "end_time": _utc(run.end_time),
            "latency": _seconds(run.start_time, run.end_time),
            "first_token": _seconds(run.start_time, run.first_token_time),
            "prompt_tokens": run.prompt_tokens,
            "completion_tokens": run.completion_tokens,
            "total_tokens": run.total_tokens,
            "prompt_cost": _number(run.prompt_cost),
            "completion_cost": _number(run.completion_cost),
            "total_cost": _number(run.total_cost),
            "metadata": metadata,
            "run_metadata": _member(run.extra, "metadata"),
        }
    )


def one_line(row: Mapping[str, Any]) -> bytes:
    """JSON without line breaks: payloads may be indented, and in strings there are none."""
    return msgspec.json.encode(row).replace(b"\r", b" ").replace(b"\n", b" ")


def _parted(metadata: Raw) -> tuple[list[str] | None, Raw]:
    """The splits that metadata states, and the rest of it; None when what is there is no list of names."""
    members = object_of(metadata)
    try:
        split = _names(members[SPLIT_KEY])
    except (KeyError, msgspec.DecodeError):
        return None, Raw(msgspec.json.encode(members))
    del members[SPLIT_KEY]
    return split, Raw(msgspec.json.encode(members))


def object_of(document: Raw) -> dict[str, Raw]:
    """The members of an object; none for anything else."""
    return _members(document) if first(document) == b"{" else {}


def first(value: Raw) -> bytes:
    """The byte that tells what kind of JSON this is."""
    return bytes(memoryview(value)[:1])


def _member(document: Raw, name: str) -> Raw:
    found = object_of(document).get(name, Raw(b"{}"))
    return found if first(found) == b"{" else Raw(b"{}")


def _score(stat: Stat) -> float | str | None:
    """The mean score, or where there is none the values that were given."""
    return stat.avg if stat.avg is not None else "; ".join(stat.values or ()) or None


_DECIMAL: Final = re.compile(r"-?\d+(?:\.\d+)?")


def _number(text: str | None) -> Raw | None:
    """A decimal text as the number that it is, with all its digits."""
    return Raw(text.encode()) if text is not None and _DECIMAL.fullmatch(text) else None


def _moment(text: str) -> dt.datetime:
    found = dt.datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def _utc(text: str | None) -> str | None:
    """Times of runs have no offset on the wire; in a file they say that they are UTC."""
    return None if text is None else _moment(text).astimezone(dt.UTC).isoformat(timespec="microseconds")


def _seconds(start: str, end: str | None) -> float | None:
    return None if end is None else (_moment(end) - _moment(start)).total_seconds()


# -- columns ---------------------------------------------------------------------------------------------


def flat(line: bytes, layout: Layout) -> Iterator[tuple[Field, str, Raw]]:
    """What a line states, by column: its field, its name and its value. A member may be null, a field is missing
    when it is."""
    row = _members(line)
    for field in layout:
        value = row.get(field.name)
        if value is None or value == NULL:
            continue
        if field.kind is not Kind.MEMBERS:
            yield field, field.name, value
            continue
        members = _members(value)
        for name, member in members.items():
            yield field, f"{field.name}.{name}", member
        if not members and field.shows_empty:
            yield field, field.name, value


def member_of(column: str) -> tuple[str, str]:
    """Field and member that a column stands for; the member is empty for a field's own."""
    field, _, member = column.partition(".")
    return field, member


class Columns:
    """The columns of a table: known once all lines have been looked at."""

    MOST: Final = 2000
    """Each row of a table has all its columns."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._found: dict[str, dict[str, None]] = {
            field.name: {} if field.optional or field.kind is Kind.MEMBERS else {field.name: None}
            for field in layout
        }

    def look_at(self, stated: Iterable[tuple[Field, str, Raw]]) -> None:
        """Invalid when there are too many for a table."""
        for field, column, _ in stated:
            self._found[field.name][column] = None
        if sum(map(len, self._found.values())) > self.MOST:
            raise Invalid(
                f"the rows have more than {self.MOST} different members, too many for columns: "
                "export them as jsonl"
            )

    def fields(self) -> list[tuple[str, Field]]:
        """Columns in their order, each with the field it is of."""
        return [(column, field) for field in self._layout for column in self._found[field.name]]

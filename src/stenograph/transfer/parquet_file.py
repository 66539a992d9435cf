"""Parquet files of rows: columns with types of their own where all values agree, JSON texts where they do not.

What pandas and SQL engines make of a column is what its values are: texts, whole or decimal numbers, truth values,
times. A column of lists, objects or values of several kinds holds their JSON. Each text column says in the field's
metadata which of the two it is, under `stenograph`, so that reading it back needs no guess; files from elsewhere have
lists and objects in texts read as such. A member that is null, which a table cannot tell from one that is missing,
is named in the row's list `nulls`.
"""

from __future__ import annotations

import datetime as dt
import decimal
import math
import re
from collections.abc import Iterable, Iterator
from enum import Flag, auto
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Raw

from stenograph.errors import Invalid
from stenograph.transfer.cells import Cells, value
from stenograph.transfer.client import NULL
from stenograph.transfer.failures import of_file
from stenograph.transfer.rows import Columns, Field, Kind, Layout, first, flat
from stenograph.transfer.source import SourceRow

NULLS: Final = "nulls"
"""The column that names those of a row that are null rather than missing."""

_MARK: Final = b"stenograph"
_GROUP_BYTES: Final = 32 << 20
_GROUP_ROWS: Final = 20_000
_READ_AT_ONCE: Final = 256
_EXACT: Final = 2**53
"""Up to it a double holds every whole number."""

_WHOLE: Final = re.compile(rb"-?\d+")
_TIME: Final = pa.timestamp("us", "UTC")


class _Seen(Flag):
    """Kinds of values that a column holds. ODD is what no type but JSON holds exactly."""

    NOTHING = 0
    TEXT = auto()
    WHOLE = auto()
    LARGE = auto()
    REAL = auto()
    TRUTH = auto()
    ODD = auto()


def _kind(value: Raw) -> _Seen:
    match first(value):
        case b'"':
            return _Seen.TEXT
        case b"t" | b"f":
            return _Seen.TRUTH
        case b"{" | b"[":
            return _Seen.ODD
        case b"n":
            return _Seen.NOTHING
    text = bytes(value)
    if _WHOLE.fullmatch(text):
        size = abs(int(text)) if len(text) < 20 else 2**64
        return _Seen.WHOLE if size <= _EXACT else _Seen.LARGE if size < 2**63 else _Seen.ODD
    return _Seen.REAL if math.isfinite(float(text)) else _Seen.ODD


class Types:
    """Which type each column of members gets: known once all lines have been looked at."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}
        self.nulls = False

    def look_at(self, stated: Iterable[tuple[Field, str, Raw]]) -> None:
        for field, column, found in stated:
            if field.kind is Kind.MEMBERS:
                self._seen[column] = self._seen.get(column, _Seen.NOTHING) | _kind(found)
                self.nulls = self.nulls or found == NULL

    def of(self, column: str, field: Field) -> pa.Field:
        mark, kind = _FIXED[field.kind] if field.kind is not Kind.MEMBERS else self._learned(column)
        return pa.field(column, kind, metadata={_MARK: mark})

    def _learned(self, column: str) -> tuple[bytes, pa.DataType]:
        match self._seen.get(column, _Seen.NOTHING):
            case _Seen.TEXT | _Seen.NOTHING:
                return b"text", pa.string()
            case _Seen.TRUTH:
                return b"value", pa.bool_()
            case _Seen.REAL:
                return b"value", pa.float64()
            case seen if seen in (_Seen.WHOLE | _Seen.LARGE):
                return b"value", pa.int64()
            case seen if seen in (_Seen.WHOLE | _Seen.REAL):
                return b"number", pa.float64()
        return b"json", pa.string()


_FIXED: Final[dict[Kind, tuple[bytes, pa.DataType]]] = {
    Kind.TEXT: (b"text", pa.string()),
    Kind.TIME: (b"value", _TIME),
    Kind.WHOLE: (b"value", pa.int64()),
    Kind.REAL: (b"value", pa.float64()),
    Kind.NAMES: (b"value", pa.list_(pa.string())),
    Kind.JSON: (b"json", pa.string()),
}


# -- writing ---------------------------------------------------------------------------------------------


def write(out: BinaryIO, lines: Iterator[bytes], columns: Columns, types: Types, layout: Layout) -> None:
    """Row groups of some megabytes, compressed with zstd."""
    fields = [types.of(column, field) for column, field in columns.fields()]
    if types.nulls:
        fields.append(pa.field(NULLS, pa.list_(pa.string()), metadata={_MARK: b"nulls"}))
    schema = pa.schema(fields)
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        rows: list[dict[str, Any]] = []
        size = 0
        for line in lines:
            rows.append(_row(line, layout, schema))
            size += len(line)
            if size >= _GROUP_BYTES or len(rows) >= _GROUP_ROWS:
                writer.write_batch(pa.RecordBatch.from_pylist(rows, schema=schema))
                rows, size = [], 0
        if rows:
            writer.write_batch(pa.RecordBatch.from_pylist(rows, schema=schema))


def _row(line: bytes, layout: Layout, schema: pa.Schema) -> dict[str, Any]:
    row: dict[str, Any] = {}
    nulls: list[str] = []
    for _, column, found in flat(line, layout):
        if found == NULL:
            nulls.append(column)
            continue
        field = schema.field(schema.get_field_index(column))
        if field.metadata[_MARK] == b"json":
            row[column] = bytes(found).decode()
        elif field.type == _TIME:
            row[column] = dt.datetime.fromisoformat(msgspec.json.decode(found))
        else:
            row[column] = msgspec.json.decode(found)
            if pa.types.is_floating(field.type):
                row[column] = float(row[column])
    if nulls:
        row[NULLS] = nulls
    return row


# -- reading ---------------------------------------------------------------------------------------------


class ParquetSource:
    """A Parquet file, from here or from elsewhere."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._name = name
        names = self._opened().schema_arrow.names
        if len(set(names)) < len(names):
            raise Invalid(f"{name} has a column twice: {', '.join(sorted(names))[:500]}")
        self.columns: tuple[str, ...] | None = tuple(each for each in names if each != NULLS)

    def _opened(self) -> pq.ParquetFile:
        try:
            with of_file("read", self._name):
                return pq.ParquetFile(self._path)
        except pa.ArrowException as error:
            raise Invalid(f"{self._name} is not a Parquet file: {error}") from None

    def rows(self) -> Iterator[SourceRow]:
        """Invalid names the row, counted from 1."""
        number = 0
        with self._opened() as file:
            schema = file.schema_arrow
            marks = {field.name: (field.metadata or {}).get(_MARK, b"") for field in schema}
            try:
                for batch in file.iter_batches(batch_size=_READ_AT_ONCE):
                    for row in batch.to_pylist():
                        number += 1
                        yield SourceRow(f"row {number}", self._members(row, marks, number))
            except (pa.ArrowException, OSError) as error:
                raise Invalid(f"{self._name}, after row {number}: {error}") from None

    def _members(self, row: dict[str, Any], marks: dict[str, bytes], number: int) -> dict[str, Raw]:
        found: dict[str, Raw] = {}
        for column, held in row.items():
            if column == NULLS and marks[column] == b"nulls":
                found |= dict.fromkeys(held or (), NULL)
            elif held is not None and not (isinstance(held, float) and math.isnan(held)):
                try:
                    found[column] = _json(held, marks[column])
                except (msgspec.MsgspecError, TypeError, ValueError) as error:
                    raise Invalid(f"{self._name}, row {number}, column {column!r}: {error}") from None
        return found


_decoded = msgspec.json.Decoder(Raw).decode


def _json(held: Any, mark: bytes) -> Raw:
    """A value of a column as JSON."""
    if isinstance(held, str):
        if mark == b"json":
            return _decoded(held.encode())
        # a text of another's file: whoever put a list or an object in it meant one
        found = value(held, Cells.TEXT) if mark != b"text" and held[:1] in ("{", "[") else None
        return found or Raw(msgspec.json.encode(held))
    if mark == b"number" and held.is_integer():
        held = int(held)
    return Raw(msgspec.json.encode(_plain(held)))


def _plain(held: Any) -> Any:
    """What JSON has for a value of Python's; ValueError when it has nothing."""
    if isinstance(held, bytes):
        raise ValueError("bytes are no JSON: files belong into attachments")  # noqa: TRY004  its caller knows which
    if isinstance(held, dict):
        return {str(name): _plain(each) for name, each in held.items()}
    if isinstance(held, list | tuple):
        return [_plain(each) for each in held]
    if isinstance(held, float):
        return held if math.isfinite(held) else None
    if isinstance(held, decimal.Decimal):
        return int(held) if held == held.to_integral_value() else float(held)
    if isinstance(held, dt.date | dt.time):
        return held.isoformat()
    if isinstance(held, dt.timedelta):
        return held.total_seconds()
    return held

"""Examples as rows of a table: CSV and JSONL, in and out. Pure, and one row at a time, whatever the size of a file.

What is written here can be uploaded again. A member `question` of the inputs is the column `inputs.question` in
CSV; an upload that asks for `question` finds a column of either name. JSONL keeps everything. CSV keeps texts,
lists and objects; numbers and truth values come back as texts, and members that are missing as empty ones.

Spreadsheets run a cell that begins like a formula, and what is in a dataset may come from anybody: such a text
is written behind an apostrophe, which is taken off again when the file is uploaded.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from msgspec import Raw

from stenograph.domain.examples.drafts import ExampleDraft
from stenograph.errors import Invalid
from stenograph.model.examples import Example
from stenograph.wire.langsmith.examples.shapes import utc_text
from stenograph.wire.payloads import Payloads

MAX_CELL: Final = 64 << 20
"""Characters of a cell. A quote that is never closed would take the rest of the file into one."""
MAX_COLUMNS: Final = 1000
"""Of a CSV file that is written: beyond, JSONL is the better form, since each row has all columns."""

GROUPS: Final = ("inputs", "outputs", "metadata")

_members = msgspec.json.Decoder(dict[str, Raw]).decode
_text = msgspec.json.Decoder(str).decode
_FORMULA: Final = re.compile("'*[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20]")
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

csv.field_size_limit(MAX_CELL)  # the module has one limit for all, 128 KiB unless told


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns (CSV) or members (JSONL) go where: from the name in the file to the name in the example."""

    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)

    def of(self, group: str) -> Mapping[str, str]:
        found: Mapping[str, str] = getattr(self, group)
        return found


# -- reading CSV -----------------------------------------------------------------------------------------


def csv_drafts(data: memoryview, columns: Columns, payloads: Payloads) -> Iterator[ExampleDraft]:
    """The rows of a CSV file with a header, as examples. Invalid names the line.

    UTF-8, or UTF-16 with a mark. A cell that is a JSON list or object is read as such.
    """
    rows = csv.reader(_opened(data), strict=True)
    try:
        header = _header(next(rows, []))
        places = {group: _places(header, columns.of(group), group) for group in GROUPS}
        for row in rows:
            if not row:
                continue
            where = ("body", "file", rows.line_num)
            if len(row) != len(header):
                raise Invalid(f"line {rows.line_num} has {len(row)} cells, the header {len(header)}", where)
            parts = {
                group: {name: _cell(row[at], payloads, where) for name, at in found.items()}
                for group, found in places.items()
            }
            yield _draft(parts, payloads, where)
    except csv.Error as error:
        raise Invalid(f"this is not valid CSV at line {rows.line_num}: {error}", ("body", "file")) from None
    except UnicodeError as error:
        raise Invalid(
            f"the file is not UTF-8 after line {rows.line_num}: {error}", ("body", "file")
        ) from None


def _header(names: list[str]) -> dict[str, int]:
    header = {name: place for place, name in enumerate(names)}
    if not header:
        raise Invalid("the file has no header", ("body", "file"))
    if len(header) < len(names):
        twice = next(name for place, name in enumerate(names) if header[name] != place)
        raise Invalid(f"the header has the column {twice[:100]!r} twice", ("body", "file"))
    return header


def _places(header: Mapping[str, int], wanted: Mapping[str, str], group: str) -> dict[str, int]:
    """For each member of the group, where its column is."""
    places = {}
    for column, name in wanted.items():
        place = header.get(column, header.get(f"{group}.{column}"))
        if place is None:
            known = ", ".join(repr(each[:100]) for each in list(header)[:20])
            raise Invalid(
                f"the file has no column {column[:100]!r}; its columns are {known}",
                ("body", f"{_SINGULAR[group]}_keys"),
            )
        places[name] = place
    return places


_SINGULAR: Final = {"inputs": "input", "outputs": "output", "metadata": "metadata"}


def _cell(text: str, payloads: Payloads, where: tuple[str | int, ...]) -> Any:
    if text.startswith("'") and _FORMULA.match(text):
        return text[1:]
    if text[:1] in ("{", "["):
        try:
            return Raw(payloads.check(text.encode(), "cell") or b"null")
        except Invalid:
            return text
    return text


def _draft(
    parts: Mapping[str, Mapping[str, Any]], payloads: Payloads, where: tuple[str | int, ...]
) -> ExampleDraft:
    encoded = {group: msgspec.json.encode(members) if members else None for group, members in parts.items()}
    metadata = encoded["metadata"]
    return ExampleDraft(
        inputs=encoded["inputs"] or b"{}",
        outputs=encoded["outputs"],
        metadata=None if metadata is None else payloads.check_values(metadata, "metadata"),
        where=where,
    )


# -- reading JSONL ---------------------------------------------------------------------------------------


def jsonl_drafts(data: memoryview, columns: Columns, payloads: Payloads) -> Iterator[ExampleDraft]:
    """A JSON object a line, as examples; without any column chosen, each is a whole example. Invalid names the line."""
    lines = _opened(data)
    number = 0
    try:
        for number, line in enumerate(lines, 1):
            if line.isspace():
                continue
            where = ("body", "file", number)
            try:
                row = _members(payloads.check(line.encode(), "line", "object") or b"{}")
                parts = (
                    {group: _chosen(row, columns.of(group), group) for group in GROUPS}
                    if columns.inputs
                    else _whole(row, payloads)
                )
            except Invalid as error:
                raise Invalid(f"line {number}: {error.message}", where) from None
            if columns.inputs and not parts["inputs"]:
                names = ", ".join(repr(name[:100]) for name in list(columns.inputs)[:20])
                raise Invalid(f"line {number} has none of the members {names}", where)
            yield _draft(parts, payloads, where)
    except UnicodeError as error:
        raise Invalid(f"the file is not UTF-8 after line {number}: {error}", ("body", "file")) from None


def _chosen(row: Mapping[str, Raw], wanted: Mapping[str, str], group: str) -> dict[str, Raw]:
    """Members by their names, or within the group's own, as in a file written here."""
    if not wanted:
        return {}
    own = row.get(group, Raw(b"null"))
    inner = _members(own) if bytes(own).startswith(b"{") else {}
    found = {}
    for column, name in wanted.items():
        value = row.get(column, inner.get(column))
        if value is not None:
            found[name] = value
    return found


def _whole(row: Mapping[str, Raw], payloads: Payloads) -> dict[str, dict[str, Raw]]:
    if "inputs" not in row:
        raise Invalid("there is no member inputs; name input_keys for another form", ("inputs",))
    parts = {}
    for group in GROUPS:
        document = payloads.check(row.get(group, Raw(b"null")), group, "object")
        parts[group] = _members(document) if document else {}
    return parts


# -- opening ---------------------------------------------------------------------------------------------


def _opened(data: memoryview) -> io.TextIOWrapper:
    """The text of a file, read piece by piece."""
    start = bytes(data[:4])
    coding = next((name for mark, name in _BOMS if start.startswith(mark)), "utf-8")
    return io.TextIOWrapper(io.BufferedReader(_View(data), 1 << 18), encoding=coding, newline="")


class _View(io.RawIOBase):
    """A view of bytes as a file."""

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self._at = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._data[self._at : self._at + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


# -- writing ---------------------------------------------------------------------------------------------


class CsvWriter:
    """Writes examples as CSV. All of their members have to be known before the first is written: see `look_at`."""

    def __init__(self) -> None:
        self._columns: dict[tuple[str, str], None] = {}

    def look_at(self, examples: Iterable[Example]) -> None:
        """Learn which members there are. Invalid when they are too many for a table."""
        for example in examples:
            for group, document in _documents(example):
                self._columns.update(((group, name), None) for name in _members(document))
            if len(self._columns) > MAX_COLUMNS:
                raise Invalid(
                    f"the examples have more than {MAX_COLUMNS} different members, too many for columns: "
                    "download them as JSONL"
                )

    def header(self) -> bytes:
        self._columns = dict.fromkeys(
            sorted(self._columns, key=lambda column: GROUPS.index(column[0]))  # in order within a group
        )
        return _csv([["id", *(f"{group}.{name}" for group, name in self._columns)]])

    def rows(self, examples: Iterable[Example]) -> bytes:
        return _csv(self._row(example) for example in examples)

    def _row(self, example: Example) -> list[str]:
        members = {group: _members(document) for group, document in _documents(example)}
        cells = (members.get(group, {}).get(name) for group, name in self._columns)
        return [str(example.id), *(_written(cell) for cell in cells)]


def _documents(example: Example) -> Iterator[tuple[str, bytes]]:
    for group in GROUPS:
        document: bytes | None = getattr(example, group)
        if document is not None:
            yield group, document


def _written(value: Raw | None) -> str:
    document = b"null" if value is None else bytes(value)
    if document == b"null":
        return ""
    if document[:1] != b'"':
        return document.decode()
    text = _text(document)
    return f"'{text}" if _FORMULA.match(text) else text


def _csv(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def jsonl_rows(examples: Iterable[Example]) -> bytes:
    """A line for each example; files are left out."""
    return b"".join(one_line(_jsonl(example)) for example in examples)


def _jsonl(example: Example) -> dict[str, Any]:
    return {
        "id": str(example.id),
        "inputs": Raw(example.inputs),
        "outputs": None if example.outputs is None else Raw(example.outputs),
        "metadata": Raw(example.metadata),
        "created_at": utc_text(example.created_at),
        "modified_at": utc_text(example.modified_at),
        "source_run_id": None if example.source_run_id is None else str(example.source_run_id),
    }


def one_line(value: Any) -> bytes:
    """JSON without line breaks, and one at its end. Payloads may be indented; in strings there are none."""
    return msgspec.json.encode(value).replace(b"\n", b" ").replace(b"\r", b" ") + b"\n"

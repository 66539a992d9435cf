"""CSV files of rows: written for spreadsheets and pandas, read from anything that writes CSV."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, Protocol

import msgspec
from msgspec import Raw

from stenograph.errors import Invalid
from stenograph.transfer.cells import Cells, cell, value
from stenograph.transfer.failures import of_file
from stenograph.transfer.rows import Columns, Field, Kind, Layout, flat
from stenograph.transfer.source import SourceRow

_names = msgspec.json.Decoder(list[str]).decode

MAX_CELL: Final = 128 << 20
"""Characters of a cell. A quote that is never closed would take the rest of the file into one."""

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Rows(Protocol):
    """What `csv.reader` returns."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...

    def __next__(self) -> list[str]: ...


# -- writing ---------------------------------------------------------------------------------------------


def write(out: BinaryIO, lines: Iterator[bytes], columns: Columns, layout: Layout) -> None:
    """A header, and a row for each line. UTF-8 without a mark, lines end as RFC 4180 has it."""
    fields = columns.fields()
    text = io.TextIOWrapper(out, "utf-8", newline="", write_through=True)
    try:
        rows = csv.writer(text)
        rows.writerow([name for name, _ in fields])
        for line in lines:
            stated = {column: found for _, column, found in flat(line, layout)}
            rows.writerow([_cell(stated.get(name), field) for name, field in fields])
    finally:
        text.detach()  # closing `out` is not for us


def _cell(found: Raw | None, field: Field) -> str:
    """A list of one name is written as that name: it is what people look for in a table."""
    if found is not None and field.kind is Kind.NAMES and len(names := _names(found)) == 1:
        found = Raw(msgspec.json.encode(names[0]))
    return cell(found)


# -- reading ---------------------------------------------------------------------------------------------


class CsvSource:
    """A CSV file with a header. Commas, or where the header has none semicolons or tabs."""

    def __init__(self, path: Path, name: str, cells: Cells) -> None:
        self._path = path
        self._name = name
        self._cells = cells
        with self._opened() as file:
            self.columns: tuple[str, ...] | None = self._header(file)[0]

    def rows(self) -> Iterator[SourceRow]:
        """Invalid names the line. Rows of empty cells alone are left out: spreadsheets leave some behind."""
        with self._opened() as file:
            names, rows = self._header(file)
            try:
                for number, row in enumerate(rows, 1):
                    if not any(row):
                        continue
                    if len(row) != len(names):
                        raise Invalid(
                            f"{self._name}, line {rows.line_num}: the row has {len(row)} cells, "
                            f"the header {len(names)}"
                        )
                    found = ((name, value(text, self._cells)) for name, text in zip(names, row, strict=True))
                    members = {name: document for name, document in found if document is not None}
                    line = rows.line_num
                    place = f"row {number}" if line == number + 1 else f"row {number} (up to line {line})"
                    yield SourceRow(place, members)
            except csv.Error as error:
                raise Invalid(f"{self._name}, line {rows.line_num}: this is not CSV: {error}") from None
            except UnicodeError:
                raise Invalid(
                    f"{self._name}, line {rows.line_num}: this is not UTF-8; spreadsheets offer it as a kind of CSV"
                ) from None

    @contextmanager
    def _opened(self) -> Iterator[io.TextIOWrapper]:
        csv.field_size_limit(MAX_CELL)  # the module has one limit for all, 128 KiB unless told
        with of_file("read", self._name), self._path.open("rb") as file:
            start = file.read(4)
            coding = next((name for mark, name in _BOMS if start.startswith(mark)), "utf-8")
            file.seek(0)
            # what is not UTF-8 shows when its row is looked at, so that the row can be named
            with io.TextIOWrapper(file, coding, "surrogateescape", newline="") as text:
                yield text

    def _header(self, file: io.TextIOWrapper) -> tuple[tuple[str, ...], Rows]:
        try:
            first = file.readline()
            file.seek(0)
            separator = "," if "," in first else next((mark for mark in ";\t" if mark in first), ",")
            rows = csv.reader(file, strict=True, delimiter=separator)
            names = tuple(next(rows, []))
            "".join(names).encode()
        except (csv.Error, UnicodeError) as error:
            raise Invalid(f"{self._name}, line 1: this is not CSV in UTF-8: {error}") from None
        if not names:
            raise Invalid(f"{self._name} has no header")
        if len(set(names)) < len(names):
            twice = next(name for place, name in enumerate(names) if name in names[:place])
            raise Invalid(f"{self._name} has the column {twice[:100]!r} twice")
        return names, rows

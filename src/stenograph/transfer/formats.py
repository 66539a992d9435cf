"""The formats of files, and which of them a file has."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final

from stenograph.errors import Invalid
from stenograph.transfer import csv_file, jsonl_file
from stenograph.transfer.cells import Cells
from stenograph.transfer.rows import Columns, Layout, flat
from stenograph.transfer.source import Source
from stenograph.transfer.spool import Spool


class Format(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


_ENDINGS: Final = {
    ".csv": Format.CSV,
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".parquet": Format.PARQUET,
    ".pq": Format.PARQUET,
}


def format_of(path: Path | None, stated: str | None) -> Format:
    """What was stated, else what the file's ending says; JSONL, which keeps everything, where there is no file."""
    if stated is not None:
        if stated not in set(Format):
            raise Invalid(f"{stated!r} is no format; there are {', '.join(Format)}")
        return Format(stated)
    if path is None:
        return Format.JSONL
    found = _ENDINGS.get(path.suffix.lower())
    if found is None:
        raise Invalid(
            f"the ending of {path.name!r} is not one of {', '.join(_ENDINGS)}: say --format {'|'.join(Format)}"
        )
    return found


def write(
    kind: Format, out: BinaryIO, lines: Iterator[bytes], layout: Layout, folder: Path | None = None
) -> None:
    """Rows as a file. A table's columns are those of all its rows, which therefore wait in `folder` for the last."""
    if kind is Format.JSONL:
        jsonl_file.write(out, lines)
        return
    if kind is Format.PARQUET:
        _write_parquet(out, lines, layout, folder)
        return
    columns = Columns(layout)
    with Spool(folder) as spool:
        for line in lines:
            columns.look_at(flat(line, layout))
            spool.add(line)
        csv_file.write(out, spool.lines(), columns, layout)


def _write_parquet(out: BinaryIO, lines: Iterator[bytes], layout: Layout, folder: Path | None) -> None:
    from stenograph.transfer import parquet_file

    columns, types = Columns(layout), parquet_file.Types()
    with Spool(folder) as spool:
        for line in lines:
            stated = list(flat(line, layout))
            columns.look_at(stated)
            types.look_at(stated)
            spool.add(line)
        parquet_file.write(out, spool.lines(), columns, types, layout)


def source(kind: Format, path: Path, name: str, cells: Cells) -> Source:
    """A file to read; `name` is what people call it. `cells`: how those of a CSV file are meant."""
    if kind is Format.CSV:
        return csv_file.CsvSource(path, name, cells)
    if kind is Format.JSONL:
        return jsonl_file.JsonlSource(path, name)
    # A library of 60 MB, which takes a while to load.
    from stenograph.transfer import parquet_file

    return parquet_file.ParquetSource(path, name)

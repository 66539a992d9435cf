"""JSONL files of rows: a JSON object a line. They keep everything, payloads to the byte."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Raw

from stenograph.errors import Invalid
from stenograph.transfer.failures import of_file
from stenograph.transfer.source import SourceRow

_members = msgspec.json.Decoder(dict[str, Raw]).decode
_MARK = b"\xef\xbb\xbf"


def write(out: BinaryIO, lines: Iterator[bytes]) -> None:
    for line in lines:
        out.write(line + b"\n")


class JsonlSource:
    """A JSONL file. Its rows may differ in their members, so it has no columns."""

    columns: tuple[str, ...] | None = None

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._name = name

    def rows(self) -> Iterator[SourceRow]:
        """Invalid names the line; empty ones are left out."""
        with of_file("read", self._name), self._path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if number == 1:
                    line = line.removeprefix(_MARK)
                if line.isspace():
                    continue
                try:
                    line.decode()
                    members = _members(line)
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                    why = "it is nested too deeply" if isinstance(error, RecursionError) else error
                    raise Invalid(f"{self._name}, line {number}: this is not a JSON object: {why}") from None
                yield SourceRow(f"line {number}", members)

"""Lines that wait on disk, in a file that has no name: it is gone with the process, however that ends."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from stenograph.transfer.failures import of_file


class Spool:
    """Lines of bytes, without line breaks in them, to be read after all were added.

    They lie in `folder`, or where the system keeps temporary files, which may be its memory.
    """

    def __init__(self, folder: Path | None) -> None:
        self._place = f"a temporary file in {folder or tempfile.gettempdir()}"
        with of_file("write", self._place):
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  closed by __exit__

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, line: bytes) -> None:
        with of_file("write", self._place):
            self._file.write(line + b"\n")

    def lines(self) -> Iterator[bytes]:
        self._file.seek(0)
        for line in self._file:
            yield line[:-1]

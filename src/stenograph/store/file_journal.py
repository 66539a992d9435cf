"""Which files are in the blob store for a record that may never have become durable: a journal beside the data.

    +key    a file is about to be stored        -key    a record names it now, or it has been deleted again

What a process leaves open when it is killed, the next one finds. Lines are not synced: they survive the process, and
after a power cut a file may be left that nobody knows of, which costs its space. Listing the blob store instead would
cost a request for every thousand files at each start, and in a bucket that others use too it would find theirs.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from stenograph.errors import StoreUnavailable

_REWRITE: Final = 1 << 20
"""Bytes of the journal after which what is closed is left out of it."""


class FileJournal:
    """Implements `store.api.FileJournal` as one append-only file. `open` first."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: set[str] = set()
        self._size = 0
        self._fd = -1

    def open(self) -> list[str]:
        try:
            text = self._path.read_text(errors="replace") if self._path.exists() else ""
            for line in text[: text.rfind("\n") + 1].splitlines():  # the last one may have been cut short
                if line.startswith("+"):
                    self._open.add(line[1:])
                elif line.startswith("-"):
                    self._open.discard(line[1:])
            self._rewrite()
        except OSError as error:
            raise StoreUnavailable(f"the journal {self._path} cannot be opened: {error.strerror}") from error
        return sorted(self._open)

    def storing(self, keys: Iterable[str]) -> None:
        new = [key for key in keys if key not in self._open]
        self._open.update(new)
        self._write("+", new)

    def closed(self, keys: Iterable[str]) -> None:
        known = [key for key in keys if key in self._open]
        self._open.difference_update(known)
        with contextlib.suppress(StoreUnavailable):  # the next process looks at them once more
            self._write("-", known)

    def _write(self, sign: str, keys: list[str]) -> None:
        if not keys:
            return
        lines = "".join(f"{sign}{key}\n" for key in keys).encode()
        try:
            if self._size + len(lines) > _REWRITE:
                self._rewrite()
            else:
                os.write(self._fd, lines)
                self._size += len(lines)
        except OSError as error:
            raise StoreUnavailable(f"the journal {self._path} cannot be written: {error.strerror}") from error

    def _rewrite(self) -> None:
        """The same with what is open alone; the old file stays until the new one is whole."""
        lines = "".join(f"+{key}\n" for key in sorted(self._open)).encode()
        fresh = self._path.with_suffix(".new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
        fd = os.open(fresh, flags, 0o600)
        try:
            os.write(fd, lines)
            os.replace(fresh, self._path)
        except OSError:
            os.close(fd)
            raise
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = fd
        self._size = len(lines)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

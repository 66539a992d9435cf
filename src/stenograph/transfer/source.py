"""A file that is read: rows of JSON values by column, whatever its format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from stenograph.transfer.rows import Row


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A row, and where in its file it is, for people. Values that are missing are not in it."""

    place: str
    members: Row


class Source(Protocol):
    """A file. `columns` is None where each row has its own. `rows` may be gone through several times.

    Both raise Invalid, naming the file and the place, for what does not have the format's form.
    """

    columns: tuple[str, ...] | None

    def rows(self) -> Iterator[SourceRow]: ...

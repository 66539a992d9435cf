"""What the run store asks of an engine. The embedded one is in chdb.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from stenograph.store.runs.packed import Column


class Engine(Protocol):
    """Runs statements in ClickHouse SQL. Blocking calls happen on threads of the engine's own."""

    async def query(self, statement: str, params: Mapping[str, str] | None = None) -> dict[str, list[Any]]:
        """Column name to values; empty when no row matched. Read only."""

    async def arrays(self, statement: str, params: Mapping[str, str] | None = None) -> dict[str, Column]:
        """The same of plain columns, as arrays: see packed.py."""

    async def insert(self, table: str, block: Sequence[bytes]) -> None:
        """Insert one Native block, in pieces; durable on return. RejectedRows when the data itself is at fault."""

    async def execute(self, statement: str, params: Mapping[str, str] | None = None) -> None:
        """A statement that changes something and returns soon: DDL, a mutation that is not waited for."""

    async def maintain(self, statement: str) -> None:
        """A statement that may take minutes: on a connection of its own, so that no insert waits for it."""

    async def close(self) -> None:
        """Finish what runs and release the data folder."""


def statements(text: str) -> dict[str, str]:
    """Parse a .sql file of `-- name: x` headings into its named statements."""
    found: dict[str, str] = {}
    for part in text.split("-- name: ")[1:]:
        name, _, body = part.partition("\n")
        found[name.strip()] = (
            "\n".join(line for line in body.splitlines() if not line.startswith("-- ")).strip().rstrip(";")
        )
    return found

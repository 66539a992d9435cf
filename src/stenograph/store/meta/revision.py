"""Which revision of its tables a metadata store is at, without changing it and without Alembic.

Alembic is a tenth of a second and 10 MB of memory, and most starts find the newest revision: it is imported by
`migrating.py`, when there is something to migrate.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from stenograph.errors import StoreUnavailable
from stenograph.store.meta.engine import Engine, parse_url

MIGRATIONS: Final = Path(__file__).parent / "migrations"

_KEPT: Final = sa.table("alembic_version", sa.column("version_num", sa.String))


@dataclass(frozen=True, slots=True)
class Revision:
    """`stored` is None where nothing is stored yet; `known` is false when a newer program wrote it."""

    stored: str | None
    newest: str
    known: bool

    @property
    def current(self) -> bool:
        return self.stored == self.newest


async def revision(url: str) -> Revision:
    """Invalid for a URL that names no metadata store; StoreUnavailable when it does not answer."""
    where = parse_url(url)
    newest = revisions()[-1]
    if _is_absent(where):
        return Revision(None, newest, known=True)
    engine = Engine(where)
    try:
        found = await engine.read(stored)
    finally:
        await engine.close()
    return Revision(found, newest, known=found is None or found in revisions())


@cache
def revisions() -> tuple[str, ...]:
    """Every revision there is, oldest first, by the names of their files: `r0017_view_shown.py` is 0017."""
    files = (MIGRATIONS / "versions").glob("r*.py")
    return tuple(sorted(file.name[1:].partition("_")[0] for file in files))


def stored(connection: sa.Connection) -> str | None:
    """What Alembic noted; None where it never ran. StoreUnavailable when it noted several, which nobody here does."""
    if not sa.inspect(connection).has_table(_KEPT.name):
        return None
    found = connection.scalars(sa.select(_KEPT.c.version_num)).all()
    if len(found) > 1:
        raise StoreUnavailable(
            f"The metadata store says of itself that it is at {len(found)} revisions at once."
        )
    return found[0] if found else None


def _is_absent(where: sa.URL) -> bool:
    """A SQLite file that is not there: connecting would make it."""
    return where.drivername == "sqlite" and not Path(where.database or "").exists()

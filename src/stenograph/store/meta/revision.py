"""Which revision the metadata store is at, without changing it. For the doctor."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from stenograph.store.meta.database import MIGRATIONS, parse_url
from stenograph.store.meta.engine import Engine


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
    scripts = ScriptDirectory(str(MIGRATIONS))
    newest = scripts.get_current_head() or ""
    if _is_absent(where):
        return Revision(None, newest, known=True)
    engine = Engine(where)
    try:
        stored = await engine.read(_stored)
    finally:
        await engine.close()
    known = stored is None or stored in {script.revision for script in scripts.walk_revisions()}
    return Revision(stored, newest, known)


def _is_absent(where: sa.URL) -> bool:
    """A SQLite file that is not there: connecting would make it."""
    return where.drivername == "sqlite" and not Path(where.database or "").exists()


def _stored(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()

"""Brings the tables of a metadata store up to date, with Alembic.

Imported only when there is something to bring: `revision.py` knows without Alembic.
"""

from __future__ import annotations

import threading
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from stenograph.errors import StoreUnavailable
from stenograph.store.meta.revision import MIGRATIONS

# Alembic keeps the migration under way in a module: two may not run at once in one process.
_migrating: Final = threading.Lock()


def migrate(connection: sa.Connection) -> None:
    """Run what revisions are missing, inside the caller's transaction."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        with _migrating:
            command.upgrade(config, "head")
    except CommandError as error:
        raise StoreUnavailable(
            f"The metadata store cannot be brought up to date; was it written by a newer version? ({error})"
        ) from error

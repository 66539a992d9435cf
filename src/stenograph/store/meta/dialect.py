"""Where SQLite and PostgreSQL differ: column types, upserts, locks, connection settings, error codes.

Everything else in this package is one SQL for both.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection

from stenograph.errors import Invalid

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

Value = TypeVar("Value")

MAX_BOUND: Final = 5_000
"""Values in one IN list: engines refuse statements with more than about 32,000 parameters."""

MAX_SOUGHT: Final = 5_000
"""Characters of a text to be found inside others: SQLite takes patterns of up to 50,000 bytes, and a character may
become 6 of them when it is folded or written as JSON."""

BUSY_TIMEOUT: Final = 30_000
"""Milliseconds that SQLite waits for another process's write."""

_UNIQUE_SQLITE: Final = frozenset({sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY})
_UNIQUE_POSTGRESQL: Final = "23505"


class Words(sa.types.TypeDecorator[str]):
    """Text that compares by code point in both engines, and that both can hold.

    PostgreSQL cannot store U+0000, so SQLite does not get to either.
    """

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        return sa.Text(collation="C") if dialect.name == "postgresql" else sa.Text()

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        if value is not None and "\0" in value:
            raise Invalid("text must not contain the NUL character")
        return value


class RawJson(sa.types.TypeDecorator[bytes]):
    """The user's own JSON: bytes in the model, readable text in the table."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else value.decode()

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> bytes | None:
        return None if value is None else value.encode()


def insert(connection: sa.Connection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """An insert that offers `on_conflict_do_nothing` and `on_conflict_do_update`."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql  # most servers have no use for it, and it takes 2 MB

        return postgresql.insert(table)
    return sqlite.insert(table)


def serialise(connection: sa.Connection, topic: str) -> None:
    """Let no other transaction on the same topic run until this one ends.

    SQLite has one writer anyway: a write transaction holds the whole file from its begin.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(topic, 0))))


def batches(values: Sequence[Value]) -> Iterator[Sequence[Value]]:
    """`values` in slices short enough for one statement."""
    for start in range(0, len(values), MAX_BOUND):
        yield values[start : start + MAX_BOUND]


def inside(
    column: sa.ColumnElement[str], folded: str, asked_as: str = "name_contains"
) -> sa.ColumnElement[bool]:
    """The folded text is somewhere in a column of folded texts. Invalid names the parameter when it is too long."""
    check_sought(folded, asked_as)
    return column.contains(folded, autoescape=True)


def check_sought(text: str, asked_as: str) -> None:
    """Invalid for a text that is too long to be looked for inside others."""
    if len(text) > MAX_SOUGHT:
        raise Invalid(f"a text to look for has at most {MAX_SOUGHT} characters", where=("query", asked_as))


def is_unique_violation(error: sa.exc.IntegrityError) -> bool:
    """Whether a name or id was taken, as opposed to any other constraint."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    return code in _UNIQUE_SQLITE or getattr(error.orig, "sqlstate", None) == _UNIQUE_POSTGRESQL


def prepare(engine: sa.Engine) -> None:
    """Have every SQLite connection durable, patient and transactional; PostgreSQL needs nothing."""
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _configure_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)


def _configure_sqlite(connection: DBAPIConnection, _record: object) -> None:
    # The driver must not begin transactions on its own: it would do so too late, and not around DDL.
    connection.isolation_level = None
    cursor = connection.cursor()
    try:
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT}")
        _enter_wal(cursor)
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
    finally:
        cursor.close()


def _enter_wal(cursor: Any) -> None:
    """The first switch to WAL ignores the busy timeout when two processes open a new file at once."""
    deadline = time.monotonic() + BUSY_TIMEOUT / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _begin_sqlite(connection: sa.Connection) -> None:
    # IMMEDIATE takes the write lock at once: a transaction that reads first could not get it later
    # without failing when another process wrote in between.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

"""What agents, users and conversations have in common as rows: ids, metadata that are indexed, lists by time.

Each of the three says in a `Noun` what is its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

import sqlalchemy as sa

from stenograph.errors import Conflict
from stenograph.model.listing import ListQuery
from stenograph.model.runs import Micros
from stenograph.store.meta import dialect, metadata_labels
from stenograph.store.meta.engine import Engine


class Thing(Protocol):
    """What all of them have."""

    @property
    def id(self) -> UUID: ...
    @property
    def workspace(self) -> UUID: ...
    @property
    def created_at(self) -> Micros: ...
    @property
    def metadata(self) -> bytes: ...


T = TypeVar("T", bound=Thing)


class Patch(Protocol[T]):
    def apply(self, to: T, at: Micros) -> T: ...


@dataclass(frozen=True, slots=True)
class Noun(Generic[T]):
    """How one kind is kept. `rows` selects a workspace's, `from_rows` makes values of some; `check` refuses what must
    not be written, and completes the rest; `forget` clears up in other tables before a row goes."""

    table: sa.Table
    called: str
    rows: Callable[[UUID], sa.Select[Any]]
    to_row: Callable[[T], dict[str, Any]]
    from_rows: Callable[[sa.Connection, UUID, Sequence[sa.Row[Any]]], list[T]]
    check: Callable[[sa.Connection, T], T]
    forget: Callable[[sa.Connection, T], None]


class Listed(Generic[T]):
    """Implements what the seams of these nouns share."""

    noun: Noun[T]

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def create(self, thing: T) -> T:
        return await self._engine.write(lambda connection: _create(connection, self.noun, thing))

    async def read(self, workspace: UUID, ident: UUID) -> T | None:
        return await self._engine.read(lambda connection: load(connection, self.noun, workspace, ident))

    async def find(self, query: ListQuery) -> list[T]:
        return await self._engine.read(lambda connection: _find(connection, self.noun, query))

    async def update(self, workspace: UUID, ident: UUID, patch: Patch[T], at: Micros) -> T | None:
        def work(connection: sa.Connection) -> T | None:
            before = load(connection, self.noun, workspace, ident, lock=True)
            return (
                None if before is None else _replace(connection, self.noun, before, patch.apply(before, at))
            )

        return await self._engine.write(work)

    async def delete(self, workspace: UUID, ident: UUID) -> bool:
        return await self._engine.write(lambda connection: _delete(connection, self.noun, workspace, ident))


def _find(connection: sa.Connection, noun: Noun[T], query: ListQuery) -> list[T]:
    page = metadata_labels.page(connection, noun.table, query)
    if page is None:
        return []
    # The page is found in an index, then its rows by their ids. They are put in order here: asked for an order, SQLite
    # walks all rows in it and looks whether each is on the page.
    rows = connection.execute(noun.rows(query.workspace).where(noun.table.c.id.in_(page))).all()
    by = query.sort.value
    ordered = sorted(rows, key=lambda row: (getattr(row, by), row.id), reverse=query.descending)
    return noun.from_rows(connection, query.workspace, ordered)


def load(
    connection: sa.Connection, noun: Noun[T], workspace: UUID, ident: UUID, *, lock: bool = False
) -> T | None:
    """`lock` keeps others from changing it until the end of the transaction."""
    wanted = noun.rows(workspace).where(noun.table.c.id == ident)
    if lock:
        wanted = wanted.with_for_update(of=noun.table)
    rows = connection.execute(wanted).all()
    return noun.from_rows(connection, workspace, rows)[0] if rows else None


def load_all(connection: sa.Connection, noun: Noun[T], workspace: UUID, ids: Sequence[UUID]) -> list[T]:
    """Those of these ids that are there, in the order of the ids."""
    found = {
        row.id: row
        for batch in dialect.batches(ids)
        for row in connection.execute(noun.rows(workspace).where(noun.table.c.id.in_(batch)))
    }
    return noun.from_rows(connection, workspace, [found[each] for each in ids if each in found])


def _create(connection: sa.Connection, noun: Noun[T], thing: T) -> T:
    if load(connection, noun, thing.workspace, thing.id) is not None:
        raise Conflict(f"{noun.called} with the id {thing.id} already exists.")
    thing = noun.check(connection, thing)
    connection.execute(sa.insert(noun.table).values(noun.to_row(thing)))
    return _follow(connection, noun, thing, b"{}")


def _replace(connection: sa.Connection, noun: Noun[T], before: T, after: T) -> T:
    after = noun.check(connection, after)
    columns = noun.table.c
    connection.execute(
        sa.update(noun.table)
        .where(columns.workspace_id == after.workspace, columns.id == after.id)
        .values(noun.to_row(after))
    )
    return _follow(connection, noun, after, before.metadata)


def _follow(connection: sa.Connection, noun: Noun[T], thing: T, before: bytes) -> T:
    """Have the index follow what was written; the thing as it is read from now on."""
    name, at = noun.table.name, thing.created_at
    metadata_labels.write(connection, name, thing.workspace, thing.id, at, thing.metadata, before)
    stored = load(connection, noun, thing.workspace, thing.id)
    assert stored is not None
    return stored


def _delete(connection: sa.Connection, noun: Noun[T], workspace: UUID, ident: UUID) -> bool:
    before = load(connection, noun, workspace, ident, lock=True)
    if before is None:
        return False
    noun.forget(connection, before)
    name, at = noun.table.name, before.created_at
    metadata_labels.write(connection, name, workspace, ident, at, b"{}", before.metadata)
    columns = noun.table.c
    connection.execute(sa.delete(noun.table).where(columns.workspace_id == workspace, columns.id == ident))
    return True

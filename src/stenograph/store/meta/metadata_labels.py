"""Lists and the index of metadata behind them: which ids are on a page, in what order.

Each value in an object's metadata is a row of `metadata_labels`, whose key orders a label's owners by time of
creation: a page of those with one value is read off the index wherever it begins. (Rejected: conditions on the JSON
itself, which read every object of the workspace; decisions/082.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from stenograph.model.listing import ListQuery, ListSort, MetadataTest, label, labels
from stenograph.model.runs import Micros
from stenograph.store.meta import dialect, tables

_L: Final = tables.metadata_labels.c

FEW: Final = 5_000
"""So many owners are sorted when an order is asked for that the index does not have. Of more, every so many-th of
the list is one: the list is walked in its order then, and each asked for the label."""


def write(
    connection: sa.Connection,
    noun: str,
    workspace: UUID,
    owner: UUID,
    created_at: Micros,
    metadata: bytes,
    before: bytes = b"{}",
) -> None:
    """Index an object's metadata, which were others before. `created_at` never changes."""
    if metadata == before:
        return
    new, old = labels(workspace, noun, metadata), labels(workspace, noun, before)
    for gone in dialect.batches(sorted(old - new)):
        connection.execute(
            sa.delete(tables.metadata_labels).where(
                _L.label.in_(gone), _L.created_at == created_at, _L.owner_id == owner
            )
        )
    if added := sorted(new - old):
        rows = [{"label": each, "created_at": created_at, "owner_id": owner} for each in added]
        connection.execute(sa.insert(tables.metadata_labels), rows)


def chosen(
    ident: sa.ColumnElement[Any],
    created_at: sa.ColumnElement[Any],
    noun: str,
    workspace: UUID,
    tests: Sequence[MetadataTest],
) -> list[sa.ColumnElement[bool]]:
    """Conditions on a table that is chosen from otherwise: all of these tests hold for the object of this id."""
    return [_has(created_at, ident, _labels_of(test, noun, workspace)) for test in tests]


def page(connection: sa.Connection, table: sa.Table, query: ListQuery) -> sa.Select[Any] | None:
    """Selects the ids on this page of a table that has workspace_id, id, created_at and updated_at; None for an empty
    page."""
    if query.limit == 0:
        return None
    if not query.tests:
        wanted = sa.select(table.c.id).where(table.c.workspace_id == query.workspace)
        return _cut(wanted, query, table.c[query.sort.value], table.c.id)
    sought = {_labels_of(test, table.name, query.workspace) for test in query.tests}
    counted = sorted((_count(connection, each), each) for each in sought)
    fewest, first = counted[0]
    rest = [each for _, each in counted[1:]]
    if fewest == 0:
        return None
    if query.sort is ListSort.UPDATED_AT and fewest == FEW:
        owner = (table.c.created_at, table.c.id)
        wanted = sa.select(table.c.id).where(
            table.c.workspace_id == query.workspace, *(_has(*owner, each) for each in (first, *rest))
        )
        return _cut(wanted, query, table.c.updated_at, table.c.id)
    wanted = sa.select(_L.owner_id.label("id")).where(
        _is_one_of(_L, first), *(_has(_L.created_at, _L.owner_id, each) for each in rest)
    )
    by = _L.created_at
    if query.sort is ListSort.UPDATED_AT:
        wanted = wanted.join(table, (table.c.workspace_id == query.workspace) & (table.c.id == _L.owner_id))
        by = table.c.updated_at
    if len(first) > 1:  # an owner may have several of these labels
        wanted = wanted.group_by(by, _L.owner_id)
    return _cut(wanted, query, by, _L.owner_id)


def _labels_of(test: MetadataTest, noun: str, workspace: UUID) -> tuple[UUID, ...]:
    return tuple(sorted(label(workspace, noun, test.path, value) for value in test.values))


def _count(connection: sa.Connection, sought: tuple[UUID, ...]) -> int:
    """How many owners have such a label, FEW at most."""
    some = sa.select(_L.owner_id).where(_is_one_of(_L, sought)).limit(FEW).subquery()
    return connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one()


def _is_one_of(columns: Any, sought: tuple[UUID, ...]) -> sa.ColumnElement[bool]:
    found: sa.ColumnElement[bool] = (
        columns.label == sought[0] if len(sought) == 1 else columns.label.in_(sought)
    )
    return found


def _has(
    created_at: sa.ColumnElement[Any], owner: sa.ColumnElement[Any], sought: tuple[UUID, ...]
) -> sa.ColumnElement[bool]:
    """Whether the object of this id, made at this time, has such a label too: one look at the key."""
    other = tables.metadata_labels.alias()
    return (
        sa.select(sa.literal(1))
        .select_from(other)
        .where(_is_one_of(other.c, sought), other.c.created_at == created_at, other.c.owner_id == owner)
        .exists()
    )


def _cut(
    wanted: sa.Select[Any], query: ListQuery, by: sa.ColumnElement[Any], ident: sa.ColumnElement[Any]
) -> sa.Select[Any]:
    order = (each.desc() if query.descending else each.asc() for each in (by, ident))
    return wanted.order_by(*order).offset(query.offset).limit(query.limit)

"""What was said in conversations, in order, and which entries stand for others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from stenograph.errors import Conflict, NotFound
from stenograph.model.conversations import Entry, EntrySource, Relation, Speaker
from stenograph.store.meta import dialect, tables

_T: Final = tables.conversation_entries.c
_R: Final = tables.conversation_relations.c


def append(
    connection: sa.Connection, workspace: UUID, conversation: UUID, entries: Sequence[Entry]
) -> list[Entry]:
    """The entries as stored, after those that are there. The caller holds the conversation's row."""
    last = sa.select(sa.func.max(_T.position)).where(*_of(_T, workspace, conversation))
    start = (connection.execute(last).scalar() or 0) + 1
    _refuse_taken_ids(connection, workspace, [entry.id for entry in entries])
    stored = [msgspec.structs.replace(entry, position=start + number) for number, entry in enumerate(entries)]
    rows = [_to_row(entry, workspace, conversation) for entry in stored]
    if rows:
        connection.execute(sa.insert(tables.conversation_entries), rows)
    return stored


def _refuse_taken_ids(connection: sa.Connection, workspace: UUID, ids: Sequence[UUID]) -> None:
    for batch in dialect.batches(ids):
        same = sa.select(_T.id).where(_T.workspace_id == workspace, _T.id.in_(batch))
        if (taken := connection.execute(same.limit(1)).scalar()) is not None:
            raise Conflict(f"An entry with the id {taken} already exists.")


def relate(
    connection: sa.Connection, workspace: UUID, conversation: UUID, relations: Sequence[Relation]
) -> None:
    named = list({each for relation in relations for each in (relation.head, relation.tail)})
    known: set[UUID] = set()
    for batch in dialect.batches(named):
        there = sa.select(_T.id).where(*_of(_T, workspace, conversation), _T.id.in_(batch))
        known.update(connection.execute(there).scalars())
    for each in named:
        if each not in known:
            raise NotFound(f"There is no entry {each} in this session.")
    for relation in relations:
        row = {"workspace_id": workspace, "conversation_id": conversation}
        row |= msgspec.structs.asdict(relation)
        connection.execute(
            dialect.insert(connection, tables.conversation_relations).values(row).on_conflict_do_nothing()
        )


def all_of(
    connection: sa.Connection, workspace: UUID, conversation: UUID
) -> tuple[tuple[Entry, ...], tuple[Relation, ...]]:
    entries = sa.select(tables.conversation_entries).where(*_of(_T, workspace, conversation))
    relations = sa.select(_R.head, _R.relation, _R.tail).where(*_of(_R, workspace, conversation))
    return (
        tuple(_from_row(row) for row in connection.execute(entries.order_by(_T.position))),
        tuple(
            Relation(row.head, row.relation, row.tail)
            for row in connection.execute(relations.order_by(_R.head, _R.relation, _R.tail))
        ),
    )


def delete(connection: sa.Connection, workspace: UUID, conversation: UUID) -> None:
    """All of them, with their relations."""
    connection.execute(sa.delete(tables.conversation_relations).where(*_of(_R, workspace, conversation)))
    connection.execute(sa.delete(tables.conversation_entries).where(*_of(_T, workspace, conversation)))


def _of(columns: Any, workspace: UUID, conversation: UUID) -> tuple[sa.ColumnElement[bool], ...]:
    return columns.workspace_id == workspace, columns.conversation_id == conversation


def _to_row(entry: Entry, workspace: UUID, conversation: UUID) -> dict[str, Any]:
    row = msgspec.structs.asdict(entry)
    row |= {"workspace_id": workspace, "conversation_id": conversation}
    row |= {"role": entry.role.value, "source": entry.source.value}
    return row


def _from_row(row: sa.Row[Any]) -> Entry:
    return Entry(
        id=row.id,
        role=Speaker(row.role),
        source=EntrySource(row.source),
        content=row.content,
        created_at=row.created_at,
        timestamp=row.timestamp,
        token_count=row.token_count,
        tokenizer=row.tokenizer,
        name=row.name,
        model=row.model,
        tool_calls=row.tool_calls,
        tool_call_id=row.tool_call_id,
        position=row.position,
    )

"""Dead letters in the metadata store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from stenograph.model.dead_letters import DeadLetter, DeadLetterNote
from stenograph.model.runs import Micros
from stenograph.store.meta import dialect, tables
from stenograph.store.meta.engine import Engine

_T = tables.dead_letters.c


class DeadLetters:
    """Implements `store.api.DeadLetters`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def bury(self, letters: Sequence[DeadLetter]) -> None:
        rows = [to_row(letter) for letter in letters]

        def work(connection: sa.Connection) -> None:
            new = dialect.insert(connection, tables.dead_letters).on_conflict_do_nothing()
            connection.execute(new, rows)

        if rows:
            await self._engine.write(work)

    async def page(
        self, workspace: UUID, replayed: bool | None = False, offset: int = 0, limit: int | None = None
    ) -> list[DeadLetter]:
        wanted = sa.select(tables.dead_letters).where(_T.workspace_id == workspace)
        if replayed is not None:
            wanted = wanted.where(_T.replayed_at.is_not(None) if replayed else _T.replayed_at.is_(None))
        wanted = wanted.order_by(_T.created_at, _T.id).offset(offset).limit(limit)
        rows = await self._engine.rows(wanted)
        return [from_row(row) for row in rows]

    async def notes(
        self,
        workspace: UUID | None,
        replayed: bool | None = False,
        *,
        subjects: Sequence[UUID] | None = None,
        offset: int = 0,
        limit: int | None = None,
    ) -> list[DeadLetterNote]:
        size = sa.func.length(_T.record).label("size")
        wanted: sa.Select[Any] = sa.select(*(column for column in _T if column is not _T.record), size)
        if workspace is not None:
            wanted = wanted.where(_T.workspace_id == workspace)
        if replayed is not None:
            wanted = wanted.where(_T.replayed_at.is_not(None) if replayed else _T.replayed_at.is_(None))
        if subjects is not None:
            wanted = wanted.where(_T.subject_id.in_(subjects))
        wanted = wanted.order_by(_T.created_at, _T.id).offset(offset).limit(limit)
        rows = await self._engine.rows(wanted)
        return [_note(row) for row in rows]

    async def read(self, workspace: UUID | None, letter_id: UUID) -> DeadLetter | None:
        wanted = sa.select(tables.dead_letters).where(_T.id == letter_id)
        if workspace is not None:
            wanted = wanted.where(_T.workspace_id == workspace)
        row = await self._engine.read(lambda connection: connection.execute(wanted).first())
        return None if row is None else from_row(row)

    async def forget(self, letters: Sequence[DeadLetter]) -> int:
        keys = [(letter.workspace, letter.id) for letter in letters]

        def work(connection: sa.Connection) -> int:
            return sum(
                connection.execute(
                    sa.delete(tables.dead_letters).where(_T.workspace_id == workspace, _T.id == letter_id)
                ).rowcount
                for workspace, letter_id in keys
            )

        return await self._engine.write(work)

    async def count(self, workspace: UUID) -> int:
        wanted = sa.select(sa.func.count()).where(_T.workspace_id == workspace, _T.replayed_at.is_(None))
        return await self._engine.read(lambda connection: connection.execute(wanted).scalar_one())

    async def mark_replayed(self, workspace: UUID, letter_ids: Sequence[UUID], at: Micros) -> int:
        def work(connection: sa.Connection) -> int:
            return sum(
                connection.execute(
                    sa.update(tables.dead_letters)
                    .where(_T.workspace_id == workspace, _T.id.in_(batch), _T.replayed_at.is_(None))
                    .values(replayed_at=at)
                ).rowcount
                for batch in dialect.batches(letter_ids)
            )

        return await self._engine.write(work)


def to_row(letter: DeadLetter) -> dict[str, Any]:
    row = msgspec.structs.asdict(letter)
    row["workspace_id"] = row.pop("workspace")
    # The reason may quote what no text column can hold, and this is the last place that could keep it.
    row["reason"] = letter.reason.replace("\0", "\\0").encode(errors="backslashreplace").decode()
    return row


def _note(row: Any) -> DeadLetterNote:
    return DeadLetterNote(
        id=row.id,
        workspace=row.workspace_id,
        kind=row.kind,
        reason=row.reason,
        size=row.size,
        created_at=row.created_at,
        subject_id=row.subject_id,
        replayed_at=row.replayed_at,
    )


def from_row(row: sa.Row[Any]) -> DeadLetter:
    return DeadLetter(
        id=row.id,
        workspace=row.workspace_id,
        kind=row.kind,
        reason=row.reason,
        record=row.record,
        created_at=row.created_at,
        subject_id=row.subject_id,
        replayed_at=row.replayed_at,
    )

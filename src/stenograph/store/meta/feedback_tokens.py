"""Tokens for keyless feedback in the metadata store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from stenograph.model.feedback_setup import FeedbackToken
from stenograph.store.meta import tables
from stenograph.store.meta.engine import Engine

_T = tables.feedback_tokens.c


class FeedbackTokens:
    """Implements `store.api.FeedbackTokens`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def create(self, tokens: Sequence[FeedbackToken]) -> None:
        rows = [to_row(token) for token in tokens]
        if rows:
            await self._engine.write(
                lambda connection: connection.execute(sa.insert(tables.feedback_tokens), rows)
            )

    async def resolve(self, token: UUID) -> FeedbackToken | None:
        wanted = sa.select(tables.feedback_tokens).where(_T.id == token)
        row = await self._engine.row(wanted)
        return None if row is None else from_row(row)

    async def page(
        self, workspace: UUID, run_id: UUID, offset: int = 0, limit: int | None = None
    ) -> list[FeedbackToken]:
        wanted = (
            sa.select(tables.feedback_tokens)
            .where(_T.workspace_id == workspace, _T.run_id == run_id)
            .order_by(_T.created_at, _T.id)
            .offset(offset)
            .limit(limit)
        )
        rows = await self._engine.rows(wanted)
        return [from_row(row) for row in rows]


def to_row(token: FeedbackToken) -> dict[str, Any]:
    row = msgspec.structs.asdict(token)
    row["workspace_id"] = row.pop("workspace")
    return row


def from_row(row: sa.Row[Any]) -> FeedbackToken:
    return FeedbackToken(
        id=row.id,
        workspace=row.workspace_id,
        run_id=row.run_id,
        key=row.key,
        expires_at=row.expires_at,
        created_at=row.created_at,
        config=row.config,
    )

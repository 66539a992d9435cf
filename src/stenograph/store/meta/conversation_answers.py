"""What requests were answered lately, in case the same are made again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from stenograph.model.conversations import KeptAnswer
from stenograph.store.meta import tables

KEPT: Final = 3_600_000_000
"""Microseconds for which an answer is kept at least."""

_T: Final = tables.conversation_answers.c


def keep(
    connection: sa.Connection,
    workspace: UUID,
    conversation: UUID,
    answer: KeptAnswer,
    delivered: Sequence[UUID],
) -> None:
    gone = [*dict.fromkeys([*delivered, answer.request])]
    connection.execute(
        sa.delete(tables.conversation_answers).where(
            *_of(workspace, conversation),
            sa.or_(_T.request.in_(gone), _T.created_at < answer.created_at - KEPT),
        )
    )
    connection.execute(
        sa.insert(tables.conversation_answers).values(
            workspace_id=workspace,
            conversation_id=conversation,
            request=answer.request,
            body=answer.body,
            created_at=answer.created_at,
        )
    )


def kept(connection: sa.Connection, workspace: UUID, conversation: UUID, request: UUID) -> KeptAnswer | None:
    wanted = sa.select(_T.body, _T.created_at).where(*_of(workspace, conversation), _T.request == request)
    row = connection.execute(wanted).one_or_none()
    return None if row is None else KeptAnswer(request, row.body, row.created_at)


def delete(connection: sa.Connection, workspace: UUID, conversation: UUID) -> None:
    connection.execute(sa.delete(tables.conversation_answers).where(*_of(workspace, conversation)))


def _of(workspace: UUID, conversation: UUID) -> tuple[sa.ColumnElement[bool], ...]:
    return _T.workspace_id == workspace, _T.conversation_id == conversation

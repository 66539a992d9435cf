"""Answers of conversations, kept for requests that are repeated."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from stenograph.store.meta.migrations.columns import micros, of_workspace, uuid

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "conversation_answers",
        uuid("workspace_id"),
        uuid("conversation_id"),
        uuid("request"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        micros("created_at"),
        sa.PrimaryKeyConstraint("workspace_id", "conversation_id", "request", name="pk_conversation_answers"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "conversation_id"],
            ["conversations.workspace_id", "conversations.id"],
            name="fk_conversation_answers_conversation_id",
            ondelete="CASCADE",
        ),
        of_workspace("conversation_answers"),
    )

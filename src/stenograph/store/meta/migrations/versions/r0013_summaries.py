"""Summaries that conversations wait for."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from stenograph.store.meta.migrations.columns import micros, of_workspace, uuid

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "summary_tasks",
        uuid("workspace_id"),
        uuid("conversation_id"),
        uuid("job_id"),
        micros("due_at"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "conversation_id", name="pk_summary_tasks"),
        of_workspace("summary_tasks"),
    )

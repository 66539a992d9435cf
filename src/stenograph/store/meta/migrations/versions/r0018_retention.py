"""How long traces are kept; items of queues that do not keep theirs."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from stenograph.store.meta.migrations.columns import micros, of_workspace, text, uuid

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "retentions",
        uuid("workspace_id"),
        sa.Column("short_days", sa.Integer(), nullable=True),
        sa.Column("long_days", sa.Integer(), nullable=True),
        text("tier"),
        micros("created_at"),
        micros("updated_at"),
        micros("looked_to"),
        micros("ended_at"),
        micros("deleted_at", nullable=True),
        sa.Column("traces", sa.BigInteger(), nullable=False),
        sa.Column("runs", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", name="pk_retentions"),
        of_workspace("retentions"),
    )
    op.add_column(
        "annotation_queue_items",
        sa.Column("keeps", sa.Boolean(), server_default=sa.true(), nullable=False),
    )

"""The people of a workspace, the links by which they come in, and whose key is whose."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from stenograph.store.meta.migrations.columns import micros, of_workspace, text, uuid

revision: str = "0019"
down_revision: str | None = "0018"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "members",
        uuid("id"),
        uuid("workspace_id"),
        text("name"),
        text("email", nullable=True),
        text("email_key", nullable=True),
        text("role"),
        micros("created_at"),
        micros("joined_at", nullable=True),
        micros("seen_at", nullable=True),
        micros("removed_at", nullable=True),
        text("invited_by", nullable=True),
        text("link_hash", nullable=True),
        micros("link_until", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_members"),
        sa.UniqueConstraint("workspace_id", "email_key", name="uq_members_email"),
        of_workspace("members"),
        sa.UniqueConstraint("link_hash", name="uq_members_link_hash"),
    )
    op.add_column("api_keys", uuid("member_id", nullable=True))
    op.create_index("ix_api_keys_member_id", "api_keys", ["member_id"])

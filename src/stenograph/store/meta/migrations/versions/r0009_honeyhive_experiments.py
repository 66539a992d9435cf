"""What HoneyHive's clients keep of experiments beside their project."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from stenograph.store.meta.migrations.columns import micros, of_workspace, text, uuid

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "evaluations",
        uuid("workspace_id"),
        uuid("project_id"),
        text("name"),
        text("name_folded"),
        text("project_name"),
        text("status"),
        uuid("within_id", nullable=True),
        text("dataset", nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        text("event_ids", nullable=True, collated=False),
        text("session_ids", collated=False),
        text("datapoint_ids", collated=False),
        text("results", nullable=True, collated=False),
        text("configuration", nullable=True, collated=False),
        text("evaluators", nullable=True, collated=False),
        text("passing_ranges", nullable=True, collated=False),
        micros("created_at"),
        micros("modified_at"),
        sa.PrimaryKeyConstraint("workspace_id", "project_id", name="pk_evaluations"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "project_id"],
            ["projects.workspace_id", "projects.id"],
            name="fk_evaluations_project",
        ),
        of_workspace("evaluations"),
    )

"""Configurations, tools and charts; annotation queues that fill themselves; keys that expire."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from stenograph.store.meta.migrations.columns import micros, of_workspace, text, uuid

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    _configurations()
    _charts()
    _queues()
    for column in ("kind", "description"):
        op.add_column("api_keys", text(column, nullable=True))
    op.add_column("api_keys", text("permissions", nullable=True, collated=False))
    op.add_column("api_keys", micros("expires_at", nullable=True))


def _of_project(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["workspace_id", "project_id"],
        ["projects.workspace_id", "projects.id"],
        name=f"fk_{table}_project",
    )


def _configurations() -> None:
    op.create_table(
        "configurations",
        uuid("workspace_id"),
        uuid("id"),
        uuid("project_id", nullable=True),
        text("name"),
        text("type"),
        text("provider"),
        text("parameters", collated=False),
        text("env", collated=False),
        text("tags", collated=False),
        text("user_properties", nullable=True, collated=False),
        micros("created_at"),
        micros("updated_at", nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_configurations"),
        _of_project("configurations"),
        of_workspace("configurations"),
    )
    op.create_index("ix_configurations_name", "configurations", ["workspace_id", "name"])
    op.create_table(
        "tools",
        uuid("workspace_id"),
        uuid("id"),
        text("task"),
        text("name"),
        text("description", nullable=True),
        text("type"),
        text("parameters", collated=False),
        micros("created_at"),
        micros("updated_at", nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_tools"),
        of_workspace("tools"),
    )


def _charts() -> None:
    op.create_table(
        "charts",
        uuid("workspace_id"),
        uuid("id"),
        uuid("project_id", nullable=True),
        text("name"),
        text("description", nullable=True),
        text("metric"),
        text("func", nullable=True),
        text("group_by", nullable=True),
        text("bucketing"),
        text("date_range", nullable=True, collated=False),
        text("query", nullable=True, collated=False),
        text("owner_id", nullable=True),
        micros("created_at"),
        micros("updated_at", nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_charts"),
        _of_project("charts"),
        of_workspace("charts"),
    )


def _queues() -> None:
    op.add_column("annotation_queues", text("event_filters", nullable=True, collated=False))
    op.add_column(
        "annotation_queues", sa.Column("fills", sa.Boolean(), server_default=sa.true(), nullable=False)
    )
    op.add_column("annotation_queues", sa.Column("filled_to", sa.BigInteger(), nullable=True))
    op.add_column("annotation_queues", micros("deleted_at", nullable=True))
    op.create_table(
        "annotation_queue_removals",
        uuid("workspace_id"),
        uuid("queue_id"),
        uuid("run_id"),
        sa.PrimaryKeyConstraint("workspace_id", "queue_id", "run_id", name="pk_annotation_queue_removals"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "queue_id"],
            ["annotation_queues.workspace_id", "annotation_queues.id"],
            name="fk_annotation_queue_removals_queue_id",
            ondelete="CASCADE",
        ),
        of_workspace("annotation_queue_removals"),
    )

"""Reports that keep up: which ones, and what they have taken in since; clusters by id alone."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from stenograph.store.meta.migrations.columns import micros, of_workspace, uuid

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_index("ix_insight_clusters_id", "insight_clusters", ["workspace_id", "id"])
    op.create_table(
        "insight_following",
        uuid("workspace_id"),
        uuid("project_id"),
        uuid("job_id"),
        sa.Column("looked_to", sa.BigInteger(), nullable=False),
        micros("looked_at", nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "project_id", name="pk_insight_following"),
        _of_job("insight_following"),
        of_workspace("insight_following"),
    )
    op.create_table(
        "insight_assigned",
        uuid("workspace_id"),
        uuid("job_id"),
        uuid("run_id"),
        sa.Column("leaf", sa.Integer(), nullable=False, autoincrement=False),
        uuid("project_id"),
        micros("start_time"),
        sa.Column("closeness", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "job_id", "run_id", name="pk_insight_assigned"),
        _of_job("insight_assigned"),
        of_workspace("insight_assigned"),
    )
    op.create_index("ix_insight_assigned_leaf", "insight_assigned", ["workspace_id", "job_id", "leaf"])


def _of_job(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["workspace_id", "job_id"],
        ["insight_jobs.workspace_id", "insight_jobs.id"],
        name=f"fk_{table}_job",
        ondelete="CASCADE",
    )

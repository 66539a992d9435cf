"""Reports of insights."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from stenograph.store.meta.migrations.columns import micros, of_workspace, text, uuid

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    _jobs()
    _clusters()
    _members()
    _configs()


def _of(table: str, parent: str, column: str, name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["workspace_id", column],
        [f"{parent}.workspace_id", f"{parent}.id"],
        name=f"fk_{table}_{name}",
        ondelete="CASCADE",
    )


def _jobs() -> None:
    op.create_table(
        "insight_jobs",
        uuid("workspace_id"),
        uuid("id"),
        uuid("project_id"),
        text("name"),
        text("status"),
        uuid("config_id", nullable=True),
        sa.Column("is_scheduled", sa.Boolean(), nullable=False),
        text("request", collated=False),
        text("progress", collated=False),
        text("error", nullable=True),
        sa.Column("runs", sa.BigInteger(), nullable=True),
        text("shape", nullable=True, collated=False),
        text("report", nullable=True, collated=False),
        micros("created_at"),
        micros("modified_at"),
        micros("started_at", nullable=True),
        micros("finished_at", nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_insight_jobs"),
        _of("insight_jobs", "projects", "project_id", "project"),
        of_workspace("insight_jobs"),
    )
    op.create_index(
        "ix_insight_jobs_project", "insight_jobs", ["workspace_id", "project_id", "created_at", "id"]
    )
    op.create_index("ix_insight_jobs_status", "insight_jobs", ["status", "created_at"])


def _clusters() -> None:
    op.create_table(
        "insight_clusters",
        uuid("workspace_id"),
        uuid("job_id"),
        uuid("id"),
        uuid("parent_id", nullable=True),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        text("name"),
        text("description"),
        sa.Column("renamed", sa.Boolean(), nullable=False),
        sa.Column("runs", sa.BigInteger(), nullable=False),
        sa.Column("children", sa.Integer(), nullable=False),
        text("leaves", collated=False),
        text("stats", collated=False),
        sa.Column("centroid", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "job_id", "id", name="pk_insight_clusters"),
        _of("insight_clusters", "insight_jobs", "job_id", "job"),
        of_workspace("insight_clusters"),
    )


def _members() -> None:
    blobs = ("run_ids", "project_ids", "starts", "latencies", "costs", "tokens", "closeness")
    op.create_table(
        "insight_members",
        uuid("workspace_id"),
        uuid("job_id"),
        sa.Column("leaf", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("size", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.LargeBinary(), nullable=False) for name in blobs),
        text("attributes", nullable=True, collated=False),
        sa.PrimaryKeyConstraint("workspace_id", "job_id", "leaf", "number", name="pk_insight_members"),
        _of("insight_members", "insight_jobs", "job_id", "job"),
        of_workspace("insight_members"),
    )


def _configs() -> None:
    op.create_table(
        "insight_configs",
        uuid("workspace_id"),
        uuid("id"),
        uuid("project_id"),
        text("name"),
        text("description", nullable=True),
        text("config", collated=False),
        text("schedule_cron", nullable=True),
        micros("due_at", nullable=True),
        micros("created_at"),
        micros("modified_at"),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_insight_configs"),
        _of("insight_configs", "projects", "project_id", "project"),
        of_workspace("insight_configs"),
    )
    op.create_index(
        "ix_insight_configs_project", "insight_configs", ["workspace_id", "project_id", "created_at"]
    )
    op.create_index("ix_insight_configs_due_at", "insight_configs", ["due_at"])

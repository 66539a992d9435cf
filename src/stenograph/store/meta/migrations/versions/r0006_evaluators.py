"""Evaluators with their versions, and their tasks."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from stenograph.store.meta.migrations.columns import micros, of_workspace, text, uuid

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    _evaluators()
    _tasks()


def _evaluators() -> None:
    op.create_table(
        "evaluators",
        uuid("workspace_id"),
        uuid("id"),
        text("project"),
        text("name"),
        text("type"),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        uuid("live_version_id"),
        micros("created_at"),
        micros("updated_at", nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_evaluators"),
        sa.UniqueConstraint("workspace_id", "project", "name", name="uq_evaluators_name"),
        of_workspace("evaluators"),
    )
    op.create_index("ix_evaluators_enabled", "evaluators", ["enabled"])
    op.create_table(
        "evaluator_versions",
        uuid("workspace_id"),
        uuid("id"),
        uuid("evaluator_id"),
        sa.Column("number", sa.Integer(), nullable=False),
        text("message"),
        text("definition", collated=False),
        micros("created_at"),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_evaluator_versions"),
        sa.UniqueConstraint("workspace_id", "evaluator_id", "number", name="uq_evaluator_versions_number"),
        _of_evaluator("evaluator_versions"),
        of_workspace("evaluator_versions"),
    )


def _tasks() -> None:
    op.create_table(
        "evaluator_candidates",
        uuid("workspace_id"),
        uuid("id"),
        text("versions", collated=False),
        sa.Column("runs", sa.LargeBinary(), nullable=False),
        micros("since"),
        micros("until"),
        micros("noted_at"),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_evaluator_candidates"),
        of_workspace("evaluator_candidates"),
    )
    op.create_index("ix_evaluator_candidates_noted_at", "evaluator_candidates", ["noted_at"])
    op.create_table(
        "evaluator_tasks",
        uuid("workspace_id"),
        uuid("version_id"),
        uuid("run_id"),
        uuid("evaluator_id"),
        uuid("project_id"),
        micros("start_time"),
        text("status"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        micros("due_at"),
        text("reason", nullable=True),
        micros("created_at"),
        micros("modified_at"),
        sa.PrimaryKeyConstraint("workspace_id", "version_id", "run_id", name="pk_evaluator_tasks"),
        _of_evaluator("evaluator_tasks"),
        of_workspace("evaluator_tasks"),
    )
    op.create_index("ix_evaluator_tasks_due_at", "evaluator_tasks", ["status", "due_at"])
    op.create_index(
        "ix_evaluator_tasks_evaluator_id",
        "evaluator_tasks",
        ["workspace_id", "evaluator_id", "status", "modified_at"],
    )
    op.create_index("ix_evaluator_tasks_run_id", "evaluator_tasks", ["workspace_id", "run_id"])


def _of_evaluator(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["workspace_id", "evaluator_id"],
        ["evaluators.workspace_id", "evaluators.id"],
        name=f"fk_{table}_evaluator",
        ondelete="CASCADE",
    )

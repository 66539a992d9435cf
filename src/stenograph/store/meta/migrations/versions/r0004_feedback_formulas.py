"""Feedback formulas; and a time of deletion for feedback configs, which are kept to be listed."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from stenograph.store.meta.migrations.columns import micros, of_dataset, of_workspace, text, uuid

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("feedback_configs", micros("deleted_at", nullable=True))
    op.create_table(
        "feedback_formulas",
        uuid("workspace_id"),
        uuid("id"),
        uuid("dataset_id", nullable=True),
        uuid("project_id", nullable=True),
        text("feedback_key"),
        text("aggregation"),
        text("parts", collated=False),
        micros("created_at"),
        micros("modified_at"),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_feedback_formulas"),
        sa.UniqueConstraint(
            "workspace_id", "dataset_id", "feedback_key", name="uq_feedback_formulas_of_dataset"
        ),
        sa.UniqueConstraint(
            "workspace_id", "project_id", "feedback_key", name="uq_feedback_formulas_of_project"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "project_id"],
            ["projects.workspace_id", "projects.id"],
            name="fk_feedback_formulas_project",
        ),
        of_dataset("feedback_formulas"),
        of_workspace("feedback_formulas"),
    )

"""What models answer for reports, what a report may ask of one, and summaries of its traces."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from stenograph.store.meta.migrations.columns import micros, of_workspace, text, uuid

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("insight_jobs", text("plan", nullable=True, collated=False))
    op.add_column("insight_members", text("summaries", nullable=True, collated=False))
    op.create_table(
        "insight_answers",
        uuid("workspace_id"),
        uuid("project_id"),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        uuid("job_id", nullable=True),
        text("content", collated=False),
        sa.Column("prompt_tokens", sa.BigInteger(), nullable=False),
        sa.Column("completion_tokens", sa.BigInteger(), nullable=False),
        micros("created_at"),
        sa.PrimaryKeyConstraint("workspace_id", "project_id", "digest", name="pk_insight_answers"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "project_id"],
            ["projects.workspace_id", "projects.id"],
            name="fk_insight_answers_project",
            ondelete="CASCADE",
        ),
        of_workspace("insight_answers"),
    )
    op.create_index("ix_insight_answers_created_at", "insight_answers", ["created_at"])

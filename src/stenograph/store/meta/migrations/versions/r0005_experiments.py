"""What experiments expect to come to; comparative experiments; how a dataset's experiments are shown."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from stenograph.store.meta.migrations.columns import micros, of_dataset, of_workspace, text, uuid

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("projects", sa.Column("num_examples", sa.Integer(), nullable=True))
    op.add_column("projects", sa.Column("num_repetitions", sa.Integer(), nullable=True))
    op.add_column("projects", text("evaluator_keys", nullable=True, collated=False))
    op.create_table(
        "comparative_experiments",
        uuid("workspace_id"),
        uuid("id"),
        uuid("dataset_id"),
        text("name", nullable=True),
        text("name_folded", nullable=True),
        text("description", nullable=True),
        text("experiments", collated=False),
        text("extra", nullable=True, collated=False),
        micros("created_at"),
        micros("modified_at"),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_comparative_experiments"),
        of_dataset("comparative_experiments"),
        of_workspace("comparative_experiments"),
    )
    op.create_index(
        "ix_comparative_experiments_dataset_id", "comparative_experiments", ["workspace_id", "dataset_id"]
    )
    op.create_table(
        "experiment_view_overrides",
        uuid("workspace_id"),
        uuid("dataset_id"),
        uuid("id"),
        text("overrides", collated=False),
        micros("created_at"),
        micros("modified_at"),
        sa.PrimaryKeyConstraint("workspace_id", "dataset_id", name="pk_experiment_view_overrides"),
        of_dataset("experiment_view_overrides"),
        of_workspace("experiment_view_overrides"),
    )

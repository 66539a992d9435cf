"""Datapoints that several datasets have, or none."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from stenograph.store.meta.migrations.columns import micros, of_dataset, of_workspace, text, uuid

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "datapoint_copies",
        uuid("workspace_id"),
        uuid("datapoint_id"),
        uuid("dataset_id"),
        uuid("example_id"),
        sa.PrimaryKeyConstraint("workspace_id", "datapoint_id", "dataset_id", name="pk_datapoint_copies"),
        of_dataset("datapoint_copies"),
        of_workspace("datapoint_copies"),
    )
    op.create_index(
        "uq_datapoint_copies_example", "datapoint_copies", ["workspace_id", "example_id"], unique=True
    )
    op.create_table(
        "loose_datapoints",
        uuid("workspace_id"),
        uuid("id"),
        micros("created_at"),
        micros("modified_at"),
        uuid("source_run_id", nullable=True),
        text("files", nullable=True, collated=False),
        text("metadata", collated=False),
        text("inputs", collated=False),
        text("outputs", nullable=True, collated=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_loose_datapoints"),
        of_workspace("loose_datapoints"),
    )

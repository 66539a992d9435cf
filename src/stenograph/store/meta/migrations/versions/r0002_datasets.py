"""Datasets, their versions and tags, and the versions of their examples."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from stenograph.store.meta.migrations.columns import micros, of_dataset, of_workspace, text, uuid

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    _datasets()
    _versions()
    _examples()


def _datasets() -> None:
    op.create_table(
        "datasets",
        uuid("workspace_id"),
        uuid("id"),
        text("name"),
        text("name_folded"),
        text("description", nullable=True),
        text("data_type"),
        text("inputs_schema", nullable=True, collated=False),
        text("outputs_schema", nullable=True, collated=False),
        text("transformations", nullable=True, collated=False),
        text("metadata", nullable=True, collated=False),
        sa.Column("externally_managed", sa.Boolean(), nullable=False),
        uuid("baseline_experiment_id", nullable=True),
        micros("created_at"),
        micros("modified_at"),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_datasets"),
        sa.UniqueConstraint("workspace_id", "name", name="uq_datasets_name"),
        of_workspace("datasets"),
    )


def _versions() -> None:
    op.create_table(
        "dataset_versions",
        uuid("workspace_id"),
        uuid("dataset_id"),
        micros("as_of"),
        sa.PrimaryKeyConstraint("workspace_id", "dataset_id", "as_of", name="pk_dataset_versions"),
        of_dataset("dataset_versions"),
        of_workspace("dataset_versions"),
    )
    op.create_table(
        "dataset_tags",
        uuid("workspace_id"),
        uuid("dataset_id"),
        text("tag"),
        micros("as_of"),
        sa.PrimaryKeyConstraint("workspace_id", "dataset_id", "tag", name="pk_dataset_tags"),
        of_dataset("dataset_tags"),
        of_workspace("dataset_tags"),
    )


def _examples() -> None:
    op.create_table(
        "examples",
        uuid("workspace_id"),
        uuid("id"),
        micros("valid_from"),
        micros("valid_to", nullable=True),
        uuid("dataset_id"),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        micros("created_at"),
        uuid("source_run_id", nullable=True),
        text("files", nullable=True, collated=False),
        text("metadata", collated=False),
        text("inputs", collated=False),
        text("outputs", nullable=True, collated=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", "valid_from", name="pk_examples"),
        of_dataset("examples"),
        of_workspace("examples"),
    )
    current = sa.text("valid_to IS NULL")
    op.create_index(
        "uq_examples_current",
        "examples",
        ["workspace_id", "id"],
        unique=True,
        sqlite_where=current,
        postgresql_where=current,
    )
    paged: list[str | sa.TextClause] = [
        "dataset_id",
        "workspace_id",
        sa.text("valid_from DESC"),
        "ordinal",
        "id",
    ]
    op.create_index("ix_examples_dataset", "examples", [*paged, "valid_to"])
    op.create_index(
        "ix_examples_current",
        "examples",
        paged,
        sqlite_where=current,
        postgresql_where=current,
    )

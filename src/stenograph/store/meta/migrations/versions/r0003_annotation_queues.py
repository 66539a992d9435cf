"""Annotation queues, their reviewers, items and reviews."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from stenograph.store.meta.migrations.columns import micros, of_workspace, text, uuid

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def _goes_with(table: str, parent: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["workspace_id", column],
        [f"{parent}.workspace_id", f"{parent}.id"],
        name=f"fk_{table}_{column}",
        ondelete="CASCADE",
    )


def upgrade() -> None:
    _queues()
    _items()


def _queues() -> None:
    op.create_table(
        "annotation_queues",
        uuid("workspace_id"),
        uuid("id"),
        text("name"),
        text("name_folded"),
        text("description", nullable=True),
        text("queue_type"),
        uuid("default_dataset", nullable=True),
        sa.Column("num_reviewers_per_item", sa.Integer(), nullable=True),
        sa.Column("enable_reservations", sa.Boolean(), nullable=False),
        sa.Column("reservation_minutes", sa.Integer(), nullable=False),
        text("reviewer_access_mode"),
        text("rubric_items", nullable=True, collated=False),
        text("rubric_instructions", nullable=True),
        text("metadata", nullable=True, collated=False),
        micros("created_at"),
        micros("updated_at"),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_annotation_queues"),
        of_workspace("annotation_queues"),
    )
    op.create_table(
        "annotation_queue_reviewers",
        uuid("workspace_id"),
        uuid("queue_id"),
        uuid("reviewer_id"),
        micros("assigned_at"),
        sa.PrimaryKeyConstraint(
            "workspace_id", "queue_id", "reviewer_id", name="pk_annotation_queue_reviewers"
        ),
        _goes_with("annotation_queue_reviewers", "annotation_queues", "queue_id"),
        of_workspace("annotation_queue_reviewers"),
    )


def _items() -> None:
    items, reviews = "annotation_queue_items", "annotation_queue_reviews"
    op.create_table(
        items,
        uuid("workspace_id"),
        uuid("id"),
        uuid("queue_id"),
        text("subject"),
        uuid("run_id", nullable=True),
        uuid("project_id"),
        text("thread_id", nullable=True),
        micros("start_time", nullable=True),
        uuid("paired_run_id", nullable=True),
        uuid("paired_project_id", nullable=True),
        micros("paired_start_time", nullable=True),
        uuid("source_proposed_example_id", nullable=True),
        micros("added_at"),
        micros("last_reviewed_time", nullable=True),
        micros("archived_at", nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_annotation_queue_items"),
        sa.UniqueConstraint("workspace_id", "queue_id", "subject", name="uq_annotation_queue_items_subject"),
        _goes_with(items, "annotation_queues", "queue_id"),
        of_workspace(items),
    )
    for column in ("run_id", "paired_run_id", "project_id", "paired_project_id"):
        op.create_index(f"ix_{items}_{column}", items, ["workspace_id", column])
    op.create_index(f"ix_{items}_added_at", items, ["workspace_id", "queue_id", "added_at"])
    op.create_table(
        reviews,
        uuid("workspace_id"),
        uuid("item_id"),
        uuid("reviewer_id"),
        text("status", nullable=True),
        micros("at"),
        micros("override_added_at", nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "item_id", "reviewer_id", name="pk_annotation_queue_reviews"),
        _goes_with(reviews, items, "item_id"),
        of_workspace(reviews),
    )

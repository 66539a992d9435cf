"""Annotation queues."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from stenograph.store.meta.dialect import RawJson
from stenograph.store.meta.tables.columns import goes_with, metadata, micros, own_id, words, workspace

# No reference to datasets: a queue may name one that is made later, and outlive it.
annotation_queues: Final = sa.Table(
    "annotation_queues",
    metadata,
    workspace(primary_key=True),
    own_id(),
    words("name"),
    words("name_folded"),
    words("description", nullable=True),
    words("queue_type"),
    sa.Column("default_dataset", sa.Uuid(), nullable=True),
    sa.Column("num_reviewers_per_item", sa.Integer(), nullable=True),
    sa.Column("enable_reservations", sa.Boolean(), nullable=False),
    sa.Column("reservation_minutes", sa.Integer(), nullable=False),
    words("reviewer_access_mode"),
    sa.Column("rubric_items", RawJson(), nullable=True),
    words("rubric_instructions", nullable=True),
    sa.Column("metadata", RawJson(), nullable=True),
    micros("created_at"),
    micros("updated_at"),
    sa.Column("event_filters", RawJson(), nullable=True),
    sa.Column("fills", sa.Boolean(), server_default=sa.true(), nullable=False),
    sa.Column("filled_to", sa.BigInteger(), nullable=True),
    micros("deleted_at", nullable=True),
)

# What people have taken out of a queue that fills itself: it does not come back by itself.
annotation_queue_removals: Final = sa.Table(
    "annotation_queue_removals",
    metadata,
    workspace(primary_key=True),
    own_id("queue_id"),
    own_id("run_id"),
    goes_with("annotation_queue_removals", "annotation_queues", "queue_id"),
)

annotation_queue_reviewers: Final = sa.Table(
    "annotation_queue_reviewers",
    metadata,
    workspace(primary_key=True),
    own_id("queue_id"),
    own_id("reviewer_id"),
    micros("assigned_at"),
    goes_with("annotation_queue_reviewers", "annotation_queues", "queue_id"),
)

# `subject` is what an item is about, as text: a queue has it once.
annotation_queue_items: Final = sa.Table(
    "annotation_queue_items",
    metadata,
    workspace(primary_key=True),
    own_id(),
    own_id("queue_id", primary_key=False),
    words("subject"),
    sa.Column("run_id", sa.Uuid(), nullable=True),
    sa.Column("project_id", sa.Uuid(), nullable=False),
    words("thread_id", nullable=True),
    micros("start_time", nullable=True),
    sa.Column("paired_run_id", sa.Uuid(), nullable=True),
    sa.Column("paired_project_id", sa.Uuid(), nullable=True),
    micros("paired_start_time", nullable=True),
    sa.Column("source_proposed_example_id", sa.Uuid(), nullable=True),
    micros("added_at"),
    micros("last_reviewed_time", nullable=True),
    micros("archived_at", nullable=True),
    sa.Column("keeps", sa.Boolean(), server_default=sa.true(), nullable=False),
    sa.UniqueConstraint("workspace_id", "queue_id", "subject", name="uq_annotation_queue_items_subject"),
    goes_with("annotation_queue_items", "annotation_queues", "queue_id"),
)
for _column in ("run_id", "paired_run_id", "project_id", "paired_project_id"):
    sa.Index(
        f"ix_annotation_queue_items_{_column}",
        annotation_queue_items.c.workspace_id,
        annotation_queue_items.c[_column],
    )
sa.Index(
    "ix_annotation_queue_items_added_at",
    annotation_queue_items.c.workspace_id,
    annotation_queue_items.c.queue_id,
    annotation_queue_items.c.added_at,
)

annotation_queue_reviews: Final = sa.Table(
    "annotation_queue_reviews",
    metadata,
    workspace(primary_key=True),
    own_id("item_id"),
    own_id("reviewer_id"),
    words("status", nullable=True),
    micros("at"),
    micros("override_added_at", nullable=True),
    goes_with("annotation_queue_reviews", "annotation_queue_items", "item_id"),
)

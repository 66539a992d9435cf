"""How feedback is given: configurations, formulas, links."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from stenograph.store.meta.dialect import RawJson
from stenograph.store.meta.tables.columns import goes_with, metadata, micros, own_id, words, workspace

feedback_configs: Final = sa.Table(
    "feedback_configs",
    metadata,
    workspace(primary_key=True),
    words("key", primary_key=True),
    words("key_folded"),
    sa.Column("config", RawJson(), nullable=False),
    sa.Column("is_lower_score_better", sa.Boolean(), nullable=True),
    sa.Column("is_enforced", sa.Boolean(), nullable=False),
    micros("modified_at"),
    micros("deleted_at", nullable=True),
)

feedback_tokens: Final = sa.Table(
    "feedback_tokens",
    metadata,
    own_id(),
    workspace(),
    own_id("run_id", primary_key=False),
    words("key"),
    sa.Column("config", RawJson(), nullable=True),
    micros("expires_at"),
    micros("created_at"),
)
sa.Index("ix_feedback_tokens_run_id", feedback_tokens.c.workspace_id, feedback_tokens.c.run_id)

# Of a project or of a dataset: one of the two is null. The parts are JSON.
feedback_formulas: Final = sa.Table(
    "feedback_formulas",
    metadata,
    workspace(primary_key=True),
    own_id(),
    sa.Column("dataset_id", sa.Uuid(), nullable=True),
    sa.Column("project_id", sa.Uuid(), nullable=True),
    words("feedback_key"),
    words("aggregation"),
    sa.Column("parts", RawJson(), nullable=False),
    micros("created_at"),
    micros("modified_at"),
    sa.UniqueConstraint("workspace_id", "dataset_id", "feedback_key", name="uq_feedback_formulas_of_dataset"),
    sa.UniqueConstraint("workspace_id", "project_id", "feedback_key", name="uq_feedback_formulas_of_project"),
    sa.ForeignKeyConstraint(
        ["workspace_id", "project_id"],
        ["projects.workspace_id", "projects.id"],
        name="fk_feedback_formulas_project",
    ),
    goes_with("feedback_formulas", "datasets", "dataset_id", "dataset"),
)

"""What HoneyHive's clients keep of experiments, one row beside a project's at most."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from stenograph.store.meta.dialect import RawJson
from stenograph.store.meta.tables.columns import metadata, micros, own_id, words, workspace

# within_id is a project as well, without a reference: it may be deleted while the experiment stays.
evaluations: Final = sa.Table(
    "evaluations",
    metadata,
    workspace(primary_key=True),
    own_id("project_id"),
    words("name"),
    words("name_folded"),
    words("project_name"),
    words("status"),
    sa.Column("within_id", sa.Uuid(), nullable=True),
    words("dataset", nullable=True),
    sa.Column("is_active", sa.Boolean(), nullable=False),
    sa.Column("event_ids", RawJson(), nullable=True),
    sa.Column("session_ids", RawJson(), nullable=False),
    sa.Column("datapoint_ids", RawJson(), nullable=False),
    sa.Column("results", RawJson(), nullable=True),
    sa.Column("configuration", RawJson(), nullable=True),
    sa.Column("evaluators", RawJson(), nullable=True),
    sa.Column("passing_ranges", RawJson(), nullable=True),
    micros("created_at"),
    micros("modified_at"),
    sa.ForeignKeyConstraint(
        ["workspace_id", "project_id"],
        ["projects.workspace_id", "projects.id"],
        name="fk_evaluations_project",
    ),
)

"""Projects, their views, prices, and what could not be stored."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from stenograph.store.meta.dialect import RawJson
from stenograph.store.meta.tables.columns import metadata, micros, own_id, words, workspace

# name_folded is the name without case distinctions: the engines' own lower() do not agree beyond ASCII.
projects: Final = sa.Table(
    "projects",
    metadata,
    workspace(primary_key=True),
    own_id(),
    words("name"),
    words("name_folded"),
    words("description", nullable=True),
    micros("start_time"),
    micros("end_time", nullable=True),
    sa.Column("extra", RawJson(), nullable=True),
    sa.Column("default_dataset_id", sa.Uuid(), nullable=True),
    sa.Column("reference_dataset_id", sa.Uuid(), nullable=True),
    words("trace_tier", nullable=True),
    sa.Column("longlived_ttl_days", sa.Integer(), nullable=True),
    sa.Column("test_run_number", sa.Integer(), nullable=True),
    micros("created_at"),
    micros("modified_at"),
    micros("deleted_at", nullable=True),
    sa.Column("num_examples", sa.Integer(), nullable=True),
    sa.Column("num_repetitions", sa.Integer(), nullable=True),
    sa.Column("evaluator_keys", RawJson(), nullable=True),
    words("canonical_name", nullable=True),
)

# Only a project that still exists holds its name.
LIVE: Final = projects.c.deleted_at.is_(None)
sa.Index(
    "uq_projects_live_name",
    projects.c.workspace_id,
    projects.c.name,
    unique=True,
    sqlite_where=LIVE,
    postgresql_where=LIVE,
)
sa.Index(
    "uq_projects_live_canonical_name",
    projects.c.workspace_id,
    projects.c.canonical_name,
    unique=True,
    sqlite_where=LIVE,
    postgresql_where=LIVE,
)
sa.Index("ix_projects_start_time", projects.c.workspace_id, projects.c.start_time)
sa.Index(
    "uq_projects_test_run_number",
    projects.c.workspace_id,
    projects.c.reference_dataset_id,
    projects.c.test_run_number,
    unique=True,
)

# Prices are decimals kept as text: neither engine's driver may round them. The lists are JSON.
model_prices: Final = sa.Table(
    "model_prices",
    metadata,
    workspace(primary_key=True),
    own_id(),
    words("name"),
    words("match_pattern"),
    sa.Column("match_path", RawJson(), nullable=False),
    words("prompt_cost"),
    words("completion_cost"),
    sa.Column("prompt_cost_details", RawJson(), nullable=False),
    sa.Column("completion_cost_details", RawJson(), nullable=False),
    words("provider", nullable=True),
    micros("start_time", nullable=True),
    micros("created_at"),
)

views: Final = sa.Table(
    "views",
    metadata,
    workspace(primary_key=True),
    own_id(),
    own_id("project_id", primary_key=False),
    words("display_name"),
    words("description", nullable=True),
    words("type"),
    words("filter_string", nullable=True),
    words("trace_filter_string", nullable=True),
    words("tree_filter_string", nullable=True),
    micros("start_time", nullable=True),
    micros("end_time", nullable=True),
    words("duration", nullable=True),
    micros("created_at"),
    micros("updated_at"),
    words("shown", nullable=True),
    sa.ForeignKeyConstraint(
        ["workspace_id", "project_id"], ["projects.workspace_id", "projects.id"], name="fk_views_project"
    ),
)
sa.Index("ix_views_project_id", views.c.workspace_id, views.c.project_id)

# No reference to workspaces: a record that nothing else would take must find a place here.
dead_letters: Final = sa.Table(
    "dead_letters",
    metadata,
    sa.Column("workspace_id", sa.Uuid(), primary_key=True, nullable=False),
    own_id(),
    words("kind"),
    sa.Column("subject_id", sa.Uuid(), nullable=True),
    words("reason"),
    sa.Column("record", sa.LargeBinary(), nullable=False),
    micros("created_at"),
    micros("replayed_at", nullable=True),
)
sa.Index("ix_dead_letters_created_at", dead_letters.c.workspace_id, dead_letters.c.created_at)

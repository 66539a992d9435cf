"""The tables of the metadata store, as the newest migration leaves them.

A change here needs a revision in migrations/versions/; a test compares the two. Times are microseconds.
Ids that a client may choose are unique in a workspace, not in the installation, so that no caller can
learn of another workspace's ids by colliding with them; what is an address without a workspace (share
tokens, feedback tokens) is unique everywhere.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from stenograph.store.meta.dialect import RawJson, Words

metadata: Final = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)


def _id(name: str = "id", primary_key: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.Uuid(), primary_key=primary_key, nullable=False)


def _workspace(primary_key: bool = False) -> sa.Column[Any]:
    return sa.Column(
        "workspace_id", sa.Uuid(), sa.ForeignKey("workspaces.id"), primary_key=primary_key, nullable=False
    )


def _words(name: str, nullable: bool = False, primary_key: bool = False) -> sa.Column[Any]:
    return sa.Column(name, Words(), nullable=nullable, primary_key=primary_key)


def _micros(name: str, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


workspaces: Final = sa.Table(
    "workspaces",
    metadata,
    _id(),
    _words("name"),
    sa.Column("handle", Words(), nullable=False, unique=True),
    _micros("created_at"),
)

api_keys: Final = sa.Table(
    "api_keys",
    metadata,
    _id(),
    _workspace(),
    _words("name"),
    _words("role"),
    sa.Column("key_hash", Words(), nullable=False, unique=True),
    _words("hint"),
    _micros("created_at"),
    _micros("revoked_at", nullable=True),
    sa.Index(None, "workspace_id"),
)

# name_folded is the name without case distinctions: the engines' own lower() do not agree beyond ASCII.
projects: Final = sa.Table(
    "projects",
    metadata,
    _workspace(primary_key=True),
    _id(),
    _words("name"),
    _words("name_folded"),
    _words("description", nullable=True),
    _micros("start_time"),
    _micros("end_time", nullable=True),
    sa.Column("extra", RawJson(), nullable=True),
    sa.Column("default_dataset_id", sa.Uuid(), nullable=True),
    sa.Column("reference_dataset_id", sa.Uuid(), nullable=True),
    _words("trace_tier", nullable=True),
    sa.Column("longlived_ttl_days", sa.Integer(), nullable=True),
    sa.Column("test_run_number", sa.Integer(), nullable=True),
    _micros("created_at"),
    _micros("modified_at"),
    _micros("deleted_at", nullable=True),
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
sa.Index("ix_projects_start_time", projects.c.workspace_id, projects.c.start_time)
sa.Index(
    "uq_projects_test_run_number",
    projects.c.workspace_id,
    projects.c.reference_dataset_id,
    projects.c.test_run_number,
    unique=True,
)

shares: Final = sa.Table(
    "shares",
    metadata,
    _id("token"),
    _workspace(),
    _words("kind"),
    _words("target_id"),
    sa.Column("project_id", sa.Uuid(), nullable=True),
    _micros("created_at"),
    sa.UniqueConstraint("workspace_id", "kind", "target_id", name="uq_shares_target"),
)
sa.Index("ix_shares_project_id", shares.c.workspace_id, shares.c.project_id)

feedback_configs: Final = sa.Table(
    "feedback_configs",
    metadata,
    _workspace(primary_key=True),
    _words("key", primary_key=True),
    _words("key_folded"),
    sa.Column("config", RawJson(), nullable=False),
    sa.Column("is_lower_score_better", sa.Boolean(), nullable=True),
    sa.Column("is_enforced", sa.Boolean(), nullable=False),
    _micros("modified_at"),
)

feedback_tokens: Final = sa.Table(
    "feedback_tokens",
    metadata,
    _id(),
    _workspace(),
    _id("run_id", primary_key=False),
    _words("key"),
    sa.Column("config", RawJson(), nullable=True),
    _micros("expires_at"),
    _micros("created_at"),
)
sa.Index("ix_feedback_tokens_run_id", feedback_tokens.c.workspace_id, feedback_tokens.c.run_id)

# Prices are decimals kept as text: neither engine's driver may round them. The lists are JSON.
model_prices: Final = sa.Table(
    "model_prices",
    metadata,
    _workspace(primary_key=True),
    _id(),
    _words("name"),
    _words("match_pattern"),
    sa.Column("match_path", RawJson(), nullable=False),
    _words("prompt_cost"),
    _words("completion_cost"),
    sa.Column("prompt_cost_details", RawJson(), nullable=False),
    sa.Column("completion_cost_details", RawJson(), nullable=False),
    _words("provider", nullable=True),
    _micros("start_time", nullable=True),
    _micros("created_at"),
)

views: Final = sa.Table(
    "views",
    metadata,
    _workspace(primary_key=True),
    _id(),
    _id("project_id", primary_key=False),
    _words("display_name"),
    _words("description", nullable=True),
    _words("type"),
    _words("filter_string", nullable=True),
    _words("trace_filter_string", nullable=True),
    _words("tree_filter_string", nullable=True),
    _micros("start_time", nullable=True),
    _micros("end_time", nullable=True),
    _words("duration", nullable=True),
    _micros("created_at"),
    _micros("updated_at"),
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
    _id(),
    _words("kind"),
    sa.Column("subject_id", sa.Uuid(), nullable=True),
    _words("reason"),
    sa.Column("record", sa.LargeBinary(), nullable=False),
    _micros("created_at"),
    _micros("replayed_at", nullable=True),
)
sa.Index("ix_dead_letters_created_at", dead_letters.c.workspace_id, dead_letters.c.created_at)

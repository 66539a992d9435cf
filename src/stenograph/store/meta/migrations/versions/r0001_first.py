"""The first tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def _text(name: str, nullable: bool = False, collated: bool = True) -> sa.Column[Any]:
    """Text; `collated` text compares by code point on PostgreSQL, as it does on SQLite anyway."""
    kind = sa.Text().with_variant(sa.Text(collation="C"), "postgresql") if collated else sa.Text()
    return sa.Column(name, kind, nullable=nullable)


def _uuid(name: str, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Uuid(), nullable=nullable)


def _micros(name: str, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _of_workspace(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=f"fk_{table}_workspace_id")


def upgrade() -> None:
    _access()
    _projects()
    _shares()
    _feedback()
    _prices()
    _views()
    _dead_letters()


def _access() -> None:
    op.create_table(
        "workspaces",
        _uuid("id"),
        _text("name"),
        _text("handle"),
        _micros("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_workspaces"),
        sa.UniqueConstraint("handle", name="uq_workspaces_handle"),
    )
    op.create_table(
        "api_keys",
        _uuid("id"),
        _uuid("workspace_id"),
        _text("name"),
        _text("role"),
        _text("key_hash"),
        _text("hint"),
        _micros("created_at"),
        _micros("revoked_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        _of_workspace("api_keys"),
        sa.UniqueConstraint("key_hash", name="uq_api_keys_key_hash"),
    )
    op.create_index("ix_api_keys_workspace_id", "api_keys", ["workspace_id"])


def _projects() -> None:
    op.create_table(
        "projects",
        _uuid("workspace_id"),
        _uuid("id"),
        _text("name"),
        _text("name_folded"),
        _text("description", nullable=True),
        _micros("start_time"),
        _micros("end_time", nullable=True),
        _text("extra", nullable=True, collated=False),
        _uuid("default_dataset_id", nullable=True),
        _uuid("reference_dataset_id", nullable=True),
        _text("trace_tier", nullable=True),
        sa.Column("longlived_ttl_days", sa.Integer(), nullable=True),
        sa.Column("test_run_number", sa.Integer(), nullable=True),
        _micros("created_at"),
        _micros("modified_at"),
        _micros("deleted_at", nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_projects"),
        _of_workspace("projects"),
    )
    live = sa.text("deleted_at IS NULL")
    op.create_index(
        "uq_projects_live_name",
        "projects",
        ["workspace_id", "name"],
        unique=True,
        sqlite_where=live,
        postgresql_where=live,
    )
    op.create_index("ix_projects_start_time", "projects", ["workspace_id", "start_time"])
    op.create_index(
        "uq_projects_test_run_number",
        "projects",
        ["workspace_id", "reference_dataset_id", "test_run_number"],
        unique=True,
    )


def _shares() -> None:
    op.create_table(
        "shares",
        _uuid("token"),
        _uuid("workspace_id"),
        _text("kind"),
        _text("target_id"),
        _uuid("project_id", nullable=True),
        _micros("created_at"),
        sa.PrimaryKeyConstraint("token", name="pk_shares"),
        sa.UniqueConstraint("workspace_id", "kind", "target_id", name="uq_shares_target"),
        _of_workspace("shares"),
    )
    op.create_index("ix_shares_project_id", "shares", ["workspace_id", "project_id"])


def _feedback() -> None:
    op.create_table(
        "feedback_configs",
        _uuid("workspace_id"),
        _text("key"),
        _text("key_folded"),
        _text("config", collated=False),
        sa.Column("is_lower_score_better", sa.Boolean(), nullable=True),
        sa.Column("is_enforced", sa.Boolean(), nullable=False),
        _micros("modified_at"),
        sa.PrimaryKeyConstraint("workspace_id", "key", name="pk_feedback_configs"),
        _of_workspace("feedback_configs"),
    )
    op.create_table(
        "feedback_tokens",
        _uuid("id"),
        _uuid("workspace_id"),
        _uuid("run_id"),
        _text("key"),
        _text("config", nullable=True, collated=False),
        _micros("expires_at"),
        _micros("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_feedback_tokens"),
        _of_workspace("feedback_tokens"),
    )
    op.create_index("ix_feedback_tokens_run_id", "feedback_tokens", ["workspace_id", "run_id"])


def _prices() -> None:
    op.create_table(
        "model_prices",
        _uuid("workspace_id"),
        _uuid("id"),
        _text("name"),
        _text("match_pattern"),
        _text("match_path", collated=False),
        _text("prompt_cost"),
        _text("completion_cost"),
        _text("prompt_cost_details", collated=False),
        _text("completion_cost_details", collated=False),
        _text("provider", nullable=True),
        _micros("start_time", nullable=True),
        _micros("created_at"),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_model_prices"),
        _of_workspace("model_prices"),
    )


def _views() -> None:
    op.create_table(
        "views",
        _uuid("workspace_id"),
        _uuid("id"),
        _uuid("project_id"),
        _text("display_name"),
        _text("description", nullable=True),
        _text("type"),
        _text("filter_string", nullable=True),
        _text("trace_filter_string", nullable=True),
        _text("tree_filter_string", nullable=True),
        _micros("start_time", nullable=True),
        _micros("end_time", nullable=True),
        _text("duration", nullable=True),
        _micros("created_at"),
        _micros("updated_at"),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_views"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "project_id"], ["projects.workspace_id", "projects.id"], name="fk_views_project"
        ),
        _of_workspace("views"),
    )
    op.create_index("ix_views_project_id", "views", ["workspace_id", "project_id"])


def _dead_letters() -> None:
    op.create_table(
        "dead_letters",
        _uuid("workspace_id"),
        _uuid("id"),
        _text("kind"),
        _uuid("subject_id", nullable=True),
        _text("reason"),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        _micros("created_at"),
        _micros("replayed_at", nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_dead_letters"),
    )
    op.create_index("ix_dead_letters_created_at", "dead_letters", ["workspace_id", "created_at"])

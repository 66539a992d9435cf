"""The first tables."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from stenograph.store.meta.migrations.columns import micros, of_workspace, text, uuid

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


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
        uuid("id"),
        text("name"),
        text("handle"),
        micros("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_workspaces"),
        sa.UniqueConstraint("handle", name="uq_workspaces_handle"),
    )
    op.create_table(
        "api_keys",
        uuid("id"),
        uuid("workspace_id"),
        text("name"),
        text("role"),
        text("key_hash"),
        text("hint"),
        micros("created_at"),
        micros("revoked_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        of_workspace("api_keys"),
        sa.UniqueConstraint("key_hash", name="uq_api_keys_key_hash"),
    )
    op.create_index("ix_api_keys_workspace_id", "api_keys", ["workspace_id"])


def _projects() -> None:
    op.create_table(
        "projects",
        uuid("workspace_id"),
        uuid("id"),
        text("name"),
        text("name_folded"),
        text("description", nullable=True),
        micros("start_time"),
        micros("end_time", nullable=True),
        text("extra", nullable=True, collated=False),
        uuid("default_dataset_id", nullable=True),
        uuid("reference_dataset_id", nullable=True),
        text("trace_tier", nullable=True),
        sa.Column("longlived_ttl_days", sa.Integer(), nullable=True),
        sa.Column("test_run_number", sa.Integer(), nullable=True),
        micros("created_at"),
        micros("modified_at"),
        micros("deleted_at", nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_projects"),
        of_workspace("projects"),
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
        uuid("token"),
        uuid("workspace_id"),
        text("kind"),
        text("target_id"),
        uuid("project_id", nullable=True),
        micros("created_at"),
        sa.PrimaryKeyConstraint("token", name="pk_shares"),
        sa.UniqueConstraint("workspace_id", "kind", "target_id", name="uq_shares_target"),
        of_workspace("shares"),
    )
    op.create_index("ix_shares_project_id", "shares", ["workspace_id", "project_id"])


def _feedback() -> None:
    op.create_table(
        "feedback_configs",
        uuid("workspace_id"),
        text("key"),
        text("key_folded"),
        text("config", collated=False),
        sa.Column("is_lower_score_better", sa.Boolean(), nullable=True),
        sa.Column("is_enforced", sa.Boolean(), nullable=False),
        micros("modified_at"),
        sa.PrimaryKeyConstraint("workspace_id", "key", name="pk_feedback_configs"),
        of_workspace("feedback_configs"),
    )
    op.create_table(
        "feedback_tokens",
        uuid("id"),
        uuid("workspace_id"),
        uuid("run_id"),
        text("key"),
        text("config", nullable=True, collated=False),
        micros("expires_at"),
        micros("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_feedback_tokens"),
        of_workspace("feedback_tokens"),
    )
    op.create_index("ix_feedback_tokens_run_id", "feedback_tokens", ["workspace_id", "run_id"])


def _prices() -> None:
    op.create_table(
        "model_prices",
        uuid("workspace_id"),
        uuid("id"),
        text("name"),
        text("match_pattern"),
        text("match_path", collated=False),
        text("prompt_cost"),
        text("completion_cost"),
        text("prompt_cost_details", collated=False),
        text("completion_cost_details", collated=False),
        text("provider", nullable=True),
        micros("start_time", nullable=True),
        micros("created_at"),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_model_prices"),
        of_workspace("model_prices"),
    )


def _views() -> None:
    op.create_table(
        "views",
        uuid("workspace_id"),
        uuid("id"),
        uuid("project_id"),
        text("display_name"),
        text("description", nullable=True),
        text("type"),
        text("filter_string", nullable=True),
        text("trace_filter_string", nullable=True),
        text("tree_filter_string", nullable=True),
        micros("start_time", nullable=True),
        micros("end_time", nullable=True),
        text("duration", nullable=True),
        micros("created_at"),
        micros("updated_at"),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_views"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "project_id"], ["projects.workspace_id", "projects.id"], name="fk_views_project"
        ),
        of_workspace("views"),
    )
    op.create_index("ix_views_project_id", "views", ["workspace_id", "project_id"])


def _dead_letters() -> None:
    op.create_table(
        "dead_letters",
        uuid("workspace_id"),
        uuid("id"),
        text("kind"),
        uuid("subject_id", nullable=True),
        text("reason"),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        micros("created_at"),
        micros("replayed_at", nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_dead_letters"),
    )
    op.create_index("ix_dead_letters_created_at", "dead_letters", ["workspace_id", "created_at"])

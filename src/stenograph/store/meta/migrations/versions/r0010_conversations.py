"""Agents, users, conversations and what they are made of; secrets, files, jobs; canonical names of projects."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from stenograph.store.meta.migrations.columns import micros, of_workspace, text, uuid

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    _projects()
    _agents()
    _users()
    _conversations()
    _entries()
    _things()
    op.create_table(
        "metadata_labels",
        uuid("label"),
        micros("created_at"),
        uuid("owner_id"),
        sa.PrimaryKeyConstraint("label", "created_at", "owner_id", name="pk_metadata_labels"),
        sqlite_with_rowid=False,
    )


def _projects() -> None:
    op.add_column("projects", text("canonical_name", nullable=True))
    live = sa.text("deleted_at IS NULL")
    op.create_index(
        "uq_projects_live_canonical_name",
        "projects",
        ["workspace_id", "canonical_name"],
        unique=True,
        sqlite_where=live,
        postgresql_where=live,
    )


def _goes_with(table: str, parent: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["workspace_id", column],
        [f"{parent}.workspace_id", f"{parent}.id"],
        name=f"fk_{table}_{column}",
        ondelete="CASCADE",
    )


def _listed(table: str) -> None:
    op.create_index(f"ix_{table}_created_at", table, ["workspace_id", "created_at", "id"])
    op.create_index(f"ix_{table}_updated_at", table, ["workspace_id", "updated_at", "id", "created_at"])


def _agents() -> None:
    op.create_table(
        "agents",
        uuid("workspace_id"),
        uuid("id"),
        text("name"),
        text("canonical_name"),
        text("about"),
        text("model"),
        text("instructions", collated=False),
        text("default_settings", nullable=True, collated=False),
        text("default_system_template", nullable=True),
        text("metadata", collated=False),
        uuid("project_id", nullable=True),
        micros("created_at"),
        micros("updated_at"),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_agents"),
        sa.UniqueConstraint("workspace_id", "canonical_name", name="uq_agents_canonical_name"),
        of_workspace("agents"),
    )
    _listed("agents")
    op.create_table(
        "agent_tools",
        uuid("workspace_id"),
        uuid("id"),
        uuid("agent_id"),
        text("name"),
        text("type"),
        text("description", nullable=True),
        text("definition", collated=False),
        micros("created_at"),
        micros("updated_at"),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_agent_tools"),
        sa.UniqueConstraint("workspace_id", "agent_id", "name", name="uq_agent_tools_name"),
        _goes_with("agent_tools", "agents", "agent_id"),
        of_workspace("agent_tools"),
    )


def _users() -> None:
    op.create_table(
        "users",
        uuid("workspace_id"),
        uuid("id"),
        text("name"),
        text("about"),
        text("metadata", collated=False),
        uuid("project_id", nullable=True),
        micros("created_at"),
        micros("updated_at"),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_users"),
        of_workspace("users"),
    )
    _listed("users")


def _conversations() -> None:
    op.create_table(
        "conversations",
        uuid("workspace_id"),
        uuid("id"),
        text("agents", collated=False),
        text("users", collated=False),
        text("situation", nullable=True),
        text("system_template", nullable=True),
        text("summary", nullable=True),
        sa.Column("render_templates", sa.Boolean()),
        sa.Column("token_budget", sa.BigInteger(), nullable=True),
        text("context_overflow", nullable=True),
        sa.Column("auto_run_tools", sa.Boolean(), nullable=False),
        sa.Column("forward_tool_calls", sa.Boolean(), nullable=False),
        text("recall_options", nullable=True, collated=False),
        text("metadata", collated=False),
        micros("created_at"),
        micros("updated_at"),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_conversations"),
        of_workspace("conversations"),
    )
    _listed("conversations")


def _entries() -> None:
    op.create_table(
        "conversation_entries",
        uuid("workspace_id"),
        uuid("conversation_id"),
        sa.Column("position", sa.BigInteger(), nullable=False),
        uuid("id"),
        text("role"),
        text("source"),
        text("name", nullable=True),
        text("model", nullable=True),
        text("tool_call_id", nullable=True),
        sa.Column("token_count", sa.BigInteger(), nullable=False),
        text("tokenizer"),
        micros("timestamp"),
        micros("created_at"),
        text("tool_calls", nullable=True, collated=False),
        text("content", collated=False),
        sa.PrimaryKeyConstraint(
            "workspace_id", "conversation_id", "position", name="pk_conversation_entries"
        ),
        sa.UniqueConstraint("workspace_id", "id", name="uq_conversation_entries_id"),
        _goes_with("conversation_entries", "conversations", "conversation_id"),
        of_workspace("conversation_entries"),
    )
    op.create_table(
        "conversation_relations",
        uuid("workspace_id"),
        uuid("conversation_id"),
        uuid("head"),
        text("relation"),
        uuid("tail"),
        sa.PrimaryKeyConstraint(
            "workspace_id", "conversation_id", "head", "relation", "tail", name="pk_conversation_relations"
        ),
        _goes_with("conversation_relations", "conversations", "conversation_id"),
        of_workspace("conversation_relations"),
    )


def _things() -> None:
    """Secrets, files and jobs."""
    op.create_table(
        "secrets",
        uuid("workspace_id"),
        uuid("id"),
        text("name"),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        text("description", nullable=True),
        text("metadata", collated=False),
        micros("created_at"),
        micros("updated_at"),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_secrets"),
        sa.UniqueConstraint("workspace_id", "name", name="uq_secrets_name"),
        of_workspace("secrets"),
    )
    op.create_table(
        "files",
        uuid("workspace_id"),
        uuid("id"),
        text("name"),
        text("description"),
        text("mime_type", nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        text("hash"),
        uuid("project_id", nullable=True),
        micros("created_at"),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_files"),
        of_workspace("files"),
    )
    op.create_index("ix_files_created_at", "files", ["workspace_id", "created_at", "id"])
    op.create_table(
        "jobs",
        uuid("workspace_id"),
        uuid("id"),
        text("name"),
        text("state"),
        text("reason"),
        sa.Column("progress", sa.Float(), nullable=True),
        micros("created_at"),
        micros("updated_at"),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_jobs"),
        of_workspace("jobs"),
    )

"""Agents, users, conversations and what they are made of; secrets, files, jobs; and the index of metadata."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from stenograph.store.meta.dialect import RawJson
from stenograph.store.meta.tables.columns import goes_with, metadata, micros, own_id, words, workspace

# `project_id` is null for the default project. No reference: projects stay as tombstones when they are deleted.
agents: Final = sa.Table(
    "agents",
    metadata,
    workspace(primary_key=True),
    own_id(),
    words("name"),
    words("canonical_name"),
    words("about"),
    words("model"),
    sa.Column("instructions", RawJson(), nullable=False),
    sa.Column("default_settings", RawJson(), nullable=True),
    words("default_system_template", nullable=True),
    sa.Column("metadata", RawJson(), nullable=False),
    sa.Column("project_id", sa.Uuid(), nullable=True),
    micros("created_at"),
    micros("updated_at"),
    sa.UniqueConstraint("workspace_id", "canonical_name", name="uq_agents_canonical_name"),
)

agent_tools: Final = sa.Table(
    "agent_tools",
    metadata,
    workspace(primary_key=True),
    own_id(),
    own_id("agent_id", primary_key=False),
    words("name"),
    words("type"),
    words("description", nullable=True),
    sa.Column("definition", RawJson(), nullable=False),
    micros("created_at"),
    micros("updated_at"),
    sa.UniqueConstraint("workspace_id", "agent_id", "name", name="uq_agent_tools_name"),
    goes_with("agent_tools", "agents", "agent_id"),
)

users: Final = sa.Table(
    "users",
    metadata,
    workspace(primary_key=True),
    own_id(),
    words("name"),
    words("about"),
    sa.Column("metadata", RawJson(), nullable=False),
    sa.Column("project_id", sa.Uuid(), nullable=True),
    micros("created_at"),
    micros("updated_at"),
)

# Who takes part are lists of ids. No reference to agents and users: who took part is still known when they are gone.
conversations: Final = sa.Table(
    "conversations",
    metadata,
    workspace(primary_key=True),
    own_id(),
    sa.Column("agents", RawJson(), nullable=False),
    sa.Column("users", RawJson(), nullable=False),
    words("situation", nullable=True),
    words("system_template", nullable=True),
    words("summary", nullable=True),
    sa.Column("render_templates", sa.Boolean()),
    sa.Column("token_budget", sa.BigInteger(), nullable=True),
    words("context_overflow", nullable=True),
    sa.Column("auto_run_tools", sa.Boolean(), nullable=False),
    sa.Column("forward_tool_calls", sa.Boolean(), nullable=False),
    sa.Column("recall_options", RawJson(), nullable=True),
    sa.Column("metadata", RawJson(), nullable=False),
    micros("created_at"),
    micros("updated_at"),
)

# A page of a list is found in these alone, by either time; the other time is there for what metadata_labels asks.
for _table in (agents, users, conversations):
    sa.Index(f"ix_{_table.name}_created_at", _table.c.workspace_id, _table.c.created_at, _table.c.id)
    sa.Index(
        f"ix_{_table.name}_updated_at",
        _table.c.workspace_id,
        _table.c.updated_at,
        _table.c.id,
        _table.c.created_at,
    )

conversation_entries: Final = sa.Table(
    "conversation_entries",
    metadata,
    workspace(primary_key=True),
    own_id("conversation_id"),
    sa.Column("position", sa.BigInteger(), primary_key=True, nullable=False, autoincrement=False),
    own_id("id", primary_key=False),
    words("role"),
    words("source"),
    words("name", nullable=True),
    words("model", nullable=True),
    words("tool_call_id", nullable=True),
    sa.Column("token_count", sa.BigInteger(), nullable=False),
    words("tokenizer"),
    micros("timestamp"),
    micros("created_at"),
    sa.Column("tool_calls", RawJson(), nullable=True),
    sa.Column("content", RawJson(), nullable=False),
    sa.UniqueConstraint("workspace_id", "id", name="uq_conversation_entries_id"),
    goes_with("conversation_entries", "conversations", "conversation_id"),
)

conversation_relations: Final = sa.Table(
    "conversation_relations",
    metadata,
    workspace(primary_key=True),
    own_id("conversation_id"),
    own_id("head"),
    words("relation", primary_key=True),
    own_id("tail"),
    goes_with("conversation_relations", "conversations", "conversation_id"),
)

# What requests were answered lately. `request` is a digest.
conversation_answers: Final = sa.Table(
    "conversation_answers",
    metadata,
    workspace(primary_key=True),
    own_id("conversation_id"),
    own_id("request"),
    sa.Column("body", sa.LargeBinary(), nullable=False),
    micros("created_at"),
    goes_with("conversation_answers", "conversations", "conversation_id"),
)

secrets: Final = sa.Table(
    "secrets",
    metadata,
    workspace(primary_key=True),
    own_id(),
    words("name"),
    sa.Column("sealed", sa.LargeBinary(), nullable=False),
    words("description", nullable=True),
    sa.Column("metadata", RawJson(), nullable=False),
    micros("created_at"),
    micros("updated_at"),
    sa.UniqueConstraint("workspace_id", "name", name="uq_secrets_name"),
)

files: Final = sa.Table(
    "files",
    metadata,
    workspace(primary_key=True),
    own_id(),
    words("name"),
    words("description"),
    words("mime_type", nullable=True),
    sa.Column("size", sa.BigInteger(), nullable=False),
    words("hash"),
    sa.Column("project_id", sa.Uuid(), nullable=True),
    micros("created_at"),
)
sa.Index("ix_files_created_at", files.c.workspace_id, files.c.created_at, files.c.id)

jobs: Final = sa.Table(
    "jobs",
    metadata,
    workspace(primary_key=True),
    own_id(),
    words("name"),
    words("state"),
    words("reason"),
    sa.Column("progress", sa.Float(), nullable=True),
    micros("created_at"),
    micros("updated_at"),
)

# A conversation waits for one summary at a time. No reference: whoever takes it up says that the conversation is gone.
summary_tasks: Final = sa.Table(
    "summary_tasks",
    metadata,
    workspace(primary_key=True),
    own_id("conversation_id"),
    own_id("job_id", primary_key=False),
    micros("due_at"),
    sa.Column("attempts", sa.Integer(), nullable=False),
)

# One row for each value in the metadata of agents, users and conversations (model/listing.py). A label stands for
# workspace, noun, path and value together; in the order of the key, a label's owners are a page of a list.
metadata_labels: Final = sa.Table(
    "metadata_labels",
    metadata,
    own_id("label"),
    sa.Column("created_at", sa.BigInteger(), primary_key=True, nullable=False, autoincrement=False),
    own_id("owner_id"),
    sqlite_with_rowid=False,
)

"""Workspaces, their keys, and what they share."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from stenograph.store.meta.dialect import RawJson, Words
from stenograph.store.meta.tables.columns import metadata, micros, own_id, words, workspace

workspaces: Final = sa.Table(
    "workspaces",
    metadata,
    own_id(),
    words("name"),
    sa.Column("handle", Words(), nullable=False, unique=True),
    micros("created_at"),
)

api_keys: Final = sa.Table(
    "api_keys",
    metadata,
    own_id(),
    workspace(),
    words("name"),
    words("role"),
    sa.Column("key_hash", Words(), nullable=False, unique=True),
    words("hint"),
    micros("created_at"),
    micros("revoked_at", nullable=True),
    words("kind", nullable=True),
    words("description", nullable=True),
    sa.Column("permissions", RawJson(), nullable=True),
    micros("expires_at", nullable=True),
    sa.Index(None, "workspace_id"),
)

shares: Final = sa.Table(
    "shares",
    metadata,
    own_id("token"),
    workspace(),
    words("kind"),
    words("target_id"),
    sa.Column("project_id", sa.Uuid(), nullable=True),
    micros("created_at"),
    sa.UniqueConstraint("workspace_id", "kind", "target_id", name="uq_shares_target"),
)
sa.Index("ix_shares_project_id", shares.c.workspace_id, shares.c.project_id)

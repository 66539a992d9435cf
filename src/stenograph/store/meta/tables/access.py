"""Workspaces, their people and keys, and what they share."""

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
    sa.Column("member_id", sa.Uuid(), nullable=True),  # of a member: rows of those are never deleted
    sa.Index(None, "workspace_id"),
)
sa.Index("ix_api_keys_member_id", api_keys.c.member_id)

members: Final = sa.Table(
    "members",
    metadata,
    own_id(),
    workspace(),
    words("name"),
    words("email", nullable=True),
    words(
        "email_key", nullable=True
    ),  # the address folded; NULL for those who were removed, so that it is free again
    words("role"),
    micros("created_at"),
    micros("joined_at", nullable=True),
    micros("seen_at", nullable=True),
    micros("removed_at", nullable=True),
    words("invited_by", nullable=True),
    sa.Column("link_hash", Words(), nullable=True, unique=True),
    micros("link_until", nullable=True),
    sa.UniqueConstraint("workspace_id", "email_key", name="uq_members_email"),
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

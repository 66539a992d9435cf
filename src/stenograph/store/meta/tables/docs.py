"""Docs and their chunks. The index of words is no table of SQLAlchemy's: see migrations/versions and ../docs.py."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from stenograph.store.meta.dialect import RawJson
from stenograph.store.meta.tables.columns import goes_with, metadata, micros, own_id, words, workspace

# `digest` is of title and content: an owner has a doc once.
docs: Final = sa.Table(
    "docs",
    metadata,
    workspace(primary_key=True),
    own_id(),
    words("owner_kind"),
    own_id("owner_id", primary_key=False),
    words("title"),
    words("digest"),
    words("instruction", nullable=True),
    micros("created_at"),
    sa.Column("metadata", RawJson(), nullable=False),
    sa.UniqueConstraint("workspace_id", "owner_kind", "owner_id", "digest", name="uq_docs_digest"),
)
sa.Index(
    "ix_docs_owner",
    docs.c.workspace_id,
    docs.c.owner_kind,
    docs.c.owner_id,
    docs.c.created_at,
    docs.c.id,
)

# `number` is never given twice: caches know chunks by it. The vector, little-endian float16, is of `model`.
doc_chunks: Final = sa.Table(
    "doc_chunks",
    metadata,
    sa.Column(
        "number",
        sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
        primary_key=True,
        autoincrement=True,
        nullable=False,
    ),
    workspace(),
    own_id("doc_id", primary_key=False),
    words("owner_kind"),
    own_id("owner_id", primary_key=False),
    sa.Column("position", sa.Integer(), nullable=False),
    words("model", nullable=True),
    words("content"),
    sa.Column("vector", sa.LargeBinary(), nullable=True),
    goes_with("doc_chunks", "docs", "doc_id"),
    sqlite_autoincrement=True,
)
sa.Index(
    "ix_doc_chunks_owner",
    doc_chunks.c.workspace_id,
    doc_chunks.c.owner_kind,
    doc_chunks.c.owner_id,
    doc_chunks.c.model,
    doc_chunks.c.number,
)
sa.Index("ix_doc_chunks_doc", doc_chunks.c.workspace_id, doc_chunks.c.doc_id, doc_chunks.c.position)
sa.Index("ix_doc_chunks_model", doc_chunks.c.model)

# How often an owner has lost chunks, or got other vectors for them.
doc_shelves: Final = sa.Table(
    "doc_shelves",
    metadata,
    workspace(primary_key=True),
    words("owner_kind", primary_key=True),
    own_id("owner_id"),
    sa.Column("removals", sa.BigInteger(), nullable=False),
)

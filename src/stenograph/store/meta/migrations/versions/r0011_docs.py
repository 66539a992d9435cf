"""Docs, their chunks, and the index of their words."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from stenograph.store.meta.migrations.columns import micros, of_workspace, text, uuid

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "docs",
        uuid("workspace_id"),
        uuid("id"),
        text("owner_kind"),
        uuid("owner_id"),
        text("title"),
        text("digest"),
        text("instruction", nullable=True),
        micros("created_at"),
        text("metadata", collated=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_docs"),
        sa.UniqueConstraint("workspace_id", "owner_kind", "owner_id", "digest", name="uq_docs_digest"),
        of_workspace("docs"),
    )
    op.create_index("ix_docs_owner", "docs", ["workspace_id", "owner_kind", "owner_id", "created_at", "id"])
    op.create_table(
        "doc_chunks",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        uuid("workspace_id"),
        uuid("doc_id"),
        text("owner_kind"),
        uuid("owner_id"),
        sa.Column("position", sa.Integer(), nullable=False),
        text("model", nullable=True),
        text("content"),
        sa.Column("vector", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_doc_chunks"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "doc_id"],
            ["docs.workspace_id", "docs.id"],
            name="fk_doc_chunks_doc_id",
            ondelete="CASCADE",
        ),
        of_workspace("doc_chunks"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_doc_chunks_owner", "doc_chunks", ["workspace_id", "owner_kind", "owner_id", "model", "number"]
    )
    op.create_index("ix_doc_chunks_doc", "doc_chunks", ["workspace_id", "doc_id", "position"])
    op.create_index("ix_doc_chunks_model", "doc_chunks", ["model"])
    op.create_table(
        "doc_shelves",
        uuid("workspace_id"),
        text("owner_kind"),
        uuid("owner_id"),
        sa.Column("removals", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "owner_kind", "owner_id", name="pk_doc_shelves"),
        of_workspace("doc_shelves"),
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE doc_words USING fts5("
            "place, title, content, content='', tokenize='porter unicode61 remove_diacritics 2')"
        )
        op.execute("CREATE VIRTUAL TABLE doc_vocabulary USING fts5vocab(doc_words, row)")

"""How long a workspace keeps its traces, and the last round of deleting: a row where somebody has asked."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from stenograph.store.meta.tables.columns import metadata, micros, words, workspace

retentions: Final = sa.Table(
    "retentions",
    metadata,
    workspace(primary_key=True),
    sa.Column("short_days", sa.Integer(), nullable=True),
    sa.Column("long_days", sa.Integer(), nullable=True),
    words("tier"),
    micros("created_at"),
    micros("updated_at"),
    micros("looked_to"),
    micros("ended_at"),
    micros("deleted_at", nullable=True),
    sa.Column("traces", sa.BigInteger(), nullable=False),
    sa.Column("runs", sa.BigInteger(), nullable=False),
)

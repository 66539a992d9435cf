"""Columns and constraints as every revision writes them. Their meaning never changes: old revisions use them too."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa


def text(name: str, nullable: bool = False, collated: bool = True) -> sa.Column[Any]:
    """Text; `collated` text compares by code point on PostgreSQL, as it does on SQLite anyway."""
    kind = sa.Text().with_variant(sa.Text(collation="C"), "postgresql") if collated else sa.Text()
    return sa.Column(name, kind, nullable=nullable)


def uuid(name: str, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Uuid(), nullable=nullable)


def micros(name: str, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def of_workspace(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=f"fk_{table}_workspace_id")


def of_dataset(table: str) -> sa.ForeignKeyConstraint:
    """Rows that go with their dataset."""
    return sa.ForeignKeyConstraint(
        ["workspace_id", "dataset_id"],
        ["datasets.workspace_id", "datasets.id"],
        name=f"fk_{table}_dataset",
        ondelete="CASCADE",
    )

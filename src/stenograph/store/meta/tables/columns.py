"""Columns and constraints that many tables have."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from stenograph.store.meta.dialect import Words

metadata: Final = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)


def own_id(name: str = "id", primary_key: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.Uuid(), primary_key=primary_key, nullable=False)


def workspace(primary_key: bool = False) -> sa.Column[Any]:
    return sa.Column(
        "workspace_id", sa.Uuid(), sa.ForeignKey("workspaces.id"), primary_key=primary_key, nullable=False
    )


def words(name: str, nullable: bool = False, primary_key: bool = False) -> sa.Column[Any]:
    return sa.Column(name, Words(), nullable=nullable, primary_key=primary_key)


def micros(name: str, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def goes_with(table: str, parent: str, column: str, name: str = "") -> sa.ForeignKeyConstraint:
    """Rows that are deleted with their parent. `name` ends the constraint's name, where it is not the column."""
    return sa.ForeignKeyConstraint(
        ["workspace_id", column],
        [f"{parent}.workspace_id", f"{parent}.id"],
        name=f"fk_{table}_{name or column}",
        ondelete="CASCADE",
    )

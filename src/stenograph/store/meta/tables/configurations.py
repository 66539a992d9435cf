"""Configurations, tools and charts."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from stenograph.store.meta.dialect import RawJson
from stenograph.store.meta.tables.columns import metadata, micros, own_id, words, workspace


def _of_project(table: str) -> sa.ForeignKeyConstraint:
    """A project, if one is named. Deleted projects keep their row: see projects._delete."""
    return sa.ForeignKeyConstraint(
        ["workspace_id", "project_id"],
        ["projects.workspace_id", "projects.id"],
        name=f"fk_{table}_project",
    )


configurations: Final = sa.Table(
    "configurations",
    metadata,
    workspace(primary_key=True),
    own_id(),
    sa.Column("project_id", sa.Uuid(), nullable=True),
    words("name"),
    words("type"),
    words("provider"),
    sa.Column("parameters", RawJson(), nullable=False),
    sa.Column("env", RawJson(), nullable=False),
    sa.Column("tags", RawJson(), nullable=False),
    sa.Column("user_properties", RawJson(), nullable=True),
    micros("created_at"),
    micros("updated_at", nullable=True),
    _of_project("configurations"),
)
sa.Index("ix_configurations_name", configurations.c.workspace_id, configurations.c.name)

tools: Final = sa.Table(
    "tools",
    metadata,
    workspace(primary_key=True),
    own_id(),
    words("task"),
    words("name"),
    words("description", nullable=True),
    words("type"),
    sa.Column("parameters", RawJson(), nullable=False),
    micros("created_at"),
    micros("updated_at", nullable=True),
)

charts: Final = sa.Table(
    "charts",
    metadata,
    workspace(primary_key=True),
    own_id(),
    sa.Column("project_id", sa.Uuid(), nullable=True),
    words("name"),
    words("description", nullable=True),
    words("metric"),
    words("func", nullable=True),
    words("group_by", nullable=True),
    words("bucketing"),
    sa.Column("date_range", RawJson(), nullable=True),
    sa.Column("query", RawJson(), nullable=True),
    words("owner_id", nullable=True),
    micros("created_at"),
    micros("updated_at", nullable=True),
    _of_project("charts"),
)

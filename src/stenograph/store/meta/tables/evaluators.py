"""Evaluators, their versions, and what those that run by themselves have to do."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from stenograph.store.meta.dialect import RawJson
from stenograph.store.meta.tables.columns import goes_with, metadata, micros, own_id, words, workspace

# An empty project stands for all of them: null would make a name unique among nothing. Name, type and whether it is
# enabled are those of the live version.
evaluators: Final = sa.Table(
    "evaluators",
    metadata,
    workspace(primary_key=True),
    own_id(),
    words("project"),
    words("name"),
    words("type"),
    sa.Column("enabled", sa.Boolean(), nullable=False),
    own_id("live_version_id", primary_key=False),
    micros("created_at"),
    micros("updated_at", nullable=True),
    sa.UniqueConstraint("workspace_id", "project", "name", name="uq_evaluators_name"),
)
sa.Index("ix_evaluators_enabled", evaluators.c.enabled)

evaluator_versions: Final = sa.Table(
    "evaluator_versions",
    metadata,
    workspace(primary_key=True),
    own_id(),
    own_id("evaluator_id", primary_key=False),
    sa.Column("number", sa.Integer(), nullable=False),
    words("message"),
    sa.Column("definition", RawJson(), nullable=False),
    micros("created_at"),
    sa.UniqueConstraint("workspace_id", "evaluator_id", "number", name="uq_evaluator_versions_number"),
    goes_with("evaluator_versions", "evaluators", "evaluator_id", "evaluator"),
)

# One row for all that a flush has written, sixteen bytes a run. The versions are JSON.
evaluator_candidates: Final = sa.Table(
    "evaluator_candidates",
    metadata,
    workspace(primary_key=True),
    own_id(),
    sa.Column("versions", RawJson(), nullable=False),
    sa.Column("runs", sa.LargeBinary(), nullable=False),
    micros("since"),
    micros("until"),
    micros("noted_at"),
)
sa.Index("ix_evaluator_candidates_noted_at", evaluator_candidates.c.noted_at)

evaluator_tasks: Final = sa.Table(
    "evaluator_tasks",
    metadata,
    workspace(primary_key=True),
    own_id("version_id"),
    own_id("run_id"),
    own_id("evaluator_id", primary_key=False),
    own_id("project_id", primary_key=False),
    micros("start_time"),
    words("status"),
    sa.Column("attempts", sa.Integer(), nullable=False),
    micros("due_at"),
    words("reason", nullable=True),
    micros("created_at"),
    micros("modified_at"),
    goes_with("evaluator_tasks", "evaluators", "evaluator_id", "evaluator"),
)
sa.Index("ix_evaluator_tasks_due_at", evaluator_tasks.c.status, evaluator_tasks.c.due_at)
sa.Index(
    "ix_evaluator_tasks_evaluator_id",
    evaluator_tasks.c.workspace_id,
    evaluator_tasks.c.evaluator_id,
    evaluator_tasks.c.status,
    evaluator_tasks.c.modified_at,
)
sa.Index("ix_evaluator_tasks_run_id", evaluator_tasks.c.workspace_id, evaluator_tasks.c.run_id)

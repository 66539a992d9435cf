"""Reports of insights: jobs, what they found, and saved configurations."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from stenograph.store.meta.dialect import RawJson
from stenograph.store.meta.tables.columns import goes_with, metadata, micros, own_id, words, workspace

# Request, progress, shape, report and plan are JSON of the model's values.
insight_jobs: Final = sa.Table(
    "insight_jobs",
    metadata,
    workspace(primary_key=True),
    own_id(),
    own_id("project_id", primary_key=False),
    words("name"),
    words("status"),
    sa.Column("config_id", sa.Uuid(), nullable=True),
    sa.Column("is_scheduled", sa.Boolean(), nullable=False),
    sa.Column("request", RawJson(), nullable=False),
    sa.Column("progress", RawJson(), nullable=False),
    words("error", nullable=True),
    sa.Column("runs", sa.BigInteger(), nullable=True),
    sa.Column("shape", RawJson(), nullable=True),
    sa.Column("report", RawJson(), nullable=True),
    micros("created_at"),
    micros("modified_at"),
    micros("started_at", nullable=True),
    micros("finished_at", nullable=True),
    sa.Column("plan", RawJson(), nullable=True),
    goes_with("insight_jobs", "projects", "project_id", "project"),
)
sa.Index(
    "ix_insight_jobs_project",
    insight_jobs.c.workspace_id,
    insight_jobs.c.project_id,
    insight_jobs.c.created_at,
    insight_jobs.c.id,
)
sa.Index("ix_insight_jobs_status", insight_jobs.c.status, insight_jobs.c.created_at)

# Ids follow from what is in a cluster: two jobs may have the same.
insight_clusters: Final = sa.Table(
    "insight_clusters",
    metadata,
    workspace(primary_key=True),
    own_id("job_id"),
    own_id(),
    sa.Column("parent_id", sa.Uuid(), nullable=True),
    sa.Column("level", sa.Integer(), nullable=False),
    sa.Column("position", sa.Integer(), nullable=False),
    words("name"),
    words("description"),
    sa.Column("renamed", sa.Boolean(), nullable=False),
    sa.Column("runs", sa.BigInteger(), nullable=False),
    sa.Column("children", sa.Integer(), nullable=False),
    sa.Column("leaves", RawJson(), nullable=False),
    sa.Column("stats", RawJson(), nullable=False),
    sa.Column("centroid", sa.LargeBinary(), nullable=False),
    goes_with("insight_clusters", "insight_jobs", "job_id", "job"),
)

# Up to 500 traces a row, about 60 bytes each.
insight_members: Final = sa.Table(
    "insight_members",
    metadata,
    workspace(primary_key=True),
    own_id("job_id"),
    sa.Column("leaf", sa.Integer(), primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
    sa.Column("size", sa.Integer(), nullable=False),
    sa.Column("run_ids", sa.LargeBinary(), nullable=False),
    sa.Column("project_ids", sa.LargeBinary(), nullable=False),
    sa.Column("starts", sa.LargeBinary(), nullable=False),
    sa.Column("latencies", sa.LargeBinary(), nullable=False),
    sa.Column("costs", sa.LargeBinary(), nullable=False),
    sa.Column("tokens", sa.LargeBinary(), nullable=False),
    sa.Column("closeness", sa.LargeBinary(), nullable=False),
    sa.Column("attributes", RawJson(), nullable=True),
    sa.Column("summaries", RawJson(), nullable=True),
    goes_with("insight_members", "insight_jobs", "job_id", "job"),
)

# What a model has answered, by a digest of the question: found again by whoever asks the same in the project.
insight_answers: Final = sa.Table(
    "insight_answers",
    metadata,
    workspace(primary_key=True),
    own_id("project_id"),
    sa.Column("digest", sa.LargeBinary(), primary_key=True, nullable=False),
    sa.Column("job_id", sa.Uuid(), nullable=True),
    sa.Column("content", RawJson(), nullable=False),
    sa.Column("prompt_tokens", sa.BigInteger(), nullable=False),
    sa.Column("completion_tokens", sa.BigInteger(), nullable=False),
    micros("created_at"),
    goes_with("insight_answers", "projects", "project_id", "project"),
)
sa.Index("ix_insight_answers_created_at", insight_answers.c.created_at)

insight_configs: Final = sa.Table(
    "insight_configs",
    metadata,
    workspace(primary_key=True),
    own_id(),
    own_id("project_id", primary_key=False),
    words("name"),
    words("description", nullable=True),
    sa.Column("config", RawJson(), nullable=False),
    words("schedule_cron", nullable=True),
    micros("due_at", nullable=True),
    micros("created_at"),
    micros("modified_at"),
    goes_with("insight_configs", "projects", "project_id", "project"),
)
sa.Index(
    "ix_insight_configs_project",
    insight_configs.c.workspace_id,
    insight_configs.c.project_id,
    insight_configs.c.created_at,
)
sa.Index("ix_insight_configs_due_at", insight_configs.c.due_at)

sa.Index("ix_insight_clusters_id", insight_clusters.c.workspace_id, insight_clusters.c.id)

# The report of a project that takes in new traces: one at a time.
insight_following: Final = sa.Table(
    "insight_following",
    metadata,
    workspace(primary_key=True),
    own_id("project_id"),
    own_id("job_id", primary_key=False),
    sa.Column("looked_to", sa.BigInteger(), nullable=False),
    micros("looked_at", nullable=True),
    goes_with("insight_following", "insight_jobs", "job_id", "job"),
)

# A row a trace, because what has been taken in has to be known by id; `leaf` is -1 where no cluster was near.
insight_assigned: Final = sa.Table(
    "insight_assigned",
    metadata,
    workspace(primary_key=True),
    own_id("job_id"),
    own_id("run_id"),
    sa.Column("leaf", sa.Integer(), nullable=False),
    own_id("project_id", primary_key=False),
    micros("start_time"),
    sa.Column("closeness", sa.Float(), nullable=False),
    goes_with("insight_assigned", "insight_jobs", "job_id", "job"),
)
sa.Index(
    "ix_insight_assigned_leaf",
    insight_assigned.c.workspace_id,
    insight_assigned.c.job_id,
    insight_assigned.c.leaf,
)

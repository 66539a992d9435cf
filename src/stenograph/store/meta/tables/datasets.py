"""Datasets, their versions and examples, and what experiments on them are shown by."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from stenograph.store.meta.dialect import RawJson
from stenograph.store.meta.tables.columns import goes_with, metadata, micros, own_id, words, workspace

datasets: Final = sa.Table(
    "datasets",
    metadata,
    workspace(primary_key=True),
    own_id(),
    words("name"),
    words("name_folded"),
    words("description", nullable=True),
    words("data_type"),
    sa.Column("inputs_schema", RawJson(), nullable=True),
    sa.Column("outputs_schema", RawJson(), nullable=True),
    sa.Column("transformations", RawJson(), nullable=True),
    sa.Column("metadata", RawJson(), nullable=True),
    sa.Column("externally_managed", sa.Boolean(), nullable=False),
    sa.Column("baseline_experiment_id", sa.Uuid(), nullable=True),
    micros("created_at"),
    micros("modified_at"),
    sa.UniqueConstraint("workspace_id", "name", name="uq_datasets_name"),
)

dataset_versions: Final = sa.Table(
    "dataset_versions",
    metadata,
    workspace(primary_key=True),
    own_id("dataset_id"),
    sa.Column("as_of", sa.BigInteger(), primary_key=True, nullable=False, autoincrement=False),
    goes_with("dataset_versions", "datasets", "dataset_id", "dataset"),
)

dataset_tags: Final = sa.Table(
    "dataset_tags",
    metadata,
    workspace(primary_key=True),
    own_id("dataset_id"),
    words("tag", primary_key=True),
    micros("as_of"),
    goes_with("dataset_tags", "datasets", "dataset_id", "dataset"),
)

# One row a version of an example, valid from `valid_from` until `valid_to` (exclusive; null: still). Payloads
# are the last columns: SQLite reads what comes before them without touching their pages.
examples: Final = sa.Table(
    "examples",
    metadata,
    workspace(primary_key=True),
    own_id(),
    sa.Column("valid_from", sa.BigInteger(), primary_key=True, nullable=False, autoincrement=False),
    micros("valid_to", nullable=True),
    own_id("dataset_id", primary_key=False),
    sa.Column("ordinal", sa.Integer(), nullable=False),
    micros("created_at"),
    sa.Column("source_run_id", sa.Uuid(), nullable=True),
    sa.Column("files", RawJson(), nullable=True),
    sa.Column("metadata", RawJson(), nullable=False),
    sa.Column("inputs", RawJson(), nullable=False),
    sa.Column("outputs", RawJson(), nullable=True),
    goes_with("examples", "datasets", "dataset_id", "dataset"),
)
CURRENT: Final = examples.c.valid_to.is_(None)
sa.Index(
    "uq_examples_current",
    examples.c.workspace_id,
    examples.c.id,
    unique=True,
    sqlite_where=CURRENT,
    postgresql_where=CURRENT,
)
# In the order of a page: one that begins far down is found without reading what comes before it. The workspace
# does not come first: without statistics SQLite would look ids up by going through all of the workspace.
_PAGED: Final = (
    examples.c.dataset_id,
    examples.c.workspace_id,
    examples.c.valid_from.desc(),
    examples.c.ordinal,
    examples.c.id,
)
sa.Index("ix_examples_dataset", *_PAGED, examples.c.valid_to)
sa.Index(
    "ix_examples_current",
    *_PAGED,
    sqlite_where=CURRENT,
    postgresql_where=CURRENT,
)

# `experiments` are ids as JSON, with no reference: one may be deleted while the comparison stays.
comparative_experiments: Final = sa.Table(
    "comparative_experiments",
    metadata,
    workspace(primary_key=True),
    own_id(),
    own_id("dataset_id", primary_key=False),
    words("name", nullable=True),
    words("name_folded", nullable=True),
    words("description", nullable=True),
    sa.Column("experiments", RawJson(), nullable=False),
    sa.Column("extra", RawJson(), nullable=True),
    micros("created_at"),
    micros("modified_at"),
    goes_with("comparative_experiments", "datasets", "dataset_id", "dataset"),
)
sa.Index(
    "ix_comparative_experiments_dataset_id",
    comparative_experiments.c.workspace_id,
    comparative_experiments.c.dataset_id,
)

experiment_view_overrides: Final = sa.Table(
    "experiment_view_overrides",
    metadata,
    workspace(primary_key=True),
    own_id("dataset_id"),
    own_id("id", primary_key=False),
    sa.Column("overrides", RawJson(), nullable=False),
    micros("created_at"),
    micros("modified_at"),
    goes_with("experiment_view_overrides", "datasets", "dataset_id", "dataset"),
)

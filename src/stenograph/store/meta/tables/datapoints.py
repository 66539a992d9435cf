"""Where a datapoint is besides the example of its own id, and datapoints that no dataset has."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from stenograph.store.meta.dialect import RawJson
from stenograph.store.meta.tables.columns import goes_with, metadata, micros, own_id, workspace

# A row outlives its example, which LangSmith's clients may delete: it counts while `example_id` is in the dataset.
datapoint_copies: Final = sa.Table(
    "datapoint_copies",
    metadata,
    workspace(primary_key=True),
    own_id("datapoint_id"),
    own_id("dataset_id"),
    own_id("example_id", primary_key=False),
    goes_with("datapoint_copies", "datasets", "dataset_id", "dataset"),
)
sa.Index(
    "uq_datapoint_copies_example",
    datapoint_copies.c.workspace_id,
    datapoint_copies.c.example_id,
    unique=True,
)

# As in `examples`, payloads are the last columns.
loose_datapoints: Final = sa.Table(
    "loose_datapoints",
    metadata,
    workspace(primary_key=True),
    own_id(),
    micros("created_at"),
    micros("modified_at"),
    sa.Column("source_run_id", sa.Uuid(), nullable=True),
    sa.Column("files", RawJson(), nullable=True),
    sa.Column("metadata", RawJson(), nullable=False),
    sa.Column("inputs", RawJson(), nullable=False),
    sa.Column("outputs", RawJson(), nullable=True),
)

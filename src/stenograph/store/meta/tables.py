"""The tables of the metadata store, as the newest migration leaves them.

A change here needs a revision in migrations/versions/; a test compares the two. Times are microseconds.
Ids that a client may choose are unique in a workspace, not in the installation, so that no caller can
learn of another workspace's ids by colliding with them; what is an address without a workspace (share
tokens, feedback tokens) is unique everywhere.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from stenograph.store.meta.dialect import RawJson, Words

metadata: Final = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)


def _id(name: str = "id", primary_key: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.Uuid(), primary_key=primary_key, nullable=False)


def _workspace(primary_key: bool = False) -> sa.Column[Any]:
    return sa.Column(
        "workspace_id", sa.Uuid(), sa.ForeignKey("workspaces.id"), primary_key=primary_key, nullable=False
    )


def _words(name: str, nullable: bool = False, primary_key: bool = False) -> sa.Column[Any]:
    return sa.Column(name, Words(), nullable=nullable, primary_key=primary_key)


def _micros(name: str, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


workspaces: Final = sa.Table(
    "workspaces",
    metadata,
    _id(),
    _words("name"),
    sa.Column("handle", Words(), nullable=False, unique=True),
    _micros("created_at"),
)

api_keys: Final = sa.Table(
    "api_keys",
    metadata,
    _id(),
    _workspace(),
    _words("name"),
    _words("role"),
    sa.Column("key_hash", Words(), nullable=False, unique=True),
    _words("hint"),
    _micros("created_at"),
    _micros("revoked_at", nullable=True),
    sa.Index(None, "workspace_id"),
)

# name_folded is the name without case distinctions: the engines' own lower() do not agree beyond ASCII.
projects: Final = sa.Table(
    "projects",
    metadata,
    _workspace(primary_key=True),
    _id(),
    _words("name"),
    _words("name_folded"),
    _words("description", nullable=True),
    _micros("start_time"),
    _micros("end_time", nullable=True),
    sa.Column("extra", RawJson(), nullable=True),
    sa.Column("default_dataset_id", sa.Uuid(), nullable=True),
    sa.Column("reference_dataset_id", sa.Uuid(), nullable=True),
    _words("trace_tier", nullable=True),
    sa.Column("longlived_ttl_days", sa.Integer(), nullable=True),
    sa.Column("test_run_number", sa.Integer(), nullable=True),
    _micros("created_at"),
    _micros("modified_at"),
    _micros("deleted_at", nullable=True),
    sa.Column("num_examples", sa.Integer(), nullable=True),
    sa.Column("num_repetitions", sa.Integer(), nullable=True),
    sa.Column("evaluator_keys", RawJson(), nullable=True),
)

# Only a project that still exists holds its name.
LIVE: Final = projects.c.deleted_at.is_(None)
sa.Index(
    "uq_projects_live_name",
    projects.c.workspace_id,
    projects.c.name,
    unique=True,
    sqlite_where=LIVE,
    postgresql_where=LIVE,
)
sa.Index("ix_projects_start_time", projects.c.workspace_id, projects.c.start_time)
sa.Index(
    "uq_projects_test_run_number",
    projects.c.workspace_id,
    projects.c.reference_dataset_id,
    projects.c.test_run_number,
    unique=True,
)

shares: Final = sa.Table(
    "shares",
    metadata,
    _id("token"),
    _workspace(),
    _words("kind"),
    _words("target_id"),
    sa.Column("project_id", sa.Uuid(), nullable=True),
    _micros("created_at"),
    sa.UniqueConstraint("workspace_id", "kind", "target_id", name="uq_shares_target"),
)
sa.Index("ix_shares_project_id", shares.c.workspace_id, shares.c.project_id)

feedback_configs: Final = sa.Table(
    "feedback_configs",
    metadata,
    _workspace(primary_key=True),
    _words("key", primary_key=True),
    _words("key_folded"),
    sa.Column("config", RawJson(), nullable=False),
    sa.Column("is_lower_score_better", sa.Boolean(), nullable=True),
    sa.Column("is_enforced", sa.Boolean(), nullable=False),
    _micros("modified_at"),
    _micros("deleted_at", nullable=True),
)

feedback_tokens: Final = sa.Table(
    "feedback_tokens",
    metadata,
    _id(),
    _workspace(),
    _id("run_id", primary_key=False),
    _words("key"),
    sa.Column("config", RawJson(), nullable=True),
    _micros("expires_at"),
    _micros("created_at"),
)
sa.Index("ix_feedback_tokens_run_id", feedback_tokens.c.workspace_id, feedback_tokens.c.run_id)

# Prices are decimals kept as text: neither engine's driver may round them. The lists are JSON.
model_prices: Final = sa.Table(
    "model_prices",
    metadata,
    _workspace(primary_key=True),
    _id(),
    _words("name"),
    _words("match_pattern"),
    sa.Column("match_path", RawJson(), nullable=False),
    _words("prompt_cost"),
    _words("completion_cost"),
    sa.Column("prompt_cost_details", RawJson(), nullable=False),
    sa.Column("completion_cost_details", RawJson(), nullable=False),
    _words("provider", nullable=True),
    _micros("start_time", nullable=True),
    _micros("created_at"),
)

views: Final = sa.Table(
    "views",
    metadata,
    _workspace(primary_key=True),
    _id(),
    _id("project_id", primary_key=False),
    _words("display_name"),
    _words("description", nullable=True),
    _words("type"),
    _words("filter_string", nullable=True),
    _words("trace_filter_string", nullable=True),
    _words("tree_filter_string", nullable=True),
    _micros("start_time", nullable=True),
    _micros("end_time", nullable=True),
    _words("duration", nullable=True),
    _micros("created_at"),
    _micros("updated_at"),
    sa.ForeignKeyConstraint(
        ["workspace_id", "project_id"], ["projects.workspace_id", "projects.id"], name="fk_views_project"
    ),
)
sa.Index("ix_views_project_id", views.c.workspace_id, views.c.project_id)

datasets: Final = sa.Table(
    "datasets",
    metadata,
    _workspace(primary_key=True),
    _id(),
    _words("name"),
    _words("name_folded"),
    _words("description", nullable=True),
    _words("data_type"),
    sa.Column("inputs_schema", RawJson(), nullable=True),
    sa.Column("outputs_schema", RawJson(), nullable=True),
    sa.Column("transformations", RawJson(), nullable=True),
    sa.Column("metadata", RawJson(), nullable=True),
    sa.Column("externally_managed", sa.Boolean(), nullable=False),
    sa.Column("baseline_experiment_id", sa.Uuid(), nullable=True),
    _micros("created_at"),
    _micros("modified_at"),
    sa.UniqueConstraint("workspace_id", "name", name="uq_datasets_name"),
)


def _dataset(table: str) -> sa.ForeignKeyConstraint:
    """Rows that go with their dataset."""
    return sa.ForeignKeyConstraint(
        ["workspace_id", "dataset_id"],
        ["datasets.workspace_id", "datasets.id"],
        name=f"fk_{table}_dataset",
        ondelete="CASCADE",
    )


dataset_versions: Final = sa.Table(
    "dataset_versions",
    metadata,
    _workspace(primary_key=True),
    _id("dataset_id"),
    sa.Column("as_of", sa.BigInteger(), primary_key=True, nullable=False, autoincrement=False),
    _dataset("dataset_versions"),
)

dataset_tags: Final = sa.Table(
    "dataset_tags",
    metadata,
    _workspace(primary_key=True),
    _id("dataset_id"),
    _words("tag", primary_key=True),
    _micros("as_of"),
    _dataset("dataset_tags"),
)

# One row a version of an example, valid from `valid_from` until `valid_to` (exclusive; null: still). Payloads
# are the last columns: SQLite reads what comes before them without touching their pages.
examples: Final = sa.Table(
    "examples",
    metadata,
    _workspace(primary_key=True),
    _id(),
    sa.Column("valid_from", sa.BigInteger(), primary_key=True, nullable=False, autoincrement=False),
    _micros("valid_to", nullable=True),
    _id("dataset_id", primary_key=False),
    sa.Column("ordinal", sa.Integer(), nullable=False),
    _micros("created_at"),
    sa.Column("source_run_id", sa.Uuid(), nullable=True),
    sa.Column("files", RawJson(), nullable=True),
    sa.Column("metadata", RawJson(), nullable=False),
    sa.Column("inputs", RawJson(), nullable=False),
    sa.Column("outputs", RawJson(), nullable=True),
    _dataset("examples"),
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

# No reference to datasets: a queue may name one that is made later, and outlive it.
annotation_queues: Final = sa.Table(
    "annotation_queues",
    metadata,
    _workspace(primary_key=True),
    _id(),
    _words("name"),
    _words("name_folded"),
    _words("description", nullable=True),
    _words("queue_type"),
    sa.Column("default_dataset", sa.Uuid(), nullable=True),
    sa.Column("num_reviewers_per_item", sa.Integer(), nullable=True),
    sa.Column("enable_reservations", sa.Boolean(), nullable=False),
    sa.Column("reservation_minutes", sa.Integer(), nullable=False),
    _words("reviewer_access_mode"),
    sa.Column("rubric_items", RawJson(), nullable=True),
    _words("rubric_instructions", nullable=True),
    sa.Column("metadata", RawJson(), nullable=True),
    _micros("created_at"),
    _micros("updated_at"),
)


def _goes_with(table: str, parent: str, column: str) -> sa.ForeignKeyConstraint:
    """Rows that are deleted with their parent."""
    return sa.ForeignKeyConstraint(
        ["workspace_id", column],
        [f"{parent}.workspace_id", f"{parent}.id"],
        name=f"fk_{table}_{column}",
        ondelete="CASCADE",
    )


annotation_queue_reviewers: Final = sa.Table(
    "annotation_queue_reviewers",
    metadata,
    _workspace(primary_key=True),
    _id("queue_id"),
    _id("reviewer_id"),
    _micros("assigned_at"),
    _goes_with("annotation_queue_reviewers", "annotation_queues", "queue_id"),
)

# `subject` is what an item is about, as text: a queue has it once.
annotation_queue_items: Final = sa.Table(
    "annotation_queue_items",
    metadata,
    _workspace(primary_key=True),
    _id(),
    _id("queue_id", primary_key=False),
    _words("subject"),
    sa.Column("run_id", sa.Uuid(), nullable=True),
    sa.Column("project_id", sa.Uuid(), nullable=False),
    _words("thread_id", nullable=True),
    _micros("start_time", nullable=True),
    sa.Column("paired_run_id", sa.Uuid(), nullable=True),
    sa.Column("paired_project_id", sa.Uuid(), nullable=True),
    _micros("paired_start_time", nullable=True),
    sa.Column("source_proposed_example_id", sa.Uuid(), nullable=True),
    _micros("added_at"),
    _micros("last_reviewed_time", nullable=True),
    _micros("archived_at", nullable=True),
    sa.UniqueConstraint("workspace_id", "queue_id", "subject", name="uq_annotation_queue_items_subject"),
    _goes_with("annotation_queue_items", "annotation_queues", "queue_id"),
)
for _column in ("run_id", "paired_run_id", "project_id", "paired_project_id"):
    sa.Index(
        f"ix_annotation_queue_items_{_column}",
        annotation_queue_items.c.workspace_id,
        annotation_queue_items.c[_column],
    )
sa.Index(
    "ix_annotation_queue_items_added_at",
    annotation_queue_items.c.workspace_id,
    annotation_queue_items.c.queue_id,
    annotation_queue_items.c.added_at,
)

annotation_queue_reviews: Final = sa.Table(
    "annotation_queue_reviews",
    metadata,
    _workspace(primary_key=True),
    _id("item_id"),
    _id("reviewer_id"),
    _words("status", nullable=True),
    _micros("at"),
    _micros("override_added_at", nullable=True),
    _goes_with("annotation_queue_reviews", "annotation_queue_items", "item_id"),
)

# Of a project or of a dataset: one of the two is null. The parts are JSON.
feedback_formulas: Final = sa.Table(
    "feedback_formulas",
    metadata,
    _workspace(primary_key=True),
    _id(),
    sa.Column("dataset_id", sa.Uuid(), nullable=True),
    sa.Column("project_id", sa.Uuid(), nullable=True),
    _words("feedback_key"),
    _words("aggregation"),
    sa.Column("parts", RawJson(), nullable=False),
    _micros("created_at"),
    _micros("modified_at"),
    sa.UniqueConstraint("workspace_id", "dataset_id", "feedback_key", name="uq_feedback_formulas_of_dataset"),
    sa.UniqueConstraint("workspace_id", "project_id", "feedback_key", name="uq_feedback_formulas_of_project"),
    sa.ForeignKeyConstraint(
        ["workspace_id", "project_id"],
        ["projects.workspace_id", "projects.id"],
        name="fk_feedback_formulas_project",
    ),
    _dataset("feedback_formulas"),
)

# `experiments` are ids as JSON, with no reference: one may be deleted while the comparison stays.
comparative_experiments: Final = sa.Table(
    "comparative_experiments",
    metadata,
    _workspace(primary_key=True),
    _id(),
    _id("dataset_id", primary_key=False),
    _words("name", nullable=True),
    _words("name_folded", nullable=True),
    _words("description", nullable=True),
    sa.Column("experiments", RawJson(), nullable=False),
    sa.Column("extra", RawJson(), nullable=True),
    _micros("created_at"),
    _micros("modified_at"),
    _dataset("comparative_experiments"),
)
sa.Index(
    "ix_comparative_experiments_dataset_id",
    comparative_experiments.c.workspace_id,
    comparative_experiments.c.dataset_id,
)

experiment_view_overrides: Final = sa.Table(
    "experiment_view_overrides",
    metadata,
    _workspace(primary_key=True),
    _id("dataset_id"),
    _id("id", primary_key=False),
    sa.Column("overrides", RawJson(), nullable=False),
    _micros("created_at"),
    _micros("modified_at"),
    _dataset("experiment_view_overrides"),
)

# No reference to workspaces: a record that nothing else would take must find a place here.
dead_letters: Final = sa.Table(
    "dead_letters",
    metadata,
    sa.Column("workspace_id", sa.Uuid(), primary_key=True, nullable=False),
    _id(),
    _words("kind"),
    sa.Column("subject_id", sa.Uuid(), nullable=True),
    _words("reason"),
    sa.Column("record", sa.LargeBinary(), nullable=False),
    _micros("created_at"),
    _micros("replayed_at", nullable=True),
)
sa.Index("ix_dead_letters_created_at", dead_letters.c.workspace_id, dead_letters.c.created_at)

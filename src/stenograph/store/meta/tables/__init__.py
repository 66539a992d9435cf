"""The tables of the metadata store, as the newest migration leaves them.

A change here needs a revision in migrations/versions/; a test compares the two. Times are microseconds.
Ids that a client may choose are unique in a workspace, not in the installation, so that no caller can
learn of another workspace's ids by colliding with them; what is an address without a workspace (share
tokens, feedback tokens) is unique everywhere.
"""

from __future__ import annotations

from stenograph.store.meta.tables.access import api_keys, members, shares, workspaces
from stenograph.store.meta.tables.annotation import (
    annotation_queue_items,
    annotation_queue_removals,
    annotation_queue_reviewers,
    annotation_queue_reviews,
    annotation_queues,
)
from stenograph.store.meta.tables.columns import metadata
from stenograph.store.meta.tables.configurations import charts, configurations, tools
from stenograph.store.meta.tables.conversations import (
    agent_tools,
    agents,
    conversation_answers,
    conversation_entries,
    conversation_relations,
    conversations,
    files,
    jobs,
    metadata_labels,
    secrets,
    summary_tasks,
    users,
)
from stenograph.store.meta.tables.datapoints import datapoint_copies, loose_datapoints
from stenograph.store.meta.tables.datasets import (
    CURRENT,
    comparative_experiments,
    dataset_tags,
    dataset_versions,
    datasets,
    examples,
    experiment_view_overrides,
)
from stenograph.store.meta.tables.docs import doc_chunks, doc_shelves, docs
from stenograph.store.meta.tables.evaluations import evaluations
from stenograph.store.meta.tables.evaluators import (
    evaluator_candidates,
    evaluator_tasks,
    evaluator_versions,
    evaluators,
)
from stenograph.store.meta.tables.feedback import feedback_configs, feedback_formulas, feedback_tokens
from stenograph.store.meta.tables.insights import (
    insight_answers,
    insight_assigned,
    insight_clusters,
    insight_configs,
    insight_following,
    insight_jobs,
    insight_members,
)
from stenograph.store.meta.tables.projects import LIVE, dead_letters, model_prices, projects, views
from stenograph.store.meta.tables.retention import retentions

__all__ = [
    "CURRENT",
    "LIVE",
    "agent_tools",
    "agents",
    "annotation_queue_items",
    "annotation_queue_removals",
    "annotation_queue_reviewers",
    "annotation_queue_reviews",
    "annotation_queues",
    "api_keys",
    "charts",
    "comparative_experiments",
    "configurations",
    "conversation_answers",
    "conversation_entries",
    "conversation_relations",
    "conversations",
    "datapoint_copies",
    "dataset_tags",
    "dataset_versions",
    "datasets",
    "dead_letters",
    "doc_chunks",
    "doc_shelves",
    "docs",
    "evaluations",
    "evaluator_candidates",
    "evaluator_tasks",
    "evaluator_versions",
    "evaluators",
    "examples",
    "experiment_view_overrides",
    "feedback_configs",
    "feedback_formulas",
    "feedback_tokens",
    "files",
    "insight_answers",
    "insight_assigned",
    "insight_clusters",
    "insight_configs",
    "insight_following",
    "insight_jobs",
    "insight_members",
    "jobs",
    "loose_datapoints",
    "members",
    "metadata",
    "metadata_labels",
    "model_prices",
    "projects",
    "retentions",
    "secrets",
    "shares",
    "summary_tasks",
    "tools",
    "users",
    "views",
    "workspaces",
]

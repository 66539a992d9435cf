"""Projects in LangSmith's shapes, where they are called sessions, and what it says of them back into ours."""

from __future__ import annotations

from typing import Any, Final
from uuid import uuid4

import msgspec
from msgspec import Raw

from stenograph.domain.projects.stats import ExperimentProgress, ProjectFigures
from stenograph.model.projects import NewProject, Project, ProjectPatch
from stenograph.model.stats import Facet
from stenograph.wire.http import of_body
from stenograph.wire.langsmith.runs.convert import cost_text, feedback_stats, micros, time_text
from stenograph.wire.langsmith.runs.schemas import SessionIn, SessionPatchIn
from stenograph.wire.payloads import Payloads

STATISTICS: Final = (
    "run_count", "latency_p50", "latency_p99", "first_token_p50", "first_token_p99", "total_tokens",
    "prompt_tokens", "completion_tokens", "total_cost", "prompt_cost", "completion_cost",
    "last_run_start_time", "last_run_start_time_live", "feedback_stats", "session_feedback_stats",
    "run_facets", "error_rate", "streaming_rate", "test_run_number", "experiment_progress",
)  # fmt: skip
"""The members of a TracerSession that are null unless statistics are asked for."""

_EMPTY: Final = Raw(b"{}")


def new_project(sent: SessionIn, payloads: Payloads) -> NewProject:
    """A name is made up where the client left it to us."""
    with of_body():
        return NewProject(
            name=f"project-{uuid4().hex[:8]}" if sent.name is None else sent.name,
            id=sent.id,
            description=sent.description,
            start_time=micros(sent.start_time, "start_time"),
            end_time=micros(sent.end_time, "end_time"),
            extra=payloads.check(sent.extra, "extra", "object"),
            default_dataset_id=sent.default_dataset_id,
            reference_dataset_id=sent.reference_dataset_id,
            trace_tier=sent.trace_tier,
            longlived_ttl_days=sent.longlived_ttl_days,
            num_examples=sent.num_examples,
            num_repetitions=sent.num_repetitions,
            evaluator_keys=None if sent.evaluator_keys is None else tuple(sent.evaluator_keys),
        )


def project_patch(sent: SessionPatchIn, payloads: Payloads) -> ProjectPatch:
    with of_body():
        return ProjectPatch(
            name=sent.name,
            description=sent.description,
            end_time=micros(sent.end_time, "end_time"),
            extra=payloads.check(sent.extra, "extra", "object"),
            default_dataset_id=sent.default_dataset_id,
            trace_tier=sent.trace_tier,
            longlived_ttl_days=sent.longlived_ttl_days,
        )


def plain_session(project: Project) -> dict[str, Any]:
    """TracerSessionWithoutVirtualFields."""
    return {
        "id": project.id,
        "tenant_id": project.workspace,
        "start_time": time_text(project.start_time),
        "end_time": time_text(project.end_time),
        "extra": _EMPTY if project.extra is None else Raw(project.extra),
        "name": project.name,
        "description": project.description,
        "default_dataset_id": project.default_dataset_id,
        "reference_dataset_id": project.reference_dataset_id,
        "trace_tier": project.trace_tier,
        "last_run_start_time_live": None,
    }


def tracer_session(
    project: Project, figures: ProjectFigures | None, keep: frozenset[str] | None = None
) -> dict[str, Any]:
    """TracerSession. Statistics are null without `figures`, and those not in `keep` are null with them."""
    found = {}
    if figures is not None:
        found = statistics(figures, is_experiment=project.reference_dataset_id is not None)
        found["test_run_number"] = project.test_run_number
        found["experiment_progress"] = _progress(figures.progress)
    if keep is not None:
        found = {name: value for name, value in found.items() if name in keep}
    return plain_session(project) | dict.fromkeys(STATISTICS) | found


def statistics(figures: ProjectFigures, *, is_experiment: bool) -> dict[str, Any]:
    """The members of a TracerSession that come from runs and feedback."""
    every, roots = figures.every, figures.roots
    return {
        # Of an experiment each root is one example's answer, and they are what its clients count.
        "run_count": roots.run_count if is_experiment else every.run_count,
        "latency_p50": roots.latency_p50,
        "latency_p99": roots.latency_p99,
        "first_token_p50": every.first_token_p50,
        "first_token_p99": every.first_token_p99,
        "total_tokens": every.total_tokens,
        "prompt_tokens": every.prompt_tokens,
        "completion_tokens": every.completion_tokens,
        "total_cost": cost_text(every.total_cost),
        "prompt_cost": cost_text(every.prompt_cost),
        "completion_cost": cost_text(every.completion_cost),
        "last_run_start_time": time_text(every.last_run_start_time),
        "last_run_start_time_live": time_text(figures.last_start),
        "feedback_stats": feedback_stats(every.feedback),
        "session_feedback_stats": feedback_stats(figures.on_project),
        "run_facets": [run_facet(facet) for facet in figures.facets],
        "error_rate": roots.error_rate,
        "streaming_rate": every.streaming_rate,
    }


def _progress(progress: ExperimentProgress | None) -> dict[str, Any] | None:
    if progress is None:
        return None
    return {
        "expected_run_count": progress.expected_runs,
        "run_progress": progress.runs,
        "evaluator_progress": progress.evaluators,
    }


def run_facet(facet: Facet) -> dict[str, Any]:
    """One value of one field, the filter that selects its runs, and how many they are."""
    value = msgspec.json.encode(facet.value).decode()
    if facet.key == "tag":
        query = f"has(tags, {value})"
    elif facet.key.startswith("metadata."):
        key = msgspec.json.encode(facet.key.removeprefix("metadata.")).decode()
        query = f"and(eq(metadata_key, {key}), eq(metadata_value, {value}))"
    else:
        query = f"eq({facet.key}, {value})"
    return {"key": facet.key, "value": facet.value, "query": query, "count": facet.count}

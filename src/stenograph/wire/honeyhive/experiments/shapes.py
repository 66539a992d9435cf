"""Experiments, their results and comparisons as HoneyHive writes them. Pure.

The unversioned paths are for its TypeScript client, which takes null for nothing, and for the status of a run two
words alone: what it would stumble over is left out there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Raw

from stenograph.domain.experiments.aggregates import Aggregate
from stenograph.domain.experiments.evaluations import EXTERNAL
from stenograph.domain.experiments.judging import (
    ComparedRow,
    EvaluationComparison,
    EvaluationResult,
    MetricRow,
    Scored,
    SessionResult,
    change,
)
from stenograph.domain.experiments.measured import MeasuredEvent
from stenograph.model.evaluations import EvaluationStatus, Experiment
from stenograph.model.evaluators import Threshold
from stenograph.model.projects import metadata_of
from stenograph.wire.honeyhive.times import iso

_KNOWN_OF_OLD: Final = frozenset({EvaluationStatus.PENDING, EvaluationStatus.COMPLETED})


# -- runs ------------------------------------------------------------------------------------------------


def run_json(
    experiment: Experiment, sessions: Sequence[UUID], datasets: Mapping[UUID, str], *, old: bool
) -> dict[str, Any]:
    """A run. `sessions` are those in its project, for one whose client has not said which it counts in."""
    project, said = experiment.project, experiment.evaluation
    counted: Sequence[Any] = sessions
    if said is not None and said.event_ids is not None:
        counted = said.event_ids
    metadata = metadata_of(project.extra)
    found: dict[str, Any] = {
        "id": project.id,
        "run_id": project.id,
        "name": experiment.name,
        "description": project.description,
        "status": experiment.status.value,
        "metadata": metadata if isinstance(metadata, dict) else {},
        "results": _document(None if said is None else said.results, b"{}"),
        "event_ids": counted,
        "configuration": _document(None if said is None else said.configuration, b"{}"),
        "is_active": True if said is None else said.is_active,
        "created_at": iso(project.created_at),
        "updated_at": iso(experiment.modified_at),
        "scope_type": "project",
        "scope_id": project.id,
        "dataset_id": _dataset(experiment),
        "dataset_name": datasets.get(project.reference_dataset_id) if project.reference_dataset_id else None,
        "datapoint_ids": () if said is None else said.datapoint_ids,
        "session_ids": () if said is None else said.session_ids,
        "evaluators": _document(None if said is None else said.evaluators, b"[]"),
        "passing_ranges": _document(None if said is None else said.passing_ranges, b"{}"),
    }
    return _of_old(found, experiment) if old else found


def _dataset(experiment: Experiment) -> str | None:
    """A dataset of ours, or one that the client named. What it keeps for itself stands in metadata."""
    ours = experiment.project.reference_dataset_id
    if ours is not None:
        return str(ours)
    said = experiment.evaluation
    named = None if said is None else said.dataset
    return None if named is None or named.startswith(EXTERNAL) else named


def _of_old(run: dict[str, Any], experiment: Experiment) -> dict[str, Any]:
    """The same as the TypeScript client takes it."""
    found = {key: value for key, value in run.items() if value is not None}
    found["_id"] = found["id"]
    found["tenant"] = experiment.project.workspace
    if experiment.status not in _KNOWN_OF_OLD:
        del found["status"]
    evaluators = msgspec.json.decode(bytes(run["evaluators"]))
    if not all(isinstance(each, dict) for each in evaluators):
        del found["evaluators"]
    return found


def _document(stored: bytes | None, empty: bytes) -> Raw:
    return Raw(empty if stored is None else stored)


def pagination(page: int, limit: int, total: int, unfiltered: int) -> dict[str, Any]:
    pages = -(-total // limit)
    return {
        "page": page,
        "limit": limit,
        "total": total,
        "total_unfiltered": unfiltered,
        "total_pages": pages,
        "has_next": page < pages,
        "has_prev": page > 1,
    }


# -- results ---------------------------------------------------------------------------------------------


def result_json(
    result: EvaluationResult, aggregate: Aggregate, status: EvaluationStatus, run: dict[str, Any]
) -> dict[str, Any]:
    return {
        "status": status.value,
        "success": result.success,
        "passed": result.passed,
        "failed": result.failed,
        "metrics": {
            "aggregation_function": aggregate.value,
            "details": [_detail(row, aggregate) for row in result.rows],
        },
        "datapoints": [_datapoint(session) for session in result.sessions],
        "event_details": [{"event_name": name, "event_type": kind} for name, kind in result.events],
        "run_object": run,
    }


def _detail(row: MetricRow, aggregate: Aggregate) -> dict[str, Any]:
    found: dict[str, Any] = {
        "metric_name": row.metric,
        "metric_type": row.kind,
        "event_name": row.event_name,
        "event_type": row.event_kind,
        "values": row.values,
        "datapoints": {"passed": row.datapoints(True), "failed": row.datapoints(False)},
    }
    _put(found, "aggregate", aggregate.of(row.numbers))
    if row.rule is not None:
        found["passing_range"] = _range(row.rule)
    return found


def _range(rule: Threshold) -> dict[str, float]:
    found: dict[str, float] = {}
    _put(found, "min", rule.min)
    _put(found, "max", rule.max)
    return found


def _datapoint(session: SessionResult) -> dict[str, Any]:
    found: dict[str, Any] = {
        "session_id": session.session,
        "passed": session.passed,
        "metrics": [_scored(one) for one in session.scored],
    }
    _put(found, "datapoint_id", session.datapoint)
    return found


def _scored(one: Scored) -> dict[str, Any]:
    """A text is judged and not shown: HoneyHive's Python client takes numbers, true and false alone."""
    found: dict[str, Any] = {
        "name": one.metric,
        "event_name": one.event.name,
        "event_type": one.event.kind,
        "passed": one.passed,
    }
    if not isinstance(one.measured.value, str):
        found["value"] = one.measured.value
    return found


def metrics_json(events: Sequence[MeasuredEvent]) -> dict[str, Any]:
    """The events that were measured, with their numbers, true and false."""
    found = []
    for event in events:
        values = {key: one.value for key, one in event.metrics.items() if not isinstance(one.value, str)}
        if not values:
            continue
        found.append(
            {
                "event_id": event.id,
                "event_name": event.name,
                "event_type": event.kind,
                "session_id": event.session,
                "metadata": {} if event.datapoint is None else {"datapoint_id": event.datapoint},
                "metrics": values,
            }
        )
    return {"events": found, "totalEvents": len(found)}


# -- comparisons -----------------------------------------------------------------------------------------


def comparison_json(
    comparison: EvaluationComparison, aggregate: Aggregate, new: dict[str, Any], old: dict[str, Any]
) -> dict[str, Any]:
    return {
        "metrics": [_compared(row, aggregate) for row in comparison.rows],
        "commonDatapoints": comparison.common,
        "event_details": [
            {"event_name": name, "event_type": kind, "presence": where}
            for name, kind, where in comparison.events
        ],
        "old_run": old,
        "new_run": new,
    }


def _compared(pair: ComparedRow, aggregate: Aggregate) -> dict[str, Any]:
    """Counts and lists are always there: HoneyHive's clients read them, though its description has none."""
    row = pair.row
    after = None if pair.new is None else aggregate.of(pair.new.numbers)
    before = None if pair.old is None else aggregate.of(pair.old.numbers)
    found: dict[str, Any] = {
        "metric_name": row.metric,
        "event_name": row.event_name,
        "metric_type": row.kind,
        "event_type": row.event_kind,
        "found_count": pair.found,
        "improved_count": len(pair.improved),
        "degraded_count": len(pair.degraded),
        "same_count": len(pair.same),
        "improved": pair.improved,
        "degraded": pair.degraded,
        "same": pair.same,
        "old_values": [] if pair.old is None else pair.old.values,
        "new_values": [] if pair.new is None else pair.new.values,
    }
    _put(found, "old_aggregate", before)
    _put(found, "new_aggregate", after)
    if (changed := change(after, before)) is not None:
        found["difference"] = changed.difference
        _put(found, "percentage_change", changed.percent)
    return found


def _put(found: dict[str, Any], key: str, value: Any) -> None:
    """Absent rather than null, which the TypeScript client takes for no number."""
    if value is not None:
        found[key] = value

"""Metrics between HoneyHive's JSON of today and our definitions. Pure."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw

from stenograph.domain.evaluators.evaluation import Progress
from stenograph.domain.evaluators.evaluators import with_defaults
from stenograph.domain.evaluators.verdicts import Verdict
from stenograph.errors import Invalid
from stenograph.model.evaluators import (
    Category,
    ChildMetric,
    Definition,
    Evaluator,
    EvaluatorType,
    ReturnType,
    TaskStatus,
    Threshold,
    Version,
)
from stenograph.wire.honeyhive.metrics.schemas import MetricIn, MetricPatchIn, ThresholdIn
from stenograph.wire.honeyhive.times import iso
from stenograph.wire.payloads import Payloads

_RATED: Final = frozenset({EvaluatorType.LLM, EvaluatorType.HUMAN})
"""Types whose values are given on a scale, or as one of several categories."""

# -- in --------------------------------------------------------------------------------------------------


def definition(sent: MetricIn, payloads: Payloads) -> Definition:
    """A new definition. Invalid when it breaks one of HoneyHive's rules."""
    first = Definition(name=sent.name, type=sent.type, criteria=sent.criteria)
    is_on = None if sent.enabled_in_prod is UNSET else sent.enabled_in_prod
    found = with_defaults(_applied(sent, first, payloads), enabled=is_on)
    _check(found)
    return found


def changed(sent: MetricPatchIn, former: Definition, payloads: Payloads) -> Definition:
    """The definition with what is stated in the place of what was. Invalid as above."""
    found = _applied(sent, former, payloads)
    _check(found)
    return found


def _applied(sent: MetricPatchIn, to: Definition, payloads: Payloads) -> Definition:
    stated: dict[str, Any] = {
        field: value
        for field in MetricPatchIn.__struct_fields__
        if (value := getattr(sent, field)) is not UNSET
    }
    if sent.threshold is not UNSET:
        stated["threshold"] = None if sent.threshold is None else _threshold(sent.threshold)
    if sent.categories is not UNSET:
        stated["categories"] = tuple(Category(each.category, each.score) for each in sent.categories or ())
    if sent.child_metrics is not UNSET:
        stated["child_metrics"] = tuple(
            ChildMetric(each.name, each.weight, each.id, each.scale) for each in sent.child_metrics or ()
        )
    if sent.filters is not UNSET:
        document = payloads.check_values(sent.filters.filter_array, "filterArray", "array")
        stated["filters"] = Raw(document or b"[]")
    return msgspec.structs.replace(to, **stated)


def _threshold(sent: ThresholdIn) -> Threshold:
    return Threshold(sent.min, sent.max, sent.pass_when, tuple(sent.passing_categories or ()))


def _check(found: Definition) -> None:
    """HoneyHive's own rules, as its documents give them: what else has to hold, the domain knows."""
    if found.type is EvaluatorType.LLM:
        for field in ("model_provider", "model_name"):
            if not getattr(found, field):
                raise Invalid(
                    "is missing: a metric of the type LLM needs model_provider and model_name", (field,)
                )
    if found.type in _RATED:
        if found.return_type is ReturnType.FLOAT and found.scale is None:
            raise Invalid(
                f"is missing: a metric of the type {found.type.value} that returns a float needs the highest value "
                "that it may have",
                ("scale",),
            )
        if found.return_type is ReturnType.CATEGORICAL and not found.categories:
            raise Invalid("is missing: a categorical metric needs the categories there are", ("categories",))


# -- out -------------------------------------------------------------------------------------------------


def item(evaluator: Evaluator) -> dict[str, Any]:
    """MetricItem."""
    return {
        "id": evaluator.id,
        "_id": evaluator.id,
        **content(evaluator.definition),
        "created_at": iso(evaluator.created_at),
        "updated_at": None if evaluator.updated_at is None else iso(evaluator.updated_at),
    }


def content(found: Definition) -> dict[str, Any]:
    """MetricVersionContent."""
    return {
        "name": found.name,
        "type": found.type,
        "criteria": found.criteria,
        "description": found.description,
        "return_type": found.return_type,
        "enabled_in_prod": found.enabled_in_prod,
        "needs_ground_truth": found.needs_ground_truth,
        "sampling_percentage": found.sampling_percentage,
        "model_provider": found.model_provider,
        "model_name": found.model_name,
        "scale": found.scale,
        "threshold": found.threshold,
        "categories": found.categories or None,
        "child_metrics": found.child_metrics or None,
        "filters": {"filterArray": found.filters},
    }


def version(found: Version, evaluator: Evaluator) -> dict[str, Any]:
    """MetricVersion."""
    return {
        "name": found.name,
        "full_sha": found.sha,
        "message": found.message,
        "date": iso(found.created_at),
        "deployed": found.id == evaluator.live.id,
        "content": content(found.definition),
    }


def result(verdict: Verdict) -> dict[str, Any]:
    """RunMetricResponse."""
    return {
        "success": True,
        "loading": False,
        "result": verdict.value,
        "explanation": verdict.explanation,
    }


def failure(reason: str) -> dict[str, Any]:
    """The same, for an evaluator that found nothing."""
    return {"success": False, "loading": False, "result": None, "explanation": reason}


def progress(found: Progress) -> dict[str, Any]:
    """Ours: how an evaluator is getting on with new events."""
    return {
        **{status.value: found.counts.get(status, 0) for status in TaskStatus},
        "problem": found.problem,
        "evaluations": [
            {
                "event_id": task.run_id,
                "version_id": task.version_id,
                "status": task.status,
                "attempts": task.attempts,
                "reason": task.reason,
                "due_at": iso(task.due_at) if task.status is TaskStatus.WAITING else None,
                "created_at": iso(task.created_at),
                "updated_at": iso(task.modified_at),
            }
            for task in found.tasks
        ],
    }

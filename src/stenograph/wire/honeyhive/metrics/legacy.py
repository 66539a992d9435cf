"""Metrics as HoneyHive's older clients write them, at the unversioned path.

Types have other names (custom, model), a program is a `code_snippet` and a question to a model a `prompt`; the events
that a metric is for are those of one type and one name; a metric that is enabled is for all of them. What is unknown is
left out of answers: HoneyHive's TypeScript client takes nothing for null.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw

from stenograph.domain.evaluators.evaluators import with_defaults
from stenograph.errors import Invalid
from stenograph.model.evaluators import (
    ChildMetric,
    Definition,
    Evaluator,
    EvaluatorType,
    ReturnType,
    Threshold,
)
from stenograph.wire.honeyhive.metrics.schemas import LegacyMetricIn, LegacyMetricPatchIn
from stenograph.wire.honeyhive.times import iso

TYPES: Final = {
    "custom": EvaluatorType.PYTHON,
    "model": EvaluatorType.LLM,
    "human": EvaluatorType.HUMAN,
    "composite": EvaluatorType.COMPOSITE,
}
_NAMES: Final = {found: name for name, found in TYPES.items()}
_CRITERIA: Final = {EvaluatorType.PYTHON: "code_snippet", EvaluatorType.LLM: "prompt"}
_ALL: Final = 100.0

_children = msgspec.json.Decoder(list[dict[str, Any]]).decode


def type_of(text: str) -> EvaluatorType:
    """The type of that name, of whatever age; Invalid when there is none."""
    found = TYPES.get(text.lower())
    try:
        return found or EvaluatorType(text.upper())
    except ValueError:
        known = ", ".join([*EvaluatorType, *TYPES])
        raise Invalid(f"{text[:40]!r} is none of {known}", ("query", "type")) from None


def definition(sent: LegacyMetricIn) -> Definition:
    """A new definition, for all events that match."""
    kind = type_of(sent.type)
    first = Definition(name=sent.name, type=kind, criteria="", sampling_percentage=_ALL)
    is_on = None if sent.enabled_in_prod is UNSET else sent.enabled_in_prod
    return with_defaults(changed(sent, first), enabled=is_on)


def changed(sent: LegacyMetricPatchIn, former: Definition) -> Definition:
    """The definition with what is stated, and is not null, in the place of what was."""
    stated: dict[str, Any] = {
        field: value
        for field in (
            "name", "description", "return_type", "enabled_in_prod", "needs_ground_truth", "sampling_percentage",
            "model_provider", "model_name", "scale",
        )
        if (value := getattr(sent, field)) is not UNSET and value is not None
    }  # fmt: skip
    kind = former.type if sent.type is UNSET else type_of(sent.type)
    stated["type"] = kind
    for field in (_CRITERIA.get(kind, "criteria"), "criteria", "code_snippet", "prompt"):
        text = getattr(sent, field)
        if text is not UNSET and text:
            stated["criteria"] = text
            break
    stated["threshold"] = _threshold(sent, former)
    if isinstance(sent.child_metrics, list):
        stated["child_metrics"] = tuple(_child(each, place) for place, each in enumerate(sent.child_metrics))
    stated["filters"] = _filters(sent, former)
    return msgspec.structs.replace(former, **stated)


def _threshold(sent: LegacyMetricPatchIn, former: Definition) -> Threshold | None:
    found = former.threshold or Threshold()
    if sent.threshold is not UNSET and sent.threshold is not None:
        found = msgspec.structs.replace(found, min=sent.threshold.min, max=sent.threshold.max)
    if sent.pass_when is not UNSET:
        found = msgspec.structs.replace(found, pass_when=sent.pass_when)
    return None if found == Threshold() else found


def _child(sent: dict[str, Any], place: int) -> ChildMetric:
    """A part of a composite; its shape is not documented, and a weight may be missing."""
    where = ("child_metrics", place)
    name, weight, scale = (
        sent.get("name") or sent.get("metric_name"),
        sent.get("weight", 1),
        sent.get("scale"),
    )
    identity = sent.get("id") or sent.get("_id") or sent.get("metric_id")
    if not isinstance(name, str):
        raise Invalid("must be a text", (*where, "name"))
    if isinstance(weight, bool) or not isinstance(weight, int | float):
        raise Invalid("must be a number", (*where, "weight"))
    if scale is not None and (isinstance(scale, bool) or not isinstance(scale, int)):
        raise Invalid("must be a whole number", (*where, "scale"))
    return ChildMetric(name, float(weight), identity if isinstance(identity, str) else None, scale)


def _filters(sent: LegacyMetricPatchIn, former: Definition) -> Raw:
    """The filters, those by type and by name replaced where they are stated."""
    filters = _children(former.filters)
    for field in ("event_type", "event_name"):
        value = getattr(sent, field)
        if value is UNSET:
            continue
        filters = [each for each in filters if not _is_on(each, field)]
        if value:
            filters.append({"field": field, "operator": "is", "value": value, "type": "string"})
    return Raw(msgspec.json.encode(filters))


def _is_on(found: dict[str, Any], field: str) -> bool:
    return found.get("field") == field and found.get("operator") == "is"


def item(evaluator: Evaluator, project: str) -> dict[str, Any]:
    """Metric. `project` is the one that was asked for, which stands for those that are for all."""
    found = evaluator.definition
    threshold = found.threshold
    members: dict[str, Any] = {
        "_id": evaluator.id,
        "id": evaluator.id,
        "name": found.name,
        "task": evaluator.project or project,
        "type": _NAMES[found.type],
        "criteria": found.criteria,
        _CRITERIA.get(found.type, "criteria"): found.criteria,
        "description": found.description or "",
        "return_type": ReturnType.STRING
        if found.return_type is ReturnType.CATEGORICAL
        else found.return_type,
        "enabled_in_prod": found.enabled_in_prod,
        "needs_ground_truth": found.needs_ground_truth,
        "sampling_percentage": found.sampling_percentage,
        "model_provider": found.model_provider,
        "model_name": found.model_name,
        "scale": found.scale,
        "child_metrics": [*map(msgspec.to_builtins, found.child_metrics)] or None,
        "created_at": iso(evaluator.created_at),
        "updated_at": None if evaluator.updated_at is None else iso(evaluator.updated_at),
    }
    if threshold is not None and (threshold.min is not None or threshold.max is not None):
        bounds = {"min": threshold.min, "max": threshold.max}
        members["threshold"] = {name: value for name, value in bounds.items() if value is not None}
    if threshold is not None and isinstance(threshold.pass_when, bool):
        members["pass_when"] = threshold.pass_when
    for each in _children(found.filters):
        for field in ("event_type", "event_name"):
            if _is_on(each, field) and isinstance(each.get("value"), str):
                members[field] = each["value"]
    return {name: value for name, value in members.items() if value is not None}

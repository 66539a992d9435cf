"""Bodies of the routes of metrics, under HoneyHive's names: those of `/v1`, which refuse what they do not know, and the
older ones, which call types and programs otherwise and pass over what they do not know."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from stenograph.model.evaluators import EvaluatorType, ReturnType

Name = Annotated[str, Meta(max_length=200)]
Percentage = Annotated[float, Meta(ge=0, le=100)]
Scale = Annotated[int, Meta(gt=0)]


class ThresholdIn(Struct, forbid_unknown_fields=True):
    min: float | None = None
    max: float | None = None
    pass_when: bool | float | None = None
    passing_categories: Annotated[list[Name], Meta(min_length=1)] | None = None


class CategoryIn(Struct, forbid_unknown_fields=True):
    category: Name
    score: float | None


class ChildMetricIn(Struct, forbid_unknown_fields=True):
    name: Name
    weight: float
    id: str | None = None
    scale: Scale | None = None


class FiltersIn(Struct, forbid_unknown_fields=True):
    """`{"filterArray": […]}`."""

    filter_array: Raw = msgspec.field(name="filterArray")


class MetricPatchIn(Struct, forbid_unknown_fields=True, kw_only=True):
    """UpdateMetricRequest: what it does not state stays."""

    name: Name | UnsetType = UNSET
    type: EvaluatorType | UnsetType = UNSET
    criteria: str | UnsetType = UNSET
    description: str | None | UnsetType = UNSET
    return_type: ReturnType | UnsetType = UNSET
    enabled_in_prod: bool | UnsetType = UNSET
    needs_ground_truth: bool | UnsetType = UNSET
    sampling_percentage: Percentage | UnsetType = UNSET
    model_provider: str | None | UnsetType = UNSET
    model_name: str | None | UnsetType = UNSET
    scale: Scale | None | UnsetType = UNSET
    threshold: ThresholdIn | None | UnsetType = UNSET
    categories: Annotated[list[CategoryIn], Meta(min_length=1)] | None | UnsetType = UNSET
    child_metrics: Annotated[list[ChildMetricIn], Meta(min_length=1)] | None | UnsetType = UNSET
    filters: FiltersIn | UnsetType = UNSET


class MetricIn(MetricPatchIn, forbid_unknown_fields=True, kw_only=True):
    """CreateMetricRequest, MetricVersionContentRequest, RunMetricRequestMetric."""

    name: Name
    type: EvaluatorType
    criteria: str


class MetricPatchWithIdIn(MetricPatchIn, forbid_unknown_fields=True, kw_only=True):
    """LegacyUpdateMetricRequest: PUT /v1/metrics."""

    id: str


class VersionIn(Struct, forbid_unknown_fields=True):
    """CreateMetricVersionRequest."""

    message: str
    content: MetricIn
    deploy_immediately: bool = False


class RunIn(Struct):
    """RunMetricRequest. The event is any object; older clients may leave it out."""

    metric: MetricIn
    event: Raw = Raw(b"{}")


class StrictRunIn(RunIn, forbid_unknown_fields=True):
    """The same of POST /v1/metrics/run."""


# -- the older ones ------------------------------------------------------------------------------------------

LegacyType: TypeAlias = Literal[
    "custom", "model", "human", "composite", "PYTHON", "LLM", "HUMAN", "COMPOSITE"
]


class LegacyThresholdIn(Struct):
    min: float | None = None
    max: float | None = None


class LegacyMetricPatchIn(Struct, kw_only=True):
    """MetricEdit. `criteria` stands for people and composites, `code_snippet` and `prompt` for the others."""

    metric_id: str | None = None
    id: str | None = None
    name: Name | UnsetType = UNSET
    type: LegacyType | UnsetType = UNSET
    criteria: str | None | UnsetType = UNSET
    code_snippet: str | None | UnsetType = UNSET
    prompt: str | None | UnsetType = UNSET
    description: str | None | UnsetType = UNSET
    return_type: ReturnType | UnsetType = UNSET
    enabled_in_prod: bool | None | UnsetType = UNSET
    needs_ground_truth: bool | None | UnsetType = UNSET
    sampling_percentage: Percentage | None | UnsetType = UNSET
    threshold: LegacyThresholdIn | None | UnsetType = UNSET
    pass_when: bool | float | None | UnsetType = UNSET
    event_name: str | None | UnsetType = UNSET
    event_type: str | None | UnsetType = UNSET
    model_provider: str | None | UnsetType = UNSET
    model_name: str | None | UnsetType = UNSET
    scale: Scale | None | UnsetType = UNSET
    child_metrics: list[dict[str, Any]] | None | UnsetType = UNSET


class LegacyMetricIn(LegacyMetricPatchIn, kw_only=True):
    """Metric. `task` is the name of its project."""

    name: Name
    type: LegacyType
    task: str = ""

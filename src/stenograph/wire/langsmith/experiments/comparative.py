"""LangSmith's routes of comparative experiments, and of how a dataset's experiments are shown."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.domain.experiments.comparisons import ComparisonFigures, NewComparison
from stenograph.errors import Invalid
from stenograph.model.access import Permission
from stenograph.model.experiments import ColumnOverride, ComparisonQuery, ComparisonSort, ViewOverride
from stenograph.wire.http import Params, body_as, caller, encode, of_body, path_uuid, services
from stenograph.wire.langsmith.examples.shapes import utc_text
from stenograph.wire.langsmith.experiments.schemas import ComparativeExperimentIn, ViewOverrideIn
from stenograph.wire.langsmith.experiments.shapes import comparative_experiment
from stenograph.wire.langsmith.runs.convert import feedback_stats, micros

MAX_LIMIT: Final = 100
MAX_OFFSET: Final = 2**31
_PRIVATE: Final = ("tenant_id", "reference_dataset_id")


def routes() -> list[BaseRoute]:
    """To stand before those of datasets by id."""
    overrides = "/datasets/{dataset_id}/experiment-view-overrides"
    return [
        Route("/datasets/comparative", create, methods=["POST"]),
        Route("/datasets/comparative/{comparative_experiment_id}", delete, methods=["DELETE"]),
        Route("/datasets/{dataset_id}/comparative", find, methods=["GET"]),
        Route(overrides, overrides_of, methods=["GET"]),
        Route(overrides, create_override, methods=["POST"]),
        Route(f"{overrides}/{{override_id}}", read_override, methods=["GET"]),
        Route(f"{overrides}/{{override_id}}", replace_override, methods=["PATCH"]),
        Route(f"{overrides}/{{override_id}}", delete_override, methods=["DELETE"]),
    ]


# -- comparative experiments -----------------------------------------------------------------------------


async def create(request: Request) -> Response:
    """POST /datasets/comparative."""
    who = await caller(request, Permission.WRITE)
    to = services(request)
    sent = await body_as(request, ComparativeExperimentIn)
    with of_body():
        wanted = NewComparison(
            experiments=tuple(sent.experiment_ids),
            id=sent.id,
            dataset_id=sent.reference_dataset_id,
            name=sent.name,
            description=sent.description,
            extra=to.payloads.check_values(sent.extra, "extra", "object"),
            created_at=micros(sent.created_at, "created_at"),
            modified_at=micros(sent.modified_at, "modified_at"),
        )
    created = await to.experiments.comparisons.create(who.workspace, wanted)
    return encode(comparative_experiment(created))


async def find(request: Request) -> Response:
    """GET /datasets/{dataset_id}/comparative."""
    who = await caller(request, Permission.READ)
    dataset_id = path_uuid(request, "dataset_id")
    await services(request).datasets.check(who.workspace, dataset_id)
    return encode(await comparisons_page(request, who.workspace, dataset_id))


async def comparisons_page(
    request: Request, workspace: UUID, dataset_id: UUID, *, public: bool = False
) -> list[dict[str, Any]]:
    """The page that the request's parameters ask for; `public`: for who reads a shared dataset."""
    params = Params(request)
    sort = params.text("sort_by") or ComparisonSort.CREATED_AT.value
    if sort not in set(ComparisonSort):
        raise Invalid(f"{sort[:40]!r} is not one of {', '.join(ComparisonSort)}", where=("query", "sort_by"))
    descending = params.flag("sort_by_desc")
    found = await services(request).experiments.comparisons.find(
        ComparisonQuery(
            workspace=workspace,
            dataset_id=dataset_id,
            ids=params.uuids("id") or None,
            name=params.text("name"),
            name_contains=params.text("name_contains"),
            sort=ComparisonSort(sort),
            descending=True if descending is None else descending,
            offset=params.number("offset", 0, 0, MAX_OFFSET),
            limit=params.number("limit", MAX_LIMIT, 1, MAX_LIMIT),
        )
    )
    return [_listed(each, public) for each in found]


def _listed(figures: ComparisonFigures, public: bool) -> dict[str, Any]:
    """ComparativeExperiment, or PublicComparativeExperiment."""
    out = comparative_experiment(figures.comparison)
    out["experiments_info"] = [
        {"id": experiment.id, "name": experiment.name} for experiment in figures.experiments
    ]
    out["feedback_stats"] = feedback_stats(figures.feedback, public=public)
    return {name: value for name, value in out.items() if not public or name not in _PRIVATE}


async def delete(request: Request) -> Response:
    """DELETE /datasets/comparative/{comparative_experiment_id}."""
    who = await caller(request, Permission.WRITE)
    comparison_id = path_uuid(request, "comparative_experiment_id")
    await services(request).experiments.comparisons.delete(who.workspace, comparison_id)
    return encode({"message": f"comparative experiment {comparison_id} deleted"})


# -- how experiments are shown ---------------------------------------------------------------------------


async def overrides_of(request: Request) -> Response:
    """GET /datasets/{dataset_id}/experiment-view-overrides: a list of at most one."""
    who = await caller(request, Permission.READ)
    to = services(request).experiments.view_overrides
    found = await to.of_dataset(who.workspace, path_uuid(request, "dataset_id"))
    return encode([] if found is None else [view_override(found)])


async def read_override(request: Request) -> Response:
    """GET /datasets/{dataset_id}/experiment-view-overrides/{override_id}."""
    who = await caller(request, Permission.READ)
    dataset_id, override_id = _place(request)
    to = services(request).experiments.view_overrides
    return encode(view_override(await to.read(who.workspace, dataset_id, override_id)))


async def create_override(request: Request) -> Response:
    """POST /datasets/{dataset_id}/experiment-view-overrides."""
    who = await caller(request, Permission.WRITE)
    dataset_id = path_uuid(request, "dataset_id")
    sent = await body_as(request, ViewOverrideIn)
    to = services(request).experiments.view_overrides
    return encode(view_override(await to.create(who.workspace, dataset_id, _columns(sent))), 201)


async def replace_override(request: Request) -> Response:
    """PATCH /datasets/{dataset_id}/experiment-view-overrides/{override_id}: all columns are replaced."""
    who = await caller(request, Permission.WRITE)
    dataset_id, override_id = _place(request)
    sent = await body_as(request, ViewOverrideIn)
    to = services(request).experiments.view_overrides
    return encode(view_override(await to.replace(who.workspace, dataset_id, override_id, _columns(sent))))


async def delete_override(request: Request) -> Response:
    """DELETE /datasets/{dataset_id}/experiment-view-overrides/{override_id}."""
    who = await caller(request, Permission.WRITE)
    dataset_id, override_id = _place(request)
    await services(request).experiments.view_overrides.delete(who.workspace, dataset_id, override_id)
    return Response(status_code=204)


def _place(request: Request) -> tuple[UUID, UUID]:
    return path_uuid(request, "dataset_id"), path_uuid(request, "override_id")


def _columns(sent: ViewOverrideIn) -> list[ColumnOverride]:
    return [
        ColumnOverride(
            column=each.column,
            color_gradient=None if each.color_gradient is None else tuple(each.color_gradient),
            color_map=each.color_map,
            precision=each.precision,
            hide=each.hide,
            disable_colors=each.disable_colors,
        )
        for each in sent.column_overrides
    ]


def view_override(override: ViewOverride) -> dict[str, Any]:
    """ExperimentViewOverride."""
    return {
        "id": override.id,
        "dataset_id": override.dataset_id,
        "column_overrides": msgspec.Raw(override.overrides),
        "created_at": utc_text(override.created_at),
        "modified_at": utc_text(override.modified_at),
    }

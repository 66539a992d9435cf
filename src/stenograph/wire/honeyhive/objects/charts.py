"""HoneyHive's routes of saved charts, of both generations: `/v1/charts` with all of the workspace, PUT to change one;
and `/v1/projects/{project_id}/charts` with those of a project and of no project in particular, PATCH to change one.

Figures, for saved charts and others, come from POST …/charts/query: chart_figures.py.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from uuid import UUID, uuid4

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stenograph.errors import Invalid
from stenograph.model.access import Permission
from stenograph.model.charts import Chart, ChartPatch
from stenograph.wire.honeyhive import times
from stenograph.wire.honeyhive.objects.projects import in_path
from stenograph.wire.honeyhive.requests import path_id
from stenograph.wire.http import body_as, caller, encode, of_body, services

Name = Annotated[str, Meta(max_length=200)]
Filled = Annotated[str, Meta(min_length=1)]
Bucketing = Literal["minute", "hour", "day", "week", "month"]
MAX_FILTERS: Final = 100


class DateRangeIn(Struct, forbid_unknown_fields=True):
    """RelativeDateRange or AbsoluteDateRange. Python's client leaves the dollar signs out when it writes."""

    relative: Annotated[str, Meta(max_length=200)] | None = None
    gte: str | int | float | None = field(name="$gte", default=None)
    lte: str | int | float | None = field(name="$lte", default=None)
    plain_gte: str | int | float | None = field(name="gte", default=None)
    plain_lte: str | int | float | None = field(name="lte", default=None)


class QueryFilterIn(Struct, forbid_unknown_fields=True):
    """QueryFilter. Python's client leaves a value of null out."""

    field: str
    operator: str
    type: str
    value: str | int | float | bool | None = None


class ChartIn(Struct, forbid_unknown_fields=True):
    """CreateChartRequest."""

    name: Name
    metric: Filled
    description: str | None = None
    func: str | None = None
    group_by: str | None = field(name="groupBy", default=None)
    bucketing: Bucketing = "day"
    date_range: DateRangeIn | None = field(name="dateRange", default=None)
    query: list[QueryFilterIn] | None = None
    owner_id: Filled | None = None


class ChartPatchIn(Struct, forbid_unknown_fields=True):
    """UpdateChartRequest: what it does not state stays."""

    name: Name | UnsetType = UNSET
    metric: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    func: str | UnsetType = UNSET
    group_by: str | UnsetType | None = field(name="groupBy", default=UNSET)
    bucketing: Bucketing | UnsetType = UNSET
    date_range: DateRangeIn | UnsetType = field(name="dateRange", default=UNSET)
    query: list[QueryFilterIn] | UnsetType = UNSET
    owner_id: Filled | UnsetType = UNSET


def routes() -> list[Route]:
    """After those of figures: `query` is no chart's id."""
    of_project = "/v1/projects/{project_id}/charts"
    return [
        *(
            route
            for path, change in (("/v1/charts", "PUT"), (of_project, "PATCH"))
            for route in (
                Route(path, find, methods=["GET"]),
                Route(path, create, methods=["POST"]),
                Route(f"{path}/{{chart_id}}", read, methods=["GET"]),
                Route(f"{path}/{{chart_id}}", update, methods=[change]),
                Route(f"{path}/{{chart_id}}", delete, methods=["DELETE"]),
            )
        )
    ]


async def find(request: Request) -> Response:
    """GET: oldest first."""
    workspace, project = await place(request, Permission.READ)
    charts = await services(request).objects.charts.find(workspace, project)
    return encode({"success": True, "data": [item(chart) for chart in charts]})


async def create(request: Request) -> Response:
    """POST. Without a project in the path the chart is every project's."""
    workspace, project = await place(request, Permission.WRITE)
    sent = await body_as(request, ChartIn)
    with of_body():
        chart = Chart(
            id=uuid4(),
            workspace=workspace,
            name=sent.name,
            metric=sent.metric,
            created_at=times.now(),
            project_id=project,
            description=sent.description,
            func=sent.func,
            group_by=sent.group_by,
            bucketing=sent.bucketing,
            date_range=None if sent.date_range is None else _date_range(sent.date_range),
            query=None if sent.query is None else _query(sent.query),
            owner_id=sent.owner_id,
        )
        return _one(await services(request).objects.charts.create(chart))


async def read(request: Request) -> Response:
    """GET /{chart_id}."""
    workspace, project = await place(request, Permission.READ)
    chart_id = path_id(request, "chart_id", "chart")
    return _one(await services(request).objects.charts.read(workspace, chart_id, project))


async def update(request: Request) -> Response:
    """PUT and PATCH /{chart_id}: changes what is stated, either way."""
    workspace, project = await place(request, Permission.WRITE)
    chart_id = path_id(request, "chart_id", "chart")
    sent = await body_as(request, ChartPatchIn)
    with of_body():
        patch = ChartPatch(
            name=sent.name,
            metric=sent.metric,
            description=sent.description,
            func=sent.func,
            group_by=sent.group_by,
            bucketing=sent.bucketing,
            date_range=UNSET if isinstance(sent.date_range, UnsetType) else _date_range(sent.date_range),
            query=UNSET if isinstance(sent.query, UnsetType) else _query(sent.query),
            owner_id=sent.owner_id,
        )
        return _one(await services(request).objects.charts.update(workspace, chart_id, patch, project))


async def delete(request: Request) -> Response:
    """DELETE /{chart_id}."""
    workspace, project = await place(request, Permission.WRITE)
    chart_id = path_id(request, "chart_id", "chart")
    await services(request).objects.charts.delete(workspace, chart_id, project)
    return encode({"success": True, "message": f"chart {chart_id} deleted"})


async def place(request: Request, permission: Permission) -> tuple[UUID, UUID | None]:
    """The caller's workspace, and the project that the path names, if it names one."""
    who = await caller(request, permission)
    project = await in_path(request, who.workspace) if "project_id" in request.path_params else None
    return who.workspace, project


def _date_range(sent: DateRangeIn) -> bytes:
    """As HoneyHive writes it. What a relative range is called is for whoever draws the chart."""
    since = sent.plain_gte if sent.gte is None else sent.gte
    until = sent.plain_lte if sent.lte is None else sent.lte
    if (sent.relative is None) == (since is None and until is None):
        raise Invalid('give either {"relative": …} or {"$gte": …, "$lte": …}', ("dateRange",))
    if sent.relative is not None:
        return msgspec.json.encode({"relative": sent.relative})
    bounds = {"$gte": since, "$lte": until}
    for name, at in bounds.items():
        if at is None:
            raise Invalid("is missing: a range has both ends", ("dateRange", name))
        times.read(at, ("dateRange", name))
    return msgspec.json.encode(bounds)


def _query(sent: list[QueryFilterIn]) -> bytes:
    if len(sent) > MAX_FILTERS:
        raise Invalid(f"has at most {MAX_FILTERS} filters", ("query",))
    return msgspec.json.encode(sent)


def _one(chart: Chart) -> Response:
    return encode({"success": True, "data": item(chart)})


def item(chart: Chart) -> dict[str, Any]:
    """A chart as HoneyHive shows it."""
    return {
        "id": chart.id,
        "name": chart.name,
        "description": chart.description,
        "metric": chart.metric,
        "func": chart.func,
        "groupBy": chart.group_by,
        "bucketing": chart.bucketing,
        "dateRange": None if chart.date_range is None else msgspec.Raw(chart.date_range),
        "query": None if chart.query is None else msgspec.Raw(chart.query),
        "owner_id": chart.owner_id,
        "owner_profile": None,
        "is_active": True,
        "created_at": times.iso(chart.created_at),
        "updated_at": None if chart.updated_at is None else times.iso(chart.updated_at),
    }

"""LangSmith's routes of projects, which it calls sessions."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.domain.projects.stats import Bounds, FigureOrder, FigureSort
from stenograph.errors import Invalid
from stenograph.model.access import Permission
from stenograph.model.projects import Project, ProjectQuery, ProjectSort
from stenograph.model.query import RunSelection
from stenograph.wire.http import Params, body_as, caller, encode, path_uuid, services
from stenograph.wire.langsmith.projects.session_shapes import (
    STATISTICS,
    new_project,
    plain_session,
    project_patch,
    tracer_session,
)
from stenograph.wire.langsmith.runs.runs import filter_of
from stenograph.wire.langsmith.runs.schemas import SessionIn, SessionPatchIn

MAX_LIMIT: Final = 100
MAX_OFFSET: Final = 2**31
MAX_VALUES: Final = 1000
"""Values of a metadata key in one answer."""

_SORTS: Final[dict[str, ProjectSort | FigureSort]] = {
    "name": ProjectSort.NAME,
    "start_time": ProjectSort.START_TIME,
    "last_run_start_time": FigureSort.LAST_START,
    "latency_p50": FigureSort.LATENCY_P50,
    "latency_p99": FigureSort.LATENCY_P99,
    "error_rate": FigureSort.ERROR_RATE,
    "feedback": FigureSort.FEEDBACK,
    "runs_count": FigureSort.RUN_COUNT,
}


def routes() -> list[BaseRoute]:
    return [
        Route("/sessions", create, methods=["POST"]),
        Route("/sessions", find, methods=["GET"]),
        Route("/sessions", delete_many, methods=["DELETE"]),
        Route("/sessions/{session_id}", read, methods=["GET"]),
        Route("/sessions/{session_id}", update, methods=["PATCH"]),
        Route("/sessions/{session_id}", delete, methods=["DELETE"]),
        Route("/sessions/{session_id}/metadata", metadata, methods=["GET"]),
    ]


# -- one -------------------------------------------------------------------------------------------------


async def create(request: Request) -> Response:
    """POST /sessions. A name that is taken is a Conflict, or with upsert=true that project, changed."""
    who = await caller(request, Permission.WRITE)
    upsert = Params(request).flag("upsert") or False
    to = services(request)
    wanted = new_project(await body_as(request, SessionIn), to.payloads)
    return encode(plain_session(await to.projects.create(who.workspace, wanted, upsert)))


async def read(request: Request) -> Response:
    """GET /sessions/{session_id}."""
    who = await caller(request, Permission.READ)
    params = Params(request)
    include, bounds = params.flag("include_stats") or False, Bounds(since=params.time("stats_start_time"))
    to = services(request)
    project = await to.projects.read(who.workspace, path_uuid(request, "session_id"))
    if not include:
        return encode(tracer_session(project, None))
    figures = await to.project_stats.of(who.workspace, [project], bounds, facets=True)
    return encode(tracer_session(project, figures[project.id]))


async def update(request: Request) -> Response:
    """PATCH /sessions/{session_id}."""
    who = await caller(request, Permission.WRITE)
    to = services(request)
    project_id = path_uuid(request, "session_id")
    patch = project_patch(await body_as(request, SessionPatchIn), to.payloads)
    return encode(plain_session(await to.projects.update(who.workspace, project_id, patch)))


async def delete(request: Request) -> Response:
    """DELETE /sessions/{session_id}."""
    who = await caller(request, Permission.WRITE)
    return await _delete(request, who.workspace, (path_uuid(request, "session_id"),))


async def delete_many(request: Request) -> Response:
    """DELETE /sessions?session_ids=…: those that are there; 404 when none is."""
    who = await caller(request, Permission.WRITE)
    wanted = Params(request).uuids("session_ids")
    if not wanted:
        raise Invalid("name the projects to delete: session_ids=…", where=("query", "session_ids"))
    return await _delete(request, who.workspace, wanted)


async def _delete(request: Request, workspace: UUID, wanted: tuple[UUID, ...]) -> Response:
    """200 when the space is free, 202 when that goes on; either way nothing of it is seen from now on."""
    deleted = await services(request).deletion.delete(workspace, wanted)
    count = len(deleted.projects)
    message = f"{count} project{'' if count == 1 else 's'} deleted"
    if deleted.freed:
        return encode({"message": message})
    return encode({"message": f"{message}; their space is being freed"}, 202)


async def metadata(request: Request) -> Response:
    """GET /sessions/{session_id}/metadata: the most frequent values of metadata keys."""
    who = await caller(request, Permission.READ)
    params = Params(request)
    keys, count = params.texts("metadata_keys"), params.number("k", 10, 1, MAX_VALUES)
    roots_only, since = params.flag("root_runs_only"), params.time("start_time")
    to = services(request)
    project = await to.projects.read(who.workspace, path_uuid(request, "session_id"))
    chosen = RunSelection(
        workspace=who.workspace, projects=(project.id,), is_root=True if roots_only else None, since=since
    )
    found = await to.runs.metadata_values(chosen, keys, count)
    return encode({key: [] for key in keys} | dict(found))


# -- many ------------------------------------------------------------------------------------------------


async def find(request: Request) -> Response:
    """GET /sessions: a page of projects. Counts are exact, so use_approx_stats changes nothing."""
    who = await caller(request, Permission.READ)
    params = Params(request)
    params.flag("use_approx_stats")
    include = params.flag("include_stats") or False
    return encode(await listing(request, _query(params, who.workspace), include=include))


async def listing(request: Request, query: ProjectQuery, *, include: bool) -> list[dict[str, Any]]:
    """The page that the parameters ask for of what `query` selects; `include` adds statistics."""
    params = Params(request)
    bounds = Bounds(
        since=params.time("stats_start_time"),
        filter=filter_of(params.text("stats_filter"), "stats_filter"),
    )
    facets = params.flag("facets") or False
    keep = _selected(params)
    found = await _page(request, query, params, bounds)
    if not include:
        return [tracer_session(project, None) for project in found]
    figures = await services(request).project_stats.of(query.workspace, found, bounds, facets=facets)
    return [tracer_session(project, figures[project.id], keep) for project in found]


def experiments_query(params: Params, workspace: UUID, datasets: tuple[UUID, ...]) -> ProjectQuery:
    """What the parameters ask for among the experiments over these datasets."""
    return msgspec.structs.replace(_query(params, workspace), reference_datasets=datasets)


async def _page(request: Request, query: ProjectQuery, params: Params, bounds: Bounds) -> list[Project]:
    if params.uuids("tag_value_id"):
        return []  # there are no resource tags here, so no project carries one
    name = params.text("sort_by") or "start_time"
    by = _SORTS.get(name)
    if by is None:
        raise Invalid(f"{name[:40]!r} is not one of {', '.join(_SORTS)}", where=("query", "sort_by"))
    source = params.text("sort_by_feedback_source") or "run"
    if source not in ("run", "session"):
        raise Invalid(
            f"{source[:40]!r} is not one of run, session", where=("query", "sort_by_feedback_source")
        )
    key = params.text("sort_by_feedback_key") or ""
    if by is FigureSort.FEEDBACK and not key:
        raise Invalid(
            "to sort by feedback, name its key: sort_by_feedback_key=…",
            where=("query", "sort_by_feedback_key"),
        )
    if isinstance(by, ProjectSort):
        return await services(request).projects.find(msgspec.structs.replace(query, sort=by))
    order = FigureOrder(by=by, bounds=bounds, feedback_key=key, feedback_on_project=source == "session")
    return await services(request).project_stats.page(query, order)


def _query(params: Params, workspace: UUID) -> ProjectQuery:
    if (params.text("filter") or "").strip():
        raise Invalid(
            "projects cannot be filtered by an expression here: use name, name_contains, metadata, id, "
            "reference_dataset or reference_free"
        )
    descending = params.flag("sort_by_desc")
    return ProjectQuery(
        workspace=workspace,
        ids=params.uuids("id") or None,
        name=params.text("name"),
        name_contains=params.text("name_contains"),
        reference_free=params.flag("reference_free") or False,
        reference_datasets=params.uuids("reference_dataset") or None,
        metadata=_metadata(params),
        descending=True if descending is None else descending,
        offset=params.number("offset", 0, 0, MAX_OFFSET),
        limit=params.number("limit", MAX_LIMIT, 1, MAX_LIMIT),
    )


def _metadata(params: Params) -> bytes | None:
    """What extra.metadata has to contain. Experiments keep the version of their dataset there."""
    text, version = params.text("metadata"), params.text("dataset_version")
    if version is None:
        return text.encode(errors="replace") if text else None
    wanted: Any = {}
    if text:
        try:
            wanted = msgspec.json.decode(text.encode(errors="replace"))
        except (msgspec.DecodeError, RecursionError):
            wanted = None
    if not isinstance(wanted, dict):
        raise Invalid("The metadata filter has to be a JSON object.", where=("query", "metadata"))
    return msgspec.json.encode({**wanted, "dataset_version": version})


def _selected(params: Params) -> frozenset[str] | None:
    """The statistics to answer with; all when none is named."""
    names = params.texts("stats_select")
    for name in names:
        if name not in STATISTICS:
            raise Invalid(
                f"{name[:40]!r} is not one of {', '.join(STATISTICS)}", where=("query", "stats_select")
            )
    return frozenset(names) or None

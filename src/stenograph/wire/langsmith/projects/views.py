"""LangSmith's routes of saved views. Filter texts are kept as written: what they mean shows when they are used."""

from __future__ import annotations

import time
from typing import Any, get_args
from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.domain.projects.saved_views import SavedViews
from stenograph.errors import Invalid
from stenograph.model.access import Permission
from stenograph.model.views import SavedView, ViewPatch, ViewType
from stenograph.wire.http import Params, body_as, caller, encode, of_body, path_uuid, services
from stenograph.wire.langsmith.runs.convert import micros, time_text
from stenograph.wire.langsmith.runs.schemas import ViewIn, ViewKind, ViewPatchIn, ViewRenameIn


def routes() -> list[BaseRoute]:
    of_project, one = "/sessions/{session_id}/views", "/sessions/{session_id}/views/{view_id}"
    return [
        Route(of_project, find, methods=["GET"]),
        Route(of_project, create, methods=["POST"]),
        Route(f"{one}/rename", rename, methods=["PATCH"]),
        Route(one, read, methods=["GET"]),
        Route(one, update, methods=["PATCH"]),
        Route(one, delete, methods=["DELETE"]),
    ]


async def create(request: Request) -> Response:
    """POST /sessions/{session_id}/views."""
    who, project, views = await _place(request, Permission.WRITE)
    sent = await body_as(request, ViewIn)
    now = time.time_ns() // 1000
    with of_body():
        view = SavedView(
            id=uuid4(),
            workspace=who,
            project_id=project,
            display_name=sent.display_name,
            description=sent.description,
            type=ViewType(sent.type or "runs"),
            filter_string=sent.filter_string,
            trace_filter_string=sent.trace_filter_string,
            tree_filter_string=sent.tree_filter_string,
            start_time=micros(sent.start_time, "start_time"),
            end_time=micros(sent.end_time, "end_time"),
            duration=sent.duration,
            created_at=now,
            updated_at=now,
        )
    return encode(filter_view(await views.create(view)))


async def find(request: Request) -> Response:
    """GET /sessions/{session_id}/views."""
    who, project, views = await _place(request, Permission.READ)
    kind = Params(request).text("type")
    if kind is not None and kind not in get_args(ViewKind):
        raise Invalid(f"{kind[:40]!r} is not one of {', '.join(get_args(ViewKind))}", where=("query", "type"))
    await services(request).projects.read(who, project)
    found = await views.of_project(who, project, ViewType(kind) if kind else None)
    return encode([filter_view(view) for view in found])


async def read(request: Request) -> Response:
    """GET /sessions/{session_id}/views/{view_id}."""
    who, project, views = await _place(request, Permission.READ)
    return encode(filter_view(await views.read(who, project, path_uuid(request, "view_id"))))


async def update(request: Request) -> Response:
    """PATCH /sessions/{session_id}/views/{view_id}."""
    who, project, views = await _place(request, Permission.WRITE)
    sent = await body_as(request, ViewPatchIn)
    with of_body():
        patch = ViewPatch(
            display_name=sent.display_name,
            description=sent.description,
            type=ViewType(sent.type) if sent.type else None,
            filter_string=sent.filter_string,
            trace_filter_string=sent.trace_filter_string,
            tree_filter_string=sent.tree_filter_string,
            start_time=micros(sent.start_time, "start_time"),
            end_time=micros(sent.end_time, "end_time"),
            duration=sent.duration,
        )
    return encode(filter_view(await views.update(who, project, path_uuid(request, "view_id"), patch)))


async def rename(request: Request) -> Response:
    """PATCH /sessions/{session_id}/views/{view_id}/rename."""
    who, project, views = await _place(request, Permission.WRITE)
    sent = await body_as(request, ViewRenameIn)
    patch = ViewPatch(display_name=sent.display_name, description=sent.description)
    return encode(filter_view(await views.update(who, project, path_uuid(request, "view_id"), patch)))


async def delete(request: Request) -> Response:
    """DELETE /sessions/{session_id}/views/{view_id}."""
    who, project, views = await _place(request, Permission.WRITE)
    await views.delete(who, project, path_uuid(request, "view_id"))
    return encode({"message": "the view is deleted"})


async def _place(request: Request, permission: Permission) -> tuple[UUID, UUID, SavedViews]:
    """Workspace, project and the use-cases."""
    who = await caller(request, permission)
    return who.workspace, path_uuid(request, "session_id"), SavedViews(services(request).meta)


def filter_view(view: SavedView) -> dict[str, Any]:
    """FilterView."""
    return {
        "id": view.id,
        "session_id": view.project_id,
        "display_name": view.display_name,
        "description": view.description,
        "type": view.type.value,
        "filter_string": view.filter_string,
        "trace_filter_string": view.trace_filter_string,
        "tree_filter_string": view.tree_filter_string,
        "start_time": time_text(view.start_time),
        "end_time": time_text(view.end_time),
        "duration": view.duration,
        "created_at": time_text(view.created_at),
        "updated_at": time_text(view.updated_at),
    }

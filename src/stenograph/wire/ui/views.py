"""A project's saved views in the page's table: the same that LangSmith's clients see, with what else the page shows."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID, uuid4

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.domain.projects.saved_views import SavedViews
from stenograph.errors import Invalid
from stenograph.model.access import Permission
from stenograph.model.views import SavedView, ViewPatch, ViewType
from stenograph.wire.http import body_as, encode, path_uuid, services
from stenograph.wire.ui.asking import LATEST
from stenograph.wire.ui.signing_in import viewer


class ViewIn(msgspec.Struct, frozen=True, kw_only=True):
    """A view, or what changes of one: null leaves as it is, "" empties. Times are microseconds."""

    name: str | None = None
    filter: str | None = None
    duration: str | None = None
    since: int | None = None
    until: int | None = None
    shown: str | None = None

    def check(self) -> None:
        for name in ("since", "until"):
            at = getattr(self, name)
            if at is not None and not 0 <= at < LATEST:
                raise Invalid(f"{name} is not a time in microseconds since 1970.", ("body", name))


async def listed(request: Request) -> Response:
    """GET /ui/api/projects/{project_id}/views: those of runs, oldest first."""
    who, project, views = await _place(request, Permission.READ)
    await services(request).projects.read(who, project)
    return encode({"views": [_view(view) for view in await views.of_project(who, project, ViewType.RUNS)]})


async def create(request: Request) -> Response:
    """POST /ui/api/projects/{project_id}/views."""
    who, project, views = await _place(request, Permission.WRITE)
    sent = await body_as(request, ViewIn)
    sent.check()
    now = time.time_ns() // 1000
    view = SavedView(
        id=uuid4(),
        workspace=who,
        project_id=project,
        display_name=(sent.name or "").strip(),
        filter_string=sent.filter or None,
        duration=sent.duration or None,
        start_time=sent.since,
        end_time=sent.until,
        shown=sent.shown,
        created_at=now,
        updated_at=now,
    )
    return encode(_view(await views.create(view)))


async def change(request: Request) -> Response:
    """PATCH /ui/api/projects/{project_id}/views/{saved_view_id}."""
    who, project, views = await _place(request, Permission.WRITE)
    sent = await body_as(request, ViewIn)
    sent.check()
    patch = ViewPatch(
        display_name=None if sent.name is None else sent.name.strip(),
        filter_string=sent.filter,
        duration=sent.duration,
        start_time=sent.since,
        end_time=sent.until,
        shown=sent.shown,
    )
    return encode(_view(await views.update(who, project, path_uuid(request, "saved_view_id"), patch)))


async def delete(request: Request) -> Response:
    """DELETE /ui/api/projects/{project_id}/views/{saved_view_id}."""
    who, project, views = await _place(request, Permission.WRITE)
    await views.delete(who, project, path_uuid(request, "saved_view_id"))
    return encode({})


async def _place(request: Request, permission: Permission) -> tuple[UUID, UUID, SavedViews]:
    who = await viewer(request, permission)
    return who.workspace, path_uuid(request, "project_id"), SavedViews(services(request).meta)


def _view(view: SavedView) -> dict[str, Any]:
    """`partial`: it has conditions on whole traces as well, which this page does not apply."""
    return {
        "id": view.id,
        "name": view.display_name,
        "filter": view.filter_string or "",
        "duration": view.duration or "",
        "since": view.start_time,
        "until": view.end_time,
        "shown": view.shown,
        "partial": bool(view.trace_filter_string or view.tree_filter_string),
    }


def routes() -> list[BaseRoute]:
    of_project = "/ui/api/projects/{project_id}/views"
    one = of_project + "/{saved_view_id}"
    return [
        Route(of_project, listed, methods=["GET"]),
        Route(of_project, create, methods=["POST"]),
        Route(one, change, methods=["PATCH"]),
        Route(one, delete, methods=["DELETE"]),
    ]

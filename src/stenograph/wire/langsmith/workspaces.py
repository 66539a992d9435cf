"""LangSmith's routes of workspaces, which it also calls tenants."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.errors import Unsupported
from stenograph.model.access import PERMISSIONS, Caller, Permission, Workspace
from stenograph.model.projects import ProjectQuery
from stenograph.wire.http import caller, encode, services
from stenograph.wire.langsmith.runs.convert import time_text

_TAGS: Final = "This server has no tags for projects and other resources; runs have tags of their own."

NOT_OFFERED: Final[dict[str, str]] = {
    "/workspaces/current/tag-keys": _TAGS,
    "/workspaces/current/tag-keys/{rest:path}": _TAGS,
    "/workspaces/current/taggings": _TAGS,
    "/workspaces/current/tags": _TAGS,
    "/workspaces/current/tags/{rest:path}": _TAGS,
    "/workspaces/current/usage_limits": "This server sets no limits of usage: only the disk does.",
}


def routes() -> list[BaseRoute]:
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    return [
        Route("/workspaces", find, methods=["GET"]),
        Route("/workspaces/current", current, methods=["GET"]),
        Route("/workspaces/current/stats", stats, methods=["GET"]),
        *(Route(path, _refusal(reason), methods=methods) for path, reason in NOT_OFFERED.items()),
    ]


async def find(request: Request) -> Response:
    """GET /workspaces: those that the caller reaches."""
    who = await caller(request, Permission.READ)
    found = await services(request).access.list_workspaces(who)
    return encode([tenant(workspace, who) for workspace in found])


async def current(request: Request) -> Response:
    """GET /workspaces/current."""
    who = await caller(request, Permission.READ)
    return encode(tenant(await services(request).access.workspace(who), who))


async def stats(request: Request) -> Response:
    """GET /workspaces/current/stats: how many of each thing there are. What this server does not have counts 0."""
    who = await caller(request, Permission.READ)
    found = await services(request).projects.find(ProjectQuery(workspace=who.workspace, reference_free=True))
    return encode(
        {
            "tenant_id": who.workspace,
            "dataset_count": 0,
            "tracer_session_count": len(found),
            "repo_count": 0,
            "annotation_queue_count": 0,
            "deployment_count": 0,
            "dashboards_count": 0,
            "evaluator_count": 0,
        }
    )


def _refusal(reason: str) -> Callable[[Request], Awaitable[Response]]:
    async def refuse(request: Request) -> Response:
        await caller(request, Permission.READ)
        raise Unsupported(reason)

    return refuse


def tenant(workspace: Workspace, who: Caller) -> dict[str, Any]:
    """TenantForUser. There are no organizations here, and a workspace is nobody's own."""
    return {
        "id": workspace.id,
        "organization_id": None,
        "created_at": time_text(workspace.created_at),
        "display_name": workspace.name,
        "tenant_handle": workspace.handle,
        "is_personal": False,
        "is_deleted": False,
        "data_plane_url": None,
        "read_only": Permission.WRITE not in PERMISSIONS[who.role],
        "role_id": None,
        "role_name": who.role.value,
        "permissions": sorted(permission.value for permission in PERMISSIONS[who.role]),
    }

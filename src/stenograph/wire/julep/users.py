"""Julep's routes of users."""

from __future__ import annotations

import time
from uuid import UUID

from msgspec import UNSET, UnsetType
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stenograph.model.access import Caller, Permission
from stenograph.model.agents import UserPatch
from stenograph.wire.http import caller, encode, path_uuid, services
from stenograph.wire.julep import shapes
from stenograph.wire.julep.bodies import body_as
from stenograph.wire.julep.lists import list_query
from stenograph.wire.julep.projects import project_of
from stenograph.wire.julep.schemas import UserIn


def routes() -> list[Route]:
    one = "/users/{user_id}"
    return [
        Route("/users", create, methods=["POST"]),
        Route("/users", find, methods=["GET"]),
        Route(one, read, methods=["GET"]),
        Route(one, put, methods=["POST"]),
        Route(one, replace, methods=["PUT"]),
        Route(one, update, methods=["PATCH"]),
        Route(one, delete, methods=["DELETE"]),
    ]


async def create(request: Request) -> Response:
    """POST /users."""
    who = await caller(request, Permission.WRITE)
    async with body_as(request, UserIn) as sent:
        user = await services(request).conversing.users.create(
            who.workspace, await _patch(request, who, sent)
        )
    return encode(shapes.user(user), 201)


async def find(request: Request) -> Response:
    """GET /users: a page, newest first by default."""
    who = await caller(request, Permission.READ)
    found = await services(request).conversing.users.find(list_query(request, who))
    return encode(shapes.items([shapes.user(each) for each in found]))


async def read(request: Request) -> Response:
    """GET /users/{user_id}."""
    who = await caller(request, Permission.READ)
    user = await services(request).conversing.users.read(who.workspace, path_uuid(request, "user_id"))
    return encode(shapes.user(user))


async def put(request: Request) -> Response:
    """POST /users/{user_id}: created under this id, or replaced."""
    who = await caller(request, Permission.WRITE)
    user_id = path_uuid(request, "user_id")
    async with body_as(request, UserIn) as sent:
        user = await services(request).conversing.users.put(
            who.workspace, user_id, await _patch(request, who, sent)
        )
    return encode(shapes.user(user), 201)


async def replace(request: Request) -> Response:
    """PUT /users/{user_id}."""
    who = await caller(request, Permission.WRITE)
    user_id = path_uuid(request, "user_id")
    async with body_as(request, UserIn) as sent:
        user = await services(request).conversing.users.replace(
            who.workspace, user_id, await _patch(request, who, sent)
        )
    return encode(shapes.user(user))


async def update(request: Request) -> Response:
    """PATCH /users/{user_id}: what is not in the body stays."""
    who = await caller(request, Permission.WRITE)
    user_id = path_uuid(request, "user_id")
    async with body_as(request, UserIn) as sent:
        user = await services(request).conversing.users.update(
            who.workspace, user_id, await _patch(request, who, sent, partial=True)
        )
    return encode(shapes.user(user))


async def delete(request: Request) -> Response:
    """DELETE /users/{user_id}, with its docs."""
    who = await caller(request, Permission.WRITE)
    user_id = path_uuid(request, "user_id")
    await services(request).conversing.users.delete(who.workspace, user_id)
    return encode(shapes.deleted(user_id, time.time_ns() // 1000), 202)


async def _patch(request: Request, who: Caller, sent: UserIn, *, partial: bool = False) -> UserPatch:
    project: UUID | UnsetType | None = UNSET
    if sent.project is not UNSET:
        project = await project_of(request, who, sent.project)
    return shapes.user_patch(sent, project, services(request).payloads, partial=partial)

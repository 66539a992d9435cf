"""Julep's routes of sessions, which are conversations here, and of their history."""

from __future__ import annotations

import time

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stenograph.model.access import Permission
from stenograph.wire.http import caller, encode, path_uuid, services
from stenograph.wire.julep import shapes
from stenograph.wire.julep.bodies import body_as
from stenograph.wire.julep.lists import list_query
from stenograph.wire.julep.schemas import SessionIn, SessionPatchIn

_ID = "conversation_id"


def routes() -> list[Route]:
    one = f"/sessions/{{{_ID}}}"
    return [
        Route("/sessions", create, methods=["POST"]),
        Route("/sessions", find, methods=["GET"]),
        Route(one, read, methods=["GET"]),
        Route(one, put, methods=["POST"]),
        Route(one, replace, methods=["PUT"]),
        Route(one, update, methods=["PATCH"]),
        Route(one, delete, methods=["DELETE"]),
        Route(f"{one}/history", history, methods=["GET"]),
        Route(f"{one}/history", forget, methods=["DELETE"]),
    ]


async def create(request: Request) -> Response:
    """POST /sessions."""
    who = await caller(request, Permission.WRITE)
    to = services(request)
    async with body_as(request, SessionIn) as sent:
        stated = shapes.new_session(sent, to.payloads)
        found = await to.conversing.conversations.create(who.workspace, stated)
    return encode(shapes.session(found), 201)


async def find(request: Request) -> Response:
    """GET /sessions: a page, newest first by default."""
    who = await caller(request, Permission.READ)
    found = await services(request).conversing.conversations.find(list_query(request, who))
    return encode(shapes.items([shapes.session(each) for each in found]))


async def read(request: Request) -> Response:
    """GET /sessions/{conversation_id}."""
    who = await caller(request, Permission.READ)
    found = await services(request).conversing.conversations.read(who.workspace, path_uuid(request, _ID))
    return encode(shapes.session(found))


async def put(request: Request) -> Response:
    """POST /sessions/{conversation_id}: created under this id, or replaced, participants too."""
    who = await caller(request, Permission.WRITE)
    to = services(request)
    ident = path_uuid(request, _ID)
    async with body_as(request, SessionIn) as sent:
        stated = shapes.new_session(sent, to.payloads)
        found = await to.conversing.conversations.put(who.workspace, ident, stated)
    return encode(shapes.session(found), 201)


async def replace(request: Request) -> Response:
    """PUT /sessions/{conversation_id}. Who takes part stays."""
    who = await caller(request, Permission.WRITE)
    to = services(request)
    ident = path_uuid(request, _ID)
    async with body_as(request, SessionPatchIn) as sent:
        stated = shapes.session_patch(sent, to.payloads)
        found = await to.conversing.conversations.replace(who.workspace, ident, stated)
    return encode(shapes.session(found))


async def update(request: Request) -> Response:
    """PATCH /sessions/{conversation_id}: what is not in the body stays."""
    who = await caller(request, Permission.WRITE)
    to = services(request)
    ident = path_uuid(request, _ID)
    async with body_as(request, SessionPatchIn) as sent:
        patch = shapes.session_patch(sent, to.payloads, partial=True)
        found = await to.conversing.conversations.update(who.workspace, ident, patch)
    return encode(shapes.session(found))


async def delete(request: Request) -> Response:
    """DELETE /sessions/{conversation_id}, with all that was said."""
    who = await caller(request, Permission.WRITE)
    ident = path_uuid(request, _ID)
    await services(request).conversing.conversations.delete(who.workspace, ident)
    return encode(shapes.deleted(ident, time.time_ns() // 1000), 202)


async def history(request: Request) -> Response:
    """GET /sessions/{conversation_id}/history: everything that was said, whatever its source."""
    who = await caller(request, Permission.READ)
    found = await services(request).conversing.histories.read(who.workspace, path_uuid(request, _ID))
    return encode(shapes.history(found))


async def forget(request: Request) -> Response:
    """DELETE /sessions/{conversation_id}/history."""
    who = await caller(request, Permission.WRITE)
    ident = path_uuid(request, _ID)
    await services(request).conversing.histories.forget(who.workspace, ident)
    return encode(shapes.deleted(ident, time.time_ns() // 1000), 202)

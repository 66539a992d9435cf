"""Julep's routes of sessions, which are conversations here, and of their history."""

from __future__ import annotations

import time
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stenograph.model.access import Caller, Permission
from stenograph.model.conversations import Conversation, ConversationPatch
from stenograph.wire.http import caller, encode, path_uuid, services
from stenograph.wire.julep import shapes
from stenograph.wire.julep.resources import Resource
from stenograph.wire.julep.schemas import SessionIn, SessionPatchIn

_ID: Final = "conversation_id"


def routes() -> list[Route]:
    one = f"/sessions/{{{_ID}}}"
    return [
        *SESSIONS.routes(),
        Route(f"{one}/history", history, methods=["GET"]),
        Route(f"{one}/history", forget, methods=["DELETE"]),
    ]


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


async def _patch(request: Request, _: Caller, sent: SessionPatchIn, partial: bool) -> ConversationPatch:
    payloads = services(request).payloads
    if isinstance(sent, SessionIn):
        return shapes.new_session(sent, payloads)
    return shapes.session_patch(sent, payloads, partial=partial)


SESSIONS: Final = Resource[ConversationPatch, Conversation](
    path="/sessions",
    ident=_ID,
    created=SessionIn,
    replaced=SessionPatchIn,  # who takes part stays
    updated=SessionPatchIn,
    keeper=lambda to: to.conversing.conversations,
    patch=_patch,
    shown=shapes.session,
)

"""Julep's routes of chat and render."""

from __future__ import annotations

import asyncio
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from stenograph.domain.chat.asked import Answer, Asked, Origin
from stenograph.domain.chat.chat import Chat, Streaming
from stenograph.errors import StenographError
from stenograph.model.access import Permission
from stenograph.wire.http import caller, encode, path_uuid, services
from stenograph.wire.julep import chat_bodies, chat_shapes
from stenograph.wire.julep.bodies import body_as, custom_key

log = structlog.get_logger("stenograph.chat")

_ID: Final = "conversation_id"


def routes() -> list[Route]:
    one = f"/sessions/{{{_ID}}}"
    return [
        Route(f"{one}/chat", chat, methods=["POST"]),
        Route(f"{one}/render", render, methods=["POST"]),
    ]


async def chat(request: Request) -> Response:
    """POST /sessions/{conversation_id}/chat."""
    who = await caller(request, Permission.WRITE)
    to, ident = services(request), path_uuid(request, _ID)
    async with body_as(request, chat_bodies.ChatIn) as sent:
        asked, is_stream = chat_bodies.asked(sent, to.payloads, custom_key(request)), sent.stream
    origin = _origin(request, who.workspace, ident, asked, is_stream=is_stream)
    if is_stream:
        streaming = to.chat.stream(who.workspace, ident, asked, origin)
        await streaming.begin()
        if await request.is_disconnected():
            streaming.stop()
        return _Events(to.chat, ident, origin, streaming)
    answer = await to.chat.ask(who.workspace, ident, asked, origin)
    response = encode(chat_shapes.answer(answer), 201)
    return response if await request.is_disconnected() else _Delivered(response, to.chat, ident, origin)


async def render(request: Request) -> Response:
    """POST /sessions/{conversation_id}/render: what a model would be asked."""
    who = await caller(request, Permission.READ)
    to, ident = services(request), path_uuid(request, _ID)
    async with body_as(request, chat_bodies.ChatIn) as sent:
        asked = chat_bodies.asked(sent, to.payloads, custom_key(request))
    return encode(chat_shapes.rendered(await to.chat.render(who.workspace, ident, asked)))


def _origin(request: Request, workspace: UUID, ident: UUID, asked: Asked, *, is_stream: bool) -> Origin:
    """What tells this request from others; its clients count their attempts in a header, and send no key."""
    digest = blake2b(workspace.bytes + ident.bytes + bytes([is_stream]), digest_size=16)
    digest.update(msgspec.msgpack.encode(asked))
    count = request.headers.get("x-stainless-retry-count", "0")
    return Origin(UUID(bytes=digest.digest()), count.isdecimal() and int(count[:9]) > 0)


class _Delivered(Response):
    """An answer after which the same request is a new one."""

    def __init__(self, whole: Response, chat: Chat, session: UUID, origin: Origin) -> None:
        super().__init__(whole.body, whole.status_code, media_type="application/json")
        self._chat = chat
        self._session = session
        self._origin = origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await super().__call__(scope, receive, send)
        self._chat.delivered(self._session, self._origin)


class _Events(Response):
    """An answer as server-sent events, an object each. There is no `[DONE]`, which its clients cannot read.

    What breaks the answer off breaks the connection: a client that reads on sees that it is not whole. When the client
    goes, the answer ends there.
    """

    media_type = "text/event-stream"

    def __init__(self, chat: Chat, session: UUID, origin: Origin, streaming: Streaming) -> None:
        super().__init__(status_code=201, headers={"cache-control": "no-cache", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._chat = chat
        self._session = session
        self._origin = origin
        self._streaming = streaming

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        leaving = asyncio.create_task(_gone(receive, self._streaming))
        try:
            await send(
                {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            )
            is_whole = await self._send(send)
        except (StenographError, OSError) as error:
            log.warning("an answer broke off", session=str(self._session), reason=str(error))
            return
        finally:
            self._streaming.stop()
            leaving.cancel()
        if is_whole:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            self._chat.delivered(self._session, self._origin)

    async def _send(self, send: Send) -> bool:
        """Whether the end was reached."""
        told = False
        async for each in self._streaming:
            if isinstance(each, Answer):
                await _event(send, chat_shapes.last_piece(each, is_told=told))
                return True
            await _event(send, chat_shapes.piece(each, with_docs=not told))
            told = True
        return False


async def _event(send: Send, found: dict[str, Any]) -> None:
    data = b"data: " + bytes(encode(found).body) + b"\n\n"
    await send({"type": "http.response.body", "body": data, "more_body": True})


async def _gone(receive: Receive, streaming: Streaming) -> None:
    """Stops the answer when the client goes."""
    while (await receive())["type"] != "http.disconnect":
        pass
    streaming.stop()

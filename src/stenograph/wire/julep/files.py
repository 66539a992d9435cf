"""Julep's routes of files: base64 in JSON, both ways."""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import AsyncIterator, Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from stenograph.domain.conversations.files import Files
from stenograph.errors import Invalid, NotFound
from stenograph.model.access import Permission
from stenograph.model.files import File
from stenograph.wire.http import caller, encode, path_uuid, services
from stenograph.wire.julep import shapes
from stenograph.wire.julep.bodies import body_as
from stenograph.wire.julep.lists import DEFAULT_LIMIT, MAX_LIMIT, MAX_OFFSET, number
from stenograph.wire.julep.projects import project_of
from stenograph.wire.julep.schemas import FileIn

_encoder = msgspec.json.Encoder()


def routes() -> list[Route]:
    one = "/files/{stored_file_id}"
    return [
        Route("/files", create, methods=["POST"]),
        Route("/files", find, methods=["GET"]),
        Route(one, read, methods=["GET"]),
        Route(one, delete, methods=["DELETE"]),
    ]


async def create(request: Request) -> Response:
    """POST /files. The answer has the content, as the client's type wants it."""
    who = await caller(request, Permission.WRITE)
    async with body_as(request, FileIn) as sent:
        file = await services(request).conversing.files.create(
            who.workspace,
            _bytes(sent.content),
            name=sent.name,
            description=sent.description or "",
            mime_type=sent.mime_type,
            project=await project_of(request, who, sent.project),
        )
        return encode(shapes.file(file, sent.content), 201)


def _bytes(content: str) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise Invalid("the content of a file is base64", ("content",)) from None


async def find(request: Request) -> Response:
    """GET /files: a bare list, newest first, every file with its content. That can be any number of megabytes, so it
    is written file by file."""
    who = await caller(request, Permission.READ)
    offset, limit = (
        number(request, "offset", 0, MAX_OFFSET),
        number(request, "limit", DEFAULT_LIMIT, MAX_LIMIT),
    )
    files = services(request).conversing.files
    found = await files.page(who.workspace, offset, limit)
    return StreamingResponse(_written(files, found), media_type="application/json")


async def _written(files: Files, found: Sequence[File]) -> AsyncIterator[bytes]:
    before = b"["
    for file in found:
        content = await files.content(file)
        if content is not None:
            yield before + _encoder.encode(shapes.file(file, base64.b64encode(content).decode()))
            before = b","
    yield b"]" if before == b"," else b"[]"


async def read(request: Request) -> Response:
    """GET /files/{stored_file_id}."""
    who = await caller(request, Permission.READ)
    files = services(request).conversing.files
    file = await files.read(who.workspace, path_uuid(request, "stored_file_id"))
    content = await files.content(file)
    if content is None:
        raise NotFound(f"There is no file {file.id}.")
    return encode(shapes.file(file, base64.b64encode(content).decode()))


async def delete(request: Request) -> Response:
    """DELETE /files/{stored_file_id}."""
    who = await caller(request, Permission.WRITE)
    file_id = path_uuid(request, "stored_file_id")
    await services(request).conversing.files.delete(who.workspace, file_id)
    return encode(shapes.deleted(file_id, time.time_ns() // 1000), 202)

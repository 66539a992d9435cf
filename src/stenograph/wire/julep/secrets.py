"""Julep's routes of secrets. No answer has a value: what it was is known to whoever sent it."""

from __future__ import annotations

import time

from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stenograph.model.access import Permission
from stenograph.wire.http import caller, encode, path_uuid, services
from stenograph.wire.julep import shapes
from stenograph.wire.julep.bodies import body_as, metadata_of
from stenograph.wire.julep.lists import DEFAULT_LIMIT, MAX_LIMIT, MAX_OFFSET, number
from stenograph.wire.julep.schemas import SecretIn
from stenograph.wire.payloads import Payloads


def routes() -> list[Route]:
    one = "/secrets/{secret_id}"
    return [
        Route("/secrets", create, methods=["POST"]),
        Route("/secrets", find, methods=["GET"]),
        Route(one, replace, methods=["PUT"]),
        Route(one, delete, methods=["DELETE"]),
    ]


async def create(request: Request) -> Response:
    """POST /secrets."""
    who = await caller(request, Permission.WRITE)
    to = services(request)
    async with body_as(request, SecretIn) as sent:
        metadata = _metadata(sent, to.payloads)
        secret = await to.conversing.secrets.create(
            who.workspace, sent.name, sent.value, sent.description, metadata
        )
    return encode(shapes.secret(secret), 201)


async def find(request: Request) -> Response:
    """GET /secrets: a bare list, newest first."""
    who = await caller(request, Permission.READ)
    offset, limit = (
        number(request, "offset", 0, MAX_OFFSET),
        number(request, "limit", DEFAULT_LIMIT, MAX_LIMIT),
    )
    found = await services(request).conversing.secrets.page(who.workspace, offset, limit)
    return encode([shapes.secret(each) for each in found])


async def replace(request: Request) -> Response:
    """PUT /secrets/{secret_id}."""
    who = await caller(request, Permission.WRITE)
    to = services(request)
    secret_id = path_uuid(request, "secret_id")
    async with body_as(request, SecretIn) as sent:
        metadata = _metadata(sent, to.payloads)
        secret = await to.conversing.secrets.replace(
            who.workspace, secret_id, sent.name, sent.value, sent.description, metadata
        )
    return encode(shapes.secret(secret))


async def delete(request: Request) -> Response:
    """DELETE /secrets/{secret_id}."""
    who = await caller(request, Permission.WRITE)
    secret_id = path_uuid(request, "secret_id")
    await services(request).conversing.secrets.delete(who.workspace, secret_id)
    return encode(shapes.deleted(secret_id, time.time_ns() // 1000), 202)


def _metadata(sent: SecretIn, payloads: Payloads) -> bytes:
    found = metadata_of(sent.metadata, payloads)
    return b"{}" if found is UNSET else found

"""Examples written in multipart bodies: how LangSmith's clients add and change them, files included."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.domain.examples.drafts import Written
from stenograph.model.access import Permission
from stenograph.wire.http import caller, encode, path_uuid, services
from stenograph.wire.langsmith.examples.parts import (
    CHANGED_FIELDS,
    NEW_FIELDS,
    SentExample,
    drafts,
    edits,
    home,
    sort,
)
from stenograph.wire.langsmith.examples.shapes import utc_text
from stenograph.wire.uploads import Upload, form, spooled

_ON_A_THREAD: Final = 64 * 1024
"""Bytes of a body from which on its parts are not sorted on the event loop."""


async def create(request: Request) -> Response:
    """POST /platform/datasets/{dataset_id}/examples."""
    who = await caller(request, Permission.WRITE)
    dataset_id = path_uuid(request, "dataset_id")
    to = services(request)
    async with spooled(request) as body:
        sent = await _sorted(request, body, NEW_FIELDS)
        written = await to.examples.add(who.workspace, dataset_id, drafts(sent, to.payloads))
    return _answer(written)


async def update(request: Request) -> Response:
    """PATCH /platform/datasets/{dataset_id}/examples."""
    who = await caller(request, Permission.WRITE)
    dataset_id = path_uuid(request, "dataset_id")
    to = services(request)
    async with spooled(request) as body:
        sent = await _sorted(request, body, CHANGED_FIELDS)
        written = await to.examples.edit(who.workspace, dataset_id, edits(sent, to.payloads))
    return _answer(written)


async def upsert(request: Request) -> Response:
    """POST /platform/examples/multipart: what clients up to 0.3.8 do, and a deprecated method of later ones.

    The dataset is in the examples' parts. Those that are there already are changed.
    """
    who = await caller(request, Permission.WRITE)
    to = services(request)
    async with spooled(request) as body:
        sent = await _sorted(request, body, NEW_FIELDS)
        ids = [each.id for each in sent]
        written = await to.examples.upsert(who.workspace, home(sent), ids, drafts(sent, to.payloads))
    return _answer(written)


async def _sorted(request: Request, body: Upload, fields: Collection[str]) -> list[SentExample]:
    parts = form(request, body)
    limit = services(request).settings.max_attachment_bytes
    if len(body) < _ON_A_THREAD:
        return sort(parts, fields, limit)
    return await asyncio.to_thread(sort, parts, fields, limit)


def _answer(written: Written) -> Response:
    """201, with ids in the order of the body: the JavaScript client matches them by it."""
    return encode(
        {"count": len(written.ids), "example_ids": written.ids, "as_of": utc_text(written.as_of)}, 201
    )


def routes() -> list[BaseRoute]:
    return [
        Route("/platform/datasets/{dataset_id}/examples", create, methods=["POST"]),
        Route("/platform/datasets/{dataset_id}/examples", update, methods=["PATCH"]),
        Route("/platform/examples/multipart", upsert, methods=["POST"]),
    ]

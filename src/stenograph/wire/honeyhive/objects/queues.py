"""HoneyHive's routes of annotation queues. They are LangSmith's queues too: what is made here is seen there with its
items and reviewers, and the other way round.

A queue belongs to the workspace: its filters speak of the events of all projects. One with filters fills itself while
it is enabled: see domain/annotation/filling.py.
"""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID, uuid4

import msgspec
from msgspec import UNSET, Meta, Raw, Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stenograph.domain.annotation.items import MAX_ADDED
from stenograph.domain.recording.places import named
from stenograph.errors import Invalid
from stenograph.model.access import Permission
from stenograph.model.annotation_queues import AnnotationQueue, AnnotationQueuePatch, QueueQuery
from stenograph.wire.honeyhive import times
from stenograph.wire.honeyhive.requests import path_id
from stenograph.wire.http import Params, body_as, caller, encode, of_body, services

Name = Annotated[str, Meta(max_length=200)]
Description = Annotated[str, Meta(max_length=1000)]
_NO_FILTERS: Final = b"[]"


class FiltersIn(Struct, forbid_unknown_fields=True):
    """`{"filterArray": […]}`: all of them have to hold."""

    filter_array: Raw = msgspec.field(name="filterArray")


class QueueIn(Struct):
    """CreateAnnotationQueueRequest."""

    name: Name
    description: Description = ""
    filters: FiltersIn | None = None
    enabled: bool = True
    event_ids: list[str] = []


class QueuePatchIn(Struct):
    """UpdateAnnotationQueueRequest: what it does not state stays. `id` is the path's once more."""

    id: str | None = None
    name: Name | None = None
    description: Description | None = None
    filters: FiltersIn | None = None
    enabled: bool | None = None
    add_event_ids: list[str] = []
    remove_event_ids: list[str] = []


def routes() -> list[Route]:
    one = "/v1/queues/{queue_id}"
    return [
        Route("/v1/queues", find, methods=["GET"]),
        Route("/v1/queues", create, methods=["POST"]),
        Route(one, read, methods=["GET"]),
        Route(one, update, methods=["PUT"]),
        Route(one, delete, methods=["DELETE"]),
    ]


async def find(request: Request) -> Response:
    """GET /v1/queues?enabled: oldest first."""
    who = await caller(request, Permission.READ)
    query = QueueQuery(workspace=who.workspace, fills=Params(request).flag("enabled"), descending=False)
    found = await services(request).annotation_queues.find(query)
    return encode({"queues": [item(listed.queue) for listed in found]})


async def create(request: Request) -> Response:
    """POST /v1/queues, with the events of `event_ids`. The one answer of this API that is a 201."""
    who = await caller(request, Permission.WRITE)
    sent = await body_as(request, QueueIn)
    with of_body():
        now = times.now()
        queue = AnnotationQueue(
            id=uuid4(),
            workspace=who.workspace,
            name=sent.name,
            description=sent.description,
            created_at=now,
            updated_at=now,
            event_filters=None if sent.filters is None else _filters(request, sent.filters),
            fills=sent.enabled,
        )
        events = _events(sent.event_ids, "event_ids")
        queue = await services(request).queue_filling.create(queue, events)
    return encode({"queue": item(queue), "message": "Queue created successfully"}, 201)


async def read(request: Request) -> Response:
    """GET /v1/queues/{queue_id}."""
    who = await caller(request, Permission.READ)
    queue_id = path_id(request, "queue_id", "annotation queue")
    return encode(item(await services(request).annotation_queues.read(who.workspace, queue_id)))


async def update(request: Request) -> Response:
    """PUT /v1/queues/{queue_id}."""
    who = await caller(request, Permission.WRITE)
    queue_id = path_id(request, "queue_id", "annotation queue")
    sent = await body_as(request, QueuePatchIn)
    with of_body():
        if sent.id is not None and sent.id != request.path_params["queue_id"]:
            raise Invalid("is not the queue that the path names", ("id",))
        patch = AnnotationQueuePatch(
            name=sent.name,
            description=sent.description,
            event_filters=UNSET if sent.filters is None else _filters(request, sent.filters),
            fills=sent.enabled,
        )
        add = _events(sent.add_event_ids, "add_event_ids")
        remove = _events(sent.remove_event_ids, "remove_event_ids")
        filling = services(request).queue_filling
        queue = await filling.update(who.workspace, queue_id, patch, add, remove)
    return encode({"queue": item(queue), "message": "Queue updated successfully"})


async def delete(request: Request) -> Response:
    """DELETE /v1/queues/{queue_id}: out of sight, here and for LangSmith's clients."""
    who = await caller(request, Permission.WRITE)
    queue_id = path_id(request, "queue_id", "annotation queue")
    await services(request).annotation_queues.retire(who.workspace, queue_id)
    return encode({"message": "Queue deleted successfully"})


def _filters(request: Request, sent: FiltersIn) -> bytes | None:
    """The filters as sent; None for no filters. What they mean is checked where they are taken."""
    document = services(request).payloads.check_values(sent.filter_array, "filterArray", "array")
    return None if document is None or document == _NO_FILTERS else document


def _events(sent: list[str], name: str) -> list[UUID]:
    if len(sent) > MAX_ADDED:
        raise Invalid(f"at most {MAX_ADDED} events are named at once", (name,))
    return [named(event) for event in sent]


def item(queue: AnnotationQueue) -> dict[str, Any]:
    """A queue as HoneyHive shows it; which events are in it, LangSmith's face tells."""
    return {
        "id": queue.id,
        "name": queue.name,
        "description": queue.description or "",
        "filters": {"filterArray": Raw(queue.event_filters or _NO_FILTERS)},
        "enabled": queue.fills,
        "scope_id": queue.workspace,
        "scope_type": "workspace",
        "is_active": True,
        "created_at": times.iso(queue.created_at),
        "updated_at": times.iso(queue.updated_at),
    }

"""LangSmith's routes of annotation queues and of their reviewers. Their items: annotation_queue_runs.py and, as
newer clients know them, annotation_queue_items.py."""

from __future__ import annotations

import time
from typing import Final, get_args

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.domain.annotation.queues import reviewer_of
from stenograph.errors import Invalid
from stenograph.model.access import Caller, Permission
from stenograph.model.annotation_queues import AnnotationQueue, QueueQuery, QueueSort, QueueType
from stenograph.wire.http import Params, body_as, caller, encode, of_body, path_uuid, services
from stenograph.wire.langsmith.annotation import shapes
from stenograph.wire.langsmith.annotation.schemas import (
    PopulateIn,
    QueueIn,
    QueuePatchIn,
    QueueTypeName,
    ReviewerIn,
)

MAX_DELETED: Final = 100


def routes() -> list[BaseRoute]:
    """To stand before those of items: `populate` is no queue's id."""
    one, reviewers = "/annotation-queues/{queue_id}", "/platform/annotation-queues/{queue_id}/reviewers"
    return [
        Route("/annotation-queues", create, methods=["POST"]),
        Route("/annotation-queues", find, methods=["GET"]),
        Route("/annotation-queues", delete_many, methods=["DELETE"]),
        Route("/annotation-queues/populate", populate, methods=["POST"]),
        Route("/annotation-queues/{run_id}/queues", of_run, methods=["GET"]),
        Route(one, read, methods=["GET"]),
        Route(one, update, methods=["PATCH"]),
        Route(one, delete, methods=["DELETE"]),
        Route(reviewers, assign, methods=["POST"]),
        Route(f"{reviewers}/{{reviewer_id}}", unassign, methods=["DELETE"]),
    ]


async def create(request: Request) -> Response:
    """POST /annotation-queues, filled from the experiments of `session_ids`."""
    who = await caller(request, Permission.WRITE)
    to = services(request)
    sent = await body_as(request, QueueIn)
    with of_body():
        queue = shapes.new_queue(sent, who.workspace, time.time_ns() // 1000, to.payloads)
        if sent.session_ids:
            await to.queue_population.check(who.workspace, queue.queue_type, sent.session_ids)
        queue = await to.annotation_queues.create(queue)
        if sent.session_ids:
            await to.queue_population.fill(queue, sent.session_ids)
    return encode(shapes.plain_queue(queue, {}))


async def read(request: Request) -> Response:
    """GET /annotation-queues/{queue_id}."""
    who = await caller(request, Permission.READ)
    queue = await services(request).annotation_queues.read(who.workspace, path_uuid(request, "queue_id"))
    return await _whole(request, queue)


async def update(request: Request) -> Response:
    """PATCH /annotation-queues/{queue_id}: the queue as changed."""
    who = await caller(request, Permission.WRITE)
    to = services(request)
    queue_id = path_uuid(request, "queue_id")
    sent = await body_as(request, QueuePatchIn)
    with of_body():
        patch = shapes.queue_patch(sent, who.workspace, to.payloads)
        queue = await to.annotation_queues.update(who.workspace, queue_id, patch)
    return await _whole(request, queue)


async def _whole(request: Request, queue: AnnotationQueue) -> Response:
    """A queue with its rubric."""
    to = services(request)
    keys = [item.feedback_key for item in queue.rubric_items or ()]
    configs = await to.feedback_configs.page(queue.workspace, keys=keys) if keys else []
    names = await to.annotation_queues.names(queue.workspace, [queue])
    return encode(shapes.queue_with_rubric(queue, names, configs))


async def delete(request: Request) -> Response:
    """DELETE /annotation-queues/{queue_id}, with its items."""
    who = await caller(request, Permission.WRITE)
    queue_id = path_uuid(request, "queue_id")
    await services(request).annotation_queues.delete(who.workspace, queue_id)
    return encode({"message": f"annotation queue {queue_id} deleted"})


async def delete_many(request: Request) -> Response:
    """DELETE /annotation-queues?queue_ids=…: 207 when some of them are not there, 404 when none is."""
    who = await caller(request, Permission.WRITE)
    wanted = Params(request).uuids("queue_ids")
    if not 1 <= len(wanted) <= MAX_DELETED:
        raise Invalid(f"name 1 to {MAX_DELETED} queues: queue_ids=…", ("query", "queue_ids"))
    gone = await services(request).annotation_queues.delete_many(who.workspace, wanted)
    missing = sorted(set(wanted).difference(gone))
    return encode({"deleted": sorted(gone), "not_found": missing}, 207 if missing else 200)


async def find(request: Request) -> Response:
    """GET /annotation-queues: a page of queues."""
    who = await caller(request, Permission.READ)
    params = Params(request)
    keys, tagged = params.flag("include_rubric_keys") or False, params.uuids("tag_value_id")
    query = _query(params, who)
    if tagged:
        return encode([])  # there are no resource tags here, so no queue carries one
    queues = services(request).annotation_queues
    found = await queues.find(query)
    names = await queues.names(who.workspace, [listed.queue for listed in found])
    return encode([shapes.queue_with_size(listed, names, keys=keys) for listed in found])


def _query(params: Params, who: Caller) -> QueueQuery:
    kind, sort = params.text("queue_type"), params.text("sort_by") or "created_at"
    if kind is not None and kind not in get_args(QueueTypeName):
        raise Invalid(f"{kind[:40]!r} is not single or pairwise", ("query", "queue_type"))
    if sort not in list(QueueSort):
        raise Invalid(f"{sort[:40]!r} is not one of {', '.join(QueueSort)}", ("query", "sort_by"))
    return QueueQuery(
        workspace=who.workspace,
        ids=params.uuids("ids") or None,
        name=params.text("name"),
        name_contains=params.text("name_contains"),
        dataset=params.uuid("dataset_id"),
        queue_type=None if kind is None else QueueType(kind),
        reviewer=reviewer_of(who) if params.flag("assigned_to_me") else None,
        sort=QueueSort(sort),
        descending=params.flag("sort_by_desc") is not False,
        offset=params.number("offset", 0, 0, 2**31),
        limit=params.number("limit", 100, 1, 100),
    )


async def of_run(request: Request) -> Response:
    """GET /annotation-queues/{run_id}/queues: those that hold the run."""
    who = await caller(request, Permission.READ)
    query = QueueQuery(workspace=who.workspace, run=path_uuid(request, "run_id"))
    queues = services(request).annotation_queues
    found = [listed.queue for listed in await queues.find(query)]
    names = await queues.names(who.workspace, found)
    return encode([shapes.plain_queue(queue, names) for queue in found])


async def populate(request: Request) -> Response:
    """POST /annotation-queues/populate."""
    who = await caller(request, Permission.WRITE)
    to = services(request)
    sent = await body_as(request, PopulateIn)
    with of_body():
        queue = await to.annotation_queues.read(who.workspace, sent.queue_id)
        keeps = sent.extend_trace_retention is not False
        count = await to.queue_population.fill(queue, sent.session_ids, keeps=keeps)
    return encode({"message": f"the queue has {count} items of these experiments", "count": count})


async def assign(request: Request) -> Response:
    """POST /platform/annotation-queues/{queue_id}/reviewers."""
    who = await caller(request, Permission.WRITE)
    queue_id = path_uuid(request, "queue_id")
    sent = await body_as(request, ReviewerIn)
    await services(request).annotation_queues.assign(who.workspace, queue_id, sent.identity_id)
    return encode({"identity_id": sent.identity_id}, 201)


async def unassign(request: Request) -> Response:
    """DELETE /platform/annotation-queues/{queue_id}/reviewers/{reviewer_id}."""
    who = await caller(request, Permission.WRITE)
    queue_id, reviewer = path_uuid(request, "queue_id"), path_uuid(request, "reviewer_id")
    await services(request).annotation_queues.unassign(who.workspace, queue_id, reviewer)
    return Response(status_code=204)

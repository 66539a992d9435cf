"""LangSmith's routes of the runs in annotation queues, as all its clients know them.

They speak of items with runs alone; items with threads are in annotation_queue_items.py. An item's id is its
`queue_run_id`; where one is asked for, clients send the run's id just as well. What a reviewer is to do next is
at index 0: `run/{index}` and `size` without a status are about the items that need the caller's review, while a
list without one has them all.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from stenograph.domain.annotation.items import WantedRun
from stenograph.domain.annotation.queues import reviewer_of
from stenograph.errors import Invalid, NotFound
from stenograph.model.access import Caller, Permission
from stenograph.model.query import FeedbackQuery
from stenograph.model.queue_items import (
    ItemKind,
    ItemQuery,
    ItemSelection,
    QueueItem,
    ReviewStatus,
    Section,
    SeenItem,
)
from stenograph.wire.http import Params, body_as, caller, encode, of_body, path_uuid, services
from stenograph.wire.langsmith.annotation import shapes
from stenograph.wire.langsmith.annotation.schemas import (
    AddRunIn,
    ExportIn,
    ItemPatchIn,
    ItemStatusIn,
    RunKeyIn,
    RunsDeleteFromQueueIn,
)
from stenograph.wire.langsmith.feedback.shapes import to_wire
from stenograph.wire.langsmith.runs import convert, runs

MAX_LIMIT: Final = 100
MAX_OFFSET: Final = 2**31
_SELECT: Final = convert.DEFAULT_SELECT | {"inputs_preview", "outputs_preview"}
_FEEDBACK_PAGE: Final = 1000


def routes() -> list[BaseRoute]:
    """Fixed paths before those with parameters."""
    queue = "/annotation-queues/{queue_id}"
    return [
        Route("/annotation-queues/status/{item_id}", review, methods=["POST"]),
        Route(f"{queue}/runs", add, methods=["POST"]),
        Route(f"{queue}/runs", page, methods=["GET"]),
        Route(f"{queue}/runs/by-key", add_by_key, methods=["POST"]),
        Route(f"{queue}/runs/delete", remove_many, methods=["POST"]),
        Route(f"{queue}/runs/resolve/{{item_id}}", resolve, methods=["GET"]),
        Route(f"{queue}/runs/{{item_id}}", update, methods=["PATCH"]),
        Route(f"{queue}/runs/{{item_id}}", remove, methods=["DELETE"]),
        Route(f"{queue}/run/{{index}}", at, methods=["GET"]),
        Route(f"{queue}/size", size, methods=["GET"]),
        Route(f"{queue}/total_size", total_size, methods=["GET"]),
        Route(f"{queue}/total_archived", total_archived, methods=["GET"]),
        Route(f"{queue}/export", export, methods=["POST"]),
    ]


# -- adding ----------------------------------------------------------------------------------------------


async def add(request: Request) -> Response:
    """POST /annotation-queues/{queue_id}/runs: ids of runs, or objects."""
    who = await caller(request, Permission.WRITE)
    sent = await body_as(request, list[UUID | AddRunIn])
    with of_body():
        wanted = [
            WantedRun(run_id=each)
            if isinstance(each, UUID)
            else WantedRun(
                run_id=each.run_id,
                project_id=each.session_id,
                start_time=convert.micros(each.start_time, "start_time"),
                source_proposed_example_id=each.source_proposed_example_id,
            )
            for each in sent
        ]
    return await _add(request, who, wanted)


async def add_by_key(request: Request) -> Response:
    """POST /annotation-queues/{queue_id}/runs/by-key: runs that may still be on their way."""
    who = await caller(request, Permission.WRITE)
    sent = await body_as(request, list[RunKeyIn])
    with of_body():
        wanted = [
            WantedRun(
                run_id=each.run_id,
                project_id=each.session_id,
                start_time=convert.micros(each.start_time, "start_time"),
                source_proposed_example_id=each.source_proposed_example_id,
            )
            for each in sent
        ]
    return await _add(request, who, wanted)


async def _add(request: Request, who: Caller, wanted: Sequence[WantedRun]) -> Response:
    queue_id = path_uuid(request, "queue_id")
    keeps = Params(request).flag("extend_trace_retention") is not False
    added = await services(request).queue_items.add(who.workspace, queue_id, wanted, keeps=keeps)
    return encode([shapes.added_run(item) for item in added])


# -- reading ---------------------------------------------------------------------------------------------


def _selection(request: Request, who: Caller, **conditions: Any) -> ItemSelection:
    """Items with runs of the queue in the path, through the caller's eyes."""
    return ItemSelection(
        workspace=who.workspace,
        queue_id=path_uuid(request, "queue_id"),
        viewer=services(request).queue_items.viewer(reviewer_of(who)),
        kind=ItemKind.RUN,
        **conditions,
    )


def _section(params: Params) -> Section | None:
    name = params.text("status")
    if name is not None and name not in list(Section):
        raise Invalid(f"{name[:40]!r} is not one of {', '.join(Section)}", ("query", "status"))
    return None if name is None else Section(name)


async def page(request: Request) -> Response:
    """GET /annotation-queues/{queue_id}/runs: in the caller's order."""
    who = await caller(request, Permission.READ)
    params = Params(request)
    query = ItemQuery(
        selection=_selection(request, who, section=_section(params), archived=params.flag("archived")),
        offset=params.number("offset", 0, 0, MAX_OFFSET),
        limit=params.number("limit", MAX_LIMIT, 1, MAX_LIMIT),
    )
    select = _SELECT - {"feedback_stats"} if params.flag("include_stats") is False else _SELECT
    return encode(await _rendered(request, await services(request).queue_items.page(query), select))


async def at(request: Request) -> Response:
    """GET /annotation-queues/{queue_id}/run/{index}: of what needs the caller's review; 404 past its end."""
    who = await caller(request, Permission.READ)
    select = _SELECT if Params(request).flag("include_extra") else _SELECT - {"extra"}
    selection = _selection(request, who, section=Section.NEEDS_MY_REVIEW)
    seen = await services(request).queue_items.at(selection, _index(request))
    return encode((await _rendered(request, [seen], select))[0])


def _index(request: Request) -> int:
    text = request.path_params["index"]
    if not text.isascii() or not text.isdigit():
        raise Invalid(f"{text[:40]!r} is not a whole number from 0", ("path", "index"))
    if len(text) > 9:
        raise NotFound(f"There is no run at index {text[:40]}.")
    return int(text)


async def _rendered(
    request: Request, items: Sequence[SeenItem], select: frozenset[str]
) -> list[dict[str, Any]]:
    """Items as their runs; all of one workspace."""
    if not items:
        return []
    held = [seen.item for seen in items]
    found = await services(request).queue_items.runs_of(held[0].workspace, held, runs.columns_for(select))
    written = await runs.render(request, list(found.values()), select)
    by_id = dict(zip(found, written, strict=True))
    return [shapes.run_in_queue(seen, by_id) for seen in items]


async def size(request: Request) -> Response:
    """GET /annotation-queues/{queue_id}/size."""
    who = await caller(request, Permission.READ)
    section = _section(Params(request)) or Section.NEEDS_MY_REVIEW
    return await _size(request, _selection(request, who, section=section))


async def total_size(request: Request) -> Response:
    """GET /annotation-queues/{queue_id}/total_size: completed ones too."""
    who = await caller(request, Permission.READ)
    return await _size(request, _selection(request, who))


async def total_archived(request: Request) -> Response:
    """GET /annotation-queues/{queue_id}/total_archived, of those completed between two times, exclusive."""
    who = await caller(request, Permission.READ)
    params = Params(request)
    after, before = params.time("start_time"), params.time("end_time")
    chosen = _selection(request, who, section=Section.COMPLETED, archived_after=after, archived_before=before)
    return await _size(request, chosen)


async def _size(request: Request, selection: ItemSelection) -> Response:
    return encode({"size": await services(request).queue_items.count(selection)})


async def resolve(request: Request) -> Response:
    """GET /annotation-queues/{queue_id}/runs/resolve/{item_id}: where to find an item in the caller's lists."""
    who = await caller(request, Permission.READ)
    found = await services(request).queue_items.place(
        who.workspace,
        path_uuid(request, "queue_id"),
        path_uuid(request, "item_id"),
        reviewer_of(who),
        ItemKind.RUN,
    )
    return encode({"section": found.section.value, "position": found.position})


# -- changing --------------------------------------------------------------------------------------------


async def update(request: Request) -> Response:
    """PATCH /annotation-queues/{queue_id}/runs/{item_id}."""
    return encode(shapes.added_run(await changed_item(request)))


async def changed_item(request: Request) -> QueueItem:
    """The item of the path, changed as the body says."""
    who = await caller(request, Permission.WRITE)
    queue_id, which = path_uuid(request, "queue_id"), path_uuid(request, "item_id")
    sent = await body_as(request, ItemPatchIn)
    with of_body():
        patch = shapes.item_patch(sent)
    return await services(request).queue_items.update(who.workspace, queue_id, which, patch)


async def remove(request: Request) -> Response:
    """DELETE /annotation-queues/{queue_id}/runs/{item_id}."""
    who = await caller(request, Permission.WRITE)
    queue_id, which = path_uuid(request, "queue_id"), path_uuid(request, "item_id")
    await services(request).queue_items.remove(who.workspace, queue_id, which)
    return encode({"message": "taken out of the queue"})


async def remove_many(request: Request) -> Response:
    """POST /annotation-queues/{queue_id}/runs/delete: those named, or all but those to exclude."""
    who = await caller(request, Permission.WRITE)
    queue_id = path_uuid(request, "queue_id")
    sent = await body_as(request, RunsDeleteFromQueueIn)
    items = services(request).queue_items
    excluded = sent.exclude_run_ids or []
    if sent.delete_all:
        count = await items.remove_all(who.workspace, queue_id, excluded)
    elif sent.run_ids is not None:
        wanted = [run_id for run_id in sent.run_ids if run_id not in set(excluded)]
        count = await items.remove_many(who.workspace, queue_id, wanted)
    else:
        raise Invalid("give run_ids, or delete_all: true", ("body", "run_ids"))
    return encode({"message": f"{count} items taken out of the queue", "count": count})


async def review(request: Request) -> Response:
    """POST /annotation-queues/status/{item_id} and /platform/annotation-queues/items/{item_id}/status."""
    who = await caller(request, Permission.WRITE)
    item_id = path_uuid(request, "item_id")
    sent = await body_as(request, ItemStatusIn)
    with of_body():
        override = convert.micros(sent.override_added_at, "override_added_at")
    status = None if sent.status is None else ReviewStatus(sent.status)
    found = await services(request).queue_items.review(
        who.workspace, item_id, reviewer_of(who), status, override
    )
    return encode(shapes.reviewed(found, item_id))


# -- export ----------------------------------------------------------------------------------------------


async def export(request: Request) -> Response:
    """POST /annotation-queues/{queue_id}/export: completed runs with all their feedback, as one JSON array.

    Who gave it, and who completed what when, is told with `include_annotator_detail`.
    """
    who = await caller(request, Permission.READ)
    sent = await body_as(request, ExportIn)
    with of_body():
        after = convert.micros(sent.start_time, "start_time")
        before = convert.micros(sent.end_time, "end_time")
    chosen = _selection(request, who, section=Section.COMPLETED, archived_after=after, archived_before=before)
    pages = services(request).queue_items.every(chosen)
    # The first page before the answer begins: whatever is wrong mostly shows there, and still gets a status.
    first = await anext(pages, None)
    rows = [] if first is None else await _exported(request, first, sent.include_annotator_detail)

    async def body() -> AsyncIterator[bytes]:
        yield b"[" + b",".join(map(_json, rows))
        if first is not None:
            async for items in pages:
                more = await _exported(request, items, sent.include_annotator_detail)
                yield b"," + b",".join(map(_json, more))
        yield b"]"

    return StreamingResponse(body(), media_type="application/json")


_json = msgspec.json.Encoder(decimal_format="string").encode


async def _exported(request: Request, items: Sequence[SeenItem], detail: bool) -> list[dict[str, Any]]:
    rows = await _rendered(request, items, _SELECT)
    feedback = await _feedback(request, items)
    for seen, row in zip(items, rows, strict=True):
        given = [each for run in seen.item.runs for each in feedback.get(run.run_id, ())]
        if detail:
            row["reviews"] = [
                {"reviewer_id": each.reviewer, "status": each.status, "time": convert.zoned_text(each.at)}
                for each in seen.reviews
                if each.status is not None
            ]
        else:
            del row["reserved_by"], row["completed_by"]
            for each in given:
                del each["feedback_source"]
        row["feedback"] = given
    return rows


async def _feedback(request: Request, items: Sequence[SeenItem]) -> dict[UUID, list[dict[str, Any]]]:
    """All feedback on the runs of these items, by run, oldest first."""
    held = tuple({run.run_id for seen in items for run in seen.item.runs})
    found: dict[UUID, list[dict[str, Any]]] = {run_id: [] for run_id in held}
    offset = 0
    while True:
        query = FeedbackQuery(
            workspace=items[0].item.workspace, runs=held, limit=_FEEDBACK_PAGE, offset=offset
        )
        page = await services(request).feedback.page(query)
        for each in page:
            assert each.run_id is not None
            found[each.run_id].insert(0, to_wire(each))
        if len(page) < _FEEDBACK_PAGE:
            return found
        offset += _FEEDBACK_PAGE

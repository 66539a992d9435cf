"""LangSmith's newer routes of items in annotation queues: runs and threads, told apart by `item_type`.

Only its generated clients call them. `archived` is here what older routes call completed.
"""

from __future__ import annotations

import base64
from typing import Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.domain.annotation.items import Wanted, WantedRun
from stenograph.domain.annotation.queues import reviewer_of
from stenograph.errors import Invalid
from stenograph.model.access import Permission
from stenograph.model.queue_items import (
    Boundary,
    ItemKind,
    ItemQuery,
    ItemSelection,
    Section,
    ThreadPlace,
    Viewer,
)
from stenograph.wire.http import Params, body_as, caller, encode, of_body, path_uuid, services
from stenograph.wire.langsmith.annotation import shapes
from stenograph.wire.langsmith.annotation.runs import changed_item, review
from stenograph.wire.langsmith.annotation.schemas import (
    ItemIn,
    ItemsDeleteIn,
    ItemsIn,
)
from stenograph.wire.langsmith.runs import convert

MAX_PAGE: Final = 100
_ZERO_TIME: Final = "0001-01-01T00:00:00"
"""What clients written in Go send for no time at all."""

_SECTIONS: Final[dict[str, Section]] = {
    "needs_my_review": Section.NEEDS_MY_REVIEW,
    "needs_others_review": Section.NEEDS_OTHERS_REVIEW,
    "archived": Section.COMPLETED,
}
_NAMES: Final = {section: name for name, section in _SECTIONS.items()}


def routes() -> list[BaseRoute]:
    """Fixed paths before those with parameters."""
    items = "/platform/annotation-queues/{queue_id}/items"
    return [
        Route("/platform/annotation-queues/items/{item_id}/status", review, methods=["POST"]),
        Route(items, add, methods=["POST"]),
        Route(items, page, methods=["GET"]),
        Route(f"{items}/count", count, methods=["GET"]),
        Route(f"{items}/delete", remove, methods=["POST"]),
        Route(f"{items}/{{item_id}}", update, methods=["PATCH"]),
        Route(f"{items}/{{item_id}}/placement", placement, methods=["GET"]),
    ]


async def add(request: Request) -> Response:
    """POST /platform/annotation-queues/{queue_id}/items."""
    who = await caller(request, Permission.WRITE)
    keeps = Params(request).flag("extend_trace_retention") is not False
    queue_id = path_uuid(request, "queue_id")
    sent = await body_as(request, ItemsIn)
    wanted = [_wanted(item, index) for index, item in enumerate(sent.items)]
    with of_body():
        added = await services(request).queue_items.add(who.workspace, queue_id, wanted, keeps=keeps)
    return encode({"items": [shapes.queue_item(item) for item in added]})


def _wanted(sent: ItemIn, index: int) -> Wanted:
    where = ("body", "items", index)
    kind = sent.item_type or ("THREAD" if sent.run_id is None and sent.thread_id else "RUN")
    project = sent.project_id or sent.session_id
    try:
        start = convert.micros(sent.start_time, "start_time")
    except Invalid as error:
        raise Invalid(error.message, (*where, "start_time")) from None
    if kind == "THREAD":
        if not sent.thread_id or project is None:
            raise Invalid("a thread needs thread_id and project_id", (*where, "thread_id"))
        return ThreadPlace(project, sent.thread_id, start)
    if sent.run_id is None:
        raise Invalid("a run needs run_id", (*where, "run_id"))
    return WantedRun(
        run_id=sent.run_id,
        project_id=project,
        start_time=start,
        source_proposed_example_id=sent.source_proposed_example_id,
    )


async def page(request: Request) -> Response:
    """GET /platform/annotation-queues/{queue_id}/items: one section, in the caller's order."""
    who = await caller(request, Permission.READ)
    params = Params(request)
    items = services(request).queue_items
    section = _section(params, ())
    backward, start = _direction(params), _cursor_in(params.text("cursor"))
    if backward and start is None:
        raise Invalid("to go backward, say from where: cursor=…", ("query", "cursor"))
    size = params.number("page_size", MAX_PAGE, 1, MAX_PAGE)
    query = ItemQuery(
        selection=_selection(request, who.workspace, items.viewer(reviewer_of(who)), section),
        limit=size + 1,
        start=start,
        backward=backward,
    )
    found = await items.page(query)
    more = len(found) > size
    found = found[-size:] if backward else found[:size]
    following = None
    if more:
        last = found[0] if backward else found[-1]
        following = _cursor_out(Boundary(last.effective_added_at, last.item.id, after=not backward))
    return encode({"items": [shapes.seen_item(seen) for seen in found], "next_cursor": following})


async def count(request: Request) -> Response:
    """GET /platform/annotation-queues/{queue_id}/items/count. start_time and end_time bound when items were
    archived; as clients are told, other counts take no notice of them."""
    who = await caller(request, Permission.READ)
    params = Params(request)
    items = services(request).queue_items
    section = _section(params, ("all",))
    after, before = _time(params, "start_time"), _time(params, "end_time")
    if section is not Section.COMPLETED:
        after = before = None
    viewer = items.viewer(reviewer_of(who))
    chosen = _selection(request, who.workspace, viewer, section, archived=(after, before))
    return encode({"count": await items.count(chosen)})


def _selection(
    request: Request,
    workspace: UUID,
    viewer: Viewer,
    section: Section | None,
    archived: tuple[int | None, int | None] = (None, None),
) -> ItemSelection:
    params = Params(request)
    kind = params.text("item_type")
    if kind is not None and kind not in ItemKind.__members__:
        raise Invalid(f"{kind[:40]!r} is not RUN or THREAD", ("query", "item_type"))
    return ItemSelection(
        workspace=workspace,
        queue_id=path_uuid(request, "queue_id"),
        viewer=viewer,
        section=section,
        kind=None if kind is None else ItemKind[kind],
        since=_time(params, "min_start_time"),
        until=_time(params, "max_start_time"),
        archived_after=archived[0],
        archived_before=archived[1],
    )


def _section(params: Params, more: tuple[str, ...]) -> Section | None:
    """The section that `status` names; None for one of `more`."""
    name = params.text("status")
    if name in more:
        return None
    if name not in _SECTIONS:
        choices = ", ".join((*more, *_SECTIONS))
        raise Invalid(f"status has to be one of {choices}", ("query", "status"))
    return _SECTIONS[name]


def _direction(params: Params) -> bool:
    name = params.text("direction") or "forward"
    if name not in ("forward", "backward"):
        raise Invalid(f"{name[:40]!r} is not forward or backward", ("query", "direction"))
    return name == "backward"


def _time(params: Params, name: str) -> int | None:
    text = params.text(name)
    return None if text is None or text.startswith(_ZERO_TIME) else params.time(name)


def _cursor_out(place: Boundary) -> str:
    side = "after" if place.after else "before"
    return base64.urlsafe_b64encode(f"{side}:{place.added_at}:{place.item_id}".encode()).decode()


def _cursor_in(text: str | None) -> Boundary | None:
    if not text:
        return None
    try:
        side, added_at, item_id = base64.urlsafe_b64decode(text.encode()).decode().split(":")
        if side not in ("before", "after"):
            raise ValueError(side)
        return Boundary(int(added_at), UUID(item_id), side == "after")
    except ValueError:
        raise Invalid("this is not a cursor that a former page gave", ("query", "cursor")) from None


async def placement(request: Request) -> Response:
    """GET /platform/annotation-queues/{queue_id}/items/{item_id}/placement. A list of its section from the cursor
    on begins with the item."""
    who = await caller(request, Permission.READ)
    queue_id, item_id = path_uuid(request, "queue_id"), path_uuid(request, "item_id")
    found = await services(request).queue_items.place(who.workspace, queue_id, item_id, reviewer_of(who))
    place = Boundary(found.seen.effective_added_at, item_id, after=False)
    return encode(
        {
            "section": _NAMES[found.section],
            "position": found.position,
            "cursor": _cursor_out(place),
            "item_type": found.seen.item.kind.name,
        }
    )


async def update(request: Request) -> Response:
    """PATCH /platform/annotation-queues/{queue_id}/items/{item_id}."""
    return encode(shapes.queue_item(await changed_item(request)))


async def remove(request: Request) -> Response:
    """POST /platform/annotation-queues/{queue_id}/items/delete."""
    who = await caller(request, Permission.WRITE)
    queue_id = path_uuid(request, "queue_id")
    sent = await body_as(request, ItemsDeleteIn)
    count = await services(request).queue_items.remove_many(who.workspace, queue_id, sent.item_ids)
    return encode({"message": f"{count} items taken out of the queue"})

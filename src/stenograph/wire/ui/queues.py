"""The page's annotation queues: the list, one of them, and its items for a reviewer, one at a time.

/ui/api/queues                                       queues with counts; a new one
/ui/api/queues/{queue_id}                            one with its rubric; changed; deleted with its items
/ui/api/queues/{queue_id}/items                      a section of it, in the viewer's order
/ui/api/queues/{queue_id}/items/{item_id}            one, with what the viewer has said of it
…/items/{item_id}/status                             {status}: viewed, skipped, open
…/items/{item_id}/done                               {answers}: feedback is given, and the item is done
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal
from uuid import UUID, uuid4

import msgspec
from msgspec import UNSET, Raw
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.domain.annotation.queues import reviewer_of
from stenograph.domain.annotation.reviewing import Answer, Preference, Reviewing
from stenograph.domain.annotation.rubrics import check_rubric
from stenograph.domain.feedback.configs import check_shape
from stenograph.domain.people import name_of
from stenograph.errors import Invalid
from stenograph.model.access import Caller, Permission
from stenograph.model.annotation_queues import (
    AnnotationQueue,
    AnnotationQueuePatch,
    Conditions,
    QueueQuery,
    QueueType,
    RubricItem,
)
from stenograph.model.feedback import Feedback
from stenograph.model.feedback_setup import FeedbackConfig, FeedbackShape
from stenograph.model.queue_items import Boundary, ItemQuery, ItemSelection, ReviewStatus, Section, SeenItem
from stenograph.model.runs import Run
from stenograph.wire.http import Params, body_as, encode, of_body, path_uuid, services
from stenograph.wire.ui import shapes
from stenograph.wire.ui.previews import preview
from stenograph.wire.ui.signing_in import viewer

MAX_QUEUES: Final = 100
MAX_ITEMS: Final = 100
_SECTIONS: Final = {
    "mine": Section.NEEDS_MY_REVIEW,
    "others": Section.NEEDS_OTHERS_REVIEW,
    "done": Section.COMPLETED,
}
_NAMES: Final = {section: name for name, section in _SECTIONS.items()}
_PREFERENCES: Final[dict[str, Preference]] = {"a": "first", "b": "second", "tie": "tie"}
_COLUMNS: Final = frozenset({"name", "run_type", "status", "error", "end_time", "inputs", "outputs"})


def routes() -> list[BaseRoute]:
    one = "/ui/api/queues/{queue_id}"
    item = one + "/items/{item_id}"
    return [
        Route("/ui/api/queues", listed, methods=["GET"]),
        Route("/ui/api/queues", create, methods=["POST"]),
        Route(one, read, methods=["GET"]),
        Route(one, update, methods=["PATCH"]),
        Route(one, delete, methods=["DELETE"]),
        Route(one + "/items", items, methods=["GET"]),
        Route(item, read_item, methods=["GET"]),
        Route(item, remove_item, methods=["DELETE"]),
        Route(item + "/status", status, methods=["POST"]),
        Route(item + "/done", done, methods=["POST"]),
    ]


# -- queues ------------------------------------------------------------------------------------------------


async def listed(request: Request) -> Response:
    """GET /ui/api/queues: newest first, with what waits for the viewer and what is done."""
    who = await viewer(request, Permission.READ)
    params = Params(request)
    query = QueueQuery(
        workspace=who.workspace,
        name_contains=params.text("name") or None,
        offset=params.number("offset", 0, 0, 2**31),
        limit=MAX_QUEUES + 1,
    )
    found = [each.queue for each in await services(request).annotation_queues.find(query)]
    shown = found[:MAX_QUEUES]
    counts = await asyncio.gather(*(_counts(request, who, queue.id) for queue in shown))
    return encode(
        {
            "queues": [_queue(queue, count) for queue, count in zip(shown, counts, strict=True)],
            "more": len(found) > MAX_QUEUES,
        }
    )


async def _counts(request: Request, who: Caller, queue_id: UUID) -> dict[str, int]:
    """Items of the queue in each section, as the viewer sees it."""
    to = services(request).queue_items
    found = await asyncio.gather(
        *(to.count(_selection(request, who, queue_id, section)) for section in _SECTIONS.values())
    )
    return dict(zip(_SECTIONS, found, strict=True))


def _selection(
    request: Request, who: Caller, queue_id: UUID, section: Section | None = None
) -> ItemSelection:
    seen_by = services(request).queue_items.viewer(reviewer_of(who))
    return ItemSelection(workspace=who.workspace, queue_id=queue_id, viewer=seen_by, section=section)


class RubricIn(msgspec.Struct, frozen=True, kw_only=True):
    """A key to judge by. `config` is the shape of its scores, for a key that has none yet. Of what the page does not
    ask for (conditions, and what values mean) a key that stays in the rubric keeps what it has."""

    key: str
    description: str | None = None
    required: bool = False
    config: FeedbackShape | None = None


class QueueIn(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    description: str | None = None
    instructions: str | None = None
    pairwise: bool = False
    reviewers: int | None = 1
    rubric: list[RubricIn] = []


async def create(request: Request) -> Response:
    """POST /ui/api/queues."""
    who = await viewer(request, Permission.WRITE)
    sent = await body_as(request, QueueIn)
    now = time.time_ns() // 1000
    with of_body():
        rubric = await _rubric(request, who, sent.rubric, ())
        queue = AnnotationQueue(
            id=uuid4(),
            workspace=who.workspace,
            name=sent.name.strip(),
            created_at=now,
            updated_at=now,
            description=sent.description,
            queue_type=QueueType.PAIRWISE if sent.pairwise else QueueType.SINGLE,
            num_reviewers_per_item=sent.reviewers,
            rubric_items=rubric or None,
            rubric_instructions=sent.instructions,
        )
        queue = await services(request).annotation_queues.create(queue)
    return encode({"id": queue.id})


async def _rubric(
    request: Request, who: Caller, sent: Sequence[RubricIn], before: Sequence[RubricItem]
) -> tuple[RubricItem, ...]:
    """Checked whole before any key gets its shape."""
    known = {item.feedback_key: item for item in before}
    rubric = tuple(
        msgspec.structs.replace(
            known.get(each.key) or RubricItem(feedback_key=each.key),
            description=each.description,
            is_required=each.required,
            required_if=UNSET,
            visible_if=UNSET,
        )
        for each in sent
    )
    check_rubric(rubric)
    for each in sent:
        if each.config is not None:
            check_shape(each.config, "config")
    for each in sent:
        if each.config is not None:
            await services(request).feedback_configs.create(who.workspace, each.key, each.config)
    return rubric


async def read(request: Request) -> Response:
    """GET /ui/api/queues/{queue_id}: with its rubric, each key with the shape of its scores."""
    who = await viewer(request, Permission.READ)
    to = services(request)
    queue = await to.annotation_queues.read(who.workspace, path_uuid(request, "queue_id"))
    return await _whole(request, who, queue)


async def _whole(request: Request, who: Caller, queue: AnnotationQueue) -> Response:
    to = services(request)
    keys = [item.feedback_key for item in queue.rubric_items or ()]
    configs = await to.feedback_configs.page(queue.workspace, keys=keys) if keys else []
    by_key = {config.key: config for config in configs}
    found = _queue(queue, await _counts(request, who, queue.id))
    found["mayReview"] = queue.may_review(reviewer_of(who))
    found["rubric"] = [_key(item, by_key.get(item.feedback_key)) for item in queue.rubric_items or ()]
    return encode(found)


class QueuePatchIn(msgspec.Struct, frozen=True, kw_only=True):
    """Null leaves a field as it is. A rubric replaces the old one."""

    name: str | None = None
    description: str | None = None
    instructions: str | None = None
    rubric: list[RubricIn] | None = None


async def update(request: Request) -> Response:
    """PATCH /ui/api/queues/{queue_id}."""
    who = await viewer(request, Permission.WRITE)
    to = services(request)
    queue = await to.annotation_queues.read(who.workspace, path_uuid(request, "queue_id"))
    sent = await body_as(request, QueuePatchIn)
    with of_body():
        rubric = (
            None
            if sent.rubric is None
            else await _rubric(request, who, sent.rubric, queue.rubric_items or ())
        )
        patch = AnnotationQueuePatch(
            name=None if sent.name is None else sent.name.strip(),
            description=sent.description,
            rubric_items=rubric,
            rubric_instructions=sent.instructions,
        )
        queue = await to.annotation_queues.update(who.workspace, queue.id, patch)
    return await _whole(request, who, queue)


async def delete(request: Request) -> Response:
    """DELETE /ui/api/queues/{queue_id}, with its items. Feedback stays with the runs."""
    who = await viewer(request, Permission.WRITE)
    await services(request).annotation_queues.delete(who.workspace, path_uuid(request, "queue_id"))
    return encode({})


# -- items -------------------------------------------------------------------------------------------------


async def items(request: Request) -> Response:
    """GET …/items: `section` is mine (what needs the viewer's review), others, or done."""
    who = await viewer(request, Permission.READ)
    params = Params(request)
    name = params.text("section") or "mine"
    if name not in _SECTIONS:
        raise Invalid(f"{name[:40]!r} is not one of {', '.join(_SECTIONS)}", ("query", "section"))
    limit, offset = params.number("limit", 50, 1, MAX_ITEMS), params.number("offset", 0, 0, 2**31)
    to = services(request).queue_items
    chosen = _selection(request, who, path_uuid(request, "queue_id"), _SECTIONS[name])
    found = await to.page(ItemQuery(selection=chosen, limit=limit + 1, offset=offset))
    shown = found[:limit]
    runs = await to.runs_of(who.workspace, [seen.item for seen in shown], _COLUMNS)
    return encode(
        {
            "items": [_row(seen, runs) for seen in shown],
            "next": offset + limit if len(found) > limit else None,
        }
    )


async def read_item(request: Request) -> Response:
    """GET …/items/{item_id}: where it stands for the viewer, its neighbours there, and what the viewer said of it."""
    who = await viewer(request, Permission.READ)
    to = services(request)
    queue_id, reviewer = path_uuid(request, "queue_id"), reviewer_of(who)
    place = await to.queue_items.place(who.workspace, queue_id, path_uuid(request, "item_id"), reviewer)
    chosen = _selection(request, who, queue_id, place.section)
    item = place.seen.item
    here = place.seen.effective_added_at
    reviewing = Reviewing(to.queue_items, to.feedback, to.runs)
    subjects, count, before, after = await asyncio.gather(
        reviewing.subjects(item),
        to.queue_items.count(chosen),
        to.queue_items.page(
            ItemQuery(selection=chosen, limit=1, start=Boundary(here, item.id, after=False), backward=True)
        ),
        to.queue_items.page(ItemQuery(selection=chosen, limit=1, start=Boundary(here, item.id, after=True))),
    )
    return encode(
        {
            "id": item.id,
            "section": _NAMES[place.section],
            "position": place.position,
            "of": count,
            "before": before[0].item.id if before else None,
            "after": after[0].item.id if after else None,
            "added": item.added_at,
            "project": item.project_id,
            "thread": None if item.thread is None else item.thread.thread_id,
            "runs": subjects,
            "mineDone": reviewer in place.seen.completed_by,
            "reviews": len(place.seen.completed_by),
            "reserved": any(each != reviewer for each in place.seen.reserved_by),
            "given": [_given(each, who) for each in await reviewing.given(item, subjects, reviewer)],
        }
    )


async def remove_item(request: Request) -> Response:
    """DELETE …/items/{item_id}: out of the queue. Feedback stays."""
    who = await viewer(request, Permission.WRITE)
    await services(request).queue_items.remove(
        who.workspace, path_uuid(request, "queue_id"), path_uuid(request, "item_id")
    )
    return encode({})


class StatusIn(msgspec.Struct, frozen=True):
    status: Literal["viewed", "skipped", "open"]


async def status(request: Request) -> Response:
    """POST …/status: `viewed` reserves it, `skipped` lets go of it and puts it behind all others of the viewer's,
    `open` takes the viewer's completion back."""
    who = await viewer(request, Permission.WRITE)
    sent = await body_as(request, StatusIn)
    to = services(request).queue_items
    reviewer = reviewer_of(who)
    place = await to.place(
        who.workspace, path_uuid(request, "queue_id"), path_uuid(request, "item_id"), reviewer
    )
    is_skipped = sent.status == "skipped"
    found = await to.review(
        who.workspace,
        place.seen.item.id,
        reviewer,
        ReviewStatus.VIEWED if sent.status == "viewed" else None,
        time.time_ns() // 1000 if is_skipped else None,
    )
    return encode({"archived": found.is_archived})


class AnswerIn(msgspec.Struct, frozen=True, kw_only=True):
    """`value` and `correction` are any JSON; `preference` is for pairs."""

    key: str
    score: float | None = None
    value: Raw = Raw(b"")
    comment: str | None = None
    correction: Raw = Raw(b"")
    preference: Literal["a", "b", "tie"] | None = None


class DoneIn(msgspec.Struct, frozen=True):
    answers: list[AnswerIn] = []


async def done(request: Request) -> Response:
    """POST …/done."""
    who = await viewer(request, Permission.WRITE)
    sent = await body_as(request, DoneIn)
    to = services(request)
    with of_body():
        answers = [_answer(request, each) for each in sent.answers]
        found = await Reviewing(to.queue_items, to.feedback, to.runs).finish(
            who.workspace,
            path_uuid(request, "queue_id"),
            path_uuid(request, "item_id"),
            reviewer_of(who),
            answers,
            await name_of(to.meta, who),
        )
    return encode({"archived": found.is_archived})


def _answer(request: Request, sent: AnswerIn) -> Answer:
    payloads = services(request).payloads
    correction = payloads.check(sent.correction, "correction")
    if correction is not None and correction[:1] not in (b"{", b'"'):
        raise Invalid("A correction is an object or a text.", ("answers", "correction"))
    return Answer(
        key=sent.key,
        score=sent.score,
        value=payloads.check(sent.value, "value"),
        comment=sent.comment or None,
        correction=correction,
        preference=None if sent.preference is None else _PREFERENCES[sent.preference],
    )


# -- shapes ------------------------------------------------------------------------------------------------


def _queue(queue: AnnotationQueue, counts: Mapping[str, int]) -> dict[str, Any]:
    return {
        "id": queue.id,
        "name": queue.name,
        "description": queue.description,
        "instructions": queue.rubric_instructions,
        "pairwise": queue.queue_type is QueueType.PAIRWISE,
        "needed": queue.needed,
        "fills": queue.event_filters is not None and queue.fills,
        "keys": [item.feedback_key for item in queue.rubric_items or ()],
        "counts": dict(counts),
    }


def _key(item: RubricItem, config: FeedbackConfig | None) -> dict[str, Any]:
    return {
        "key": item.feedback_key,
        "description": item.description,
        "required": bool(item.is_required),
        "assertion": bool(item.is_assertion),
        "valueDescriptions": item.value_descriptions or {},
        "scoreDescriptions": item.score_descriptions or {},
        "requiredIf": _conditions(item.required_if),
        "visibleIf": _conditions(item.visible_if),
        "config": None if config is None else config.shape,
    }


def _conditions(found: object) -> Conditions | None:
    return found if isinstance(found, Conditions) else None


def _row(seen: SeenItem, runs: Mapping[UUID, Run]) -> dict[str, Any]:
    item = seen.item
    run = None if item.run is None else runs[item.run.run_id]
    return {
        "id": item.id,
        "added": item.added_at,
        "done": item.archived_at,
        "reviews": len(seen.completed_by),
        "reserved": bool(seen.reserved_by),
        "thread": None if item.thread is None else item.thread.thread_id,
        "pair": item.paired is not None,
        "name": "" if run is None else run.name or "",
        "status": "success" if run is None else run.status,
        "input": None if run is None else preview(run.inputs),
        "output": None if run is None else preview(run.outputs),
        "error": None if run is None or run.error is None else run.error[:400],
    }


def _given(found: Feedback, who: Caller) -> dict[str, Any]:
    return shapes.judgement(found, who) | {"run": found.run_id}

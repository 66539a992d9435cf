"""LangSmith's routes for feedback: give, read, change, withdraw."""

from __future__ import annotations

import time
from typing import Final
from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.errors import Invalid
from stenograph.model.access import PERMISSIONS, Permission
from stenograph.model.query import FeedbackQuery
from stenograph.wire.http import Params, body_as, caller, encode, of_body, path_uuid, services
from stenograph.wire.langsmith.feedback.schemas import FeedbackUpdateIn
from stenograph.wire.langsmith.feedback.shapes import from_wire, patch_from_wire, shape_from_wire, to_wire
from stenograph.wire.langsmith.runs.schemas import FeedbackIn

_LEVELS: Final = {"run": True, "session": False}


async def create(request: Request) -> Response:
    """POST /feedback and /feedback/eager. Never a 404: the run may still be on its way."""
    who = await caller(request, Permission.INGEST)
    to = services(request)
    sent = await body_as(request, FeedbackIn)
    now = time.time_ns() // 1000
    with of_body():
        given = from_wire(
            sent, workspace=who.workspace, new_id=sent.id or uuid4(), now=now, payloads=to.payloads
        )
        await to.feedback.give(given, shape_from_wire(sent.feedback_config, to.payloads))
    # A key that may only write learns nothing of runs.
    run = await to.feedback.run_of(given) if Permission.READ in PERMISSIONS[who.role] else None
    return encode(to_wire(given, run))


async def page(request: Request) -> Response:
    """GET /feedback."""
    who = await caller(request, Permission.READ)
    to = services(request)
    found = await to.feedback.page(query(Params(request), who.workspace))
    runs = await to.feedback.runs_of(who.workspace, found)
    return encode([to_wire(item, runs.get(item.run_id) if item.run_id else None) for item in found])


def query(params: Params, workspace: UUID) -> FeedbackQuery:
    """What the parameters of GET /feedback, and of its public twin, ask for."""
    level = params.text("level")
    if level is not None and level not in _LEVELS:
        raise Invalid(f"{level[:40]!r} is not run or session", ("query", "level"))
    return FeedbackQuery(
        workspace=workspace,
        runs=params.uuids("run"),
        projects=params.uuids("session"),
        keys=params.texts("key"),
        sources=tuple(_source(text) for text in params.texts("source")),
        users=params.texts("user"),
        has_comment=params.flag("has_comment"),
        has_score=params.flag("has_score"),
        on_runs=None if level is None else _LEVELS[level],
        created_since=params.time("min_created_at"),
        created_until=params.time("max_created_at"),
        comparative_experiment=params.uuid("comparative_experiment_id"),
        limit=params.number("limit", 100, 1, 100),
        offset=params.number("offset", 0, 0, 2**31),
    )


def _source(text: str) -> str:
    """LangSmith's Python client sends the members of its enumeration by their names in Python:
    `FeedbackSourceType.API`."""
    member = text.removeprefix("FeedbackSourceType.")
    return text if member == text else member.lower()


async def one(request: Request) -> Response:
    """GET /feedback/{feedback_id}."""
    who = await caller(request, Permission.READ)
    to = services(request)
    found = await to.feedback.one(who.workspace, path_uuid(request, "feedback_id"))
    return encode(to_wire(found, await to.feedback.run_of(found)))


async def update(request: Request) -> Response:
    """PATCH /feedback/{feedback_id}: only what was sent changes."""
    who = await caller(request, Permission.WRITE)
    feedback_id = path_uuid(request, "feedback_id")
    to = services(request)
    sent = await body_as(request, FeedbackUpdateIn)
    with of_body():
        patch = patch_from_wire(sent, to.payloads)
        shape = shape_from_wire(sent.feedback_config, to.payloads)
        changed = await to.feedback.change(who.workspace, feedback_id, patch, shape)
    return encode(to_wire(changed, await to.feedback.run_of(changed)))


async def delete(request: Request) -> Response:
    """DELETE /feedback/{feedback_id}."""
    who = await caller(request, Permission.WRITE)
    feedback_id = path_uuid(request, "feedback_id")
    await services(request).feedback.withdraw(who.workspace, feedback_id)
    return encode({"message": f"feedback {feedback_id} deleted"})


def routes() -> list[BaseRoute]:
    """To stand after those of feedback tokens and formulas, whose paths are more special."""
    return [
        Route("/feedback", create, methods=["POST"]),
        Route("/feedback", page, methods=["GET"]),
        Route("/feedback/eager", create, methods=["POST"]),
        Route("/feedback/{feedback_id}", one, methods=["GET"]),
        Route("/feedback/{feedback_id}", update, methods=["PATCH"]),
        Route("/feedback/{feedback_id}", delete, methods=["DELETE"]),
    ]

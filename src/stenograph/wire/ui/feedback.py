"""Feedback that people give while they look at a run; and which keys there are to give it under."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.domain.feedback.own import OwnFeedback, Said
from stenograph.model.access import Caller, Permission
from stenograph.model.feedback_setup import FeedbackConfig
from stenograph.model.query import RunSelection
from stenograph.wire.http import Params, body_as, encode, of_body, path_uuid, services
from stenograph.wire.ui import shapes
from stenograph.wire.ui.signing_in import viewer

MAX_KEYS: Final = 500


class SaidIn(msgspec.Struct, frozen=True, kw_only=True):
    """A judgement, whole: what is absent is empty."""

    score: float | None = None
    value: str | None = None
    comment: str | None = None

    def said(self) -> Said:
        return Said(self.score, self.value, self.comment)


class GivenIn(SaidIn, frozen=True, kw_only=True):
    key: str


def _own(request: Request) -> OwnFeedback:
    to = services(request)
    return OwnFeedback(to.meta, to.runs, to.feedback)


async def give(request: Request) -> Response:
    """POST /ui/api/runs/{run_id}/feedback."""
    who = await viewer(request, Permission.WRITE)
    run_id = path_uuid(request, "run_id")
    sent = await body_as(request, GivenIn)
    with of_body():
        given = await _own(request).give(who, run_id, sent.key.strip(), sent.said())
    return encode(shapes.judgement(given, who))


async def change(request: Request) -> Response:
    """PATCH /ui/api/judgements/{judgement_id}: says this now."""
    who = await viewer(request, Permission.WRITE)
    judgement = path_uuid(request, "judgement_id")
    sent = await body_as(request, SaidIn)
    with of_body():
        changed = await _own(request).change(who, judgement, sent.said())
    return encode(shapes.judgement(changed, who))


async def withdraw(request: Request) -> Response:
    """DELETE /ui/api/judgements/{judgement_id}."""
    who = await viewer(request, Permission.WRITE)
    await _own(request).withdraw(who, path_uuid(request, "judgement_id"))
    return encode({})


async def keys(request: Request) -> Response:
    """GET /ui/api/feedback-keys?project=: those with a config, then those that the project has without one."""
    who = await viewer(request, Permission.READ)
    to = services(request)
    configs = await to.feedback_configs.page(who.workspace, limit=MAX_KEYS)
    used: list[str] = []
    if project := Params(request).uuid("project"):
        await to.projects.read(who.workspace, project)
        used = await _used(request, who, RunSelection(workspace=who.workspace, projects=(project,)))
    known = {config.key for config in configs}
    bare = [{"key": key, "type": None} for key in used if key not in known]
    return encode({"keys": [*map(_config, configs), *bare]})


async def _used(request: Request, who: Caller, selection: RunSelection) -> list[str]:
    found = await services(request).runs.feedback_by_project(selection)
    return sorted({key for stats in found.values() for key in stats})[:MAX_KEYS]


def _config(config: FeedbackConfig) -> dict[str, Any]:
    shape = config.shape
    return {
        "key": config.key,
        "type": shape.type,
        "min": shape.min,
        "max": shape.max,
        "categories": [
            {"value": category.value, "label": category.label} for category in shape.categories or ()
        ],
    }


def routes() -> list[BaseRoute]:
    """To stand before those of a run, one of which takes any name below it."""
    return [
        Route("/ui/api/feedback-keys", keys, methods=["GET"]),
        Route("/ui/api/runs/{run_id}/feedback", give, methods=["POST"]),
        Route("/ui/api/judgements/{judgement_id}", change, methods=["PATCH"]),
        Route("/ui/api/judgements/{judgement_id}", withdraw, methods=["DELETE"]),
    ]

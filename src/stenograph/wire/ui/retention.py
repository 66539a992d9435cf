"""The page's settings of how long traces are kept. Days of null are for ever.

GET  /ui/api/retention               what is asked for, projects with a say of their own, and the last round
PUT  /ui/api/retention               {short, long, tier}
POST /ui/api/retention/preview       the same -> {traces, runs}: what would be deleted now
PUT  /ui/api/retention/projects      {project, tier, days}: of one project; nulls say nothing of its own
POST /ui/api/retention/projects/preview   the same -> {traces, runs}
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.domain.retention.rules import Going
from stenograph.model.access import PERMISSIONS, Caller, Permission
from stenograph.model.projects import ProjectQuery, ProjectSort
from stenograph.model.retention import (
    DAY,
    MAX_DAYS,
    OwnRetention,
    Retention,
    Round,
    Tier,
    limits,
)
from stenograph.wire.http import body_as, encode, of_body, services
from stenograph.wire.ui.signing_in import viewer

MAX_PROJECTS: Final = 5000
"""That are offered to choose from."""


class AskedIn(msgspec.Struct, frozen=True):
    short: int | None = None
    long: int | None = None
    tier: Tier = Tier.SHORT


class OwnIn(msgspec.Struct, frozen=True):
    project: UUID
    tier: Tier | None = None
    days: int | None = None


def routes() -> list[BaseRoute]:
    return [
        Route("/ui/api/retention", read, methods=["GET"]),
        Route("/ui/api/retention", ask, methods=["PUT"]),
        Route("/ui/api/retention/preview", preview, methods=["POST"]),
        Route("/ui/api/retention/projects", say, methods=["PUT"]),
        Route("/ui/api/retention/projects/preview", preview_of_project, methods=["POST"]),
    ]


async def read(request: Request) -> Response:
    """GET /ui/api/retention."""
    who = await viewer(request, Permission.READ)
    return encode(await _state(request, who))


async def ask(request: Request) -> Response:
    """PUT /ui/api/retention."""
    who = await viewer(request, Permission.ADMIN)
    sent = await body_as(request, AskedIn)
    rules = services(request).retention.rules
    with of_body():
        await rules.ask(rules.drafted(who.workspace, sent.short, sent.long, sent.tier))
    return encode(await _state(request, who))


async def preview(request: Request) -> Response:
    """POST /ui/api/retention/preview."""
    who = await viewer(request, Permission.ADMIN)
    sent = await body_as(request, AskedIn)
    rules = services(request).retention.rules
    with of_body():
        draft = rules.drafted(who.workspace, sent.short, sent.long, sent.tier)
    return encode(_going(await rules.preview(draft)))


async def say(request: Request) -> Response:
    """PUT /ui/api/retention/projects. NotFound for an unknown project."""
    who = await viewer(request, Permission.ADMIN)
    sent = await body_as(request, OwnIn)
    with of_body():
        await services(request).retention.rules.say(who.workspace, sent.project, sent.tier, sent.days)
    return encode(await _state(request, who))


async def preview_of_project(request: Request) -> Response:
    """POST /ui/api/retention/projects/preview. NotFound for an unknown project."""
    who = await viewer(request, Permission.ADMIN)
    sent = await body_as(request, OwnIn)
    to = services(request)
    project = await to.projects.read(who.workspace, sent.project)
    rules = to.retention.rules
    asked = await rules.read(who.workspace) or Retention(workspace=who.workspace)
    own = OwnRetention(
        project=project.id,
        name=project.name,
        tier=sent.tier,
        long_days=sent.days,
        experiment=project.reference_dataset_id is not None,
    )
    with of_body():
        return encode(_going(await rules.preview(asked, own)))


async def _state(request: Request, who: Caller) -> dict[str, Any]:
    """For those who may change it with the projects that there are."""
    workspace, rules = who.workspace, services(request).retention.rules
    asked = await rules.read(workspace)
    owns = await rules.owns(workspace)
    last = await rules.last_round(workspace)
    return {
        "asked": asked is not None,
        "short": None if asked is None else asked.short_days,
        "long": None if asked is None else asked.long_days,
        "tier": Tier.SHORT if asked is None else asked.tier,
        "updated": None if asked is None else asked.updated_at,
        "projects": [_own(asked, own) for own in owns if not own.silent],
        "experiments": sum(own.experiment and own.silent for own in owns),
        "last": None if last is None else _round(last),
        "choices": await _choices(request, who),
        "most": MAX_DAYS,
    }


async def _choices(request: Request, who: Caller) -> list[dict[str, Any]]:
    if Permission.ADMIN not in PERMISSIONS[who.role]:
        return []
    wanted = ProjectQuery(
        workspace=who.workspace, sort=ProjectSort.NAME, descending=False, limit=MAX_PROJECTS
    )
    return [
        {"id": project.id, "name": project.name, "experiment": project.reference_dataset_id is not None}
        for project in await services(request).projects.find(wanted)
    ]


def _own(asked: Retention | None, own: OwnRetention) -> dict[str, Any]:
    """With what it comes to."""
    plain, judged = limits(asked, own)
    return {
        "id": own.project,
        "name": own.name,
        "experiment": own.experiment,
        "tier": own.tier,
        "days": own.long_days,
        "plain": plain,
        "judged": judged,
    }


def _round(last: Round) -> dict[str, Any]:
    """`behind` is how many days what it saw lay behind the clock: see domain/retention/expiry.py."""
    return {
        "at": last.ended_at,
        "behind": max(0, last.ended_at - last.looked_to) // DAY,
        "deleted": last.deleted_at,
        "traces": last.traces,
        "runs": last.runs,
    }


def _going(going: Going) -> dict[str, Any]:
    return {"traces": going.traces, "runs": going.runs}

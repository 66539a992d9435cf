"""HoneyHive's routes that say more of an event. It need not be there yet: what is said waits for it.

Updates count in the order in which they are acknowledged: docs/decisions/062-updates-count-as-they-arrive.md.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stenograph.domain.feedback import judgements
from stenograph.domain.feedback.judgements import Judged
from stenograph.errors import Invalid
from stenograph.model.access import Permission
from stenograph.wire.honeyhive.events import incoming
from stenograph.wire.honeyhive.events.incoming import Said
from stenograph.wire.honeyhive.events.intake import Intake
from stenograph.wire.honeyhive.events.patches import extra
from stenograph.wire.http import caller, encode, path_uuid, services


def routes() -> list[Route]:
    return [
        Route("/events", update_legacy, methods=["PUT"]),
        Route("/v1/events/{event_id}", update, methods=["PUT"]),
    ]


async def update_legacy(request: Request) -> Response:
    """PUT /events: the event's id is in the body."""
    return await _update(request, None)


async def update(request: Request) -> Response:
    """PUT /v1/events/{event_id}."""
    return await _update(request, path_uuid(request, "event_id"))


async def _update(request: Request, event_id: UUID | None) -> Response:
    who = await caller(request, Permission.INGEST)
    to = services(request)
    async with to.bodies.read(request) as raw:
        document = incoming.body(raw, to.payloads)
        said = incoming.update(document, strict=event_id is not None)
        event_id = event_id or said.id
        if event_id is None:
            raise Invalid("event_id is missing: which event is to be updated?", ("body", "event_id"))
        intake = Intake(to, who)
        await _take(intake, replace(said, id=event_id))
        await intake.deliver()
    return encode({"success": True, "event_id": event_id})


async def _take(intake: Intake, said: Said) -> None:
    """The patch and the feedback of an update."""
    assert said.id is not None
    start, end = None, said.end
    if said.duration is not None:
        standing = (await intake.to.ingest.known.standing(intake.workspace, [said.id])).get(said.id)
        start = standing.start_time if standing is not None else None
        if end is None and start is not None:
            end = start + round(said.duration * 1000)
    patch = await intake.later(said, extra(said, start, end))
    patch = msgspec.structs.replace(patch, end_time=end, outputs=said.outputs)
    intake.to.ingest.admit(patch)
    run = Judged(workspace=intake.workspace, id=said.id)
    feedback = list(judgements.of_event(run, said.metrics, said.feedback, intake.now))
    if (patch.end_time, patch.outputs, patch.extra) != (None, None, None):
        intake.delivery.patches.append(patch)
    intake.delivery.feedback += feedback

"""HoneyHive's routes that create events: one, a batch, model events, traces of LangChain."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import UUID, uuid4

import msgspec
from msgspec import Raw
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stenograph.domain.recording.ingest import summary
from stenograph.domain.recording.places import named
from stenograph.errors import Invalid, TooLarge
from stenograph.model.access import Permission
from stenograph.wire.honeyhive.events import incoming, langchain_traces, model_events
from stenograph.wire.honeyhive.events.incoming import Said
from stenograph.wire.honeyhive.events.intake import Intake, Session
from stenograph.wire.honeyhive.requests import unwrapped
from stenograph.wire.http import caller, decode, encode, path_uuid, services

_TURN: Final = 200
"""Events after which other requests get their turn."""


class _BatchIn(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    events: list[Raw]
    single_session: bool | None = None
    session_properties: Raw = Raw()


class _LegacyBatchIn(msgspec.Struct, gc=False):
    events: list[Raw] | None = None
    model_events: list[Raw] | None = None
    single_session: bool | None = None
    is_single_session: bool | None = None
    session_properties: Raw = Raw()
    session: Raw = Raw()


class _SessionBatchIn(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    events: list[Raw]


def routes() -> list[Route]:
    return [
        Route("/events", create_legacy, methods=["POST"]),
        Route("/v1/events", create, methods=["POST"]),
        Route("/events/batch", batch_legacy, methods=["POST"]),
        Route("/v1/events/batch", batch, methods=["POST"]),
        Route("/events/model", create_model, methods=["POST"]),
        Route("/events/model/batch", batch_of_models, methods=["POST"]),
        Route("/v1/sessions/{trace_id}/events/batch", batch_of_session, methods=["POST"]),
        Route("/session/{trace_id}/traces", traces, methods=["POST"]),
    ]


async def create(request: Request) -> Response:
    """POST /v1/events: a bare event, strict."""
    return await _create(request, None)


async def create_legacy(request: Request) -> Response:
    """POST /events: an event in the member `event`, or its JSON text there, or bare."""
    return await _create(request, "event")


async def create_model(request: Request) -> Response:
    """POST /events/model."""
    return await _create(request, "model_event")


async def _create(request: Request, member: str | None) -> Response:
    who = await caller(request, Permission.INGEST)
    to = services(request)
    async with to.bodies.read(request) as raw:
        document = incoming.body(raw, to.payloads)
        if member is not None:
            inner = unwrapped(document, member)
            document = inner if inner is document else incoming.body(inner, to.payloads)
        if member == "model_event":
            document = model_events.remapped(document)
        intake = Intake(to, who)
        taken = await intake.events([("event", incoming.event(document, strict=member is None))])
        for refused in intake.delivery.refused:
            raise TooLarge(refused.reason) if refused.too_large else Invalid(refused.reason)
        await intake.deliver()
    return encode({"success": True, "event_id": taken["event"]})


async def batch(request: Request) -> Response:
    """POST /v1/events/batch. Events that are not what they should be are no batch: nothing is created then."""
    who = await caller(request, Permission.INGEST)
    to = services(request)
    async with to.bodies.read(request) as raw:
        sent = decode(incoming.body(raw, to.payloads), _BatchIn)
        events = await _strictly(sent.events)
        intake = Intake(to, who)
        into = await _session(intake, sent.session_properties, events) if sent.single_session else None
        return await _answer(intake, await intake.events(events, into), into)


async def batch_legacy(request: Request) -> Response:
    """POST /events/batch: each event is judged on its own."""
    who = await caller(request, Permission.INGEST)
    to = services(request)
    async with to.bodies.read(request) as raw:
        sent = decode(incoming.body(raw, to.payloads), _LegacyBatchIn)
        if sent.events is None:
            raise Invalid("events is missing: give a list of events", ("body", "events"))
        return await _batch(Intake(to, who), sent, sent.events, models=False)


async def batch_of_models(request: Request) -> Response:
    """POST /events/model/batch."""
    who = await caller(request, Permission.INGEST)
    to = services(request)
    async with to.bodies.read(request) as raw:
        sent = decode(incoming.body(raw, to.payloads), _LegacyBatchIn)
        if sent.model_events is None:
            raise Invalid("model_events is missing: give a list of model events", ("body", "model_events"))
        return await _batch(Intake(to, who), sent, sent.model_events, models=True)


async def _batch(intake: Intake, sent: _LegacyBatchIn, events: Iterable[Raw], *, models: bool) -> Response:
    found: list[tuple[str, Said]] = []
    for number, raw in enumerate(events):
        what = f"events[{number}]"
        try:
            document = bytes(raw)
            if models:
                document = model_events.remapped(document)
            found.append((what, incoming.event(document, strict=False)))
        except Invalid as error:
            intake.refuse(what, _told(error))
        if number % _TURN == 0:
            await asyncio.sleep(0)
    into = None
    if sent.single_session or (sent.single_session is None and sent.is_single_session):
        properties = sent.session_properties if bytes(sent.session_properties) else sent.session
        into = await _session(intake, properties, found)
    return await _answer(intake, await intake.events(found, into), into)


async def batch_of_session(request: Request) -> Response:
    """POST /v1/sessions/{session_id}/events/batch: whatever they say, the events are of this session."""
    who = await caller(request, Permission.INGEST)
    to = services(request)
    session = path_uuid(request, "trace_id")
    async with to.bodies.read(request) as raw:
        sent = decode(incoming.body(raw, to.payloads), _SessionBatchIn)
        events = await _strictly(sent.events)
        intake = Intake(to, who)
        taken = await intake.events([(what, replace(said, session=session)) for what, said in events])
        return await _answer(intake, taken, None, brief=True)


async def traces(request: Request) -> Response:
    """POST /session/{session_id}/traces."""
    who = await caller(request, Permission.INGEST)
    to = services(request)
    session = named(request.path_params["trace_id"])
    async with to.bodies.read(request) as raw:
        logs = langchain_traces.logs_in(incoming.body(raw, to.payloads))
        intake = Intake(to, who)
        found: list[tuple[str, Said]] = []
        for name, log in logs:
            for what, said in langchain_traces.flattened(name, log):
                if isinstance(said, Invalid):
                    intake.refuse(what, _told(said))
                else:
                    found.append((what, replace(said, session=session)))
            await asyncio.sleep(0)
        # Nobody describes a 500 here, as they do of batches: what is wrong with an event is the client's mistake.
        return await _answer(intake, await intake.events(found), None, brief=True, partly=400)


async def _strictly(events: Iterable[Raw]) -> list[tuple[str, Said]]:
    found: list[tuple[str, Said]] = []
    for number, raw in enumerate(events):
        try:
            found.append((f"events[{number}]", incoming.event(bytes(raw), strict=True)))
        except Invalid as error:
            steps = (step for step in error.where if step != "body")
            raise Invalid(error.message, ("body", "events", number, *steps)) from None
        if number % _TURN == 0:
            await asyncio.sleep(0)
    return found


async def _session(intake: Intake, properties: Raw, events: Iterable[tuple[str, Said]]) -> Session:
    """The session that all events of a batch share, made of its properties; it starts with the first of them."""
    document = bytes(properties)
    said = incoming.session(document if document[:1] == b"{" else b"{}", strict=False)
    starts = [each.start for _, each in events if each.start is not None]
    project = next((each.project for _, each in events if each.project is not None), None)
    said = replace(
        said,
        id=said.id or uuid4(),
        start=min(starts, default=None) if said.start is None else said.start,
        project=said.project or project,
        source=said.source or next((each.source for _, each in events if each.source is not None), None),
    )
    started = await intake.start(said)
    assert started.project_id is not None
    return Session(started.id, started.project_id)


def _told(error: Invalid) -> Invalid:
    """The same with the place of the mistake in its words."""
    where = ".".join(str(step) for step in error.where if step != "body")
    return Invalid(f"{where}: {error.message}" if where and where not in error.message else error.message)


async def _answer(
    intake: Intake,
    taken: Mapping[str, UUID],
    into: Session | None,
    *,
    brief: bool = False,
    partly: int = 500,
) -> Response:
    """Record what was taken. 200 when that is all; else HoneyHive's 500, or `partly`, with the ids of those that were
    created and a message for each that was not, and 400 (413) when none was."""
    refused = intake.delivery.refused
    if taken or not refused:
        await intake.deliver()
    answer: dict[str, Any] = {} if brief else {"event_ids": list(taken.values())}
    if into is not None and (taken or not refused):
        answer["session_id"] = into.id
    if not refused:
        return encode({**answer, "success": True})
    answer["event_ids"] = list(taken.values())
    answer["errors"] = [f"Could not create {item.what}: {item.reason}" for item in refused]
    answer["success"] = bool(taken)
    answer["message"] = summary(refused)
    too_large = all(item.too_large for item in refused)
    return encode(answer, partly if taken else 413 if too_large else 400)

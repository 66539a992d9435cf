"""HoneyHive's routes of sessions: start one, read one, alone or with all that is in it, delete it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, Final
from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stenograph.domain.recording.derive import derive
from stenograph.domain.recording.places import named
from stenograph.errors import NotFound
from stenograph.model.access import PERMISSIONS, Caller, Permission
from stenograph.model.feedback import Feedback
from stenograph.model.filters import Contains, Text
from stenograph.model.query import FeedbackQuery, RunQuery, RunSelection
from stenograph.model.runs import NO_USAGE, Run, RunPatch, merge
from stenograph.wire.honeyhive.events import incoming, rollups, shapes, tree
from stenograph.wire.honeyhive.events.incoming import Said
from stenograph.wire.honeyhive.events.intake import Intake
from stenograph.wire.honeyhive.events.patches import extra
from stenograph.wire.honeyhive.requests import Params, projects_named, unwrapped
from stenograph.wire.http import Services, caller, encode, path_uuid, services

FIELDS: Final = (
    "project_id", "source", "session_id", "event_id", "parent_id", "event_type", "event_name", "config", "children_ids",
    "inputs", "outputs", "error", "start_time", "end_time", "duration", "metadata", "feedback", "metrics",
    "user_properties",
)  # fmt: skip
"""What GET /session/{session_id} answers with, as HoneyHive documents it; what is unknown is left out."""

_ALL: Final = 1_000_000


def routes() -> list[Route]:
    return [
        Route("/session/start", start_legacy, methods=["POST"]),
        Route("/v1/sessions", start, methods=["POST"]),
        Route("/session", page, methods=["GET"]),
        Route("/session/{trace_id}", one, methods=["GET"]),
        Route("/v1/sessions/{trace_id}", whole, methods=["GET"]),
        Route("/v1/sessions/{trace_id}", delete, methods=["DELETE"]),
        Route("/v1/events/{event_id}", event, methods=["GET"]),
        Route("/v1/events/{event_id}", delete_event, methods=["DELETE"]),
    ]


# -- starting --------------------------------------------------------------------------------------------


async def start(request: Request) -> Response:
    """POST /v1/sessions: a bare session, strict."""
    return await _start(request, strict=True)


async def start_legacy(request: Request) -> Response:
    """POST /session/start: a session in the member `session`, or its JSON text there, or bare."""
    return await _start(request, strict=False)


async def _start(request: Request, *, strict: bool) -> Response:
    who = await caller(request, Permission.INGEST)
    to = services(request)
    async with to.bodies.read(request) as raw:
        document = incoming.body(raw, to.payloads)
        if not strict:
            inner = unwrapped(document, "session")
            document = inner if inner is document else incoming.body(inner, to.payloads)
        said = incoming.session(document, strict=strict)
        said = replace(said, id=said.id or uuid4())
        assert said.id is not None
        known = await to.ingest.known.run(who.workspace, said.id)
        intake = Intake(to, who)
        if known is not None and _has_started(known):
            await _say_again(intake, said)
        else:
            # What nobody has said anything of but its place is a stand-in. (A run with inputs is somebody's own.)
            await intake.start(said, replaces=known is None or known.inputs is None)
        await intake.deliver()
    return encode(await _started(to, who, said.id, known, intake))


def _has_started(run: Run) -> bool:
    """Whether the run is a session that was started, and not what was said of one before: only a start names a
    source."""
    return shapes.text_of(shapes.parts(run.extra)[1].source) is not None


async def _say_again(intake: Intake, said: Said) -> None:
    """A session that is started again: only metadata and user properties join what is known, and what is judged."""
    assert said.id is not None
    more = extra(Said(metadata=said.metadata, user_properties=said.user_properties), None, None)
    patch = await intake.later(said, more)
    intake.delivery.feedback += intake.feedback(said, patch)
    if more is not None:
        intake.delivery.patches.append(patch)


async def _started(
    to: Services, who: Caller, session: UUID, known: Run | None, intake: Intake
) -> dict[str, Any]:
    """The session's event. A new one is answered from memory: its client waits for that with its program.

    A key that may only write learns nothing of what was there before.
    """
    if known is None or Permission.READ not in PERMISSIONS[who.role]:
        patches = [patch for patch in intake.delivery.patches if patch.id == session]
        blank = RunPatch(workspace=who.workspace, id=session, create=False, received_at=intake.now)
        run = derive(merge(None, [blank, *patches]), 0, lambda *_: NO_USAGE)
        return shapes.event(run, intake.delivery.feedback, rollups.Rollup().members(run))
    return await _session_event(to, await _run(to, who.workspace, session))


# -- reading ---------------------------------------------------------------------------------------------


async def one(request: Request) -> Response:
    """GET /session/{session_id}."""
    who = await caller(request, Permission.READ)
    to = services(request)
    run = await _session(to, who.workspace, named(request.path_params["trace_id"]))
    found = await _session_event(to, run)
    if not found["children_ids"]:
        below = RunSelection(workspace=who.workspace, parent_run=run.id, traces=(run.trace_id,))
        children = RunQuery(selection=below, columns=frozenset(), limit=_ALL, newest_first=False)
        found["children_ids"] = [child.id for child in await to.runs.page(children)]
    return encode({name: found[name] for name in FIELDS if found.get(name) is not None})


async def page(request: Request) -> Response:
    """GET /session: the newest sessions of a project as trees, for HoneyHive's oldest clients. `query` is looked for in
    their names."""
    who = await caller(request, Permission.READ)
    params, to = Params(request), services(request)
    projects = await projects_named(request, who.workspace, params.text("project"))
    words = params.text("query")
    limit = params.number("limit", 10, 1, 100)
    if projects is None:
        return encode([])
    roots = await to.runs.apart(
        RunQuery(
            selection=RunSelection(
                workspace=who.workspace,
                projects=projects,
                is_root=True,
                filter=Contains(Text.NAME, words) if words else None,
            ),
            columns=frozenset(),
            limit=limit,
        )
    )
    return encode(await _trees(to, who.workspace, [root.trace_id for root in roots]))


async def whole(request: Request) -> Response:
    """GET /v1/sessions/{session_id}."""
    who = await caller(request, Permission.READ)
    to = services(request)
    session = path_uuid(request, "trace_id")
    found = await _trees(to, who.workspace, [session])
    if not found:
        raise NotFound(f"session {session} not found")
    return encode(found[0])


async def event(request: Request) -> Response:
    """GET /v1/events/{event_id}: `{"event": …}`. The id of a session once meant the tree of its events here, and still
    does, beside that: docs/decisions/061-one-path-two-ages.md."""
    who = await caller(request, Permission.READ)
    to = services(request)
    run = await _run(to, who.workspace, path_uuid(request, "event_id"))
    if run.id == run.trace_id:
        found = (await _trees(to, who.workspace, [run.id]))[0]
        alone = {name: value for name, value in found.items() if name != "children"}
        return encode({**found, "event": alone})
    given = await to.feedback.page(FeedbackQuery(workspace=who.workspace, runs=(run.id,), limit=_ALL))
    return encode({"event": shapes.event(run, given)})


async def _run(to: Services, workspace: UUID, run_id: UUID) -> Run:
    """The run with its own figures; NotFound when there is none."""
    selection = RunSelection(workspace=workspace, ids=(run_id,))
    found = await to.runs.apart(RunQuery(selection=selection, columns=shapes.COLUMNS, limit=1))
    if not found:
        raise NotFound(f"event {run_id} not found")
    return found[0]


async def _session(to: Services, workspace: UUID, session: UUID) -> Run:
    """The root of a trace; NotFound when there is none of this id."""
    selection = RunSelection(workspace=workspace, ids=(session,), traces=(session,))
    found = await to.runs.apart(RunQuery(selection=selection, columns=shapes.COLUMNS, limit=1))
    if not found:
        raise NotFound(f"session {session} not found")
    return found[0]


async def _session_event(to: Services, run: Run) -> dict[str, Any]:
    """A session's event with its roll-ups."""
    given = await to.feedback.page(FeedbackQuery(workspace=run.workspace, runs=(run.id,), limit=_ALL))
    rollup = (await rollups.of_sessions(to, run.workspace, [run]))[run.id]
    return shapes.event(run, given, rollup.members(run))


async def _trees(to: Services, workspace: UUID, sessions: list[UUID]) -> list[dict[str, Any]]:
    """The trees of those sessions that are there, in this order: one query for all runs, one for all feedback."""
    if not sessions:
        return []
    selection = RunSelection(workspace=workspace, traces=tuple(sessions))
    runs = await to.runs.apart(
        RunQuery(selection=selection, columns=tree.COLUMNS, limit=_ALL, newest_first=False)
    )
    given = await to.feedback.page(FeedbackQuery(workspace=workspace, traces=tuple(sessions), limit=_ALL))
    by_trace: dict[UUID, list[Run]] = {}
    trace_of: dict[UUID, UUID] = {}
    for run in runs:
        by_trace.setdefault(run.trace_id, []).append(run)
        trace_of[run.id] = run.trace_id
    said: dict[UUID, list[Feedback]] = {}
    for item in given:
        if item.run_id in trace_of:
            said.setdefault(trace_of[item.run_id], []).append(item)
    return [
        await asyncio.to_thread(
            tree.tree, trace, by_trace[trace], said.get(trace, ())
        )  # seconds, if there are many
        for trace in sessions
        if trace in by_trace
    ]


# -- deleting --------------------------------------------------------------------------------------------


async def delete(request: Request) -> Response:
    """DELETE /v1/sessions/{session_id}: the session with all its events."""
    who = await caller(request, Permission.WRITE)
    to = services(request)
    session = path_uuid(request, "trace_id")
    if not await _delete(to, RunSelection(workspace=who.workspace, traces=(session,))):
        raise NotFound(f"session {session} not found")
    return encode({"success": True, "deleted": session})


async def delete_event(request: Request) -> Response:
    """DELETE /v1/events/{event_id}: the event alone; a session's own goes with all of its events."""
    who = await caller(request, Permission.WRITE)
    to = services(request)
    run = await _run(to, who.workspace, path_uuid(request, "event_id"))
    chosen = RunSelection(workspace=who.workspace, ids=(run.id,))
    if run.id == run.trace_id:
        chosen = RunSelection(workspace=who.workspace, traces=(run.id,))
    await _delete(to, chosen)
    return encode({"success": True, "deleted": run.id})


async def _delete(to: Services, chosen: RunSelection) -> list[UUID]:
    gone = await to.runs.delete(chosen)
    await to.sharing.forget(chosen.workspace, gone)
    await to.queue_items.forget(chosen.workspace, gone)
    for run in gone:
        to.ingest.roots.forget(chosen.workspace, run)
    return gone

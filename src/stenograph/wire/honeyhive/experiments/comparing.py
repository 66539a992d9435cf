"""Events of two of HoneyHive's runs side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stenograph.domain.experiments.measured import EventQuestion, MeasuredEvent
from stenograph.domain.experiments.pairing import EventPair, paired
from stenograph.errors import Invalid
from stenograph.model.access import Permission
from stenograph.model.query import RunQuery, RunSelection
from stenograph.wire.honeyhive.events import filters, rollups
from stenograph.wire.honeyhive.events.shapes import COLUMNS, event
from stenograph.wire.honeyhive.experiments.results import kind_of
from stenograph.wire.honeyhive.requests import Params
from stenograph.wire.http import as_uuid, caller, encode, path_uuid, services

MAX_LIMIT: Final = 1000


def routes() -> list[Route]:
    return [
        route
        for base in ("/v1/runs", "/runs")
        for route in (
            Route(f"{base}/compare/events", events_named, methods=["GET"]),
            Route(f"{base}/{{new_id}}/compare/{{old_id}}/events", events, methods=["GET"]),
        )
    ]


async def events_named(request: Request) -> Response:
    """?run_id_1=…&run_id_2=…: the new run and the old one."""
    ids = []
    for name in ("run_id_1", "run_id_2"):
        value = Params(request).text(name)
        if not value:
            raise Invalid("name the run", ("query", name))
        ids.append(as_uuid(value, ("query", name)))
    return await _answer(request, *ids)


async def events(request: Request) -> Response:
    return await _answer(request, path_uuid(request, "new_id"), path_uuid(request, "old_id"))


async def _answer(request: Request, new_id: UUID, old_id: UUID) -> Response:
    who = await caller(request, Permission.READ)
    params = Params(request)
    page, limit = params.page(default=MAX_LIMIT, most=MAX_LIMIT)
    asked = EventQuestion(filter=filters.of_params(params, "filter"))
    found = services(request).experiments
    new = await found.evaluations.read(who.workspace, new_id)
    old = await found.evaluations.read(who.workspace, old_id)
    after, before = await asyncio.gather(
        found.measured.of(new, kind_of, asked), found.measured.of(old, kind_of, asked)
    )
    name, kind = params.text("event_name"), params.text("event_type")
    pairs = paired(_chosen(after, name, kind), _chosen(before, name, kind))
    shown = pairs[(page - 1) * limit : page * limit]
    return encode({"events": await _written(request, who.workspace, shown), "totalEvents": len(pairs)})


def _chosen(events: Iterable[MeasuredEvent], name: str | None, kind: str | None) -> list[MeasuredEvent]:
    return [each for each in events if (not name or each.name == name) and (not kind or each.kind == kind)]


async def _written(request: Request, workspace: UUID, pairs: Sequence[EventPair]) -> list[dict[str, Any]]:
    """The pairs with their events whole; one of which an event was deleted meanwhile is left out."""
    if not pairs:
        return []
    ids = tuple(dict.fromkeys(each.id for pair in pairs for each in (pair.new, pair.old)))
    selection = RunSelection(workspace=workspace, ids=ids)
    to = services(request)
    runs = await to.runs.apart(RunQuery(selection=selection, columns=COLUMNS, limit=len(ids)))
    given = await to.experiments.measured.feedback(workspace, [run.id for run in runs])
    figures = await rollups.of_sessions(to, workspace, [run for run in runs if run.is_root])
    whole = {
        run.id: event(
            run,
            given.get(run.id, ()),
            figures[run.id].members(run) if run.id in figures else None,
        )
        for run in runs
    }
    return [
        {
            "datapoint_id": pair.datapoint,
            "event_1": whole[pair.new.id],
            "event_2": whole[pair.old.id],
        }
        for pair in pairs
        if pair.new.id in whole and pair.old.id in whole
    ]

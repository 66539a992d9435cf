"""GET /v1/events/schema and its successors below /v1/runs: which fields the events have, by type of event.

HoneyHive types the answer and says no more. Here `fields` are the members of each object of an event, one step deep,
the most frequent first; `mappings` leads from the bare name of a field to all fields of that name; `datasets` are those
that events say they come from. The newest events speak for all: see NEWEST.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stenograph.model.access import Permission
from stenograph.model.evaluations import EvaluationQuery
from stenograph.model.filters import Field, Filter, Member, Or, all_of
from stenograph.model.measures import FigureQuery, NamesQuery
from stenograph.model.query import RunSelection
from stenograph.model.values import Document, InDocument, ValueOp, ValueTest
from stenograph.wire.honeyhive.events.fields import EVENT_TYPE
from stenograph.wire.honeyhive.events.reads import Asked, selection
from stenograph.wire.honeyhive.events.series import OF_EXPERIMENTS
from stenograph.wire.honeyhive.requests import Params
from stenograph.wire.http import caller, encode, path_uuid, services

NEWEST: Final = 10_000
"""Events that are looked at."""

MAX_NAMES: Final = 5_000
_DATASETS: Final = 1_000
_EXPERIMENTS: Final = 1_000
_DATASET: Final = InDocument(Document.METADATA, ("dataset_id",))

_OBJECTS: Final[Mapping[str, InDocument]] = {
    "inputs": InDocument(Document.INPUTS, ()),
    "outputs": InDocument(Document.OUTPUTS, ()),
    "metadata": InDocument(Document.METADATA, ()),
    "config": InDocument(Document.EXTRA, (), ("honeyhive", "config")),
    "user_properties": InDocument(Document.EXTRA, (), ("honeyhive", "user_properties")),
}
_OURS: Final = frozenset({("metadata", "ls_run_depth")})
"""What stands in every run's metadata without having been sent."""


def routes() -> list[Route]:
    return [
        Route("/v1/events/schema", schema, methods=["GET"]),
        Route("/events/schema", schema, methods=["GET"]),
        Route("/v1/runs/schema", of_experiments, methods=["GET"]),
        Route("/v1/runs/{evaluation_id}/schema", of_one, methods=["GET"]),
    ]


async def schema(request: Request) -> Response:
    """GET /v1/events/schema: of all events, or of those of one experiment run."""
    who = await caller(request, Permission.READ)
    params = Params(request)
    return await _answer(request, who.workspace, _asked(params, evaluation=params.text("evaluation_id")))


async def of_experiments(request: Request) -> Response:
    """GET /v1/runs/schema: of events that say that they belong to an experiment, or lie in one of the newest."""
    who = await caller(request, Permission.READ)
    newest = EvaluationQuery(workspace=who.workspace, limit=_EXPERIMENTS)
    found = await services(request).experiments.evaluations.page(newest)
    within = Member(Field.PROJECT_ID, tuple(each.project.id for each in found.experiments))
    return await _answer(request, who.workspace, _asked(Params(request), Or((OF_EXPERIMENTS, within))))


async def of_one(request: Request) -> Response:
    """GET /v1/runs/{run_id}/schema; 404 when there is no such run."""
    who = await caller(request, Permission.READ)
    run_id = path_uuid(request, "evaluation_id")
    await services(request).experiments.evaluations.read(who.workspace, run_id)
    return await _answer(request, who.workspace, _asked(Params(request), evaluation=str(run_id)))


def _asked(params: Params, wanted: Filter | None = None, evaluation: str | None = None) -> Asked:
    return Asked(filter=wanted, period=params.period(), project=params.text("project"), evaluation=evaluation)


async def _answer(request: Request, workspace: UUID, asked: Asked) -> Response:
    chosen = await selection(request, workspace, asked)
    nothing: dict[str, Any] = {"fields": [], "datasets": [], "mappings": {}}
    return encode(nothing if chosen is None else await _schema(request, chosen))


async def _schema(request: Request, chosen: RunSelection) -> dict[str, Any]:
    runs = services(request).runs
    named = [ValueTest(_DATASET, ValueOp.EXISTS), *([chosen.filter] if chosen.filter is not None else [])]
    names, datasets = await asyncio.gather(
        runs.names(
            NamesQuery(selection=chosen, objects=_OBJECTS, group=EVENT_TYPE, newest=NEWEST, limit=MAX_NAMES)
        ),
        runs.figures(
            FigureQuery(
                selection=replace(chosen, filter=all_of(named)),
                group=_DATASET,
                groups=_DATASETS,
            )
        ),
    )
    fields: list[dict[str, str]] = []
    mappings: dict[str, list[dict[str, str]]] = {}
    for one in names:
        if (one.object, one.name) in _OURS:
            continue
        field, kind = f"{one.object}.{one.name}", one.group or "chain"
        fields.append({"name": field, "event_type": kind})
        mappings.setdefault(one.name, []).append({"field_name": field, "event_type": kind})
    return {
        "fields": fields,
        "datasets": [one.group for one in datasets if one.group],
        "mappings": mappings,
    }

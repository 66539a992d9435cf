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

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stenograph.model.access import Permission
from stenograph.model.filters import all_of
from stenograph.model.measures import FigureQuery, NamesQuery
from stenograph.model.query import RunSelection
from stenograph.model.values import Document, InDocument, ValueOp, ValueTest
from stenograph.wire.honeyhive.events.fields import EVENT_TYPE
from stenograph.wire.honeyhive.events.reads import Asked, selection
from stenograph.wire.honeyhive.requests import Params
from stenograph.wire.http import caller, encode, services

NEWEST: Final = 10_000
"""Events that are looked at."""

MAX_NAMES: Final = 5_000
_DATASETS: Final = 1_000
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
        Route("/v1/runs/schema", schema, methods=["GET"]),
        Route("/v1/runs/{run_id}/schema", schema, methods=["GET"]),
    ]


async def schema(request: Request) -> Response:
    who = await caller(request, Permission.READ)
    params = Params(request)
    asked = Asked(
        period=params.period(),
        project=params.text("project"),
        evaluation=request.path_params.get("run_id") or params.text("evaluation_id"),
    )
    chosen = await selection(request, who.workspace, asked)
    if chosen is None:
        return encode({"fields": [], "datasets": [], "mappings": {}})
    return encode(await _schema(request, chosen))


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

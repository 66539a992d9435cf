"""HoneyHive's face: every route, under /honeyhive; some are at the root as well (see wire/addresses.py)."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from stenograph.wire.face import Face
from stenograph.wire.honeyhive import errors
from stenograph.wire.honeyhive.datasets import datapoints, datasets, from_events
from stenograph.wire.honeyhive.events import reads, schema, series, sessions, updates, writes
from stenograph.wire.honeyhive.experiments import comparing, results, runs
from stenograph.wire.honeyhive.metrics import metrics
from stenograph.wire.honeyhive.objects import (
    chart_query,
    charts,
    configurations,
    keys,
    not_yet,
    projects,
    queues,
    tools,
)

PREFIX = "/honeyhive"


def routes() -> list[BaseRoute]:
    """In the order of matching: fixed paths before those with parameters. Paths are written without the prefix."""
    found: list[Route] = [
        *datasets.routes(),
        *from_events.routes(),
        *datapoints.routes(),
        *configurations.routes(),
        *tools.routes(),
        *projects.routes(),
        *keys.routes(),
        *chart_query.routes(),
        *charts.routes(),
        *queues.routes(),
        *metrics.routes(),
        *not_yet.routes(),
    ]
    found += [*reads.routes(), *series.routes(), *schema.routes()]
    found += [*comparing.routes(), *results.routes(), *runs.routes()]
    found += [*writes.routes(), *updates.routes(), *sessions.routes()]
    return [
        Route(PREFIX + route.path, route.endpoint, methods=sorted(route.methods or ())) for route in found
    ]


FACE = Face(PREFIX, routes, errors.failed, errors.unrouted)

"""HoneyHive's face: every route, under /honeyhive; some are at the root as well (see wire/addresses.py)."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from stenograph.wire.face import Face
from stenograph.wire.honeyhive import errors

PREFIX = "/honeyhive"


def routes() -> list[BaseRoute]:
    """In the order of matching: fixed paths before those with parameters. Paths are written without the prefix."""
    found: list[Route] = []
    return [
        Route(PREFIX + route.path, route.endpoint, methods=sorted(route.methods or ())) for route in found
    ]


FACE = Face(PREFIX, routes, errors.failed, errors.unrouted)

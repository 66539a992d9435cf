"""Julep's face: every route, under /julep; `/sessions` is at the root as well (see wire/addresses.py)."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from stenograph.wire.face import Face
from stenograph.wire.julep import (
    agents,
    chat,
    docs,
    errors,
    files,
    projects,
    secrets,
    sessions,
    state,
    tools,
)

PREFIX = "/julep"


def routes() -> list[BaseRoute]:
    """In the order of matching: fixed paths before those with parameters. Paths are written without the prefix."""
    found: list[Route] = [
        *agents.routes(),
        *tools.routes(),
        *projects.routes(),
        *sessions.routes(),
        *chat.routes(),
        *docs.routes(),
        *secrets.routes(),
        *files.routes(),
        *state.routes(),
    ]
    return [
        Route(PREFIX + route.path, route.endpoint, methods=sorted(route.methods or ())) for route in found
    ]


FACE = Face(PREFIX, routes, errors.failed, errors.unrouted)
"""What Julep's clients call."""

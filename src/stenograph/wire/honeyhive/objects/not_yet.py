"""What HoneyHive's clients may ask for and this version does not offer: said in a sentence. docs/not-yet.md lists the
same."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stenograph.errors import Unsupported
from stenograph.model.access import Permission
from stenograph.wire.http import caller

ALERTS: Final = (
    "Alerts are not offered yet: nothing watches figures by itself. Charts answer when they are asked."
)


def routes() -> list[Route]:
    path, methods = "/v1/projects/{project_id}/alerts", ["GET", "POST", "PUT", "PATCH", "DELETE"]
    return [
        Route(path, alerts, methods=methods),
        Route(path + "/{rest:path}", alerts, methods=methods),
    ]


async def alerts(request: Request) -> Response:
    """Any request about alerts: 501."""
    await caller(request, Permission.READ)
    raise Unsupported(ALERTS)

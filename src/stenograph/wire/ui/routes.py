"""The page's face: its own small API over the same services as the vendors' faces, and its files."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.wire.face import Face
from stenograph.wire.http import encode
from stenograph.wire.ui import (
    bulk,
    conversations,
    datasets,
    dead_letters,
    errors,
    experiments,
    feedback,
    files,
    insights,
    members,
    projects,
    queues,
    retention,
    runs,
    settings,
    signing_in,
    traces,
    views,
)


async def page(request: Request) -> Response:
    """GET /ui and below: one document for every address of the page."""
    return files.document(request)


async def nothing(request: Request) -> Response:
    """Below /ui/api nothing is the page: a mistyped address of the API must not look like an answer."""
    return encode({"message": f"There is no {request.method} {request.url.path[:200]} here."}, 404)


def routes() -> list[BaseRoute]:
    """In the order of matching: fixed paths before those with parameters."""
    return [
        *signing_in.routes(),
        *members.routes(),
        *projects.routes(),
        *runs.routes(),
        *feedback.routes(),
        *bulk.routes(),
        *views.routes(),
        *traces.routes(),
        *insights.routes(),
        *queues.routes(),
        *dead_letters.routes(),
        *datasets.routes(),
        *experiments.routes(),
        *settings.routes(),
        *retention.routes(),
        *conversations.routes(),
        Route("/ui/api/{rest:path}", nothing, methods=["GET"]),
        Route("/ui/assets/{name}", files.asset, methods=["GET"]),
        Route("/ui", page, methods=["GET"]),
        Route("/ui/{rest:path}", page, methods=["GET"]),
    ]


FACE = Face("/ui", routes, errors.failed, errors.unrouted)

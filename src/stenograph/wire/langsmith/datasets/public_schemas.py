"""The JSON Schemas that datasets refer to, at the addresses where LangSmith has its own."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.domain.datasets.public_schemas import PUBLISHED
from stenograph.errors import NotFound


def _answer(request: Request, name: str) -> Response:
    version = request.path_params["version"]
    found = PUBLISHED.get((version, name))
    if found is None:
        raise NotFound(f"There is no version {version[:20]!r} of {name}.json: the versions are v1.")
    return Response(found, media_type="application/json")


async def message(request: Request) -> Response:
    """GET /public/schemas/{version}/message.json: a chat message of OpenAI's. No key needed."""
    return _answer(request, "message")


async def tool(request: Request) -> Response:
    """GET /public/schemas/{version}/tooldef.json: a tool of OpenAI's. No key needed."""
    return _answer(request, "tooldef")


def routes() -> list[BaseRoute]:
    """To stand before /public/{token}, which would take `schemas` for a token."""
    return [
        Route("/public/schemas/{version}/message.json", message, methods=["GET"]),
        Route("/public/schemas/{version}/tooldef.json", tool, methods=["GET"]),
    ]

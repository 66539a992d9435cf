"""Where people come in: `/`, and links to shared traces and datasets, which need no key."""

from __future__ import annotations

from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from stenograph.errors import NotFound
from stenograph.wire.http import encode, services
from stenograph.wire.ui import files, share, share_dataset


async def root(request: Request) -> Response:
    """GET /: a browser wants the page, a program a sign of life."""
    if "text/html" in request.headers.get("accept", ""):
        return RedirectResponse("/ui/")
    return encode({"name": "Stenograph", "ok": True})


async def shared(request: Request) -> Response:
    """GET /public/{token}/r: the page on this trace; without scripts (`?plain`), or where the page is not built, the
    trace as text. 404 for a link that leads nowhere, in either form."""
    if "plain" in request.query_params or not files.is_built():
        return await share.page(request)
    try:
        await services(request).sharing.open(request.path_params["token"])
    except NotFound:
        return await share.page(request)
    return files.document(request, headers=_unlisted())


async def shared_dataset(request: Request) -> Response:
    """GET /public/{share_token}/d: the page on this dataset; without scripts (`?plain`), or where the page is not
    built, its examples as text. 404 for a link that leads nowhere, in either form."""
    if "plain" in request.query_params or not files.is_built():
        return await share_dataset.page(request)
    try:
        await services(request).dataset_sharing.open(UUID(request.path_params["share_token"]))
    except (NotFound, ValueError):
        return share.nothing()
    return files.document(request, headers=_unlisted())


def _unlisted() -> dict[str, str]:
    return {name: share.HEADERS[name] for name in ("X-Robots-Tag", "Cache-Control")}


def routes() -> list[BaseRoute]:
    return [
        Route("/", root, methods=["GET"]),
        Route("/public/{token}/r", shared, methods=["GET"]),
        Route("/public/{share_token}/d", shared_dataset, methods=["GET"]),
    ]

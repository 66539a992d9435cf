"""Where people come in: `/`, and links to shared traces, which need no key."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from stenograph.errors import NotFound
from stenograph.wire.http import encode, services
from stenograph.wire.ui import files, share


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
    unlisted = {name: share.HEADERS[name] for name in ("X-Robots-Tag", "Cache-Control")}
    return files.document(request, headers=unlisted)


def routes() -> list[BaseRoute]:
    return [Route("/", root, methods=["GET"]), Route("/public/{token}/r", shared, methods=["GET"])]

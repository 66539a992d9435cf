"""The application: faces, addresses, the request log, and what to say when something fails."""

from __future__ import annotations

import time
from typing import Final

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stenograph.errors import StenographError
from stenograph.observability import METRICS_CONTENT_TYPE, Metrics
from stenograph.wire.addresses import Addresses
from stenograph.wire.face import Face
from stenograph.wire.honeyhive.routes import FACE as HONEYHIVE
from stenograph.wire.http import Services, encode
from stenograph.wire.julep.routes import FACE as JULEP
from stenograph.wire.langsmith.routes import FACE as LANGSMITH
from stenograph.wire.otlp.routes import routes as otlp_routes
from stenograph.wire.ui import public
from stenograph.wire.ui.routes import FACE as PAGE

log = structlog.get_logger("stenograph.http")


FACES: Final = (HONEYHIVE, JULEP, PAGE, LANGSMITH)
"""The one at the root comes last: it has what no other has."""


def routes() -> list[BaseRoute]:
    """Everything that is answered here, by the path that Addresses leaves."""
    vendors = [route for face in FACES for route in face.routes()]
    return [*vendors, *otlp_routes(), *public.routes(), Route("/metrics", _metrics)]


def _face(request: Request) -> Face:
    path = request.url.path
    return next((face for face in FACES if face.has(path)), FACES[-1])


def build(services: Services) -> ASGIApp:
    """The ASGI application over these services."""
    app = Starlette(
        routes=routes(),
        exception_handlers={
            StenographError: _failed,
            HTTPException: _unrouted,
            ClientDisconnect: _gone,
            Exception: _failed,
        },
    )
    app.state.services = services
    logged = RequestLog(app, services.metrics)
    return Addresses(logged, local_only=services.settings.auth_open)


async def _metrics(request: Request) -> Response:
    found: Services = request.app.state.services
    return Response(found.metrics.render(), media_type=METRICS_CONTENT_TYPE)


async def _failed(request: Request, error: Exception) -> Response:
    return _face(request).failed(request, error)


async def _unrouted(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _face(request).unrouted(request, error)


async def _gone(_: Request, __: Exception) -> Response:
    """The client hung up while sending: nobody reads this."""
    return Response(status_code=499)


class RequestLog:
    """Counts and logs every answer; turns what nobody foresaw into a bare 500 without internals."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception:
            log.exception("a request failed", method=scope["method"], path=scope["path"])
            if not status:
                await encode({"detail": "Internal server error"}, 500)(scope, receive, watch)
        finally:
            seconds = time.perf_counter() - started
            route = scope.get("route")
            template = getattr(route, "path", None)
            self._metrics.answered(scope["method"], template, status, seconds)
            log.debug(
                "answered",
                method=scope["method"],
                path=scope["path"],
                status=status,
                milliseconds=round(seconds * 1000, 1),
            )

"""Where the faces live, and who may knock: the outermost layer of the application.

LangSmith's clients put a prefix before each path, depending on the endpoint they were given; all of them lead
to one set of routes. In open mode the Host and Origin headers are checked, so that no web page that somebody
looks at on this machine can reach the server (DNS rebinding, cross-site requests).
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_PREFIXES: Final = ("/langsmith", "/api/v1", "/api")
_OTLP: Final = re.compile(
    r"(?:/langsmith|/honeyhive)?(?:/api)?(?:/v1)?(/(?:otel/|opentelemetry/)?v1/(?:traces|logs|metrics))/?"
)
"""OpenTelemetry's own path under whatever endpoint an exporter was given; its `v1` is no prefix."""
_METRICS_OF_HONEYHIVE: Final = "/honeyhive/v1/metrics"
"""What computes metrics there, and no metrics of OpenTelemetry."""
_OF_HONEYHIVE: Final = re.compile(r"/(?:session|events|v1/events|v1/sessions)(?:/|$)")
"""What HoneyHive's documents print at the root, where no other face has anything."""

_LOCAL: Final = re.compile(r"(?:https?://)?(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?", re.IGNORECASE)


def canonical(path: str) -> str:
    """A path without the prefixes that clients use.

    `/api/v1/runs`, `/api/runs`, `/langsmith/api/v1/runs` are `/runs`; `/v1/platform/x`, `/api/v1/platform/x`
    are `/platform/x`; `/api/v2/x` is `/v2/x`. `/api/otel/v1/traces` is `/otel/v1/traces`. What HoneyHive has at
    the root goes to its face: `/session/x` is `/honeyhive/session/x`.
    """
    whole = path.rstrip("/")
    if whole.endswith(("/v1/traces", "/v1/logs", "/v1/metrics")) and whole != _METRICS_OF_HONEYHIVE:
        otlp = _OTLP.fullmatch(path)
        if otlp:
            return otlp[1]
    if path.startswith("/honeyhive/"):
        return path.rstrip("/")
    if _OF_HONEYHIVE.match(path):
        return f"/honeyhive{path}".rstrip("/")
    for prefix in _PREFIXES:
        if path.startswith(prefix) and (len(path) == len(prefix) or path[len(prefix)] == "/"):
            path = path[len(prefix) :] or "/"
            if prefix == "/api/v1":
                break
    if path.startswith("/v1/platform/"):
        path = path[len("/v1") :]
    return path.rstrip("/") or "/"


class Addresses:
    """ASGI middleware: checks who is asking in open mode, then rewrites the path."""

    def __init__(self, app: ASGIApp, *, local_only: bool) -> None:
        self._app = app
        self._local_only = local_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._local_only and (refusal := _foreign(Headers(scope=scope))):
            await JSONResponse({"detail": refusal}, 403)(scope, receive, send)
            return
        path = canonical(scope["path"])
        if path != scope["path"]:
            scope = {**scope, "path": path, "raw_path": quote(path).encode()}
        await self._app(scope, receive, send)


def _foreign(headers: Headers) -> str | None:
    """Why a request to an open server does not come from this machine's own programs; None when it may."""
    host = headers.get("host", "")
    if host and not _LOCAL.fullmatch(host):
        return (
            f"this server is open to local programs only, and was addressed as {host[:100]!r}: "
            "use http://localhost, or start it with API keys (--auth keys)"
        )
    origin = headers.get("origin")
    if origin and origin != "null" and not _LOCAL.fullmatch(origin):
        return f"this server is open to local programs only, not to the web page {origin[:100]!r}"
    if origin == "null":
        return "this server is open to local programs only, not to web pages"
    return None

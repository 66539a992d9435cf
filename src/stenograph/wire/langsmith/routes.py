"""LangSmith's face: every route, by the path that remains when prefixes are taken off (see wire/addresses.py)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.wire.langsmith import (
    attachments,
    dashboard,
    feedback,
    feedback_configs,
    feedback_tokens,
    info,
    ingest,
    prices,
    runs,
    sessions,
    sharing,
    views,
    workspaces,
)

Handler = Callable[[Request], Awaitable[Response]]


def _route(method: str, path: str, handler: Handler) -> Route:
    return Route(path, handler, methods=[method])


def routes() -> list[BaseRoute]:
    """In the order of matching: fixed paths before those with parameters."""
    return [
        _route("POST", "/runs/multipart", ingest.multipart),
        _route("POST", "/runs/batch", ingest.batch),
        _route("POST", "/runs", ingest.create_run),
        _route("PATCH", "/runs/{run_id}", ingest.update_run),
        _route("GET", "/info", info.info),
        _route("GET", "/info/health", info.health),
        _route("GET", "/ok", info.ok),
        _route("GET", "/settings", info.settings),
        _route("POST", "/runs/query", runs.query),
        _route("POST", "/runs/query/validate", runs.validate),
        _route("POST", "/runs/generate-query", runs.not_offered),
        _route("POST", "/runs/stats", runs.stats),
        _route("POST", "/runs/group", runs.threads),
        _route("POST", "/runs/group/stats", runs.thread_stats),
        _route("POST", "/runs/delete", runs.delete),
        _route("POST", "/runs/delete/traces", runs.delete),
        _route("GET", "/runs/threads/{thread_id:path}", runs.thread),
        _route("GET", "/runs/{run_id}", runs.one),
        *sharing.routes(),
        *attachments.routes(),
        *feedback_configs.routes(),
        *feedback_tokens.routes(),
        *feedback.routes(),
        *prices.routes(),
        *sessions.routes(),
        *dashboard.routes(),
        *views.routes(),
        *workspaces.routes(),
    ]

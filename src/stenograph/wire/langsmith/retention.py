"""LangSmith's settings of how long traces are kept, which it calls TTL settings.

    /ttl-settings /orgs/ttl-settings     the tier of projects that name none: short (14 days) or long (400)
    /workspaces/current/ttl-settings     how many days the long tier is

There are no organizations here: what is said of one holds for the caller's workspace. Traces are kept for ever until
one of these is put, or somebody asks for it on the page.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.errors import Invalid
from stenograph.model.access import Permission
from stenograph.model.retention import LONG_DAYS, Retention, Tier
from stenograph.wire.http import body_as, caller, encode, of_body, services
from stenograph.wire.langsmith.runs.convert import time_text


class TtlSettingsIn(Struct):
    """UpsertTTLSettingsRequest."""

    default_trace_tier: Tier
    tenant_id: UUID | None = None
    apply_to_all_projects: bool = False


class LongTtlIn(Struct):
    """ttl_settings.UpdateTTLSettingsRequest."""

    longlived_ttl_days: int


def routes() -> list[BaseRoute]:
    current = "/workspaces/current/ttl-settings"
    return [
        *(
            Route(path, handler, methods=[method])
            for path in ("/ttl-settings", "/orgs/ttl-settings")
            for method, handler in (("GET", find), ("PUT", prefer))
        ),
        Route(current, read_days, methods=["GET"]),
        Route(current, keep_judged, methods=["PUT"]),
    ]


async def find(request: Request) -> Response:
    """GET /ttl-settings: none where nobody has asked."""
    who = await caller(request, Permission.READ)
    asked = await services(request).retention.rules.read(who.workspace)
    return encode([] if asked is None else [_settings(asked)])


async def prefer(request: Request) -> Response:
    """PUT /ttl-settings."""
    who = await caller(request, Permission.ADMIN)
    sent = await body_as(request, TtlSettingsIn)
    if sent.tenant_id not in (None, who.workspace):
        raise Invalid("tenant_id is not the workspace of your key.", ("body", "tenant_id"))
    asked = await services(request).retention.rules.prefer(
        who.workspace, sent.default_trace_tier, everywhere=sent.apply_to_all_projects
    )
    return encode({**_settings(asked), "apply_to_all_projects": sent.apply_to_all_projects})


async def read_days(request: Request) -> Response:
    """GET /workspaces/current/ttl-settings. Without days what is judged is kept for ever."""
    who = await caller(request, Permission.READ)
    asked = await services(request).retention.rules.read(who.workspace)
    return encode(_days(who.workspace, asked))


async def keep_judged(request: Request) -> Response:
    """PUT /workspaces/current/ttl-settings."""
    who = await caller(request, Permission.ADMIN)
    sent = await body_as(request, LongTtlIn)
    with of_body():
        asked = await services(request).retention.rules.keep_judged(who.workspace, sent.longlived_ttl_days)
    return encode(_days(who.workspace, asked))


def _settings(asked: Retention) -> dict[str, Any]:
    """TTLSettings. A workspace has one of them, and its id; and it is its own organization."""
    return {
        "id": asked.workspace,
        "tenant_id": asked.workspace,
        "organization_id": asked.workspace,
        "default_trace_tier": asked.tier,
        "apply_to_all_projects": False,
        "longlived_ttl_days": asked.long_days,
        "configured_by": "user",
        "created_at": time_text(asked.created_at),
        "updated_at": time_text(asked.updated_at),
    }


def _days(workspace: UUID, asked: Retention | None) -> dict[str, Any]:
    days = None if asked is None else asked.long_days
    said = {} if days is None else {"longlived_ttl_days": days}
    return {"tenant_id": workspace, "is_custom": asked is not None and days != LONG_DAYS, **said}

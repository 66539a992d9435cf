"""HoneyHive's routes of API keys: fine-grained ones and those that only ingest.

They are keys of ours in a form that HoneyHive's Python client takes (see domain/access.py), and good for every face of
this server. A key reaches its workspace, not one project of it, and what its role may do: `root_scope_type` and `role`
say so.
"""

from __future__ import annotations

import re
from typing import Any, Final

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stenograph.errors import Invalid
from stenograph.model.access import ApiKey, KeyKind, Permission, Role
from stenograph.wire.honeyhive import times
from stenograph.wire.honeyhive.objects.projects import in_path
from stenograph.wire.http import body_as, caller, encode, services

_WORDS: Final[dict[str, Role]] = {
    **dict.fromkeys(("read", "get", "list", "view", "search", "query", "export"), Role.READ),
    **dict.fromkeys(
        ("write", "create", "update", "delete", "edit", "manage", "run", "deploy", "*", "all"), Role.WRITE
    ),
    **dict.fromkeys(("ingest", "ingestion"), Role.INGEST),
    "admin": Role.ADMIN,
}
"""The word that a permission ends with, as in `datasets:read`, and the role that it takes."""

_SEPARATOR: Final = re.compile(r"[:./]")


class FineGrainedIn(Struct):
    """CreateDataPlaneApiKeyRequest."""

    name: str
    permissions: list[str]
    expires_at: str | int | float | None = None
    description: str | None = None


class IngestionIn(Struct):
    """CreateIngestionApiKeyRequest."""

    name: str
    description: str | None = None


def routes() -> list[Route]:
    fine, ingestion = (
        f"/v1/projects/{{project_id}}/{kind}_api_keys" for kind in ("fine_grained", "ingestion")
    )
    return [
        Route(fine, find_fine_grained, methods=["GET"]),
        Route(fine, create_fine_grained, methods=["POST"]),
        Route(ingestion, find_ingestion, methods=["GET"]),
        Route(ingestion, create_ingestion, methods=["POST"]),
    ]


async def create_fine_grained(request: Request) -> Response:
    """POST /v1/projects/{project_id}/fine_grained_api_keys. The answer is the only one with the key itself."""
    who = await caller(request, Permission.ADMIN)
    await in_path(request, who.workspace)
    sent = await body_as(request, FineGrainedIn)
    expires_at = None
    if sent.expires_at is not None:
        expires_at = times.read(sent.expires_at, ("body", "expires_at"))
    issued = await services(request).access.create_key(
        who,
        sent.name,
        role_of(sent.permissions),
        kind=KeyKind.FINE_GRAINED,
        description=sent.description,
        permissions=sent.permissions,
        expires_at=expires_at,
    )
    return encode({"success": True, "data": {"key_value": issued.secret, **item(issued.key)}})


async def create_ingestion(request: Request) -> Response:
    """POST /v1/projects/{project_id}/ingestion_api_keys."""
    who = await caller(request, Permission.ADMIN)
    await in_path(request, who.workspace)
    sent = await body_as(request, IngestionIn)
    issued = await services(request).access.create_key(
        who, sent.name, Role.INGEST, kind=KeyKind.INGESTION, description=sent.description
    )
    return encode({"success": True, "data": {"key_value": issued.secret, **item(issued.key)}})


async def find_fine_grained(request: Request) -> Response:
    """GET /v1/projects/{project_id}/fine_grained_api_keys: without the keys themselves, revoked ones too."""
    return await _find(request, KeyKind.FINE_GRAINED)


async def find_ingestion(request: Request) -> Response:
    """GET /v1/projects/{project_id}/ingestion_api_keys."""
    return await _find(request, KeyKind.INGESTION)


async def _find(request: Request, kind: KeyKind) -> Response:
    who = await caller(request, Permission.ADMIN)
    await in_path(request, who.workspace)
    keys = await services(request).access.list_keys(who)
    return encode({"success": True, "data": [item(key) for key in keys if key.kind is kind]})


def role_of(permissions: list[str]) -> Role:
    """The role that reaches as far as these permissions, and as little further as there is.

    Invalid where a role would reach further than any of them: ours that both reads and ingests also writes.
    """
    if not permissions:
        raise Invalid("a key needs at least one permission", ("body", "permissions"))
    roles = set()
    for index, permission in enumerate(permissions):
        role = _WORDS.get(_SEPARATOR.split(permission.strip().lower())[-1])
        if role is None:
            raise Invalid(
                f"{permission[:60]!r} does not end with read, write, ingest or admin",
                ("body", "permissions", index),
            )
        roles.add(role)
    for most in (Role.ADMIN, Role.WRITE):
        if most in roles:
            return most
    if len(roles) > 1:
        raise Invalid(
            "a key that reads and ingests is one that writes here: ask for write", ("body", "permissions")
        )
    return roles.pop()


def item(key: ApiKey) -> dict[str, Any]:
    """A key without its secret, of which `hint` has the last four characters."""
    return {
        "key_id": key.id,
        "name": key.name,
        "description": key.description,
        "permissions": key.permissions or (key.role.value,),
        "role": key.role.value,
        "root_scope_type": "workspace",
        "root_scope_id": key.workspace,
        "expires_at": None if key.expires_at is None else times.iso(key.expires_at),
        "created_at": times.iso(key.created_at),
        "revoked_at": None if key.revoked_at is None else times.iso(key.revoked_at),
        "hint": key.hint,
    }

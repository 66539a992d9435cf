"""LangSmith's routes of the people of a workspace, and of the roles that they may have.

A person has one id here, which stands for the identity, the user and LangSmith's own user alike, and a workspace is
its own organization: there are none above. Nothing is mailed. A member added here comes in by a link, which an admin
makes on the page (Settings, Members) or by `stenograph members link`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import UUID, uuid5

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.domain.members import Draft
from stenograph.errors import Invalid, NotFound
from stenograph.model.access import DEFAULT_WORKSPACE, PERMISSIONS, Caller, Permission, Role
from stenograph.model.members import ROLES, Member, MemberPatch
from stenograph.wire.http import Params, body_as, caller, encode, path_uuid, services
from stenograph.wire.langsmith.runs.convert import time_text

MAX_PAGE: Final = 500

ROLE_IDS: Final = {role: uuid5(DEFAULT_WORKSPACE, f"role {role.value}") for role in ROLES}

_NAMES: Final = {Role.READ: "WORKSPACE_VIEWER", Role.WRITE: "WORKSPACE_USER", Role.ADMIN: "WORKSPACE_ADMIN"}
_DESCRIPTIONS: Final = {
    Role.READ: "Reads everything.",
    Role.WRITE: "Reads and writes everything.",
    Role.ADMIN: "All of that; handles keys and members.",
}
_ROLES: Final[dict[str, Role]] = {
    **{str(identity): role for role, identity in ROLE_IDS.items()},
    **{name: role for role, name in _NAMES.items()},
    **{role.value: role for role in ROLES},
}

_SORTS: Final[dict[str, Callable[[Member], Any]]] = {
    "name": lambda member: member.name.casefold(),
    "email": lambda member: (member.email or "").casefold(),
    "role": lambda member: ROLES.index(member.role),
    "created_at": lambda member: member.created_at,
}


class IdentityIn(Struct):
    """IdentityCreate: somebody who was a member before, by any of the three names of their id."""

    user_id: UUID | None = None
    org_identity_id: UUID | None = None
    ls_user_id: UUID | None = None
    read_only: bool | None = None
    role_id: str | None = None


class PendingIn(Struct):
    """PendingIdentityCreate."""

    email: str
    read_only: bool = False
    role_id: str | None = None
    workspace_ids: list[UUID] | None = None
    workspace_role_id: str | None = None
    password: str | None = None
    full_name: str | None = None


class IdentityPatchIn(Struct):
    """IdentityPatch."""

    role_id: str
    read_only: bool | None = None


def routes() -> list[BaseRoute]:
    here = "/workspaces/current/members"
    return [
        Route(here, find, methods=["GET"]),
        Route(here, readmit, methods=["POST"]),
        Route(f"{here}/active", active, methods=["GET"]),
        Route(f"{here}/pending", pending, methods=["GET"]),
        Route(f"{here}/batch", add, methods=["POST"]),
        Route(f"{here}/{{member_id}}", change, methods=["PATCH"]),
        Route(f"{here}/{{member_id}}", remove, methods=["DELETE"]),
        Route(f"{here}/{{member_id}}/pending", withdraw, methods=["DELETE"]),
        Route("/orgs/current/roles", roles, methods=["GET"]),
    ]


async def find(request: Request) -> Response:
    """GET /workspaces/current/members: TenantMembers."""
    who = await caller(request, Permission.READ)
    found = await services(request).members.all(who)
    return encode(
        {
            "tenant_id": who.workspace,
            "members": [_identity(member) for member in found if _has_joined(member)],
            "pending": [_pending(member) for member in found if not _has_joined(member)],
        }
    )


async def active(request: Request) -> Response:
    """GET /workspaces/current/members/active: those who have joined. Nobody is disabled here."""
    who = await caller(request, Permission.READ)
    params = Params(request)
    ids = {*params.uuids("ls_user_ids"), *params.uuids("user_ids")}
    found = [] if params.flag("is_disabled") else await services(request).members.all(who)
    joined = [member for member in found if _has_joined(member) and (not ids or member.id in ids)]
    return encode([_identity(member) for member in _page(params, joined)])


async def pending(request: Request) -> Response:
    """GET /workspaces/current/members/pending: those who have not."""
    who = await caller(request, Permission.READ)
    found = await services(request).members.all(who)
    return encode(
        [
            _pending(member)
            for member in _page(Params(request), [each for each in found if not _has_joined(each)])
        ]
    )


def _page(params: Params, found: Sequence[Member]) -> list[Member]:
    limit, offset = params.number("limit", 50, 1, MAX_PAGE), params.number("offset", 0, 0, 2**31)
    sort, words = params.text("sort_by") or "created_at", (params.text("q") or "").casefold()
    if sort not in _SORTS:
        raise Invalid(f"{sort[:40]!r} is not one of {', '.join(_SORTS)}", ("query", "sort_by"))
    emails = {email.casefold() for email in params.texts("emails")}
    wanted = [
        member
        for member in found
        if (not emails or (member.email or "").casefold() in emails)
        and (words in member.name.casefold() or words in (member.email or "").casefold())
    ]
    wanted.sort(key=_SORTS[sort], reverse=params.flag("sort_by_desc") is not False)
    return wanted[offset : offset + limit]


async def add(request: Request) -> Response:
    """POST /workspaces/current/members/batch: invited, all or none, without a link yet."""
    who = await caller(request, Permission.ADMIN)
    sent = await body_as(request, list[PendingIn])
    drafts = [_draft(each, index, who) for index, each in enumerate(sent)]
    return encode([_pending(member) for member in await services(request).members.add(who, drafts)])


def _draft(sent: PendingIn, index: int, who: Caller) -> Draft:
    where = ("body", index)
    if sent.password is not None:
        raise Invalid("there are no passwords here: members come in by a link", (*where, "password"))
    for workspace in sent.workspace_ids or ():
        if workspace != who.workspace:
            raise NotFound(f"There is no workspace {workspace}.")
    named = "workspace_role_id" if sent.workspace_role_id is not None else "role_id"
    role = _role(sent.workspace_role_id or sent.role_id, sent.read_only, (*where, named))
    return Draft(role, (sent.full_name or "").strip(), sent.email.strip())


async def readmit(request: Request) -> Response:
    """POST /workspaces/current/members: somebody who was removed is invited again. Without organizations nobody else
    could be known already."""
    who = await caller(request, Permission.ADMIN)
    sent = await body_as(request, IdentityIn)
    named = {each for each in (sent.user_id, sent.org_identity_id, sent.ls_user_id) if each is not None}
    if len(named) != 1:
        raise Invalid("say whom, by one id: new people are added by …/members/batch", ("body", "ls_user_id"))
    role = _role(sent.role_id, sent.read_only, ("body", "role_id"))
    member = await services(request).members.readmit(who, named.pop(), role)
    return encode(_plain_identity(member))


async def change(request: Request) -> Response:
    """PATCH /workspaces/current/members/{identity_id}: another role, for those who have not joined yet as well."""
    who = await caller(request, Permission.ADMIN)
    member_id = path_uuid(request, "member_id")
    sent = await body_as(request, IdentityPatchIn)
    role = _role(sent.role_id, sent.read_only, ("body", "role_id"))
    return encode(
        _plain_identity(await services(request).members.change(who, member_id, MemberPatch(role=role)))
    )


async def remove(request: Request) -> Response:
    """DELETE /workspaces/current/members/{identity_id}: one who has joined."""
    return await _remove(request, joined=True)


async def withdraw(request: Request) -> Response:
    """DELETE /workspaces/current/members/{identity_id}/pending: one who has not."""
    return await _remove(request, joined=False)


async def _remove(request: Request, *, joined: bool) -> Response:
    who = await caller(request, Permission.ADMIN)
    member_id, to = path_uuid(request, "member_id"), services(request).members
    if _has_joined(await to.one(who, member_id)) is not joined:
        raise NotFound(f"Member {member_id} {'is invited only' if joined else 'has joined already'}.")
    await to.remove(who, member_id)
    return encode({"message": f"member {member_id} removed"})


async def roles(request: Request) -> Response:
    """GET /orgs/current/roles: those that members may have."""
    await caller(request, Permission.READ)
    return encode(
        [
            {
                "id": identity,
                "name": _NAMES[role],
                "display_name": role.value,
                "description": _DESCRIPTIONS[role],
                "organization_id": None,
                "permissions": sorted(permission.value for permission in PERMISSIONS[role]),
                "access_scope": "workspace",
            }
            for role, identity in ROLE_IDS.items()
        ]
    )


def _role(named: str | None, read_only: bool | None, where: tuple[str | int, ...]) -> Role:
    """Of an id or a name. Without either, whoever is not said to read only writes."""
    if named is None:
        return Role.READ if read_only else Role.WRITE
    role = _ROLES.get(named.lower() if named not in _ROLES else named)
    if role is None:
        raise Invalid(
            f"{named[:60]!r} is no role of members: GET /orgs/current/roles has their ids", where=where
        )
    if read_only and role is not Role.READ:
        raise Invalid(f"read_only says otherwise than the role {role.value!r}", where=where)
    return role


def _has_joined(member: Member) -> bool:
    return member.joined_at is not None


def _plain_identity(member: Member) -> dict[str, Any]:
    """Identity."""
    return {
        "id": member.id,
        "organization_id": member.workspace,
        "tenant_id": member.workspace,
        "created_at": time_text(member.created_at),
        "user_id": member.id,
        "ls_user_id": member.id,
        "read_only": member.role is Role.READ,
        "role_id": ROLE_IDS.get(member.role),
        "role_name": member.role.value,
        "access_scope": "workspace",
    }


def _identity(member: Member) -> dict[str, Any]:
    """MemberIdentity."""
    return {
        **_plain_identity(member),
        "email": member.email,
        "full_name": member.name,
        "display_name": member.name,
        "avatar_url": None,
        "linked_login_methods": [],
        "is_disabled": False,
        "org_role_id": None,
        "org_role_name": None,
    }


def _pending(member: Member) -> dict[str, Any]:
    """PendingIdentity. Its address cannot be null: "" where a member has none."""
    role = ROLE_IDS.get(member.role)
    return {
        "id": member.id,
        "email": member.email or "",
        "full_name": member.name,
        "read_only": member.role is Role.READ,
        "role_id": role,
        "role_name": member.role.value,
        "workspace_ids": [member.workspace],
        "workspace_role_id": role,
        "password": None,
        "access_scope": "workspace",
        "user_id": member.id,
        "tenant_id": member.workspace,
        "organization_id": member.workspace,
        "created_at": time_text(member.created_at),
        "org_role_id": None,
        "org_role_name": None,
    }

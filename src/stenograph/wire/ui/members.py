"""The people of the workspace: who they are, invited by a link, changed, removed; and the way in by such a link.

A link is /ui/join with the token behind a #, which browsers keep to themselves: it comes here in a body alone, so
that no log of a server or of a proxy has it, and whoever previews links uses up none.
"""

from __future__ import annotations

import time
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.domain.members import OPEN, Draft
from stenograph.model.access import Caller, Permission, Role
from stenograph.model.members import Invited, Member, MemberPatch
from stenograph.wire.http import body_as, encode, path_uuid, services
from stenograph.wire.ui.signing_in import from_the_page, keep, viewer

MAX_TOKEN: Final = 200


class MemberIn(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    email: str | None = None
    role: Role


class MemberPatchIn(msgspec.Struct, frozen=True, kw_only=True):
    """What is absent stays; an empty address is taken away."""

    name: str | None = None
    email: str | None = None
    role: Role | None = None


class TokenIn(msgspec.Struct, frozen=True):
    token: str


async def members(request: Request) -> Response:
    """GET /ui/api/members: oldest first, invited ones too."""
    who = await viewer(request, Permission.READ)
    to = services(request)
    counts = await to.members.programs(who)
    found = await to.members.all(who)
    return encode({"members": [{**_member(one, who), "keys": counts[one.id]} for one in found]})


async def invite(request: Request) -> Response:
    """POST /ui/api/members: with the token of the link, which no other answer has."""
    who = await viewer(request, Permission.ADMIN)
    sent = await body_as(request, MemberIn)
    draft = Draft(sent.role, sent.name.strip(), _address(sent.email) or None)
    return encode(_invited(await services(request).members.invite(who, draft), who))


async def change(request: Request) -> Response:
    """PATCH /ui/api/members/{member_id}."""
    who = await viewer(request, Permission.ADMIN)
    member_id = path_uuid(request, "member_id")
    sent = await body_as(request, MemberPatchIn)
    patch = MemberPatch(
        name=None if sent.name is None else sent.name.strip(), email=_address(sent.email), role=sent.role
    )
    return encode(_member(await services(request).members.change(who, member_id, patch), who))


async def remove(request: Request) -> Response:
    """DELETE /ui/api/members/{member_id}."""
    who = await viewer(request, Permission.ADMIN)
    await services(request).members.remove(who, path_uuid(request, "member_id"))
    return encode({})


async def link(request: Request) -> Response:
    """POST /ui/api/members/{member_id}/link: a new one instead of a former one. Members make one for themselves."""
    who = await viewer(request, Permission.READ)
    return encode(_invited(await services(request).members.link(who, path_uuid(request, "member_id")), who))


async def withdraw(request: Request) -> Response:
    """DELETE /ui/api/members/{member_id}/link."""
    who = await viewer(request, Permission.READ)
    return encode(
        _member(await services(request).members.withdraw(who, path_uuid(request, "member_id")), who)
    )


async def look(request: Request) -> Response:
    """POST /ui/api/join/look: what a link lets its bearer into, which does not use it up. No key needed."""
    to = services(request)
    found = await to.members.look(await _token(request))
    member = found.member
    return encode(
        {
            "workspace": found.workspace,
            "name": member.name,
            "role": member.role.value,
            "by": member.invited_by,
            "until": member.link_until,
            "back": member.joined_at is not None,
            "problem": OPEN if to.access.is_open else None,
        }
    )


async def join(request: Request) -> Response:
    """POST /ui/api/join: the link is used up, and this browser signed in."""
    from_the_page(request)
    issued = await services(request).members.join(await _token(request))
    answer = encode({"role": None if issued.key.reach is None else issued.key.reach.value})
    keep(request, answer, issued.secret)
    return answer


async def _token(request: Request) -> str:
    return (await body_as(request, TokenIn)).token[:MAX_TOKEN]


def _address(sent: str | None) -> str | None:
    return None if sent is None else sent.strip()


def _invited(found: Invited, who: Caller) -> dict[str, Any]:
    return {**_member(found.member, who), "token": found.token}


def _member(member: Member, who: Caller) -> dict[str, Any]:
    """`until` is where a link is out that may still be used."""
    until = member.link_until
    return {
        "id": member.id,
        "name": member.name,
        "email": member.email,
        "role": member.role.value,
        "created": member.created_at,
        "joined": member.joined_at,
        "seen": member.seen_at,
        "until": until if until is not None and until > time.time_ns() // 1000 else None,
        "by": member.invited_by,
        "you": member.id == who.member_id,
    }


def routes() -> list[BaseRoute]:
    one = "/ui/api/members/{member_id}"
    return [
        Route("/ui/api/members", members, methods=["GET"]),
        Route("/ui/api/members", invite, methods=["POST"]),
        Route(one, change, methods=["PATCH"]),
        Route(one, remove, methods=["DELETE"]),
        Route(f"{one}/link", link, methods=["POST"]),
        Route(f"{one}/link", withdraw, methods=["DELETE"]),
        Route("/ui/api/join/look", look, methods=["POST"]),
        Route("/ui/api/join", join, methods=["POST"]),
    ]

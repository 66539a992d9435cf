"""Who looks at the page: by a sign-in that the browser keeps, by an API key in a header, or, in open mode, anybody.

The cookie is HttpOnly and goes to /ui/api alone, so that no script reads it and no other route obeys it. A request
that changes something and comes with a cookie has to come from the page itself: browsers say so (Sec-Fetch-Site, and
Origin in those that do not; Fetch Metadata, W3C).
"""

from __future__ import annotations

from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.domain.access import require
from stenograph.domain.page import SIGNED_IN_SECONDS
from stenograph.domain.people import name_of
from stenograph.errors import Forbidden, Invalid, Unauthenticated
from stenograph.model.access import PERMISSIONS, Caller, Permission
from stenograph.wire.http import api_key, body_as, encode, services

COOKIE: Final = "stenograph"
PATH: Final = "/ui/api"
MAX_KEY: Final = 1000


class KeyIn(msgspec.Struct, frozen=True):
    key: str


async def viewer(request: Request, permission: Permission) -> Caller:
    """Who is looking, allowed to do this; Unauthenticated or Forbidden otherwise."""
    to = services(request)
    key = api_key(request)
    sealed = request.cookies.get(COOKIE)
    if key is None and sealed is not None:
        if request.method not in ("GET", "HEAD"):
            from_the_page(request)
        key = to.page.sign_ins.open(sealed)
        if key is None and not to.settings.auth_open:
            raise Unauthenticated("Your sign-in has expired.")
    found = await to.access.authenticate(key)
    require(found, permission)
    return found


def from_the_page(request: Request) -> None:
    """Forbidden when another site's page sent this."""
    site = request.headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        raise Forbidden("This was sent by another page.")
    origin = request.headers.get("origin")
    if site is None and origin is not None and origin.partition("://")[2] != request.headers.get("host"):
        raise Forbidden("This was sent by another page.")


async def sign_in(request: Request) -> Response:
    """POST /ui/api/sign-in: a key that may read is kept for this browser."""
    from_the_page(request)
    sent = await body_as(request, KeyIn)
    key = sent.key.strip()
    if not key or len(key) > MAX_KEY:
        raise Invalid("Enter an API key.", ("body", "key"))
    to = services(request)
    found = await to.access.authenticate(key)
    require(found, Permission.READ)
    answer = encode({"role": found.role.value})
    keep(request, answer, key)
    return answer


def keep(request: Request, answer: Response, key: str) -> None:
    """The browser is signed in by this key from now on."""
    answer.set_cookie(
        COOKIE,
        services(request).page.sign_ins.seal(key),
        max_age=SIGNED_IN_SECONDS,
        path=PATH,
        httponly=True,
        samesite="strict",
        secure=_is_https(request),
    )


async def sign_out(request: Request) -> Response:
    """DELETE /ui/api/sign-in. A key that was made for this browser alone is revoked with it."""
    from_the_page(request)
    to = services(request)
    sealed = request.cookies.get(COOKIE)
    key = None if sealed is None else to.page.sign_ins.open(sealed)
    if key is not None:
        await to.access.end_sign_in(key)
    answer = encode({})
    answer.delete_cookie(COOKIE, path=PATH, httponly=True, samesite="strict", secure=_is_https(request))
    return answer


def _is_https(request: Request) -> bool:
    return services(request).settings.public_url.startswith("https://") or request.url.scheme == "https"


async def me(request: Request) -> Response:
    """GET /ui/api/me: the workspace, who its viewer is and may do, and where clients send to. A member's sign-in
    lasts as long again."""
    who = await viewer(request, Permission.READ)
    to = services(request)
    workspace = await to.access.workspace(who)
    answer = encode(
        {
            "auth": "open" if to.settings.auth_open else "keys",
            "role": who.role.value,
            "may": sorted(permission.value for permission in PERMISSIONS[who.role]),
            "name": await name_of(to.meta, who),
            "member": who.member_id,
            "workspace": workspace.name,
            "url": to.settings.public_url or str(request.base_url).rstrip("/"),
        }
    )
    sealed = request.cookies.get(COOKIE)
    if sealed is not None and api_key(request) is None:
        key = to.page.sign_ins.open(sealed)
        if key is not None and await to.access.prolong(key):
            keep(request, answer, key)
    return answer


def routes() -> list[BaseRoute]:
    return [
        Route("/ui/api/me", me, methods=["GET"]),
        Route("/ui/api/sign-in", sign_in, methods=["POST"]),
        Route("/ui/api/sign-in", sign_out, methods=["DELETE"]),
    ]

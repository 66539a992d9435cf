"""LangSmith's routes of a workspace's secrets: names are told, values never.

Its client asks here for a provider's key before it asks for a report, and refuses to go on without one. Reports need
none here, so those names are always in the list. One that was sent is used: reports are worded by that provider.
"""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.errors import Invalid
from stenograph.model.access import Permission
from stenograph.model.secrets import Secret
from stenograph.wire.http import body_as, caller, encode, of_body, services
from stenograph.wire.langsmith.insights.schemas import SecretIn

NOT_NEEDED: Final = ("ANTHROPIC_API_KEY", "OPENAI_API_KEY")
MOST: Final = 1000


def routes() -> list[BaseRoute]:
    return [
        Route("/workspaces/current/secrets", find, methods=["GET"]),
        Route("/workspaces/current/secrets", change, methods=["POST"]),
    ]


async def find(request: Request) -> Response:
    """GET /workspaces/current/secrets."""
    who = await caller(request, Permission.READ)
    found = await services(request).conversing.secrets.page(who.workspace, 0, MOST)
    names = {secret.name for secret in found} | set(NOT_NEEDED)
    return encode([{"key": name} for name in sorted(names)])


async def change(request: Request) -> Response:
    """POST /workspaces/current/secrets: adds, replaces, and removes what is null."""
    who = await caller(request, Permission.WRITE)
    sent = await body_as(request, list[SecretIn])
    secrets = services(request).conversing.secrets
    if len(sent) > MOST:
        raise Invalid(f"at most {MOST} secrets at once", ("body",))
    known: dict[str, Secret] = {each.name: each for each in await secrets.page(who.workspace, 0, MOST)}
    for each in sent:
        there = known.get(each.key)
        with of_body():
            if each.value is None:
                if there is not None:
                    await secrets.delete(who.workspace, there.id)
            elif there is None:
                known[each.key] = await secrets.create(who.workspace, each.key, each.value, None, b"{}")
            else:
                await secrets.replace(
                    who.workspace, there.id, each.key, each.value, there.description, there.metadata
                )
    return encode({})

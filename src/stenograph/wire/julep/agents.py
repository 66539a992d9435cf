"""Julep's routes of agents and of users. Their tools: tools.py; their docs: docs.py."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from msgspec import UNSET, UnsetType
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stenograph.model.access import Caller, Permission
from stenograph.model.agents import Agent, AgentPatch, User, UserPatch
from stenograph.wire.http import caller, encode, services
from stenograph.wire.julep import shapes
from stenograph.wire.julep.bodies import custom_key
from stenograph.wire.julep.projects import project_of
from stenograph.wire.julep.resources import Resource
from stenograph.wire.julep.schemas import AgentIn, AgentPatchIn, UserIn


def routes() -> list[Route]:
    """What is asked of models is no agent's id: its route comes first."""
    return [Route("/agents/models", models, methods=["GET"]), *AGENTS.routes(), *USERS.routes()]


async def models(request: Request) -> Response:
    """GET /agents/models: what the workspace may ask, by its secrets or the server's settings."""
    who = await caller(request, Permission.READ)
    found = await services(request).chat.models(who.workspace, custom_key(request))
    return encode({"models": [{"id": each} for each in found]})


async def _agent_patch(request: Request, who: Caller, sent: AgentPatchIn, partial: bool) -> AgentPatch:
    project = await _project(request, who, sent.project)
    return shapes.agent_patch(sent, project, services(request).payloads, partial=partial)


async def _user_patch(request: Request, who: Caller, sent: UserIn, partial: bool) -> UserPatch:
    project = await _project(request, who, sent.project)
    return shapes.user_patch(sent, project, services(request).payloads, partial=partial)


async def _project(request: Request, who: Caller, named: str | UnsetType | None) -> UUID | UnsetType | None:
    return UNSET if named is UNSET else await project_of(request, who, named)


AGENTS: Final = Resource[AgentPatch, Agent](
    path="/agents",
    ident="agent_id",
    created=AgentIn,
    replaced=AgentIn,
    updated=AgentPatchIn,
    keeper=lambda to: to.conversing.agents,
    patch=_agent_patch,
    shown=shapes.agent,
)
USERS: Final = Resource[UserPatch, User](
    path="/users",
    ident="user_id",
    created=UserIn,
    replaced=UserIn,
    updated=UserIn,
    keeper=lambda to: to.conversing.users,
    patch=_user_patch,
    shown=shapes.user,
)

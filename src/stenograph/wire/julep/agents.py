"""Julep's routes of agents. Their tools: tools.py."""

from __future__ import annotations

import time
from uuid import UUID

from msgspec import UNSET, UnsetType
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stenograph.model.access import Caller, Permission
from stenograph.model.agents import AgentPatch
from stenograph.wire.http import caller, encode, path_uuid, services
from stenograph.wire.julep import shapes
from stenograph.wire.julep.bodies import body_as, custom_key
from stenograph.wire.julep.lists import list_query
from stenograph.wire.julep.projects import project_of
from stenograph.wire.julep.schemas import AgentIn, AgentPatchIn


def routes() -> list[Route]:
    one = "/agents/{agent_id}"
    return [
        Route("/agents", create, methods=["POST"]),
        Route("/agents", find, methods=["GET"]),
        Route("/agents/models", models, methods=["GET"]),
        Route(one, read, methods=["GET"]),
        Route(one, put, methods=["POST"]),
        Route(one, replace, methods=["PUT"]),
        Route(one, update, methods=["PATCH"]),
        Route(one, delete, methods=["DELETE"]),
    ]


async def create(request: Request) -> Response:
    """POST /agents."""
    who = await caller(request, Permission.WRITE)
    async with body_as(request, AgentIn) as sent:
        agent = await services(request).conversing.agents.create(
            who.workspace, await _patch(request, who, sent)
        )
    return encode(shapes.agent(agent), 201)


async def find(request: Request) -> Response:
    """GET /agents: a page, newest first by default."""
    who = await caller(request, Permission.READ)
    found = await services(request).conversing.agents.find(list_query(request, who))
    return encode(shapes.items([shapes.agent(each) for each in found]))


async def models(request: Request) -> Response:
    """GET /agents/models, which is no agent's id: what the workspace may ask, by its secrets or the server's
    settings."""
    who = await caller(request, Permission.READ)
    found = await services(request).chat.models(who.workspace, custom_key(request))
    return encode({"models": [{"id": each} for each in found]})


async def read(request: Request) -> Response:
    """GET /agents/{agent_id}."""
    who = await caller(request, Permission.READ)
    agent = await services(request).conversing.agents.read(who.workspace, path_uuid(request, "agent_id"))
    return encode(shapes.agent(agent))


async def put(request: Request) -> Response:
    """POST /agents/{agent_id}: created under this id, or replaced."""
    who = await caller(request, Permission.WRITE)
    agent_id = path_uuid(request, "agent_id")
    async with body_as(request, AgentIn) as sent:
        agent = await services(request).conversing.agents.put(
            who.workspace, agent_id, await _patch(request, who, sent)
        )
    return encode(shapes.agent(agent), 201)


async def replace(request: Request) -> Response:
    """PUT /agents/{agent_id}."""
    who = await caller(request, Permission.WRITE)
    agent_id = path_uuid(request, "agent_id")
    async with body_as(request, AgentIn) as sent:
        agent = await services(request).conversing.agents.replace(
            who.workspace, agent_id, await _patch(request, who, sent)
        )
    return encode(shapes.agent(agent))


async def update(request: Request) -> Response:
    """PATCH /agents/{agent_id}: what is not in the body stays."""
    who = await caller(request, Permission.WRITE)
    agent_id = path_uuid(request, "agent_id")
    async with body_as(request, AgentPatchIn) as sent:
        agent = await services(request).conversing.agents.update(
            who.workspace, agent_id, await _patch(request, who, sent, partial=True)
        )
    return encode(shapes.agent(agent))


async def delete(request: Request) -> Response:
    """DELETE /agents/{agent_id}, with its tools and docs."""
    who = await caller(request, Permission.WRITE)
    agent_id = path_uuid(request, "agent_id")
    await services(request).conversing.agents.delete(who.workspace, agent_id)
    return encode(shapes.deleted(agent_id, time.time_ns() // 1000), 202)


async def _patch(request: Request, who: Caller, sent: AgentPatchIn, *, partial: bool = False) -> AgentPatch:
    project: UUID | UnsetType | None = UNSET
    if sent.project is not UNSET:
        project = await project_of(request, who, sent.project)
    return shapes.agent_patch(sent, project, services(request).payloads, partial=partial)

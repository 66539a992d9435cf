"""Julep's routes of agents' tools. A body has the definition in the member that is called as the tool's type is."""

from __future__ import annotations

import time
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stenograph.errors import Invalid
from stenograph.model.access import Permission
from stenograph.model.agents import AgentTool, ToolPatch, ToolType, merged
from stenograph.wire.http import caller, encode, path_uuid, services
from stenograph.wire.julep import shapes, tool_definitions
from stenograph.wire.julep.bodies import ABSENT, body_as, is_stated
from stenograph.wire.julep.lists import list_query
from stenograph.wire.julep.schemas import Text
from stenograph.wire.payloads import Payloads

_OPTIONAL: Final = frozenset({ToolType.FUNCTION, ToolType.COMPUTER, ToolType.TEXT_EDITOR, ToolType.BASH})
"""Types whose definition may be left out: all of it has defaults."""


class ToolPatchIn(Struct, kw_only=True):
    """PATCH /agents/{id}/tools/{id}. A tool always has a name and a type: null leaves them."""

    name: Text = UNSET
    type: ToolType | UnsetType | None = UNSET
    description: Text = UNSET
    function: Raw = ABSENT
    integration: Raw = ABSENT
    system: Raw = ABSENT
    api_call: Raw = ABSENT
    computer_20241022: Raw = ABSENT
    text_editor_20241022: Raw = ABSENT
    bash_20241022: Raw = ABSENT


class ToolIn(ToolPatchIn, kw_only=True):
    """POST /agents/{id}/tools and PUT /agents/{id}/tools/{id}."""

    name: str
    type: ToolType


def routes() -> list[Route]:
    all_of_them, one = "/agents/{agent_id}/tools", "/agents/{agent_id}/tools/{tool_id}"
    return [
        Route(all_of_them, create, methods=["POST"]),
        Route(all_of_them, find, methods=["GET"]),
        Route(one, replace, methods=["PUT"]),
        Route(one, update, methods=["PATCH"]),
        Route(one, delete, methods=["DELETE"]),
    ]


async def create(request: Request) -> Response:
    """POST /agents/{agent_id}/tools."""
    who = await caller(request, Permission.WRITE)
    to = services(request)
    agent_id = path_uuid(request, "agent_id")
    async with body_as(request, ToolIn) as sent:
        tool = await to.conversing.tools.create(
            who.workspace,
            agent_id,
            name=sent.name,
            kind=sent.type,
            definition=definition_of(sent, sent.type, to.payloads),
            description=None if sent.description is UNSET else sent.description,
        )
    return encode(_shown(tool), 201)


async def find(request: Request) -> Response:
    """GET /agents/{agent_id}/tools: a page, newest first by default. Tools have no metadata to filter by."""
    who = await caller(request, Permission.READ)
    query = list_query(request, who)
    if query.tests:
        raise Invalid("tools have no metadata", ("query", "metadata_filter"))
    found = await services(request).conversing.tools.find(path_uuid(request, "agent_id"), query)
    return encode(shapes.items([_shown(each) for each in found]))


async def replace(request: Request) -> Response:
    """PUT /agents/{agent_id}/tools/{tool_id}."""
    who = await caller(request, Permission.WRITE)
    to = services(request)
    agent_id, tool_id = path_uuid(request, "agent_id"), path_uuid(request, "tool_id")
    async with body_as(request, ToolIn) as sent:
        patch = ToolPatch(
            name=sent.name,
            type=sent.type,
            description=None if sent.description is UNSET else sent.description,
            definition=definition_of(sent, sent.type, to.payloads),
        )
        tool = await to.conversing.tools.update(who.workspace, agent_id, tool_id, patch)
    return encode(_shown(tool))


async def update(request: Request) -> Response:
    """PATCH /agents/{agent_id}/tools/{tool_id}: members of the definition take the place of those of the same name;
    a new type comes with the whole of its own."""
    who = await caller(request, Permission.WRITE)
    to = services(request)
    agent_id, tool_id = path_uuid(request, "agent_id"), path_uuid(request, "tool_id")
    async with body_as(request, ToolPatchIn) as sent:
        before = await to.conversing.tools.read(who.workspace, agent_id, tool_id)
        kind = sent.type if isinstance(sent.type, ToolType) else before.type
        patch = ToolPatch(
            name=sent.name if isinstance(sent.name, str) else UNSET,
            type=kind,
            description=sent.description,
            definition=definition_of(sent, kind, to.payloads, before if kind is before.type else None),
        )
        tool = await to.conversing.tools.update(who.workspace, agent_id, tool_id, patch)
    return encode(_shown(tool))


async def delete(request: Request) -> Response:
    """DELETE /agents/{agent_id}/tools/{tool_id}."""
    who = await caller(request, Permission.WRITE)
    agent_id, tool_id = path_uuid(request, "agent_id"), path_uuid(request, "tool_id")
    await services(request).conversing.tools.delete(who.workspace, agent_id, tool_id)
    return encode(shapes.deleted(tool_id, time.time_ns() // 1000), 202)


def definition_of(
    sent: ToolPatchIn, kind: ToolType, payloads: Payloads, before: AgentTool | None = None
) -> bytes:
    """The definition that was sent for this type, over that of the tool before. Invalid, with its place, when it cannot
    be one."""
    for other in ToolType:
        if other is not kind and is_stated(getattr(sent, other.value)):
            raise Invalid(f"a tool of type {kind.value} has no {other.value}", (other.value,))
    raw: Raw = getattr(sent, kind.value)
    if not is_stated(raw):
        if before is not None:
            return before.definition
        if kind not in _OPTIONAL:
            raise Invalid(f"a tool of type {kind.value} needs {kind.value}", (kind.value,))
        raw = Raw(b"{}")
    found = payloads.check_values(raw, kind.value, "object") or b"{}"
    whole = found if before is None else merged(before.definition, found)
    tool_definitions.check(kind, whole)
    return whole


def _shown(tool: AgentTool) -> dict[str, Any]:
    return {
        "id": tool.id,
        "created_at": shapes.moment(tool.created_at),
        "updated_at": shapes.moment(tool.updated_at),
        "name": tool.name,
        "type": tool.type,
        "description": tool.description,
        tool.type.value: msgspec.Raw(tool.definition),
    }

"""HoneyHive's routes of tools. There is one generation of them, unversioned: bodies are permissive, lists bare."""

from __future__ import annotations

from typing import Any, Literal
from uuid import uuid4

from msgspec import Raw, Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stenograph.errors import Invalid
from stenograph.model.access import Permission
from stenograph.model.configurations import Tool, ToolPatch, ToolType
from stenograph.wire.honeyhive.requests import named_id
from stenograph.wire.honeyhive.times import iso, now
from stenograph.wire.http import Params, body_as, caller, encode, of_body, services

TypeName = Literal["function", "tool"]


class ToolIn(Struct):
    """CreateToolRequest. `task` is the name of the project; newer clients leave it to the key."""

    name: str
    parameters: Raw
    task: str = ""
    type: TypeName = "function"
    description: str | None = None


class ToolPatchIn(Struct):
    """UpdateToolRequest. What it does not state stays."""

    id: str
    name: str | None = None
    parameters: Raw = Raw(b"")
    task: str | None = None
    type: TypeName | None = None
    description: str | None = None


def routes() -> list[Route]:
    return [
        Route("/tools", find, methods=["GET"]),
        Route("/tools", create, methods=["POST"]),
        Route("/tools", update, methods=["PUT"]),
        Route("/tools", delete, methods=["DELETE"]),
    ]


async def find(request: Request) -> Response:
    """GET /tools: oldest first."""
    who = await caller(request, Permission.READ)
    return encode([item(tool) for tool in await services(request).objects.tools.all(who.workspace)])


async def create(request: Request) -> Response:
    """POST /tools."""
    who = await caller(request, Permission.WRITE)
    sent = await body_as(request, ToolIn)
    with of_body():
        parameters = services(request).payloads.check(sent.parameters, "parameters", "object")
        if parameters is None:
            raise Invalid("parameters must be a JSON object, not null", ("parameters",))
        tool = Tool(
            id=uuid4(),
            workspace=who.workspace,
            task=sent.task,
            name=sent.name,
            parameters=parameters,
            created_at=now(),
            type=ToolType(sent.type),
            description=sent.description,
        )
        await services(request).objects.tools.create(tool)
    return encode({"result": {"insertedId": tool.id}})


async def update(request: Request) -> Response:
    """PUT /tools."""
    who = await caller(request, Permission.WRITE)
    sent = await body_as(request, ToolPatchIn)
    which = named_id(sent.id, "tool")
    with of_body():
        patch = ToolPatch(
            name=sent.name,
            description=sent.description,
            parameters=services(request).payloads.check(sent.parameters, "parameters", "object"),
            type=None if sent.type is None else ToolType(sent.type),
            task=sent.task,
        )
        tool = await services(request).objects.tools.update(who.workspace, which, patch)
    return encode({"result": item(tool)})


async def delete(request: Request) -> Response:
    """DELETE /tools?function_id=…"""
    who = await caller(request, Permission.WRITE)
    text = Params(request).text("function_id")
    if not text:
        raise Invalid("says which tool to delete", ("query", "function_id"))
    which = named_id(text, "tool")
    await services(request).objects.tools.delete(who.workspace, which)
    return encode({"result": {"deletedId": which}})


def item(tool: Tool) -> dict[str, Any]:
    """Tool. JavaScript's client takes an absent description, not null."""
    members = {
        "_id": tool.id,
        "id": tool.id,
        "task": tool.task,
        "name": tool.name,
        "description": tool.description,
        "parameters": Raw(tool.parameters),
        "tool_type": tool.type.value,
        "type": tool.type.value,
        "created_at": iso(tool.created_at),
        "updated_at": None if tool.updated_at is None else iso(tool.updated_at),
    }
    return {name: value for name, value in members.items() if value is not None}

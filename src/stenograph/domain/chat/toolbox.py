"""Tools of a chat: which a model is offered, and which of its calls the server runs itself.

Functions are the caller's to run. `api_call` and `system` tools run here, in chats that say so. Integrations, and the
tools that Anthropic's models know, are offered as functions, and the caller runs them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from stenograph.domain.chat.api_calls import ApiCalls
from stenograph.domain.chat.asked import Tool
from stenograph.domain.chat.messages import Message, said
from stenograph.domain.chat.system_tools import SystemTools, parameters_of
from stenograph.domain.chat.tracing import Trace
from stenograph.errors import CallerError, Overloaded
from stenograph.llm.chat import ToolCall
from stenograph.model.agents import AgentTool, ToolType
from stenograph.model.conversations import EntrySource, Speaker

RUN_HERE: Final = frozenset({ToolType.API_CALL, ToolType.SYSTEM})
MAX_RESULT: Final = 100_000
"""Characters of a result that a model is told."""

_NOTHING: Final[dict[str, Any]] = {"type": "object", "properties": {}}
_ANYTHING: Final[dict[str, Any]] = {"type": "object", "properties": {}, "additionalProperties": True}
_TEXT: Final = {"type": "string"}
_WHOLE: Final = {"type": "integer"}
_PLACE: Final = {"type": "array", "items": _WHOLE}

_ANTHROPICS: Final[dict[ToolType, dict[str, Any]]] = {
    ToolType.BASH: {"command": _TEXT, "restart": {"type": "boolean"}},
    ToolType.TEXT_EDITOR: {
        "command": _TEXT,
        "path": _TEXT,
        "file_text": _TEXT,
        "old_str": _TEXT,
        "new_str": _TEXT,
        "insert_line": _WHOLE,
        "view_range": _PLACE,
    },
    ToolType.COMPUTER: {"action": _TEXT, "text": _TEXT, "coordinate": _PLACE},
}
"""What these take, by Anthropic's documents of October 2024."""

_object: Final = msgspec.json.Decoder(dict[str, Any])


def offered(agents: Sequence[AgentTool], asked: Sequence[Tool]) -> tuple[Tool, ...]:
    """The agent's tools, and those of the call that have another name."""
    found = {tool.name: Tool.of(tool) for tool in agents}
    for tool in asked:
        found.setdefault(tool.name, tool)
    return tuple(found.values())


def for_model(tools: Sequence[Tool]) -> list[dict[str, Any]]:
    """As functions, in the shape that models' servers take."""
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "parameters": _parameters(tool),
                **({"description": tool.description} if tool.description else {}),
            },
        }
        for tool in tools
    ]


def _parameters(tool: Tool) -> dict[str, Any]:
    definition = _object.decode(tool.definition)
    match tool.type:
        case ToolType.FUNCTION:
            return definition.get("parameters") or _NOTHING
        case ToolType.API_CALL:
            return definition.get("params_schema") or _NOTHING
        case ToolType.SYSTEM:
            return parameters_of(definition)
        case ToolType.INTEGRATION:
            return _ANYTHING
        case _:
            return {"type": "object", "properties": _ANTHROPICS[tool.type]}


class Toolbox:
    """Runs what can be run here."""

    def __init__(self, calls: ApiCalls, system: SystemTools) -> None:
        self._calls = calls
        self._system = system

    async def run(self, workspace: UUID, tool: Tool, call: ToolCall, trace: Trace) -> Message:
        """The result as a model is told it. What goes wrong is a result, too: the model may try another way."""
        with trace.step(tool.name, "tool", {"arguments": call.arguments}) as step:
            try:
                result = await self._result(workspace, tool, call)
            except (CallerError, Overloaded) as error:
                step.error = error.message
                result = msgspec.json.encode({"error": error.message}).decode()
            if len(result) > MAX_RESULT:
                result = f"{result[:MAX_RESULT]}… ({len(result) - MAX_RESULT} characters more)"
            step.outputs = {"output": result}
        return said(
            Speaker.TOOL, result, name=tool.name, tool_call_id=call.id, source=EntrySource.TOOL_RESPONSE
        )

    async def _result(self, workspace: UUID, tool: Tool, call: ToolCall) -> str:
        try:
            arguments = _object.decode(call.arguments or "{}")
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            return '{"error":"the arguments are not a JSON object"}'
        definition = _object.decode(tool.definition)
        if tool.type is ToolType.API_CALL:
            return await self._calls.run(workspace, definition, arguments)
        return await self._system.run(workspace, definition, arguments)

"""What is asked of a chat, and what is answered."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec

from stenograph.domain.chat.messages import Message
from stenograph.llm.chat import Tokens as Tokens  # faces name it too
from stenograph.model.agents import AgentTool, ToolType
from stenograph.model.docs import Found
from stenograph.model.runs import Micros

NO_SETTINGS: Final = b"{}"


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """A tool that a model may call. `definition` is JSON, checked for its type."""

    name: str
    type: ToolType
    description: str | None = None
    definition: bytes = b"{}"

    @classmethod
    def of(cls, tool: AgentTool) -> Tool:
        return cls(name=tool.name, type=tool.type, description=tool.description, definition=tool.definition)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a chat. `settings` is a JSON object of what was stated of the model and its parameters, null
    included; `tool_choice` JSON; `metadata` a JSON object for templates. `api_key` is the caller's own for the
    model's server."""

    messages: tuple[Message, ...]
    agent: UUID | None = None
    settings: bytes = NO_SETTINGS
    tools: tuple[Tool, ...] = ()
    tool_choice: bytes | None = None
    recall: bool = True
    recall_tools: bool = True
    save: bool = True
    auto_run_tools: bool | None = None
    metadata: bytes | None = None
    api_key: str = ""


class Origin(msgspec.Struct, frozen=True):
    """Which request this is: `request` stands for its bytes. `repeated`: the client says that it has sent it before."""

    request: UUID
    repeated: bool = False


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One of the model's answers. `finish_reason` is None where it was cut off."""

    id: UUID
    message: Message
    finish_reason: str | None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a chat answers. `id` is also that of the trace that it left. `tokens` are those of all calls of models."""

    id: UUID
    created_at: Micros
    choices: tuple[Said, ...]
    docs: tuple[Found, ...] = ()
    tokens: Tokens | None = None
    jobs: tuple[UUID, ...] = ()


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of an answer that is on its way; `id`, `created_at` and `docs` are those of the whole."""

    id: UUID
    created_at: Micros
    docs: tuple[Found, ...]
    index: int
    text: str


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """What a model would be asked."""

    messages: tuple[Message, ...]
    docs: tuple[Found, ...]
    tools: tuple[Tool, ...]
    tool_choice: bytes | None

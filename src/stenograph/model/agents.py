"""Agents, the tools that they have, and the users whom they talk to."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from stenograph.model.projects import DEFAULT_PROJECT
from stenograph.model.runs import Micros

DEFAULT_SYSTEM_TEMPLATE: Final = """\
{%- if agent.name -%}
You are {{agent.name}}.{{" "}}
{%- endif -%}

{%- if agent.about -%}
About you: {{agent.about}}.{{" "}}
{%- endif -%}

{%- if user -%}
You are talking to a user
  {%- if user.name -%}{{" "}} and their name is {{user.name}}
    {%- if user.about -%}. About the user: {{user.about}}.{%- else -%}.{%- endif -%}
  {%- endif -%}
{%- endif -%}

{{NEWLINE}}

{%- if session.situation -%}
Situation: {{session.situation}}
{%- endif -%}

{{NEWLINE+NEWLINE}}

{%- if agent.instructions -%}
Instructions:{{NEWLINE}}
  {%- if agent.instructions is string -%}
    {{agent.instructions}}{{NEWLINE}}
  {%- else -%}
    {%- for instruction in agent.instructions -%}
      - {{instruction}}{{NEWLINE}}
    {%- endfor -%}
  {%- endif -%}
  {{NEWLINE}}
{%- endif -%}

{%- if docs -%}
Relevant documents:{{NEWLINE}}
  {%- for doc in docs -%}
    {{doc.title}}{{NEWLINE}}
    {%- if doc.content is string -%}
      {{doc.content}}{{NEWLINE}}
    {%- else -%}
      {%- for snippet in doc.content -%}
        {{snippet}}{{NEWLINE}}
      {%- endfor -%}
    {%- endif -%}
    {{"---"}}
  {%- endfor -%}
{%- endif -%}"""
"""The template of agents that have none of their own, as Julep's API reference prints it (GET /sessions): clients read
it as a default, so it is the same to the letter."""


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """An agent as stored. `canonical_name` is unique in the workspace.

    `default_settings` and `metadata` are the client's JSON objects. Without a `default_system_template` it has
    DEFAULT_SYSTEM_TEMPLATE. Without a `project` it is in the workspace's default one; `project_name` is what that
    is called, for reading.
    """

    id: UUID
    workspace: UUID
    name: str
    canonical_name: str
    created_at: Micros
    updated_at: Micros
    about: str = ""
    model: str = ""
    instructions: tuple[str, ...] = ()
    default_settings: bytes | None = None
    default_system_template: str | None = None
    metadata: bytes = b"{}"
    project: UUID | None = None
    project_name: str = DEFAULT_PROJECT

    @property
    def template(self) -> str:
        """The one in effect."""
        return template_of(self.default_system_template)


def template_of(own: str | None) -> str:
    return DEFAULT_SYSTEM_TEMPLATE if own is None else own


class AgentPatch(msgspec.Struct, frozen=True, kw_only=True):
    """Changes to an agent. UNSET leaves a field as it is; None clears it. `merge`: the members of `metadata` take
    the place of those of the same name, and the others stay."""

    name: str | UnsetType = UNSET
    canonical_name: str | UnsetType = UNSET
    about: str | UnsetType = UNSET
    model: str | UnsetType = UNSET
    instructions: tuple[str, ...] | UnsetType = UNSET
    default_settings: bytes | UnsetType | None = UNSET
    default_system_template: str | UnsetType | None = UNSET
    metadata: bytes | UnsetType = UNSET
    project: UUID | UnsetType | None = UNSET
    merge: bool = False

    def whole(self) -> AgentPatch:
        """The same with what is not stated as it is by default. A canonical name stays."""
        return over(_PLAIN_AGENT, self)

    def apply(self, to: Agent, at: Micros) -> Agent:
        changed: Agent = msgspec.structs.replace(to, **stated(self, to.metadata), updated_at=at)
        return changed


_PLAIN_AGENT: Final = AgentPatch(
    about="",
    model="",
    instructions=(),
    default_settings=None,
    default_system_template=None,
    metadata=b"{}",
    project=None,
)


class User(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whom agents talk to. `project` as for agents."""

    id: UUID
    workspace: UUID
    created_at: Micros
    updated_at: Micros
    name: str = ""
    about: str = ""
    metadata: bytes = b"{}"
    project: UUID | None = None
    project_name: str = DEFAULT_PROJECT


class UserPatch(msgspec.Struct, frozen=True, kw_only=True):
    """Changes to a user, as those to an agent."""

    name: str | UnsetType = UNSET
    about: str | UnsetType = UNSET
    metadata: bytes | UnsetType = UNSET
    project: UUID | UnsetType | None = UNSET
    merge: bool = False

    def whole(self) -> UserPatch:
        """The same with what is not stated as it is by default."""
        return over(_PLAIN_USER, self)

    def apply(self, to: User, at: Micros) -> User:
        changed: User = msgspec.structs.replace(to, **stated(self, to.metadata), updated_at=at)
        return changed


_PLAIN_USER: Final = UserPatch(name="", about="", metadata=b"{}", project=None)


class ToolType(StrEnum):
    """What a tool is; also the member in which Julep's bodies hold its definition."""

    FUNCTION = "function"
    INTEGRATION = "integration"
    SYSTEM = "system"
    API_CALL = "api_call"
    COMPUTER = "computer_20241022"
    TEXT_EDITOR = "text_editor_20241022"
    BASH = "bash_20241022"


class AgentTool(msgspec.Struct, frozen=True, kw_only=True):
    """A tool of an agent, which has one of its name. `definition` is the client's JSON object, checked for its type."""

    id: UUID
    workspace: UUID
    agent: UUID
    name: str
    type: ToolType
    created_at: Micros
    updated_at: Micros
    description: str | None = None
    definition: bytes = b"{}"


class ToolPatch(msgspec.Struct, frozen=True, kw_only=True):
    """Changes to a tool. UNSET leaves a field as it is. A type comes with its definition."""

    name: str | UnsetType = UNSET
    type: ToolType | UnsetType = UNSET
    description: str | UnsetType | None = UNSET
    definition: bytes | UnsetType = UNSET

    def apply(self, to: AgentTool, at: Micros) -> AgentTool:
        changed: AgentTool = msgspec.structs.replace(to, **stated(self, b"{}"), updated_at=at)
        return changed


Patch = TypeVar("Patch", bound=msgspec.Struct)


def over(defaults: Patch, patch: Patch) -> Patch:
    """The defaults with what the patch states."""
    return msgspec.structs.replace(defaults, **stated(patch, b"{}"))


def stated(patch: msgspec.Struct, metadata: bytes) -> dict[str, Any]:
    """The fields that a patch states; `metadata` are those before it, into which it may merge its own."""
    found = {
        field: value
        for field, value in msgspec.structs.asdict(patch).items()
        if value is not UNSET and field != "merge"
    }
    if "metadata" in found and getattr(patch, "merge", False):
        found["metadata"] = merged(metadata, found["metadata"])
    return found


def merged(whole: bytes, part: bytes) -> bytes:
    """A JSON object with the members of another in the place of its own of the same name."""
    members = msgspec.json.decode(whole, type=dict[str, msgspec.Raw])
    return msgspec.json.encode(members | msgspec.json.decode(part, type=dict[str, msgspec.Raw]))

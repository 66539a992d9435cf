"""Configurations of models, tools that models may call, and charts: what people save beside their runs.

Each belongs to a workspace. One that names a project belongs to that project and goes with it; one that names none
is every project's.
"""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from stenograph.model.runs import Micros


class ConfigurationType(StrEnum):
    """One call of a model, or a chain of steps."""

    LLM = "LLM"
    PIPELINE = "pipeline"


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """A saved way of calling a model. `parameters` and `user_properties` are the client's JSON objects; `env` are the
    environments that use it. `updated_at` is None until it is changed; names need not differ."""

    id: UUID
    workspace: UUID
    name: str
    provider: str
    parameters: bytes
    created_at: Micros
    type: ConfigurationType = ConfigurationType.LLM
    project_id: UUID | None = None
    env: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    user_properties: bytes | None = None
    updated_at: Micros | None = None


class ConfigurationPatch(msgspec.Struct, frozen=True, kw_only=True):
    """Changes to a configuration; UNSET leaves a field as it is."""

    name: str | UnsetType = UNSET
    provider: str | UnsetType = UNSET
    parameters: bytes | UnsetType = UNSET
    type: ConfigurationType | UnsetType = UNSET
    project_id: UUID | UnsetType = UNSET
    env: tuple[str, ...] | UnsetType = UNSET
    tags: tuple[str, ...] | UnsetType = UNSET
    user_properties: bytes | UnsetType | None = UNSET


class ConfigurationQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which configurations of a workspace. None and empty mean no condition; a project's include every project's.

    `env` is one of the configuration's environments; each of `tags` is among its tags.
    """

    workspace: UUID
    name: str | None = None
    project_id: UUID | None = None
    env: str | None = None
    tags: tuple[str, ...] = ()


class ToolType(StrEnum):
    """What a tool is to the model that calls it: a function of the caller's, or a plugin."""

    FUNCTION = "function"
    TOOL = "tool"


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a model may call. `parameters` is the client's JSON object, `task` the name of the project that
    it was made for."""

    id: UUID
    workspace: UUID
    task: str
    name: str
    parameters: bytes
    created_at: Micros
    type: ToolType = ToolType.FUNCTION
    description: str | None = None
    updated_at: Micros | None = None


class ToolPatch(msgspec.Struct, frozen=True, kw_only=True):
    """Changes to a tool; None leaves a field as it is."""

    name: str | None = None
    description: str | None = None
    parameters: bytes | None = None
    type: ToolType | None = None
    task: str | None = None

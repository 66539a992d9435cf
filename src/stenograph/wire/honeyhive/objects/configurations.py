"""HoneyHive's routes of configurations, of both generations.

`/v1` wraps lists and is strict; the unversioned paths answer bare arrays, name a project, and take what they know.
Python's client reads back what JavaScript's wrote, and is the stricter of the two: see `_parameters`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal
from uuid import UUID, uuid4

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stenograph.errors import Invalid
from stenograph.model.access import Permission
from stenograph.model.configurations import (
    Configuration,
    ConfigurationPatch,
    ConfigurationQuery,
    ConfigurationType,
)
from stenograph.wire.honeyhive.requests import Params, path_id, project_for, projects_named
from stenograph.wire.honeyhive.times import iso, now
from stenograph.wire.http import body_as, caller, decode, encode, of_body, services

Name = Annotated[str, Meta(max_length=200)]
Filled = Annotated[str, Meta(min_length=1)]
Environment = Literal["dev", "staging", "prod"]
Kind = Literal["LLM", "pipeline"]
ABSENT: Final = Raw(b"")


class TemplateItemIn(Struct):
    role: str
    content: str


class ResponseFormatIn(Struct):
    """JavaScript's client sends `{}` whatever it was given: it strips what it does not know."""

    type: Literal["text", "json_object"] | None = None


class SelectedFunctionIn(Struct):
    name: Filled
    id: Filled | None = None
    description: str | UnsetType = UNSET
    parameters: dict[str, Any] | UnsetType = UNSET


class ParametersIn(Struct):
    """What `parameters` has to have. More is kept as sent: what a provider understands is for its users to say."""

    call_type: Literal["chat", "completion"]
    model: Filled
    hyperparameters: dict[str, Any] | UnsetType = UNSET
    response_format: ResponseFormatIn | UnsetType = msgspec.field(name="responseFormat", default=UNSET)
    selected_functions: list[SelectedFunctionIn] | UnsetType = msgspec.field(
        name="selectedFunctions", default=UNSET
    )
    function_call_params: Literal["none", "auto", "force"] | UnsetType = msgspec.field(
        name="functionCallParams", default=UNSET
    )
    force_function: dict[str, Any] | UnsetType = msgspec.field(name="forceFunction", default=UNSET)
    template: str | list[TemplateItemIn] | UnsetType = UNSET


class ConfigurationIn(Struct, forbid_unknown_fields=True):
    """CreateConfigurationRequest."""

    name: Name
    provider: Filled
    parameters: Raw
    type: Kind = "LLM"
    env: list[Environment] = []
    tags: list[str] = []
    user_properties: Raw = ABSENT


class ConfigurationPatchIn(Struct, forbid_unknown_fields=True):
    """UpdateConfigurationRequest. What it does not state stays."""

    name: Name
    provider: Filled | UnsetType = UNSET
    parameters: Raw = ABSENT
    type: Kind | UnsetType = UNSET
    env: list[Environment] | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET
    user_properties: Raw = ABSENT


class LegacyConfigurationIn(ConfigurationIn, kw_only=True, forbid_unknown_fields=False):
    """PostConfigurationRequest of the unversioned path."""

    project: str | None = None


class LegacyConfigurationPatchIn(ConfigurationPatchIn, kw_only=True, forbid_unknown_fields=False):
    """PutConfigurationRequest of the unversioned path."""

    project: str | None = None


def routes() -> list[Route]:
    return [
        Route("/v1/configurations", find, methods=["GET"]),
        Route("/v1/configurations", create, methods=["POST"]),
        Route("/v1/configurations/{configuration_id}", update, methods=["PUT"]),
        Route("/v1/configurations/{configuration_id}", delete, methods=["DELETE"]),
        Route("/configurations", find_legacy, methods=["GET"]),
        Route("/configurations", create_legacy, methods=["POST"]),
        Route("/configurations/{configuration_id}", update_legacy, methods=["PUT"]),
        Route("/configurations/{configuration_id}", delete, methods=["DELETE"]),
    ]


async def find(request: Request) -> Response:
    """GET /v1/configurations?name&env&tags: oldest first."""
    return encode({"configurations": [item(each) for each in await _found(request)]})


async def find_legacy(request: Request) -> Response:
    """GET /configurations?project&env&name: a bare array."""
    return encode([legacy_item(each) for each in await _found(request)])


async def _found(request: Request) -> Sequence[Configuration]:
    who = await caller(request, Permission.READ)
    params = Params(request)
    projects = await projects_named(request, who.workspace, params.text("project"))
    if projects is None:
        return []
    query = ConfigurationQuery(
        workspace=who.workspace,
        name=params.text("name") or None,
        project_id=projects[0] if projects else None,
        env=params.text("env") or None,
        tags=params.texts("tags"),
    )
    _check_query(query)
    return await services(request).objects.configurations.find(query)


def _check_query(query: ConfigurationQuery) -> None:
    for field in ("name", "env"):
        text: str | None = getattr(query, field)
        if text is not None and (len(text) > 200 or "\0" in text):
            raise Invalid(f"{field} has at most 200 characters, none of them NUL", ("query", field))


async def create(request: Request) -> Response:
    """POST /v1/configurations."""
    return await _create(request, ConfigurationIn)


async def create_legacy(request: Request) -> Response:
    """POST /configurations: as above, for a project, which is made when it is new."""
    return await _create(request, LegacyConfigurationIn)


async def _create(request: Request, kind: type[ConfigurationIn]) -> Response:
    who = await caller(request, Permission.WRITE)
    sent = await body_as(request, kind)
    with of_body():
        configuration = Configuration(
            id=uuid4(),
            workspace=who.workspace,
            name=sent.name,
            provider=sent.provider,
            parameters=_parameters(request, sent.parameters),
            created_at=now(),
            type=ConfigurationType(sent.type),
            env=tuple(sent.env),
            tags=tuple(sent.tags),
            user_properties=_properties(request, sent.user_properties),
        )
        if isinstance(sent, LegacyConfigurationIn) and sent.project:
            project = await project_for(request, who.workspace, sent.project)
            configuration = msgspec.structs.replace(configuration, project_id=project)
        await services(request).objects.configurations.create(configuration)
    return encode({"acknowledged": True, "insertedId": configuration.id})


async def update(request: Request) -> Response:
    """PUT /v1/configurations/{id}: changes what is stated."""
    return await _update(request, ConfigurationPatchIn)


async def update_legacy(request: Request) -> Response:
    """PUT /configurations/{id}."""
    return await _update(request, LegacyConfigurationPatchIn)


async def _update(request: Request, kind: type[ConfigurationPatchIn]) -> Response:
    who = await caller(request, Permission.WRITE)
    which = path_id(request, "configuration_id", "configuration")
    sent = await body_as(request, kind)
    with of_body():
        patch = ConfigurationPatch(
            name=sent.name,
            provider=sent.provider,
            parameters=_parameters(request, sent.parameters) if bytes(sent.parameters) else UNSET,
            type=UNSET if isinstance(sent.type, UnsetType) else ConfigurationType(sent.type),
            env=UNSET if isinstance(sent.env, UnsetType) else tuple(sent.env),
            tags=UNSET if isinstance(sent.tags, UnsetType) else tuple(sent.tags),
            user_properties=(
                _properties(request, sent.user_properties) if bytes(sent.user_properties) else UNSET
            ),
        )
        if isinstance(sent, LegacyConfigurationPatchIn) and sent.project:
            project = await project_for(request, who.workspace, sent.project)
            patch = msgspec.structs.replace(patch, project_id=project)
        await services(request).objects.configurations.update(who.workspace, which, patch)
    counts = {"modifiedCount": 1, "upsertedId": None, "upsertedCount": 0, "matchedCount": 1}
    return encode({"acknowledged": True, **counts})


async def delete(request: Request) -> Response:
    """DELETE /v1/configurations/{id} and /configurations/{id}."""
    who = await caller(request, Permission.WRITE)
    which = path_id(request, "configuration_id", "configuration")
    await services(request).objects.configurations.delete(who.workspace, which)
    return encode({"acknowledged": True, "deletedCount": 1})


def _parameters(request: Request, sent: Raw) -> bytes:
    """The parameters as sent, but for what Python's client could not read back: a response format without a type says
    nothing and is left out, a function without an id gets one."""
    document = services(request).payloads.check_values(sent, "parameters", "object")
    if document is None:
        raise Invalid("parameters must be a JSON object, not null", ("parameters",))
    try:
        parsed = decode(document, ParametersIn)
    except Invalid as error:
        raise Invalid(error.message, ("parameters", *error.where[1:])) from None
    bare = isinstance(parsed.response_format, ResponseFormatIn) and parsed.response_format.type is None
    functions = [] if isinstance(parsed.selected_functions, UnsetType) else parsed.selected_functions
    if not bare and all(function.id is not None for function in functions):
        return document
    members: dict[str, Any] = msgspec.json.decode(document)
    if bare:
        del members["responseFormat"]
    for function in members.get("selectedFunctions", ()):
        function["id"] = function.get("id") or str(uuid4())
    return msgspec.json.encode(members)


def _properties(request: Request, sent: Raw) -> bytes | None:
    return services(request).payloads.check(sent, "user_properties", "object")


def item(found: Configuration) -> dict[str, Any]:
    """ConfigurationItem."""
    properties = found.user_properties
    return {
        "id": found.id,
        "name": found.name,
        "type": found.type.value,
        "provider": found.provider,
        "parameters": Raw(found.parameters),
        "env": found.env,
        "tags": found.tags,
        "user_properties": None if properties is None else Raw(properties),
        "created_at": iso(found.created_at),
        "updated_at": None if found.updated_at is None else iso(found.updated_at),
    }


def legacy_item(found: Configuration) -> dict[str, Any]:
    """Configuration, as JavaScript's client checks it: what is not known is absent, not null; `_id` beside `id`; a
    project always, which is the workspace's id for a configuration of every project."""
    owner: UUID = found.project_id or found.workspace
    members = {**item(found), "_id": found.id, "project": owner}
    return {name: value for name, value in members.items() if value is not None}

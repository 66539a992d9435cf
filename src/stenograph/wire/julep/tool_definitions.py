"""What the definition of each type of tool has to be. Shapes: Julep's OpenAPI document of 2025.

A definition is kept as it was sent, members that nobody knows included; here it is only judged.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from msgspec import Meta, Struct, field

from stenograph.errors import Invalid
from stenograph.model.agents import ToolType
from stenograph.wire.http import decode

Object = dict[str, Any]


class FunctionDef(Struct):
    """`name` and `description` are there for likeness with OpenAI's: the tool's own count."""

    name: Any = None
    description: Any = None
    parameters: Object | None = None


class SystemDef(Struct):
    resource: Literal["agent", "user", "task", "execution", "doc", "session", "job"]
    operation: Literal[
        "create",
        "update",
        "patch",
        "create_or_update",
        "embed",
        "change_status",
        "search",
        "chat",
        "history",
        "delete",
        "get",
        "list",
    ]
    resource_id: UUID | None = None
    subresource: Literal["tool", "doc", "execution", "transition"] | None = None
    arguments: Object | None = None


class SecretRef(Struct):
    name: str


class PropertyDef(Struct):
    type: str
    description: str | None = None
    enum: list[str] | None = None
    items: Any = None


class ParametersDef(Struct):
    properties: dict[str, PropertyDef]
    type: str = "object"
    required: list[str] | None = None
    additional_properties: bool | None = field(default=None, name="additionalProperties")


class ApiCallDef(Struct):
    method: Literal["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "CONNECT", "TRACE"]
    url: Annotated[str, Meta(min_length=1, max_length=10_000)]
    schema: Object | None = None
    headers: dict[str, str] | None = None
    secrets: dict[str, SecretRef] | None = None
    content: str | None = None
    data: Object | None = None
    files: Object | None = None
    json: Any = None
    cookies: dict[str, str] | None = None
    params: str | Object | None = None
    params_schema: ParametersDef | None = None
    follow_redirects: bool | None = None
    timeout: Annotated[int, Meta(ge=0, le=3600)] | None = None
    include_response_content: bool | None = None


class IntegrationDef(Struct):
    provider: Literal[
        "algolia",
        "arxiv",
        "brave",
        "browserbase",
        "cloudinary",
        "dummy",
        "email",
        "ffmpeg",
        "google_sheets",
        "llama_parse",
        "mailgun",
        "mcp",
        "remote_browser",
        "spider",
        "unstructured",
        "weather",
        "wikipedia",
    ]
    method: str | None = None
    setup: Object | None = None
    arguments: Object | None = None


class ComputerDef(Struct):
    type: Literal["computer_20241022"] = "computer_20241022"
    name: str = "computer"
    display_width_px: Annotated[int, Meta(ge=600, le=65_535)] = 1024
    display_height_px: Annotated[int, Meta(ge=400, le=65_535)] = 768
    display_number: Annotated[int, Meta(ge=1, le=10)] = 1


class TextEditorDef(Struct):
    type: Literal["text_editor_20241022"] = "text_editor_20241022"
    name: str = "str_replace_editor"


class BashDef(Struct):
    type: Literal["bash_20241022"] = "bash_20241022"
    name: str = "bash"


_KINDS: Final[dict[ToolType, type[Struct]]] = {
    ToolType.FUNCTION: FunctionDef,
    ToolType.INTEGRATION: IntegrationDef,
    ToolType.SYSTEM: SystemDef,
    ToolType.API_CALL: ApiCallDef,
    ToolType.COMPUTER: ComputerDef,
    ToolType.TEXT_EDITOR: TextEditorDef,
    ToolType.BASH: BashDef,
}

_METHODS: Final[dict[str, tuple[str, ...]]] = {
    "browserbase": (
        "get_live_urls",
        "list_sessions",
        "create_session",
        "get_session",
        "complete_session",
        "get_connect_url",
        "install_extension_from_github",
        "create_context",
        "get_session_downloads",
        "get_logs",
        "get_recordings",
    ),
    "cloudinary": ("media_upload", "media_edit"),
    "google_sheets": (
        "read_values",
        "write_values",
        "append_values",
        "clear_values",
        "batch_read",
        "batch_write",
    ),
    "mailgun": ("send_email",),
    "remote_browser": ("perform_action",),
    "spider": ("crawl", "links", "screenshot", "search"),
}
"""Providers that have a choice; the others take any method."""

_SETUP: Final[dict[str, tuple[str, ...]]] = {
    "algolia": ("algolia_application_id", "algolia_api_key"),
    "brave": ("brave_api_key",),
    "browserbase": ("api_key", "project_id"),
    "cloudinary": ("cloudinary_api_key", "cloudinary_api_secret", "cloudinary_cloud_name"),
    "email": ("host", "port", "user", "password"),
    "google_sheets": ("use_julep_service",),
    "llama_parse": ("llamaparse_api_key",),
    "mailgun": ("api_key",),
    "mcp": ("transport",),
    "spider": ("spider_api_key",),
    "unstructured": ("unstructured_api_key",),
    "weather": ("openweathermap_api_key",),
}
"""What a provider's setup cannot be without, where there is one."""


def check(kind: ToolType, definition: bytes) -> None:
    """Invalid, with the path to the mistake, unless a tool of this type can be defined so."""
    try:
        found = decode(definition, _KINDS[kind])
    except Invalid as error:
        raise Invalid(error.message, (kind.value, *error.where[1:])) from None
    if isinstance(found, IntegrationDef):
        _check_integration(found)


def _check_integration(found: IntegrationDef) -> None:
    methods = _METHODS.get(found.provider)
    if methods is not None and found.method is not None and found.method not in methods:
        raise Invalid(
            f"{found.method[:60]!r} is no method of {found.provider}: {', '.join(methods)}",
            ("integration", "method"),
        )
    if found.setup is None:
        return
    for needed in _SETUP.get(found.provider, ()):
        if found.setup.get(needed) is None:
            raise Invalid(f"the setup of {found.provider} needs {needed}", ("integration", "setup"))

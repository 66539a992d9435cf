"""Bodies of chat and render: what Julep's clients send, as what is asked of a chat.

Shapes: its OpenAPI document of 2025 and its Python client 2.21. Tools in OpenAI's shape are taken as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from stenograph.domain.chat.asked import Asked, Tool
from stenograph.domain.chat.messages import Image, ImageUrl, Message, Part, Text, ToolCall
from stenograph.domain.conversations.agents import MAX_TOOL_NAME
from stenograph.errors import Invalid
from stenograph.model.agents import ToolType
from stenograph.model.conversations import Speaker
from stenograph.wire.julep.bodies import ABSENT, is_stated, json_object
from stenograph.wire.julep.tools import ToolPatchIn, definition_of
from stenograph.wire.payloads import Payloads

Place = tuple[str | int, ...]

MAX_MESSAGES: Final = 10_000

Ratio = Annotated[float, Meta(ge=0, le=1)]
Penalty = Annotated[float, Meta(ge=-2, le=2)]
OtherPenalty = Annotated[float, Meta(ge=0, le=2)]
Bias = Annotated[float, Meta(ge=-100, le=100)]
Whole = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]


class MessageIn(Struct, kw_only=True):
    role: Speaker
    content: str | list[str | dict[str, Any]] | None = None
    name: str | None = None
    tool_call_id: str | None = None
    tool_calls: list[dict[str, Any]] | None = None


class ResponseFormat(Struct):
    """How the answer has to look. The clients' own types allow to leave out `type`."""

    type: Literal["text", "json_object", "json_schema"] | None = None
    json_schema: dict[str, Any] | None = None


class NamedFunction(Struct):
    name: str


class NamedTool(Struct):
    function: NamedFunction | None = None


class Parameters(Struct, kw_only=True):
    """What a call may state of the model and its parameters: UNSET for what it does not."""

    model: Annotated[str, Meta(max_length=120)] | UnsetType | None = UNSET
    temperature: Annotated[float, Meta(ge=0, le=5)] | UnsetType | None = UNSET
    top_p: Ratio | UnsetType | None = UNSET
    max_tokens: Annotated[int, Meta(ge=1, le=2**31 - 1)] | UnsetType | None = UNSET
    stop: str | Annotated[list[str], Meta(max_length=4)] | UnsetType | None = UNSET
    seed: Whole | UnsetType | None = UNSET
    logit_bias: dict[str, Bias] | UnsetType | None = UNSET
    response_format: ResponseFormat | UnsetType | None = UNSET
    frequency_penalty: Penalty | UnsetType | None = UNSET
    presence_penalty: Penalty | UnsetType | None = UNSET
    repetition_penalty: OtherPenalty | UnsetType | None = UNSET
    length_penalty: OtherPenalty | UnsetType | None = UNSET
    min_p: Ratio | UnsetType | None = UNSET


class RequestTool(ToolPatchIn, kw_only=True):
    """A tool for this call alone. Its name may stand in `function`, as OpenAI's clients have it."""

    type: ToolType = ToolType.FUNCTION


class ChatIn(Parameters, kw_only=True):
    """POST /sessions/{id}/chat and /sessions/{id}/render."""

    messages: Annotated[list[MessageIn], Meta(min_length=1, max_length=MAX_MESSAGES)]
    agent: UUID | None = None
    tools: list[RequestTool] | None = None
    tool_choice: Literal["auto", "none", "required"] | NamedTool | None = None
    metadata: Raw = ABSENT
    recall: bool = True
    recall_tools: bool = True
    save: bool = True
    stream: bool = False
    auto_run_tools: bool | None = None


def asked(sent: ChatIn, payloads: Payloads, api_key: str) -> Asked:
    """What is asked. Invalid, with its place, for what cannot be."""
    metadata = json_object(sent.metadata, "metadata", payloads)
    return Asked(
        messages=tuple(
            message
            for place, each in enumerate(sent.messages)
            for message in _messages(each, ("messages", place))
        ),
        agent=sent.agent,
        settings=_settings(sent),
        tools=tuple(_tool(each, ("tools", place), payloads) for place, each in enumerate(sent.tools or ())),
        tool_choice=_choice(sent.tool_choice),
        recall=sent.recall,
        recall_tools=sent.recall_tools,
        save=sent.save,
        auto_run_tools=sent.auto_run_tools,
        metadata=metadata if isinstance(metadata, bytes) else None,
        api_key=api_key,
    )


def _messages(sent: MessageIn, where: Place) -> Iterator[Message]:
    """A message; each result of a tool that Anthropic's clients put into a user's message is one of its own."""
    parts: list[Part] = []
    content = [sent.content] if isinstance(sent.content, str) else sent.content or []
    for place, each in enumerate(content):
        if isinstance(each, dict) and each.get("type") == "tool_result":
            result = _text_of(each, (*where, "content", place))
            yield Message(role=Speaker.TOOL, content=result, tool_call_id=str(each.get("tool_use_id") or ""))
        elif each or not isinstance(each, str):
            parts.append(_part(each, (*where, "content", place)))
    if sent.role is Speaker.TOOL and not sent.tool_call_id:
        raise Invalid("the result of a tool says which call it answers", (*where, "tool_call_id"))
    calls = tuple(
        _call(each, (*where, "tool_calls", place)) for place, each in enumerate(sent.tool_calls or ())
    )
    if calls and sent.role is not Speaker.ASSISTANT:
        raise Invalid("calls of tools are the assistant's", (*where, "tool_calls"))
    if parts or calls or not any(isinstance(each, dict) for each in content):
        yield Message(
            role=sent.role,
            content=tuple(parts),
            name=sent.name or None,
            tool_calls=calls,
            tool_call_id=sent.tool_call_id,
        )


def _part(each: str | dict[str, Any], where: Place) -> Part:
    if isinstance(each, str):
        return Text(each)
    kind = each.get("type") or ("image_url" if "image_url" in each else "text")
    if kind == "text" and isinstance(each.get("text"), str):
        return Text(each["text"])
    image = each.get("image_url")
    if kind == "image_url" and isinstance(image, dict) and isinstance(image.get("url"), str):
        detail = image.get("detail") or "auto"
        if detail not in ("low", "high", "auto"):
            raise Invalid("detail is low, high or auto", (*where, "image_url", "detail"))
        return Image(ImageUrl(image["url"], detail))
    raise Invalid("a part of a message is a text, an image_url or a tool_result", where)


def _text_of(result: dict[str, Any], where: Place) -> tuple[Part, ...]:
    """What a tool_result has in it: texts, and images as those that other servers take."""
    if not result.get("tool_use_id"):
        raise Invalid("a tool_result says which call it answers", (*where, "tool_use_id"))
    content = result.get("content") or []
    found: list[Part] = []
    for each in [content] if isinstance(content, str) else content:
        source = each.get("source") if isinstance(each, dict) else None
        if isinstance(source, dict) and isinstance(source.get("data"), str):
            found.append(Image(ImageUrl(f"data:{source.get('media_type')};base64,{source['data']}")))
        else:
            found.append(_part(each, (*where, "content")))
    return tuple(found)


def _call(sent: dict[str, Any], where: Place) -> ToolCall:
    """A call of a function, or of a tool that Anthropic's models know, which stands under its type."""
    function = sent.get("function")
    if isinstance(function, dict) and isinstance(function.get("name"), str):
        name, arguments = function["name"], function.get("arguments")
    else:
        name = next((each.value for each in ToolType if isinstance(sent.get(each.value), dict)), "")
        arguments = sent.get(name)
    if not name:
        raise Invalid("a call of a tool has a function with a name", where)
    if not isinstance(arguments, str):
        arguments = msgspec.json.encode({} if arguments is None else arguments).decode()
    return ToolCall(str(sent.get("id") or ""), name, arguments)


def _settings(sent: ChatIn) -> bytes:
    found: dict[str, Any] = {
        name: value
        for name in Parameters.__struct_fields__
        if name != "response_format" and (value := getattr(sent, name)) is not UNSET
    }
    wanted = sent.response_format
    if isinstance(wanted, ResponseFormat):
        found["response_format"] = _response_format(wanted)
    elif wanted is None:
        found["response_format"] = None
    return msgspec.json.encode(found)


def _response_format(sent: ResponseFormat) -> dict[str, Any]:
    kind = sent.type or ("text" if sent.json_schema is None else "json_schema")
    if kind != "json_schema":
        return {"type": kind}
    if sent.json_schema is None:
        raise Invalid(
            "a response_format of type json_schema has a json_schema", ("response_format", "json_schema")
        )
    # Julep's documents put the schema itself there, OpenAI's an object around it.
    is_wrapped = isinstance(sent.json_schema.get("schema"), dict)
    schema = sent.json_schema if is_wrapped else {"name": "answer", "schema": sent.json_schema}
    return {"type": kind, "json_schema": {"name": "answer", **schema}}


def _tool(sent: RequestTool, where: Place, payloads: Payloads) -> Tool:
    kind = sent.type
    try:
        definition = definition_of(sent, kind, payloads)
    except Invalid as error:
        raise Invalid(error.message, (*where, *error.where)) from None
    own: dict[str, Any] = {}
    if kind is ToolType.FUNCTION and is_stated(sent.function):
        own = msgspec.json.decode(definition)
    name = sent.name if isinstance(sent.name, str) else own.get("name")
    if not isinstance(name, str) or not name.isidentifier() or len(name) > MAX_TOOL_NAME:
        raise Invalid(
            f"a tool's name is an identifier of at most {MAX_TOOL_NAME} characters", (*where, "name")
        )
    described = sent.description if isinstance(sent.description, str) else own.get("description")
    return Tool(
        name=name,
        type=kind,
        description=described if isinstance(described, str) else None,
        definition=definition,
    )


def _choice(sent: str | NamedTool | None) -> bytes | None:
    """As models' servers take it: they want the type as well."""
    if sent is None or (isinstance(sent, NamedTool) and sent.function is None):
        return None
    if isinstance(sent, str):
        return msgspec.json.encode(sent)
    assert sent.function is not None
    return msgspec.json.encode({"type": "function", "function": {"name": sent.function.name}})

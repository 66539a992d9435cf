"""Messages of conversations in one shape, whatever convention they came in: role, content, tool_calls.

GenAI's messages have `parts`; what has no place in the usual shape (reasoning, images, files) stays in the list of
contents as it came.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

_encode = msgspec.json.Encoder().encode


class _Text(msgspec.Struct, forbid_unknown_fields=True, gc=False, tag="text", tag_field="type"):
    content: str


class _Said(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    role: str
    parts: Annotated[tuple[_Text, ...], msgspec.Meta(min_length=1, max_length=1)]
    finish_reason: str | msgspec.UnsetType = msgspec.UNSET


class _Shown(msgspec.Struct, gc=False, frozen=True):
    role: str
    content: str
    finish_reason: str | msgspec.UnsetType


_usual = msgspec.json.Decoder(list[_Said]).decode


def usual(text: Any) -> bytes | None:
    """Messages of one text each as the payload that `normal` would make of them, at a third of the price.

    None for anything else.
    """
    if type(text) is not str:
        return None
    try:
        said = _usual(text)
    except (msgspec.DecodeError, UnicodeError):
        return None
    shown = [_Shown(one.role, one.parts[0].content, one.finish_reason) for one in said]
    return b'{"messages":' + _encode(shown) + b"}"


def normal(messages: Any) -> list[Any]:
    """A list of messages, each in the usual shape; anything else is one message."""
    if type(messages) is not list:
        messages = [messages]
    found: list[Any] = []
    for message in messages:
        if type(message) is dict and type(message.get("parts")) is list:
            found.extend(_from_parts(message))
        else:
            found.append(message)
    return found


def system(instructions: Any) -> dict[str, Any]:
    """GenAI's system instructions: a list of parts, or text."""
    if type(instructions) is list:
        return _from_parts({"role": "system", "parts": instructions})[0]
    return {"role": "system", "content": instructions}


def _from_parts(message: dict[str, Any]) -> list[dict[str, Any]]:
    contents: list[Any] = []
    calls: list[Any] = []
    results: list[dict[str, Any]] = []
    for part in message["parts"]:
        kind = part.get("type") if type(part) is dict else None
        if kind == "text" and len(part) == 2 and "content" in part:
            contents.append({"type": "text", "text": part["content"]})
        elif kind == "tool_call":
            calls.append(tool_call(part.get("id"), part.get("name"), part.get("arguments")))
        elif kind == "tool_call_response":
            results.append(_result(part))
        else:
            contents.append(part)
    rest = {key: value for key, value in message.items() if key != "parts"}
    if results and not contents and not calls:
        return results
    shown: dict[str, Any] = {"role": rest.pop("role", "user"), "content": _content(contents), **rest}
    if calls:
        shown["tool_calls"] = calls
    return [shown, *results]


def _content(contents: list[Any]) -> Any:
    if not contents:
        return None
    if len(contents) == 1 and type(contents[0]) is dict and contents[0].keys() == {"type", "text"}:
        return contents[0]["text"]
    return contents


def _result(part: dict[str, Any]) -> dict[str, Any]:
    content = next((part[key] for key in ("response", "result", "content") if key in part), None)
    found: dict[str, Any] = {"role": "tool", "tool_call_id": part.get("id"), "content": content}
    if "name" in part:
        found["name"] = part["name"]
    return found


def tool_call(call_id: Any, name: Any, arguments: Any) -> dict[str, Any]:
    """A call in OpenAI's shape, its arguments as text."""
    if arguments is not None and type(arguments) is not str:
        arguments = _encode(arguments).decode()
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}

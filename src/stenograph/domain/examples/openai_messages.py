"""Chat messages in the forms that LangChain and Anthropic give them, as OpenAI's chat completions has them.

Values are decoded JSON. What is no message in a known form is None here, and what is OpenAI's already comes back as
the same object, so that callers can keep its bytes. Forms of LangChain's messages: its serialized constructor
(`lc`, `id`, `kwargs`), `{type, data}`, the members themselves with a `type`, and pairs of a role and a content.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

_ROLES: Final = {
    "human": "user", "user": "user", "ai": "assistant", "assistant": "assistant", "system": "system",
    "developer": "developer", "tool": "tool", "function": "function",
    "HumanMessage": "user", "AIMessage": "assistant", "SystemMessage": "system", "ToolMessage": "tool",
    "FunctionMessage": "function",
}  # fmt: skip
"""By role, by LangChain's type and by the name of its class; those of streams end in Chunk."""
_CHAT: Final = frozenset({"chat", "ChatMessage"})
"""LangChain's message with a role of its own."""


@dataclass(frozen=True, slots=True)
class _Said:
    """A message read: its role in OpenAI's words, its members, and whether they are in OpenAI's places."""

    role: str
    members: dict[str, Any]
    is_openai: bool = False


def role_of(value: Any) -> str | None:
    """Who speaks, in OpenAI's words; None when this is no message in a known form."""
    said = _read(value)
    return None if said is None else said.role


def as_openai(value: Any) -> list[dict[str, Any]] | None:
    """The message, or the messages when it has results of tools in it, which are messages of their own.

    None when this is no message; the same object when it is one of OpenAI's already.
    """
    said = _read(value)
    if said is None:
        return None
    content = _Content(said.members.get("content", ""))
    if said.role == "user" and content.results:
        return [*content.results, *([_message(said, content)] if content.rest else [])]
    return [_message(said, content)]


def is_pair(value: Any) -> bool:
    """Whether this list is a message: a role and a content."""
    return isinstance(value, list) and _read(value) is not None


def _read(value: Any) -> _Said | None:
    if isinstance(value, list):
        if len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], str | list):
            role = _ROLES.get(value[0])
            return None if role is None else _Said(role, {"content": value[1]})
        return None
    if not isinstance(value, dict):
        return None
    kind, members = value.get("type"), value
    if kind == "constructor":
        name, kwargs = value.get("id"), value.get("kwargs")
        if not isinstance(name, list) or not name or not isinstance(kwargs, dict):
            return None
        kind, members = name[-1], kwargs
    elif isinstance(value.get("role"), str) and (not isinstance(kind, str) or _named(kind, value) is None):
        role = _ROLES.get(value["role"])
        return None if role is None else _Said(role, value, is_openai=True)
    elif isinstance(value.get("data"), dict):
        members = value["data"]
    elif "content" not in value:
        return None
    role = _named(kind, members) if isinstance(kind, str) else None
    return None if role is None else _Said(role, members)


def _named(kind: str, members: dict[str, Any]) -> str | None:
    kind = kind.removesuffix("Chunk")
    if kind in _CHAT:
        kind = members["role"] if isinstance(members.get("role"), str) else ""
    extra = members.get("additional_kwargs")
    if (
        _ROLES.get(kind) == "system"
        and isinstance(extra, dict)
        and extra.get("__openai_role__") == "developer"
    ):
        return "developer"  # where LangChain notes that the system speaks as developer
    return _ROLES.get(kind)


def _message(said: _Said, content: _Content) -> dict[str, Any]:
    members = said.members
    calls = _tool_calls(members, content.calls) if said.role == "assistant" else None
    if said.is_openai:
        message = dict(members)
        message["role"] = said.role
        if content.is_changed:
            message["content"] = content.value
        if calls:
            message["tool_calls"] = calls
        return members if _is_same(message, members) else message
    message = {"role": said.role, "content": content.value}
    if isinstance(name := members.get("name"), str) and name:
        message["name"] = name
    if said.role == "tool":
        message["tool_call_id"] = members.get("tool_call_id")
    extra = members.get("additional_kwargs")
    if said.role == "assistant" and isinstance(extra, dict):
        message |= {
            key: extra[key] for key in ("function_call", "refusal", "audio") if extra.get(key) is not None
        }
    if calls:
        message["tool_calls"] = calls
        message.pop("function_call", None)  # the same call in its older form
    return message


def _is_same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(
        one[key] is other[key] or (isinstance(one[key], str) and one[key] == other[key]) for key in one
    )


# -- calls of tools --------------------------------------------------------------------------------------------


def _tool_calls(members: dict[str, Any], from_content: list[dict[str, Any]]) -> list[Any]:
    stated = members.get("tool_calls")
    extra = members.get("additional_kwargs")
    if not (isinstance(stated, list) and stated) and isinstance(extra, dict):
        stated = extra.get("tool_calls")  # as the provider had them
    if not isinstance(stated, list):
        return from_content
    calls = [_tool_call(call) for call in stated]
    known = {call.get("id") for call in calls if isinstance(call, dict) and isinstance(call.get("id"), str)}
    missing = [call for call in from_content if call["id"] not in known]
    if not missing and all(one is other for one, other in zip(calls, stated, strict=True)):
        return stated
    return calls + missing


def _tool_call(call: Any) -> Any:
    """LangChain's form, `{name, args, id}`, as OpenAI's."""
    if not isinstance(call, dict) or "function" in call or not isinstance(call.get("name"), str):
        return call
    return _function_call(call.get("id"), call["name"], call.get("args")) if "args" in call else call


def _function_call(call_id: Any, name: str, arguments: Any) -> dict[str, Any]:
    text = arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": text}}


# -- content ---------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Content:
    """A content, and what OpenAI has elsewhere: calls of tools beside it, their results in messages of their own."""

    value: Any
    is_changed: bool = False
    calls: list[dict[str, Any]] = field(default_factory=list)
    results: list[dict[str, Any]] = field(default_factory=list)
    rest: bool = False
    """Whether there is anything besides calls and results."""

    def __post_init__(self) -> None:
        if not isinstance(self.value, list):
            self.rest = bool(self.value)
            return
        kept = []
        for block in self.value:
            part = self._part(block)
            if part is not None:
                kept.append(part)
            self.is_changed |= part is not block
        self.rest = bool(kept)
        if self.is_changed:
            self.value = kept or ""

    def _part(self, block: Any) -> Any:
        """A part of the content; None for one that belongs elsewhere."""
        if isinstance(block, str):
            return {"type": "text", "text": block}
        if not isinstance(block, dict):
            return block
        kind, name = block.get("type"), block.get("name")
        if kind in ("tool_use", "tool_call") and isinstance(name, str):
            arguments = block.get("input") if kind == "tool_use" else block.get("args")
            self.calls.append(_function_call(block.get("id"), name, {} if arguments is None else arguments))
            return None
        if kind == "tool_result" and isinstance(block.get("tool_use_id"), str):
            content = _Content(block.get("content", ""))
            self.results.append(
                {"role": "tool", "content": content.value or "", "tool_call_id": block["tool_use_id"]}
            )
            return None
        convert = _MEDIA.get(kind) if isinstance(kind, str) else None
        return block if convert is None else convert(block)


def _image(block: dict[str, Any]) -> dict[str, Any]:
    """Anthropic's and LangChain's images; LangChain also has an address in the place of OpenAI's object."""
    if block["type"] == "image_url":
        url = block.get("image_url")
        return {"type": "image_url", "image_url": {"url": url}} if isinstance(url, str) else block
    data = _Data.of(block)
    address = data.url if data.url is not None else data.as_url("image/png")
    return block if address is None else {"type": "image_url", "image_url": {"url": address}}


def _audio(block: dict[str, Any]) -> dict[str, Any]:
    data = _Data.of(block)
    if data.base64 is None:
        return block
    subtype = (data.mime_type or "audio/wav").partition("/")[2].removeprefix("x-")
    sound = {"data": data.base64, "format": {"mpeg": "mp3", "wave": "wav"}.get(subtype, subtype)}
    return {"type": "input_audio", "input_audio": sound}


def _file(block: dict[str, Any]) -> dict[str, Any]:
    """LangChain's `file` and Anthropic's `document`; one that has OpenAI's `file` already stays."""
    if isinstance(block.get("file"), dict):
        return block
    data = _Data.of(block)
    name = block.get("filename") or block.get("title")
    named = {"filename": name} if isinstance(name, str) else {}
    if data.file_id is not None:
        return {"type": "file", "file": {"file_id": data.file_id, **named}}
    address = data.as_url("application/pdf")
    return block if address is None else {"type": "file", "file": {"file_data": address, **named}}


_MEDIA: Final = {"image": _image, "image_url": _image, "audio": _audio, "file": _file, "document": _file}


@dataclass(frozen=True, slots=True)
class _Data:
    """Where the bytes of a part are."""

    url: str | None
    base64: str | None
    mime_type: str | None
    file_id: str | None

    @staticmethod
    def of(block: dict[str, Any]) -> _Data:
        """Anthropic has a `source`; LangChain's first form a `source_type`, its second the members alone."""
        stated = block.get("source")
        source = stated if isinstance(stated, dict) else block
        is_text = "text" in (source.get("source_type"), source.get("type"))
        return _Data(
            url=_text(source, "url"),
            base64=_text(source, "base64") or (None if is_text else _text(source, "data")),
            mime_type=_text(source, "mime_type") or _text(source, "media_type"),
            file_id=_text(source, "file_id"),
        )

    def as_url(self, mime_type: str) -> str | None:
        return None if self.base64 is None else f"data:{self.mime_type or mime_type};base64,{self.base64}"


def _text(members: dict[str, Any], key: str) -> str | None:
    return value if isinstance(value := members.get(key), str) else None

"""Messages of a chat: between entries of the history, what a model's server takes, and texts to count and to search."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeAlias
from uuid import UUID

import msgspec

from stenograph.llm import tokens
from stenograph.llm.chat import ToolCall as ToolCall  # faces name it too
from stenograph.model.conversations import Entry, EntrySource, Speaker
from stenograph.model.runs import Micros


class Text(msgspec.Struct, frozen=True, tag="text", tag_field="type"):
    text: str


class ImageUrl(msgspec.Struct, frozen=True):
    """`url` may hold the image itself, in base64."""

    url: str
    detail: str = "auto"


class Image(msgspec.Struct, frozen=True, tag="image_url", tag_field="type"):
    image_url: ImageUrl


Part: TypeAlias = Text | Image


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is said in a chat. `stays`: it is never left out of a prompt that is too long; `tokens` are those
    of its text where they were counted before, by the vocabulary `tokenizer`."""

    role: Speaker
    content: tuple[Part, ...] = ()
    name: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    source: EntrySource = EntrySource.API_REQUEST
    stays: bool = False
    tokens: int | None = None
    tokenizer: str = ""

    @property
    def text(self) -> str:
        """All that is written in it."""
        return "\n".join(part.text for part in self.content if isinstance(part, Text))

    def weight(self, model: str) -> int:
        """Tokens that it takes in a prompt of this model."""
        images = sum(isinstance(part, Image) for part in self.content)
        counted = self.tokens if self.tokenizer == tokens.tokenizer_of(model) else None
        if counted is None:
            counted = self.count(model)
        return counted + tokens.PER_MESSAGE + images * tokens.PER_IMAGE

    def count(self, model: str) -> int:
        """Tokens of what is written in it, its tool calls and its name included."""
        called = (text for call in self.tool_calls for text in (call.id, call.name, call.arguments))
        return tokens.count_all(filter(None, (self.text, self.name or "", *called)), model)


_parts: Final = msgspec.json.Decoder(tuple[Part, ...])
_encode: Final = msgspec.json.Encoder().encode

LONG: Final = 20_000
"""Characters from which on tokens are counted on another thread: some 10 ms of work."""

_NOT_IN_NAMES: Final = re.compile(r"[\s<|\\/>]+")
"""What OpenAI's servers refuse in a message's name."""
_LONGEST_NAME: Final = 64


class _Function(msgspec.Struct):
    name: str = ""
    arguments: str = ""


class _Call(msgspec.Struct):
    id: str = ""
    function: _Function = msgspec.field(default_factory=_Function)


_calls: Final = msgspec.json.Decoder(list[_Call])


def calls_of(entry: Entry) -> tuple[ToolCall, ...]:
    """The tools that an entry of a model wants called."""
    found = _calls.decode(entry.tool_calls) if entry.tool_calls else ()
    return tuple(ToolCall(call.id, call.function.name, call.function.arguments) for call in found)


def said(role: Speaker, text: str, **more: Any) -> Message:
    """A message of one text; none for an empty one."""
    return Message(role=role, content=(Text(text),) if text else (), **more)


def of_entry(entry: Entry) -> Message:
    """An entry as it is told to a model again."""
    return Message(
        role=entry.role,
        content=_content(entry.content),
        name=entry.name,
        tool_calls=calls_of(entry),
        tool_call_id=entry.tool_call_id,
        source=entry.source,
        stays=entry.source is EntrySource.SUMMARIZER,
        tokens=entry.token_count,
        tokenizer=entry.tokenizer,
    )


def _content(raw: bytes) -> tuple[Part, ...]:
    try:
        return _parts.decode(raw)
    except msgspec.ValidationError:  # of a kind that is not sent to models: its text is
        found = msgspec.json.decode(raw)
        texts = (
            each["text"] for each in found if isinstance(each, dict) and isinstance(each.get("text"), str)
        )
        return tuple(map(Text, texts))


def to_entry(message: Message, ident: UUID, at: Micros, model: str) -> Entry:
    """The message as it is stored; `model` is the one that was asked."""
    counted = message.tokens if message.tokenizer == tokens.tokenizer_of(model) else None
    return Entry(
        id=ident,
        role=message.role,
        source=message.source,
        content=_encode(message.content),
        created_at=at,
        timestamp=at,
        token_count=message.count(model) if counted is None else counted,
        tokenizer=tokens.tokenizer_of(model),
        name=message.name,
        model=model if message.role is Speaker.ASSISTANT else None,
        tool_calls=_encode(called(message.tool_calls)) if message.tool_calls else None,
        tool_call_id=message.tool_call_id,
    )


def called(calls: Iterable[ToolCall]) -> list[dict[str, Any]]:
    """Tool calls in the shape that all clients know."""
    return [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in calls
    ]


def content_of(message: Message) -> str | list[Any] | None:
    """One text as it is, anything else as parts; None for nothing beside tool calls."""
    if len(message.content) == 1 and isinstance(message.content[0], Text):
        return message.content[0].text
    if not message.content:
        return None if message.tool_calls else ""
    return [msgspec.to_builtins(part) for part in message.content]


def for_model(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """As a model's server takes them."""
    return [_for_model(message) for message in messages]


def _for_model(message: Message) -> dict[str, Any]:
    found: dict[str, Any] = {"role": message.role.value, "content": content_of(message)}
    if message.name and message.role is not Speaker.TOOL:
        found["name"] = _NOT_IN_NAMES.sub("_", message.name)[:_LONGEST_NAME]
    if message.tool_calls:
        found["tool_calls"] = called(message.tool_calls)
    if message.role is Speaker.TOOL:
        found["tool_call_id"] = message.tool_call_id
    return found


def paired(messages: Sequence[Message]) -> list[Message]:
    """The messages with each tool's result right behind its call, as models' servers want them. Calls that nothing has
    answered are left out, and so are results without a call; a message that had nothing else goes with them."""
    results: dict[int, dict[str, Message]] = {}
    open_calls: dict[str, int] = {}
    for place, message in enumerate(messages):
        for call in message.tool_calls:
            open_calls[call.id] = place
        if message.role is Speaker.TOOL and message.tool_call_id in open_calls:
            results.setdefault(open_calls[message.tool_call_id], {}).setdefault(message.tool_call_id, message)
    found: list[Message] = []
    for place, message in enumerate(messages):
        if message.role is Speaker.TOOL:
            continue
        if not message.tool_calls:
            found.append(message)
            continue
        answers = results.get(place, {})
        answered = tuple(call for call in message.tool_calls if call.id in answers)
        if answered or message.content:
            found.append(msgspec.structs.replace(message, tool_calls=answered))
        found.extend(answers[call.id] for call in answered)
    return found


def unanswerable(messages: Sequence[Message], start: int) -> int | None:
    """The place of the first tool's result, from `start` on, that answers no call before it."""
    known: set[str] = set()
    for place, message in enumerate(messages):
        if message.role is Speaker.TOOL and place >= start and message.tool_call_id not in known:
            return place - start
        known.update(call.id for call in message.tool_calls)
    return None

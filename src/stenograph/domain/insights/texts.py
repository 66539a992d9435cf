"""What a trace is about, as text: what was asked first, what was answered last, what went wrong.

Payloads are anybody's JSON. Known are lists of messages in the forms of OpenAI, Anthropic and LangChain, chat
completions, and members whose names say what they are; of all else the longest texts are taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import msgspec

ASKED: Final = 700
ANSWERED: Final = 300
FAILED: Final = 160
"""Characters of each part that are looked at: together more than the model reads."""

_DEEPEST: Final = 12
_MOST_TEXTS: Final = 200
_LARGEST: Final = 4 << 20
"""Bytes of a payload that are decoded; of a longer one nothing is known."""

_USER: Final = frozenset({"user", "human", "HumanMessage", "HumanMessageChunk", "customer"})
_ASSISTANT: Final = frozenset({"assistant", "ai", "model", "AIMessage", "AIMessageChunk", "agent", "bot"})
_ASKING: Final = (
    "question", "query", "input", "user_input", "prompt", "user_message", "message", "text", "request",
    "instruction", "task", "content", "topic", "chat_history",
)  # fmt: skip
_ANSWERING: Final = (
    "answer", "output", "response", "result", "completion", "text", "content", "message", "generation",
)  # fmt: skip

_ADDRESS: Final = re.compile(r"https?://\S+|\b[\w.+-]+@[\w-]+\.[\w.]+\b")
_IDENTITY: Final = re.compile(
    r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b|\b(?=\w*\d)[0-9a-fA-F]{12,}\b"
    r"|\b[A-Za-z]{1,5}-?\d{4,}\b"  # HH-48213, an order's number: not HH
)
_NUMBER: Final = re.compile(r"#?\b\d[\d.,:/-]*\b")
_SPACE: Final = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class TraceText:
    """The parts, cut to what is looked at. All empty when the trace says nothing."""

    asked: str = ""
    answered: str = ""
    failed: str = ""

    @property
    def whole(self) -> str:
        """What is embedded."""
        return "\n".join(part for part in (self.asked, self.answered, self.failed) if part)

    @property
    def topic(self) -> str:
        """What names are made of."""
        return self.asked or self.answered or self.failed


def of_trace(inputs: bytes | None, outputs: bytes | None, error: str | None) -> TraceText:
    """Never fails: what cannot be read is empty."""
    said, came = _decoded(inputs), _decoded(outputs)
    asked = _by_role(said, _USER, first=True) or _by_role(came, _USER, first=True)
    asked = asked or _named(said, _ASKING) or _longest(said)
    answered = _by_role(came, _ASSISTANT, first=False) or _named(came, _ANSWERING) or _longest(came)
    failed = (error or "").strip().split("\n", 1)[0]
    return TraceText(_cut(asked, ASKED), _cut(answered, ANSWERED), _cut(failed, FAILED))


Payloads: TypeAlias = tuple[bytes | None, bytes | None, str | None]
"""Inputs, outputs and error of a trace."""


def of_thread(turns: Sequence[Payloads]) -> TraceText:
    """What was asked in each turn, what was answered and what went wrong last. A turn's inputs may repeat all that was
    said before: of the first its first message counts, of the others their last."""
    asked: list[str] = []
    answered = failed = ""
    for number, (inputs, outputs, error) in enumerate(turns):
        told = of_trace(inputs, outputs, error)
        said = told.asked if number == 0 else _by_role(_decoded(inputs), _USER, first=False) or told.asked
        if said and said not in asked:
            asked.append(said)
        answered, failed = told.answered or answered, told.failed or failed
    return TraceText(_cut(" ".join(asked), ASKED), answered, failed)


def of_thread_template(template: str, turns: Sequence[Payloads]) -> TraceText:
    """The same of what a template points at in the last turn, or, as `all_thread_messages`, in all."""
    said = " ".join(of_trace(*turn).whole for turn in turns)
    return of_template(template, *turns[-1], thread=said)


def scrubbed(text: str) -> str:
    """Without what is different in every trace and says nothing of its subject: addresses, ids, numbers."""
    text = _IDENTITY.sub(" ", _ADDRESS.sub(" ", text))
    return _SPACE.sub(" ", _NUMBER.sub(" ", text)).strip()


def at_paths(document: Mapping[str, Any], template: str) -> str:
    """A mustache template filled from a document: `{{run.inputs.question}}`. What is not there is empty."""

    def value(match: re.Match[str]) -> str:
        found: Any = document
        for step in match[1].split("."):
            if isinstance(found, Mapping):
                found = found.get(step)
            elif isinstance(found, list) and step.isdecimal() and int(step) < len(found):
                found = found[int(step)]
            else:
                found = None
        if found is None:
            return ""
        return found if isinstance(found, str) else msgspec.json.encode(found).decode()[: 4 * ASKED]

    return _VARIABLE.sub(value, template)


THREAD: Final = "all_thread_messages"
"""LangSmith's variable of a template for what was said in a whole thread."""

_VARIABLE: Final = re.compile(r"\{\{\{?\s*([\w.-]+)\s*\}?\}\}")


def variables(template: str) -> list[str]:
    """The paths that a template names."""
    return _VARIABLE.findall(template)


def of_template(
    template: str,
    inputs: bytes | None,
    outputs: bytes | None,
    error: str | None,
    *,
    thread: str | None = None,
) -> TraceText:
    """The parts that a template points at, in the place of what was asked. `thread` is what was said in all turns."""
    if thread is None:
        thread = of_trace(inputs, outputs, error).whole if THREAD in variables(template) else ""
    run = {"inputs": _decoded(inputs), "outputs": _decoded(outputs), "error": error}
    # A prompt's own words are in every trace alike: the values alone tell traces apart.
    values = " ".join(f"{{{{{path}}}}}" for path in variables(template))
    filled = at_paths({"run": run, **run, THREAD: thread}, values).strip()
    if not filled:
        return of_trace(inputs, outputs, error)
    return TraceText(asked=_cut(_unpacked(filled), ASKED + ANSWERED))


def _unpacked(text: str) -> str:
    """The texts of a JSON document, or the text as it is."""
    if text[:1] not in "[{":
        return text
    found = _decoded(text.encode("utf-8", "replace"))
    return text if found is None else _by_role(found, _USER, first=True) or _longest(found)


def _decoded(payload: bytes | None) -> Any:
    if not payload or len(payload) > _LARGEST:
        return None
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _cut(text: str, most: int) -> str:
    text = text.replace("\0", " ")[: 4 * most]
    return _SPACE.sub(" ", text).strip()[:most].encode("utf-8", "replace").decode()


# -- messages ----------------------------------------------------------------------------------------------


def _by_role(document: Any, roles: frozenset[str], *, first: bool) -> str:
    found = ""
    for role, content in _messages(document, 0):
        if role in roles and (text := _content(content)):
            if first:
                return text
            found = text
    return found


def _messages(document: Any, depth: int) -> Iterator[tuple[str, Any]]:
    """(role, content) of all messages, in their order."""
    if depth > _DEEPEST:
        return
    if isinstance(document, list):
        if len(document) == 2 and isinstance(document[0], str) and document[0] in _USER | _ASSISTANT:
            yield document[0], document[1]
            return
        for item in document[:_MOST_TEXTS]:
            yield from _messages(item, depth + 1)
    elif isinstance(document, dict):
        role = _role(document)
        if role is not None:
            kwargs = document.get("kwargs")
            data = document.get("data")
            inner = kwargs if isinstance(kwargs, dict) else data if isinstance(data, dict) else document
            yield role, inner.get("content", inner.get("parts", inner.get("text")))
            return
        for value in document.values():
            if isinstance(value, list | dict):
                yield from _messages(value, depth + 1)


def _role(message: Mapping[str, Any]) -> str | None:
    """Of a message in any of the forms known; None for what is none."""
    role = message.get("role")
    if isinstance(role, str) and ("content" in message or "parts" in message):
        return role
    name = message.get("id")
    if (
        isinstance(name, list)
        and name
        and isinstance(name[-1], str)
        and isinstance(message.get("kwargs"), dict)
    ):
        return name[-1]
    kind = message.get("type")
    if isinstance(kind, str) and ("content" in message or isinstance(message.get("data"), dict)):
        return kind
    return None


def _content(content: Any) -> str:
    """A message's text; of several parts those that are text."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = (_content(part) for part in content[:_MOST_TEXTS])
        return " ".join(part for part in parts if part)
    if isinstance(content, dict):
        return _content(content.get("text") or content.get("content") or "")
    return ""


# -- anything else -----------------------------------------------------------------------------------------


def _named(document: Any, names: Sequence[str]) -> str:
    if isinstance(document, str):
        return document
    if not isinstance(document, dict):
        return ""
    for name in names:
        value = document.get(name)
        if isinstance(value, str) and value.strip():
            return value
    for name in names:
        value = document.get(name)
        if isinstance(value, list | dict) and (text := _content(value) or _longest(value)):
            return text
    return ""


def _longest(document: Any) -> str:
    """The longest texts inside, in the order of the document, up to the limit; numbers where there is no text."""
    leaves = list(_leaves(document, 0, [0]))
    words = [leaf for leaf in leaves if isinstance(leaf, str) and leaf.strip()]
    if not words:
        return " ".join(str(leaf) for leaf in leaves[:20] if not isinstance(leaf, str))
    floor = sorted((len(word) for word in words), reverse=True)[:5][-1]
    return " ".join(word for word in words if len(word) >= floor)


def _leaves(document: Any, depth: int, seen: list[int]) -> Iterator[Any]:
    if depth > _DEEPEST or seen[0] > _MOST_TEXTS:
        return
    if isinstance(document, dict):
        for value in document.values():
            yield from _leaves(value, depth + 1, seen)
    elif isinstance(document, list):
        for value in document:
            yield from _leaves(value, depth + 1, seen)
    elif document is not None and not isinstance(document, bool):
        seen[0] += 1
        yield document

"""What a payload says in a line: the last message, an answer, a question. For lists; the trace shows all of it."""

from __future__ import annotations

from typing import Any, Final

import msgspec

LENGTH: Final = 240
"""Characters of a preview."""
_READ_UP_TO: Final = 64 * 1024
"""Bytes of a payload that are read as JSON for a line; of a longer one the beginning is shown as it is."""
_TELLING: Final = (
    "input", "question", "query", "prompt", "user_input", "output", "answer", "content", "text", "result", "message",
)  # fmt: skip
_DEPTH: Final = 8


def preview(document: bytes | None) -> str | None:
    """At most LENGTH characters on one line; None when there is nothing."""
    if document is None:
        return None
    text: str | None = None
    if len(document) <= _READ_UP_TO:
        try:
            text = _said(msgspec.json.decode(document), _DEPTH)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            text = None
    if text is None:
        text = document[: LENGTH * 4].decode("utf-8", "replace")
    line = " ".join(text[: LENGTH * 8].split())
    return line if len(line) <= LENGTH else line[: LENGTH - 1] + "…"


def _said(value: Any, depth: int) -> str | None:
    """The text that a person would quote; None when there is none, so that the JSON is shown."""
    if isinstance(value, str):
        return value or None
    if depth == 0 or not value:
        return None
    if isinstance(value, list):
        return _said(value[-1], depth - 1)
    if not isinstance(value, dict):
        return None
    for field in ("messages", "choices", "generations", *_TELLING):
        if field in value and (found := _said(value[field], depth - 1)):
            return found
    if isinstance(value.get("kwargs"), dict):
        return _said(value["kwargs"], depth - 1)
    return _said(next(iter(value.values())), depth - 1) if len(value) == 1 else None

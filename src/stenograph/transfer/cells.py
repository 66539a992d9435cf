"""Cells of a CSV file: JSON values as text and back, so that nothing is lost and no spreadsheet runs anything.

A text stands as it is. Numbers, true, false, null, lists and objects stand as JSON. A text that would be read as one
of these (`42`, `null`), an empty one, and one with control characters is written as a JSON string, in quotes. A
text that a spreadsheet would take for a formula is written behind an apostrophe, which is taken off again. An
empty cell is no value at all.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

import msgspec
from msgspec import Raw

_FORMULA: Final = re.compile("'*[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20]")
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_raw = msgspec.json.Decoder(Raw).decode
_text = msgspec.json.Decoder(str).decode


class Cells(Enum):
    """How cells are read: JSON as told above; TEXT takes all but lists and objects for texts, empty ones too."""

    JSON = "json"
    TEXT = "text"


_BEGINNINGS: Final = {Cells.JSON: frozenset('{["-0123456789tfn'), Cells.TEXT: frozenset("{[")}


def cell(value: Raw | None) -> str:
    """A JSON value, or nothing, as the text of a cell."""
    if value is None:
        return ""
    if bytes(memoryview(value)[:1]) != b'"':
        return bytes(value).decode()
    text = _text(value)
    if _CONTROL.search(text):
        return msgspec.json.encode(text).decode()
    if _FORMULA.match(text):
        return f"'{text}"
    if not text or _document(text, Cells.JSON) is not None:
        return msgspec.json.encode(text).decode()
    return text


def value(cell: str, cells: Cells = Cells.JSON) -> Raw | None:
    """The JSON value that a cell stands for, None for no value."""
    if not cell and cells is Cells.JSON:
        return None
    if cell.startswith("'") and _FORMULA.match(cell):
        return _encoded(cell[1:])
    return _document(cell, cells) or _encoded(cell)


def _document(text: str, cells: Cells) -> Raw | None:
    """The JSON in a text; None when it is none that these cells hold."""
    if text.lstrip(" \t\r\n")[:1] not in _BEGINNINGS[cells] or not text:
        return None
    try:
        return _raw(text.encode())
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None


def _encoded(text: str) -> Raw:
    return Raw(msgspec.json.encode(text))

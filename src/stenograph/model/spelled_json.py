"""Reading JSON that is the user's own: whatever was taken can be read, compared, and written again as it was spelled.

Numbers may lie beyond what a float or an integer of Python's holds; no document fails for that.
"""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec

_DIGITS: Final = 4_000
"""Of an integer that Python reads; beyond some more it refuses by default, since that takes quadratic time."""


def _spelling(number: str) -> msgspec.Raw:
    return msgspec.Raw(number.encode())


_read: Final = msgspec.json.Decoder(float_hook=_spelling).decode


def spelled(document: bytes | msgspec.Raw) -> Any:
    """The value, in which numbers with a fraction or an exponent, and integers of thousands of digits, are
    `msgspec.Raw`: encoding writes them as they were. DecodeError for what is no JSON, RecursionError when it is nested
    too deeply."""
    try:
        return _read(document)
    except msgspec.ValidationError:
        return json.loads(bytes(document), parse_float=_spelling, parse_int=_integer)


def canonical(document: bytes) -> str:
    """One spelling of a document, whatever its white space and the order of its members. One with a number beyond
    reach keeps the spelling of its numbers."""
    try:
        value = msgspec.json.decode(document)
    except msgspec.ValidationError:
        value = spelled(document)
    return msgspec.json.encode(value, order="sorted").decode()


def _integer(text: str) -> int | msgspec.Raw:
    return int(text) if len(text) <= _DIGITS else _spelling(text)

"""HoneyHive's filters to our filter tree: a list of `{field, operator, value, type}`, all of which have to hold.

HoneyHive's documents name the operators of each type. Clients of all ages are understood: `type` may be missing and is
inferred then, ids were a type once, and Python's client writes every value as a text. What cannot be understood is
refused, with what is allowed: a filter that is passed over would find too much.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from stenograph.errors import Invalid
from stenograph.model.filters import Filter, Not, all_of
from stenograph.model.values import Reading
from stenograph.wire.honeyhive import times
from stenograph.wire.honeyhive.events import fields
from stenograph.wire.honeyhive.events.asking import Operator, Test
from stenograph.wire.honeyhive.events.fields import EventField, Where
from stenograph.wire.honeyhive.requests import Params
from stenograph.wire.payloads import clean

MAX_FILTERS: Final = 50
"""The engine bounds the length of a statement, and a filter takes some of it."""

_MEMBERS: Final = frozenset({"field", "operator", "value", "type"})

_OPERATORS: Final[Mapping[str, tuple[Operator, bool]]] = {
    "exists": (Operator.EXISTS, False),
    "not exists": (Operator.EXISTS, True),
    "is": (Operator.IS, False),
    "is not": (Operator.IS, True),
    "contains": (Operator.CONTAINS, False),
    "not contains": (Operator.CONTAINS, True),
    "greater than": (Operator.GREATER, False),
    "less than": (Operator.LESS, False),
    "after": (Operator.GREATER, False),
    "before": (Operator.LESS, False),
}
"""HoneyHive's words, and whether they deny."""

_TYPES: Final[Mapping[str, tuple[Reading, tuple[str, ...]]]] = {
    "string": (
        Reading.TEXT,
        ("exists", "not exists", "is", "is not", "contains", "not contains"),
    ),
    "number": (Reading.NUMBER, ("exists", "not exists", "is", "is not", "greater than", "less than")),
    "boolean": (Reading.FLAG, ("exists", "not exists", "is", "is not")),
    "datetime": (Reading.MOMENT, ("exists", "not exists", "is", "is not", "after", "before")),
    "id": (Reading.TEXT, ("exists", "not exists", "is", "is not")),
}
"""What each type can be asked. Truth cannot be `is not` in HoneyHive's newest document, but could in older ones."""

_INDEXED: Final = re.compile(r"\[(\d{1,4})\]\[(field|operator|value|type)\]", re.ASCII)


def read(sent: Any, where: Where = ("body", "filters"), *, strict: bool = False) -> Filter:
    """The events that pass all of these filters: all events where there are none. Invalid names the filter, what is
    wrong with it, and what is allowed. `strict` refuses members that filters do not have."""
    if not isinstance(sent, Sequence) or isinstance(sent, str):
        raise Invalid("must be an array of filters: {field, operator, value, type}", where)
    if len(sent) > MAX_FILTERS:
        raise Invalid(f"there are {len(sent)} filters; at most {MAX_FILTERS} are taken", where)
    return all_of(dict.fromkeys(_one(item, (*where, index), strict) for index, item in enumerate(sent)))


def of_document(document: bytes, where: Where = ("filters",)) -> Filter:
    """The same from the JSON of an array."""
    try:
        return read(msgspec.json.decode(clean(document)), where)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Invalid("must be a JSON array of filters: [{field, operator, value, type}]", where) from None


def of_params(params: Params, name: str = "filters") -> Filter | None:
    """The same from a query: the JSON of an array, of one filter, `filters[]=` with a filter each, or
    `filters[0][field]=…`. None where the parameter is missing."""
    where = ("query", name)
    apart = _apart(params, name)
    if apart:
        return read(apart, where)
    texts = [text for text in params.each(name) if text.strip()]
    if not texts:
        return None
    if len(texts) == 1 and texts[0].lstrip()[:1] != "{":
        return of_document(_bytes(texts[0], where), where)
    document = b"[" + b",".join(_bytes(text, where) for text in texts) + b"]"
    return of_document(document, where)


def _bytes(text: str, where: Where) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise Invalid("is not valid text", where) from None


def _apart(params: Params, name: str) -> list[dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    for key, value in params.items():
        if key.startswith(name) and (match := _INDEXED.fullmatch(key, len(name))):
            found.setdefault(int(match[1]), {})[match[2]] = value
    return [found[index] for index in sorted(found)]


# -- one filter ------------------------------------------------------------------------------------------


def _one(sent: Any, where: Where, strict: bool) -> Filter:
    if not isinstance(sent, Mapping):
        raise Invalid("must be an object: {field, operator, value, type}", where)
    unknown = sorted(str(name) for name in sent.keys() - _MEMBERS)
    if strict and unknown:
        raise Invalid(f"{unknown[0][:40]!r} is none of field, operator, value and type", where)
    found = fields.field(_text(sent, "field", where), (*where, "field"))
    word = _text(sent, "operator", where)
    if word not in _OPERATORS:
        raise Invalid(f"{word[:40]!r} is none of {_listed(_OPERATORS)}", (*where, "operator"))
    if strict and "value" not in sent:
        raise Invalid("is missing", (*where, "value"))
    value = sent.get("value")
    operator, denied = _OPERATORS[word]
    if value is None and operator is Operator.IS:
        operator, denied = Operator.EXISTS, not denied  # to be null is not to be there
    reading = _reading(found, sent, word, value, where)
    if operator not in found.operators:
        allowed = [
            name
            for name, (one, _) in _OPERATORS.items()
            if one in found.operators
            and not (found.reading is Reading.NUMBER and name in ("after", "before"))
        ]
        raise Invalid(f"{_named(found)} cannot be asked {word!r}: {_listed(allowed)}", (*where, "operator"))
    asked = Test(operator) if operator is Operator.EXISTS else _test(operator, reading, value, where)
    wanted = fields.test(found, asked)
    return Not(wanted) if denied else wanted


def _text(sent: Mapping[str, Any], name: str, where: Where) -> str:
    value = sent.get(name)
    if value is None:
        raise Invalid("is missing", (*where, name))
    if not isinstance(value, str):
        raise Invalid("must be a text", (*where, name))
    return value


def _reading(found: EventField, sent: Mapping[str, Any], word: str, value: Any, where: Where) -> Reading:
    """What the value is: by the type that is stated, unless the field itself knows; else by operator and value."""
    stated = sent.get("type")
    if stated is None:
        return found.reading or _inferred(word, value)
    if not isinstance(stated, str) or stated not in _TYPES:
        raise Invalid(f"{str(stated)[:40]!r} is none of {_listed(_TYPES)}", (*where, "type"))
    reading, words = _TYPES[stated]
    if found.reading is not None:
        return found.reading
    if word not in words:
        raise Invalid(
            f"{word!r} is not for type {stated}, which can be asked {_listed(words)}", (*where, "operator")
        )
    return reading


def _inferred(word: str, value: Any) -> Reading:
    if word in ("after", "before"):
        return Reading.MOMENT
    if word in ("greater than", "less than"):
        return Reading.NUMBER if _number(value) is not None else Reading.MOMENT
    if word in ("contains", "not contains"):
        return Reading.TEXT
    if isinstance(value, bool):
        return Reading.FLAG
    return Reading.NUMBER if isinstance(value, int | float) else Reading.TEXT


def _test(operator: Operator, reading: Reading, value: Any, where: Where) -> Test:
    """The value as what it is to be: texts are read as the type says."""
    where = (*where, "value")
    if value is None or not isinstance(value, str | int | float):
        raise Invalid("must be a text, a number, true or false", where)
    match reading:
        case Reading.TEXT:
            text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
            if operator is Operator.CONTAINS and not text:
                raise Invalid("is empty: every text contains that", where)
            return Test(operator, reading, text)
        case Reading.NUMBER:
            number = _number(value)
            if number is None:
                raise Invalid(f"{str(value)[:40]!r} is not a number", where)
            return Test(operator, reading, number)
        case Reading.FLAG:
            flag = {"true": True, "false": False}.get(str(value).strip().lower())
            if flag is None:
                raise Invalid(f"{str(value)[:40]!r} is neither true nor false", where)
            return Test(operator, reading, flag)
        case Reading.MOMENT:
            return Test(operator, reading, times.read(value, where))


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _named(found: EventField) -> str:
    return ".".join((found.name, *found.path))[:80]


def _listed(words: Any) -> str:
    return ", ".join(repr(str(word)) for word in words)

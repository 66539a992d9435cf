"""A run in the making: what the conventions have found in a span so far, and the attributes that are left."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from stenograph.errors import Invalid, TooLarge
from stenograph.model.feedback import Shelf
from stenograph.wire.otlp.spans import Attributes, Span, SpanEvent
from stenograph.wire.payloads import Payloads

Payload = dict[str, Any] | bytes
"""Inputs or outputs: an object to be written, or a JSON object that was checked and stays as it came."""

_decode = msgspec.json.Decoder().decode
_MAX_NESTING: Final = 64
"""Segments of a flattened key that become nesting; the rest stays one key."""


class Shape:
    """What there is to know of a span from its keys alone: worked out once for all spans that have the same."""

    __slots__ = ("_groups", "_keys", "_seconds", "heads", "readers", "readers_with_events")

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._keys = keys
        self._seconds: dict[tuple[str, ...], frozenset[str]] = {}
        # Who reads such spans; set by those who know the conventions.
        self.readers: tuple[Callable[[Draft], None], ...] | None = None
        self.readers_with_events: tuple[Callable[[Draft], None], ...] | None = None
        self._groups: dict[str, tuple[tuple[str, str], ...]] = {}
        self.heads = frozenset(key.partition(".")[0] for key in keys)

    def starting(self, prefix: str) -> tuple[tuple[str, str], ...]:
        """(key, key without the prefix) of those that begin with it."""
        found = self._groups.get(prefix)
        if found is None:
            size = len(prefix)
            found = tuple((key, key[size:]) for key in self._keys if key.startswith(prefix))
            self._groups[prefix] = found
        return found

    def seconds(self, prefixes: tuple[str, ...]) -> frozenset[str]:
        """The second segments of the keys that begin with one of these."""
        found = self._seconds.get(prefixes)
        if found is None:
            found = frozenset(key.split(".", 2)[1] for key in self._keys if key.startswith(prefixes))
            self._seconds[prefixes] = found
        return found


_shapes: dict[tuple[str, ...], Shape] = {}
_MAX_SHAPES: Final = 1000
_MAX_SHAPE: Final = 4000
"""Shapes that are remembered, and characters of the keys of one: instrumentations have a few dozen, short ones."""


def shape(attributes: Attributes) -> Shape:
    keys = tuple(attributes)
    found = _shapes.get(keys)
    if found is None:
        found = Shape(keys)
        if sum(map(len, keys)) <= _MAX_SHAPE:
            if len(_shapes) >= _MAX_SHAPES:
                _shapes.clear()
            _shapes[keys] = found
    return found


class Draft:
    """Filled by the conventions, in the order of their precedence. `rest` becomes metadata, key by key."""

    __slots__ = (
        "aside", "dotted_order", "error", "events", "files", "input_details", "inputs", "judged", "metadata", "name",
        "output_details", "outputs", "params", "parent_id", "payloads", "project", "project_id", "rephrased", "rest",
        "run_id", "run_type", "session", "session_name", "shape", "span", "tags", "trace_id", "usage",
    )  # fmt: skip

    def __init__(self, span: Span, payloads: Payloads) -> None:
        self.span = span
        self.payloads = payloads
        self.rest: Attributes = span.attributes
        self.shape = shape(span.attributes)
        self.events: list[SpanEvent] = span.events
        self.name: str | None = None
        self.run_type: str | None = None
        self.inputs: Payload | None = None
        self.outputs: Payload | None = None
        self.error: str | None = None
        self.params: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.usage: dict[str, Any] = {}
        self.input_details: dict[str, Any] = {}
        self.output_details: dict[str, Any] = {}
        self.tags: list[str] = []
        self.aside: dict[str, Any] = {}
        self.judged: dict[Shelf, dict[str, Any]] = {}
        self.files: list[tuple[str, str, bytes]] = []
        self.run_id: UUID | None = None
        self.trace_id: UUID | None = None
        self.parent_id: UUID | None = None
        self.dotted_order: str | None = None
        self.session: str | None = None
        self.session_name: str | None = None
        self.project: str | None = None
        self.project_id: UUID | None = None
        self.rephrased: tuple[bool, bool] | None = None  # see rephrasing.py

    # -- attributes --------------------------------------------------------------------------------------

    def text(self, *keys: str) -> str | None:
        """The first of these attributes that is text with something in it. It stays."""
        for key in keys:
            value = self.rest.get(key)
            if type(value) is str and value:
                return value
        return None

    def starting(self, prefix: str) -> Sequence[tuple[str, str]]:
        """(key, key without the prefix) of the attributes that begin with it; they may be taken meanwhile."""
        found = self.shape.starting(prefix)
        return [pair for pair in found if pair[0] in self.rest] if found else found

    # -- filling -----------------------------------------------------------------------------------------

    def be(self, run_type: str | None) -> None:
        if self.run_type is None and run_type is not None:
            self.run_type = run_type

    def count(self, name: str, *keys: str) -> None:
        """Take the first of these attributes that is a count as usage, e.g. `input_tokens`."""
        _take_number(self.rest, self.usage, name, keys)

    def count_in(self, name: str, *keys: str) -> None:
        """The same for a part of the input, e.g. `cache_read`. Nought is said by leaving it out."""
        _take_number(self.rest, self.input_details, name, keys)

    def count_out(self, name: str, *keys: str) -> None:
        _take_number(self.rest, self.output_details, name, keys)

    def give_inputs(self, key: str, name: str = "input") -> bool:
        """Make an attribute the inputs: a JSON object as it is, anything else under `name`."""
        if self.inputs is not None or key not in self.rest:
            return False
        self.inputs = self.payload(self.rest.pop(key), name)
        return True

    def give_outputs(self, key: str, name: str = "output") -> bool:
        if self.outputs is not None or key not in self.rest:
            return False
        self.outputs = self.payload(self.rest.pop(key), name)
        return True

    def payload(self, value: Any, name: str) -> Payload:
        """An attribute's value as a payload: an object as it is, a conversation as messages, the rest under `name`."""
        if type(value) is str:
            if value[:1] == "{":
                try:
                    found = self.payloads.check(value.encode(), name, "object")
                except (Invalid, TooLarge, UnicodeEncodeError):
                    found = None
                if found is not None:
                    return found
            elif value[:1] == "[":
                value = parsed(value)
        elif type(value) is dict:
            return value
        if type(value) is list and value and all(type(one) is dict and "role" in one for one in value):
            return {"messages": value}
        return {name: value}

    def extend(self, payload: Payload | None, more: dict[str, Any]) -> Payload:
        """A payload with more keys, those that it has already kept."""
        if payload is None:
            return more
        if type(payload) is bytes:
            known = parsed(payload.decode("utf-8", "replace"))
            return {**more, **known} if type(known) is dict else payload
        assert type(payload) is dict
        return {**more, **payload}

    def has(self, payload: Payload | None, *names: str) -> bool:
        """Whether a payload has one of these keys at its top."""
        if payload is None:
            return False
        if type(payload) is dict:
            return any(name in payload for name in names)
        assert type(payload) is bytes
        if not any(f'"{name}"'.encode() in payload for name in names):
            return False
        known = parsed(payload.decode("utf-8", "replace"))
        return type(known) is dict and any(name in known for name in names)


def _take_number(rest: Attributes, into: dict[str, Any], name: str, keys: tuple[str, ...]) -> None:
    if name in into:
        return
    for key in keys:
        value = rest.get(key)
        if (type(value) is int and value >= 0) or (type(value) is float and value >= 0):
            del rest[key]
            into[name] = value
            return


def parsed(value: Any) -> Any:
    """JSON text of an object or a list as what it stands for; anything else as it is."""
    if type(value) is str and value[:1] in ("{", "["):
        try:
            return _decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, UnicodeEncodeError, RecursionError):
            return value
    return value


def as_uuid(value: Any) -> UUID | None:
    if type(value) is str and 32 <= len(value) <= 36:
        try:
            return UUID(value)
        except ValueError:
            return None
    return None


def nest(flat: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Flattened keys as nested objects; objects all of whose keys are 0, 1, 2 … become lists.

    Where a key has both a value and keys below it, the value stands under the empty key.
    """
    root: dict[str, Any] = {}
    for key, value in flat:
        steps = key.split(".", _MAX_NESTING)
        here = root
        for step in steps[:-1]:
            below = here.get(step)
            if type(below) is not _Branch:
                below = here[step] = _Branch() if step not in here else _Branch({"": below})
            here = below
        last = here.get(steps[-1])
        if type(last) is _Branch:
            last[""] = value
        else:
            here[steps[-1]] = value
    return {key: _listed(value) for key, value in root.items()}


class _Branch(dict[str, Any]):
    """An object that nest() made, as opposed to one that was a value."""


def _listed(value: Any) -> Any:
    if type(value) is not _Branch:
        return value
    members = {key: _listed(below) for key, below in value.items()}
    if all(key.isdecimal() and key.isascii() for key in members):
        numbers = sorted(members, key=lambda key: (len(key), key))
        if numbers == [str(number) for number in range(len(numbers))]:
            return [members[number] for number in numbers]
    return members


def many(flat: Iterable[tuple[str, Any]]) -> list[Any]:
    """Flattened keys that begin with a number, as the list that they stand for, gaps closed."""
    found = nest([("list." + key, value) for key, value in flat]).get("list")
    if type(found) is list:
        return found
    if type(found) is dict:
        return [found[key] for key in sorted(found, key=lambda key: (len(key), key))]
    return []

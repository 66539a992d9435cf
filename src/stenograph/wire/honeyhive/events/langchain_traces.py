"""What HoneyHive's LangChain tracer for TypeScript posts at the end of a run: events within events, in microseconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import msgspec
from msgspec import Raw

from stenograph.errors import Invalid
from stenograph.wire.honeyhive.events import incoming
from stenograph.wire.honeyhive.events.incoming import Said
from stenograph.wire.http import decode

MAX_NESTING: Final = 64
"""Levels of events within events: each is read once more for every level above it."""


class TracesIn(msgspec.Struct, gc=False):
    """The body: one of the two."""

    logs: list[Raw] | None = None
    events: list[Raw] | None = None


class _Nested(msgspec.Struct, gc=False):
    children: list[Raw] | None = None


_nested = msgspec.json.Decoder(_Nested).decode


def logs_in(body: bytes) -> Sequence[tuple[str, bytes]]:
    """The outermost events of a body, with what names them there. Invalid unless it has either `logs` or `events`."""
    found = decode(body, TracesIn)
    if found.logs is None and found.events is None:
        raise Invalid("neither logs nor events is there: give one of them", ("body", "events"))
    if found.logs is not None and found.events is not None:
        raise Invalid("both logs and events are there: give one of them", ("body", "events"))
    name = "events" if found.logs is None else "logs"
    return [
        (f"{name}[{number}]", bytes(each)) for number, each in enumerate(found.logs or found.events or ())
    ]


def flattened(what: str, document: bytes) -> Iterator[tuple[str, Said | Invalid]]:
    """An event and those within it, each with what names it in refusals. What is within an event is its child,
    whatever it says itself; an event that cannot be read takes nothing down but its own place above its children."""
    waiting: list[tuple[str, bytes, Said | None, int]] = [(what, document, None, 1)]
    while waiting:
        name, raw, above, depth = waiting.pop()
        found: Said | Invalid
        try:
            found = incoming.event(raw, strict=False)
        except Invalid as error:
            found = error
        children = _children(raw)
        if children and not isinstance(found, Invalid) and found.id is None:
            found = replace(found, id=incoming.new_id())
        if above is not None and not isinstance(found, Invalid):
            found = replace(found, parent=above.id)
        yield name, found
        if children and depth == MAX_NESTING:
            yield f"{name}.children", Invalid(f"events are nested deeper than {MAX_NESTING} levels")
            continue
        own = above if isinstance(found, Invalid) else found
        waiting += [
            (f"{name}.children[{number}]", bytes(child), own, depth + 1)
            for number, child in enumerate(children)
        ]


def _children(raw: bytes) -> Sequence[Raw]:
    if b'"children"' not in raw:
        return ()
    try:
        return _nested(raw).children or ()
    except msgspec.DecodeError:
        return ()

"""Spans as OTLP has them, whichever encoding they came in. Built by protobuf.py and json_reader.py, read by mapping.py.

Attribute values are what JSON has: text, bool, int, finite float, list, dict, None; bytes are base64 text, and
numbers that JSON has no name for are "NaN", "Infinity" and "-Infinity", as in protobuf's own JSON.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from stenograph.errors import TooLarge

Attributes: TypeAlias = dict[str, Any]

UNSET, OK, ERROR = 0, 1, 2
"""Codes of a span's status."""

KINDS: Final = ("unspecified", "internal", "server", "client", "producer", "consumer")

REMOTE_KNOWN, REMOTE = 0x100, 0x200
"""Bits of a span's flags: whether the second one means anything, and whether its parent is in another process."""


class SpanEvent:
    """Something that happened at a moment of a span. `time` in nanoseconds."""

    __slots__ = ("attributes", "name", "time")

    def __init__(self, name: str = "", time: int = 0, attributes: Attributes | None = None) -> None:
        self.name = name
        self.time = time
        self.attributes: Attributes = {} if attributes is None else attributes


class Span:
    """One span. Ids are raw bytes, empty when absent or unreadable; times are nanoseconds since 1970, 0 when absent.

    `fault` is what the reader found wrong with it: such a span is rejected, its neighbours are not.
    """

    __slots__ = (
        "attributes", "dropped", "end", "events", "fault", "flags", "kind", "links", "name", "parent_id",
        "span_id", "start", "status", "status_message", "trace_id", "trace_state",
    )  # fmt: skip

    def __init__(self) -> None:
        self.trace_id = b""
        self.span_id = b""
        self.parent_id = b""
        self.trace_state = ""
        self.flags = 0
        self.name = ""
        self.kind = 0
        self.start = 0
        self.end = 0
        self.attributes: Attributes = {}
        self.events: list[SpanEvent] = []
        self.links: list[Attributes] = []
        self.status = UNSET
        self.status_message = ""
        self.dropped = 0
        self.fault: str | None = None


@dataclass(slots=True)
class Batch:
    """The spans of one instrumentation library in one process: `resource` and `scope` hold for all of them.

    `scope` has the library's name and version under `otel.scope.name`, `otel.scope.version`.
    """

    resource: Attributes
    scope: Attributes = field(default_factory=dict)
    spans: list[Span] = field(default_factory=list)


class Budget:
    """How much one request may make the server build: what has two bytes on the wire may take hundreds in memory.

    `objects` are spans, events and links; `values` are attributes and members of lists.
    """

    __slots__ = ("_objects", "depth", "values")

    def __init__(self, objects: int, values: int, depth: int) -> None:
        self._objects = objects
        self.values = values
        self.depth = depth

    def take(self) -> None:
        """One more object."""
        self._objects -= 1
        if self._objects < 0:
            raise TooLarge("the request has too many spans, events and links; send smaller batches")

    def spend(self, values: int) -> None:
        """So many more values."""
        self.values -= values
        if self.values < 0:
            raise TooLarge("the request has too many attributes; send smaller batches")

    def check_depth(self, depth: int) -> None:
        if depth > self.depth:
            raise TooLarge(f"an attribute is nested deeper than {self.depth} levels")


def finite(number: float) -> float | str:
    """The number, or the name that protobuf's JSON has for what is none."""
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"

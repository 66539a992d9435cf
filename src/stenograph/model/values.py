"""Values inside a run: what stands at a path of its payloads, or was said of it under a key.

Filters test them and charts measure them, whatever language asks. Nothing here knows a vendor's syntax or an engine.

What stands somewhere is read as text, a JSON text as what it says and everything else as its JSON, and that text as
what a test or a chart needs: see `Reading`. JSON null is nothing. How a number or an object is written, 5 or 5.0, is
not promised: who asks for a number should ask for it as a number.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from stenograph.model.feedback import Shelf

MAX_STEPS: Final = 20
"""Steps of a path that are followed."""


class Document(StrEnum):
    """A run's JSON objects."""

    INPUTS = "inputs"
    OUTPUTS = "outputs"
    METADATA = "metadata"
    EXTRA = "extra"


@dataclass(frozen=True, slots=True)
class InDocument:
    """What stands at a path of a document, or of what is `within` it: members in members, by their very names. At the
    path without steps it is that itself.

    A step is the name of a member, or a number that counts the elements of a list from nought. A name may hold dots:
    `a.b` is found in {"a": {"b": 1}} and in {"a.b": 1}, and where there are both, both are meant. Of metadata, a text
    that is JSON is gone into as if it were that JSON.
    """

    document: Document
    path: tuple[str, ...]
    within: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _require(len(self.path) <= MAX_STEPS, "too many steps")
        _require(
            not self.within or self.document is not Document.METADATA, "metadata is searched by its keys"
        )


@dataclass(frozen=True, slots=True)
class InFeedback:
    """What the newest feedback under a key says: its score, else its value. The path begins with the key, which may
    hold dots, and goes on inside the value. A key that ends in `_explanation` is also the comment of the feedback
    under the key before that ending; the newer of the two counts. Without steps it is whatever is on the shelf: there
    it is only asked whether there is something.
    """

    shelf: Shelf
    path: tuple[str, ...]

    def __post_init__(self) -> None:
        _require(len(self.path) <= MAX_STEPS, "too many steps")


Place: TypeAlias = "InDocument | InFeedback"


class Reading(StrEnum):
    """What a text is read as. One that cannot be read so is taken for nothing."""

    TEXT = "text"
    """str."""
    NUMBER = "number"
    """float."""
    FLAG = "flag"
    """bool: `true` or `false`."""
    MOMENT = "moment"
    """int, microseconds since 1970-01-01 UTC: of ISO 8601, naive is UTC, or of a number of milliseconds since then."""


class ValueOp(StrEnum):
    EXISTS = "exists"
    """There is something, be it an empty text or list. Of a document itself: it has members."""
    EQ = "eq"
    GT = "gt"
    LT = "lt"
    CONTAINS = "contains"
    """The text occurs in it, whatever its case; of lists and objects, in their JSON."""


@dataclass(frozen=True, slots=True)
class ValueTest:
    """A filter: what stands at this place passes. Where there are several values, one has to."""

    place: Place
    op: ValueOp
    reading: Reading = Reading.TEXT
    value: str | float | bool | None = None

    def __post_init__(self) -> None:
        kinds: dict[Reading, tuple[type, ...]] = {
            Reading.TEXT: (str,), Reading.NUMBER: (float,), Reading.FLAG: (bool,), Reading.MOMENT: (int,)
        }  # fmt: skip
        if self.op is ValueOp.EXISTS:
            _require(self.value is None, "existence has no value")
            return
        _require(isinstance(self.place, InDocument) or bool(self.place.path), "a shelf has no value")
        _require(type(self.value) in kinds[self.reading], f"{self.value!r} is no {self.reading}")
        if self.op is ValueOp.CONTAINS:
            _require(self.reading is Reading.TEXT, "only text contains")
        if self.op in (ValueOp.GT, ValueOp.LT):
            _require(self.reading in (Reading.NUMBER, Reading.MOMENT), f"{self.reading} has no order")


def _require(condition: bool, message: str) -> None:
    """As in model/filters.py: a value that makes no sense is a bug in the face that built it."""
    if not condition:
        raise ValueError(message)

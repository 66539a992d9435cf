"""The fields of events, as filters and charts name them: each as a test on runs, and as something to be measured.

What a field shows is worked out in shapes.py and rollups.py; what is said here of a field has to come to the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from stenograph.domain.recording.places import named
from stenograph.errors import Invalid
from stenograph.model.feedback import Shelf
from stenograph.model.filters import And, Compare, Contains, Field, Filter, Member, Not, Op, Or, Rare, Text
from stenograph.model.measures import Choice, Constant, Measure, Scaled
from stenograph.model.values import (
    MAX_STEPS,
    Document,
    InDocument,
    InFeedback,
    Place,
    Reading,
    ValueOp,
    ValueTest,
)
from stenograph.wire.honeyhive.events import figures
from stenograph.wire.honeyhive.events.asking import (
    ALWAYS,
    BELOW,
    MODELS,
    NEVER,
    OPS,
    ROOT,
    Operator,
    Test,
    at,
    is_text,
)
from stenograph.wire.honeyhive.events.shapes import SESSION, TOOL_RUNS

Where: TypeAlias = "tuple[str | int, ...]"


PLAIN: Final = (
    "event_id", "session_id", "parent_id", "project_id", "event_type", "event_name", "source", "error",
    "start_time", "end_time", "duration", "children_ids",
)  # fmt: skip
OBJECTS: Final = ("inputs", "outputs", "config", "metadata", "user_properties", "metrics", "feedback")
"""Fields of which a path leads on: `metadata.cost`."""

_IDS: Final[Mapping[str, tuple[Field, Text]]] = {
    "event_id": (Field.ID, Text.ID),
    "session_id": (Field.TRACE_ID, Text.TRACE_ID),
    "parent_id": (Field.PARENT_RUN_ID, Text.PARENT_RUN_ID),
    "project_id": (Field.PROJECT_ID, Text.PROJECT_ID),
}
_TIMES: Final = {"start_time": Field.START_TIME, "end_time": Field.END_TIME}
_TEXT_OPERATORS: Final = (Operator.EXISTS, Operator.IS, Operator.CONTAINS)
_ORDERED: Final = (Operator.EXISTS, Operator.IS, Operator.GREATER, Operator.LESS)


@dataclass(frozen=True, slots=True)
class EventField:
    """A field that was found by its name. `path` is what follows after it: empty, but in one of OBJECTS."""

    name: str
    path: tuple[str, ...] = ()

    @property
    def operators(self) -> tuple[Operator, ...]:
        """What can be asked of it."""
        if self.path:
            return tuple(Operator)
        if self.name in ("metrics", "feedback"):
            return (Operator.EXISTS,)
        if self.name in OBJECTS:
            return (Operator.EXISTS, Operator.CONTAINS)
        return _ORDERED if self.name in (*_TIMES, "duration") else _TEXT_OPERATORS

    @property
    def reading(self) -> Reading | None:
        """What its values are, whatever type a filter states; None where that is for the filter to say."""
        if self.path:
            return None
        if self.name in _TIMES:
            return Reading.MOMENT
        return Reading.NUMBER if self.name == "duration" else Reading.TEXT


def field(text: str, where: Where) -> EventField:
    """The field of that name, with its path; Invalid, with what there is, for any other."""
    name, *path = text.split(".")
    if name in OBJECTS or (name in PLAIN and not path):
        if len(path) > MAX_STEPS:
            raise Invalid(f"{text[:80]!r} has more than {MAX_STEPS} steps", where)
        return EventField(name, tuple(path))
    raise Invalid(
        f"{text[:80]!r} is not a field of events: there are {', '.join(PLAIN)}, and "
        f"{', '.join(OBJECTS)} with a path such as metadata.cost",
        where,
    )


# -- as filters ------------------------------------------------------------------------------------------


def test(wanted: EventField, asked: Test) -> Filter:
    """The events whose field passes. `asked` has one of the field's operators, and its reading where it has one."""
    name = wanted.name
    if wanted.path:
        if name == "metadata" and len(wanted.path) == 1 and wanted.path[0] in figures.FIGURES:
            return figures.test(wanted.path[0], asked)
        return at(_place(wanted), asked)
    if name in _IDS:
        return _id_test(name, asked)
    if name in OBJECTS:
        return _whole_test(wanted, asked)
    if name in _TIMES:
        return _plain_test(_TIMES[name], asked)
    match name:
        case "event_type":
            return Or(tuple(kinds[kind] for kind in kinds if _passes(kind, asked)))
        case "event_name":
            unnamed = Compare(Field.NAME, Op.EQ, None)
            given = _plain_test(Field.NAME, asked, Text.NAME)
            return Or((given, unnamed)) if _passes("unknown", asked) else given
        case "error":
            return _plain_test(Field.ERROR, asked, Text.ERROR)
        case "duration":
            return _duration_test(asked)
        case "source":
            there = at(_SOURCE, asked)
            return And((there, Not(is_text(_SOURCE, "")))) if asked.operator is Operator.EXISTS else there
        case _:
            return _children_test(asked)


def _plain_test(plain: Field, asked: Test, place: Text | None = None) -> Filter:
    if asked.operator is Operator.EXISTS:
        return Not(Compare(plain, Op.EQ, None))
    if asked.operator is Operator.CONTAINS:
        assert place is not None
        return Contains(place, str(asked.value))
    return Compare(plain, OPS[asked.operator], asked.value)


def _id_test(name: str, asked: Test) -> Filter:
    plain, place = _IDS[name]
    if asked.operator is not Operator.IS:
        return _plain_test(plain, asked, place)
    return Compare(plain, Op.EQ, named(str(asked.value)))


def _duration_test(asked: Test) -> Filter:
    """What was stated where start and end do not come to it, else what they come to."""
    if asked.operator is Operator.EXISTS:
        return Or((Not(Compare(Field.LATENCY, Op.EQ, None)), _OWN_DURATION))
    return Or((And((Not(_OWN_DURATION), _latency_test(asked))), Rare(at(_DURATION, asked))))


def _latency_test(asked: Test) -> Filter:
    """Milliseconds; the store has microseconds."""
    assert isinstance(asked.value, float)
    wanted = asked.value * 1000
    nearest = round(wanted)
    if asked.operator is Operator.IS:
        return Compare(Field.LATENCY, Op.EQ, nearest) if abs(wanted - nearest) < 1e-3 else NEVER
    if asked.operator is Operator.GREATER:
        return Compare(Field.LATENCY, Op.GT if nearest <= wanted else Op.GTE, nearest)
    return Compare(Field.LATENCY, Op.LT if nearest >= wanted else Op.LTE, nearest)


def _whole_test(wanted: EventField, asked: Test) -> Filter:
    """Of an object itself: whether it has members, or what stands anywhere in it."""
    place = _place(wanted)
    if asked.operator is Operator.EXISTS and isinstance(place, InDocument) and place.within:
        sent = And((at(place, asked), Not(is_text(place, "{}"))))
        return Or((figures.SHOWN, sent)) if wanted.name == "metadata" else sent
    return at(place, asked)


def _children_test(asked: Test) -> Filter:
    if asked.operator is Operator.EXISTS:
        return And((at(_CHILDREN, asked), Not(is_text(_CHILDREN, "[]"))))
    text = str(asked.value) if asked.operator is Operator.CONTAINS else f'"{asked.value}"'
    return ValueTest(_CHILDREN, ValueOp.CONTAINS, Reading.TEXT, text)


def _passes(text: str, asked: Test) -> bool:
    """Whether this very text passes a test on text."""
    match asked.operator:
        case Operator.EXISTS:
            return True
        case Operator.IS:
            return text == asked.value
        case _:
            return str(asked.value).lower() in text


# -- where a field is found ------------------------------------------------------------------------------

_ASIDE: Final = "honeyhive"
_SOURCE: Final = InDocument(Document.EXTRA, (), (_ASIDE, "source"))
_CHILDREN: Final = InDocument(Document.EXTRA, (), (_ASIDE, "children_ids"))
_DURATION: Final = InDocument(Document.EXTRA, (), (_ASIDE, "duration"))
_OWN_DURATION: Final = Rare(ValueTest(_DURATION, ValueOp.EXISTS))
_STATED_TYPE: Final = InDocument(Document.EXTRA, (), (_ASIDE, "event_type"))


def _place(wanted: EventField) -> Place:
    """Where a field of OBJECTS is found."""
    match wanted.name:
        case "metrics":
            return InFeedback(Shelf.METRICS, wanted.path)
        case "feedback":
            return InFeedback(Shelf.FEEDBACK, wanted.path)
        case "config" | "user_properties":
            return InDocument(Document.EXTRA, wanted.path, (_ASIDE, wanted.name))
        case "metadata" if not wanted.path:
            return InDocument(Document.EXTRA, (), ("metadata",))
        case _:
            return InDocument(Document(wanted.name), wanted.path)


# -- event types -----------------------------------------------------------------------------------------


def _stated(where: Filter, run_type: str, *stated: str) -> Filter:
    """Runs of this type of which a client said that they are events of another: see shapes.event_type. Few are."""
    said = Or(tuple(is_text(_STATED_TYPE, kind) for kind in stated))
    return Rare(And((where, Compare(Field.RUN_TYPE, Op.EQ, run_type), said)))


_TOOLS: Final = Member(Field.RUN_TYPE, tuple(sorted(TOOL_RUNS)))
_STATED_ROOT: Final = Or(
    (
        _stated(ROOT, "llm", "model"),
        _stated(ROOT, "tool", "tool"),
        _stated(ROOT, "chain", "chain", "generic"),
    )
)

kinds: Final[Mapping[str, Filter]] = {
    "model": Or((And((BELOW, MODELS)), _stated(ROOT, "llm", "model"))),
    "tool": Or((And((BELOW, _TOOLS)), _stated(ROOT, "tool", "tool"))),
    "chain": Or(
        (
            And((BELOW, Not(MODELS), Not(_TOOLS), Not(_stated(BELOW, "chain", SESSION, "generic")))),
            _stated(ROOT, "chain", "chain"),
        )
    ),
    SESSION: Or((And((ROOT, Not(_STATED_ROOT))), _stated(BELOW, "chain", SESSION))),
    "generic": _stated(ALWAYS, "chain", "generic"),
}
"""What each type of event is among runs; an event is of one of them."""

EVENT_TYPE: Final = Choice(tuple((wanted, Constant(kind)) for kind, wanted in kinds.items()))


# -- as measures -----------------------------------------------------------------------------------------


def measure(wanted: EventField, where: Where) -> Measure:
    """What a chart measures, durations in milliseconds; Invalid for what cannot be measured."""
    if wanted.name == "duration":
        return Choice(((_OWN_DURATION, _DURATION), (ALWAYS, Scaled(Field.LATENCY, 1000.0))))
    if wanted.path:
        return group(wanted, where)
    raise Invalid(
        f"{wanted.name} is not measured: choose duration, or a path such as metadata.cost or metrics.accuracy",
        where,
    )


def group(wanted: EventField, where: Where) -> Measure:
    """What a chart groups by; Invalid for what it cannot."""
    name = wanted.name
    if name in _IDS:
        return _IDS[name][0]
    match name:
        case "event_type":
            return EVENT_TYPE
        case "event_name":
            return Field.NAME
        case "error":
            return Field.ERROR
        case "source":
            return _SOURCE
    if not wanted.path:
        raise Invalid(f"events are not grouped by {name}", where)
    if name == "metadata" and len(wanted.path) == 1 and wanted.path[0] in figures.FIGURES:
        return figures.measure(wanted.path[0])
    return _place(wanted)

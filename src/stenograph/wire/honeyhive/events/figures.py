"""The figures that an event's metadata shows without their having been sent: a model call's own tokens and cost, and
what the other events of a session come to (rollups.py). As tests on runs, and as something to be measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from stenograph.model.feedback import Shelf
from stenograph.model.filters import And, Compare, Field, Filter, Not, Op, Or, TraceCount
from stenograph.model.measures import Choice, Constant, Measure, OfTrace
from stenograph.model.values import Document, InDocument, InFeedback, Reading, ValueOp, ValueTest
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
)


@dataclass(frozen=True, slots=True)
class _Figure:
    """A figure that metadata shows without its having been sent: of a session, what its other events come to; of a
    model call, its own use. `flag`: only whether there are any is shown."""

    of: Filter
    own: Field | None = None
    flag: bool = False


_SPOKEN: Final = ValueTest(InFeedback(Shelf.FEEDBACK, ()), ValueOp.EXISTS)
FIGURES: Final[Mapping[str, _Figure]] = {
    "cost": _Figure(BELOW, Field.TOTAL_COST),
    "total_tokens": _Figure(BELOW, Field.TOTAL_TOKENS),
    "prompt_tokens": _Figure(BELOW, Field.PROMPT_TOKENS),
    "completion_tokens": _Figure(BELOW, Field.COMPLETION_TOKENS),
    "num_events": _Figure(BELOW),
    "num_model_events": _Figure(And((BELOW, MODELS))),
    "has_feedback": _Figure(_SPOKEN, flag=True),
}

_COUNTED: Final = Or(
    tuple(
        Compare(counted, Op.GT, 0, alone=True)
        for counted in (Field.TOTAL_TOKENS, Field.PROMPT_TOKENS, Field.COMPLETION_TOKENS)
    )
)


def _known(figure: _Figure) -> Filter:
    """Model calls that show their own use, unless they were sent with another figure."""
    if figure.own is None:
        return NEVER
    known = Not(Compare(figure.own, Op.EQ, None, alone=True)) if figure.own is Field.TOTAL_COST else _COUNTED
    return And((BELOW, MODELS, known))


def _rolled_up(figure: _Figure) -> Filter:
    """Runs whose trace comes to more than nought."""
    return TraceCount(figure.of, Op.GT, 0, figure.own)


SHOWN: Final = Or((ROOT, *(_known(figure) for figure in (FIGURES["cost"], FIGURES["total_tokens"]))))
"""Events whose metadata shows any."""


def test(name: str, asked: Test) -> Filter:
    figure = FIGURES[name]
    asked = _as_shown(figure, asked)
    place = InDocument(Document.METADATA, (name,))
    sent, there, rolled = at(place, asked), ValueTest(place, ValueOp.EXISTS), _rolled_up(figure)
    known = _known(figure)
    if asked.operator is Operator.EXISTS:
        return Or((ROOT, there, known))
    nought = ALWAYS if _holds(figure, asked) else NEVER
    session = Or(
        (And((rolled, _sum_test(figure, asked))), And((Not(rolled), Or((sent, And((Not(there), nought)))))))
    )
    event = Or((sent, And((known, Not(there), _own_test(figure, asked)))))
    return Or((And((ROOT, session)), And((BELOW, event))))


def _as_shown(figure: _Figure, asked: Test) -> Test:
    """The test as one on what a figure is: some clients state every filter as one on text."""
    if asked.operator is not Operator.IS or asked.reading is not Reading.TEXT:
        return asked
    if figure.flag:
        flags = {"true": True, "false": False}
        return Test(Operator.IS, Reading.FLAG, flags[str(asked.value)]) if asked.value in flags else asked
    try:
        return Test(Operator.IS, Reading.NUMBER, float(str(asked.value)))
    except ValueError:
        return asked


def _holds(figure: _Figure, asked: Test) -> bool:
    """Whether nought passes, or for a flag, no."""
    if figure.flag:
        return asked.reading is Reading.FLAG and asked.value is False
    return asked.reading is Reading.NUMBER and _compare(asked)(0.0)


def _compare(asked: Test) -> Callable[[float], bool]:
    assert isinstance(asked.value, float)
    bound = asked.value
    match asked.operator:
        case Operator.IS:
            return lambda value: value == bound
        case Operator.GREATER:
            return lambda value: value > bound
        case _:
            return lambda value: value < bound


def _sum_test(figure: _Figure, asked: Test) -> Filter:
    """That what a trace comes to, which is more than nought, passes."""
    if figure.flag:
        return ALWAYS if asked.reading is Reading.FLAG and asked.value is True else NEVER
    if asked.reading is not Reading.NUMBER:
        return NEVER
    assert isinstance(asked.value, float)
    return TraceCount(figure.of, OPS[asked.operator], _amount(figure.own, asked.value), figure.own)


def _own_test(figure: _Figure, asked: Test) -> Filter:
    if asked.reading is not Reading.NUMBER or figure.own is None:
        return NEVER
    assert isinstance(asked.value, float)
    return Compare(figure.own, OPS[asked.operator], _amount(figure.own, asked.value), alone=True)


_MOST: Final = 10**25
"""Dollars and counts beyond this are compared like it."""


def _amount(own: Field | None, value: float) -> int | float:
    """A figure as the store has it: costs in 10⁻¹² dollars."""
    bounded = max(-float(_MOST), min(value, float(_MOST)))
    return round(bounded * 1e12) if own is Field.TOTAL_COST else bounded


def measure(name: str) -> Measure:
    figure = FIGURES[name]
    place = InDocument(Document.METADATA, (name,))
    some: Measure = Constant("true") if figure.flag else OfTrace(figure.of, figure.own)
    cases: list[tuple[Filter, Measure]] = [
        (And((ROOT, _rolled_up(figure))), some),
        (ValueTest(place, ValueOp.EXISTS), place),
        (ROOT, Constant("false" if figure.flag else "0")),
    ]
    if figure.own is not None:
        cases.append((_known(figure), figure.own))
    return Choice(tuple(cases))

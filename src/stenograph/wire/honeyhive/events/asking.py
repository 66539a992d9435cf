"""What a filter on events asks of a field, once its words have been read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from stenograph.domain.usage.usage import MODEL_RUNS
from stenograph.model.filters import And, Compare, Field, Filter, Member, Not, Op, Or
from stenograph.model.values import Place, Reading, ValueOp, ValueTest


class Operator(StrEnum):
    """What a filter asks; `is not` and the like are the negation of one of these."""

    EXISTS = "exists"
    IS = "is"
    CONTAINS = "contains"
    GREATER = "greater than"
    LESS = "less than"


@dataclass(frozen=True, slots=True)
class Test:
    """An operator and its value, read as the filter's type says: text, float, bool or microseconds since the epoch."""

    operator: Operator
    reading: Reading = Reading.TEXT
    value: str | float | bool | None = None


NEVER: Final = Or(())
ALWAYS: Final = And(())
ROOT: Final = Compare(Field.IS_ROOT, Op.EQ, True)
BELOW: Final = Not(ROOT)
MODELS: Final = Member(Field.RUN_TYPE, tuple(sorted(MODEL_RUNS)))

OPS: Final = {Operator.IS: Op.EQ, Operator.GREATER: Op.GT, Operator.LESS: Op.LT}
_VALUE_OPS: Final = {
    Operator.EXISTS: ValueOp.EXISTS,
    Operator.IS: ValueOp.EQ,
    Operator.CONTAINS: ValueOp.CONTAINS,
    Operator.GREATER: ValueOp.GT,
    Operator.LESS: ValueOp.LT,
}


def at(place: Place, asked: Test) -> Filter:
    return ValueTest(place, _VALUE_OPS[asked.operator], asked.reading, asked.value)


def is_text(place: Place, text: str) -> Filter:
    return ValueTest(place, ValueOp.EQ, Reading.TEXT, text)

"""Tests on one text expression of SQL: substring, LIKE, and the predicates on a part of a pair."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Final

from stenograph.model.filters import Op, PairTest, PairValue, Part, TestOp
from stenograph.store.runs.sql import Params

OPERATORS: Final[dict[str, str]] = {
    Op.EQ.value: "=",
    Op.GT.value: ">",
    Op.GTE.value: ">=",
    Op.LT.value: "<",
    Op.LTE.value: "<=",
}

_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WHOLE: Final = re.compile(r"-?[0-9]+")
_EXACT: Final = 2**53  # up to here a Float64 tells whole numbers apart


def contains(text: str, wanted: str, params: Params) -> str:
    return f"positionCaseInsensitiveUTF8({text}, {params.text(wanted)}) > 0"


def like(text: str, pattern: str, params: Params) -> str:
    """The engine refuses a pattern that ends in an escape without its character: that is a backslash."""
    backslashes = len(pattern) - len(pattern.rstrip("\\"))
    complete = pattern + "\\" if backslashes % 2 else pattern
    return f"{text} LIKE {params.text(complete)}"


def number(text: str) -> float | None:
    """The number that a JSON number's text stands for; None also where Float64 confuses whole numbers."""
    if not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    confused = math.isinf(value) or (abs(value) > _EXACT and _WHOLE.fullmatch(text) is not None)
    return None if confused else value


def pair_part(test: PairTest, text: str, params: Params, token: str | None = None) -> str:
    """One predicate as SQL that is 0 or 1.

    `text` is the SQL of the part as text, NULL where it is absent; of a score it is a number's. `token` is
    the SQL of the JSON it was read from, if it was: then numbers also compare by their value.
    """
    if test.values == (None,):
        sql = f"isNull({text})"
    else:
        sql = _positive(test, text, token, params)
        if test.part in _OPTIONAL:
            sql = f"ifNull({sql}, 0)"
    return f"NOT ({sql})" if test.negated else sql


_OPTIONAL: Final = frozenset({Part.SCORE, Part.COMMENT})


def _positive(test: PairTest, text: str, token: str | None, params: Params) -> str:
    if test.op is TestOp.LIKE:
        return like(text, str(test.values[0]), params)
    if test.op is TestOp.CONTAINS:
        return contains(text, str(test.values[0]), params)
    if test.op in (TestOp.EQ, TestOp.IN):
        return _equal(test, text, token, params)
    wanted = test.values[0]
    operator = OPERATORS[test.op.value]
    if test.part is Part.SCORE:
        return f"{text} {operator} {_number(wanted, params)}"
    if isinstance(wanted, str):
        return f"{text} {operator} {params.text(wanted)}"
    return f"ifNull(toFloat64OrNull({text}) {operator} {_number(wanted, params)}, 0)"


def _equal(test: PairTest, text: str, token: str | None, params: Params) -> str:
    if test.part is Part.SCORE:
        scores = [float(value) for value in test.values if value is not None]
        return (
            f"{text} = {params.number(scores[0])}"
            if len(scores) == 1
            else f"{text} IN {params.numbers(scores)}"
        )
    wanted = [str(value) for value in test.values]
    sql = f"{text} = {params.text(wanted[0])}" if len(wanted) == 1 else f"{text} IN {params.texts(wanted)}"
    numbers = _numbers(wanted) if token is not None else []
    if numbers:
        return f"({sql} OR ifNull(toFloat64OrNull({token}) IN {params.numbers(numbers)}, 0))"
    return sql


def _numbers(texts: Sequence[str]) -> list[float]:
    return [value for value in map(number, texts) if value is not None]


def _number(value: PairValue, params: Params) -> str:
    assert value is not None
    return params.number(float(value))

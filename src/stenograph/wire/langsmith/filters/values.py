"""The literals of a filter as values of the field they are compared with."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, TypeAlias
from uuid import UUID

from stenograph.model.filters import KINDS, Field, Kind, PairKind, PairValue, Part, Scalar, TestOp
from stenograph.wire.langsmith.filters.syntax import Number

Given: TypeAlias = "str | Number | bool"


class Mismatch(Exception):
    """A literal of the wrong type. The message goes on after the field's name."""


def plain_value(field: Field, given: Given) -> Scalar:
    match KINDS[field]:
        case Kind.IDENTITY:
            return identity(given)
        case Kind.TEXT:
            return _text(field, given)
        case Kind.TIME:
            return _moment(given)
        case Kind.DURATION:
            return _duration(given)
        case Kind.FLAG:
            return _flag(given)
        case Kind.COUNT:
            return _number(given)
        case Kind.MONEY:
            return round(_decimal(given).scaleb(12))


def pair_value(kind: PairKind, part: Part, op: TestOp, given: Given | None) -> PairValue:
    """Keys, values, sources and comments are texts: 1 is "1", true is "true". A score is a number."""
    if given is None:
        return _nothing(kind, part, op)
    if part is Part.SCORE:
        return float(given) if isinstance(given, bool) else _number(given)
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, str):
        return given
    if part is Part.VALUE and op not in (TestOp.EQ, TestOp.IN):
        return _number(given)
    if part is not Part.VALUE:
        raise Mismatch("takes a text in quotes")
    return given.text


def _nothing(kind: PairKind, part: Part, op: TestOp) -> PairValue:
    if op is not TestOp.EQ:
        raise Mismatch("can't be ordered against null: use eq or neq")
    if part in (Part.KEY, Part.SOURCE):
        raise Mismatch("is never null")
    return None if kind is PairKind.FEEDBACK else "null"


def _text(field: Field, given: Given) -> str:
    if isinstance(given, Number) and field is Field.THREAD_ID:
        return given.text  # metadata may have given the thread's id as a number
    if not isinstance(given, str):
        hint = "; neq(error, null) asks for runs with an error" if field is Field.ERROR else ""
        raise Mismatch(f"takes a text in quotes{hint}")
    # the second generation of the vendor's client sends these two in upper case
    return given.lower() if field in (Field.RUN_TYPE, Field.STATUS) else given


def identity(given: Given) -> UUID:
    """A uuid; Mismatch for what is none."""
    try:
        return UUID(str(given)) if isinstance(given, str) else _not_an_identity()
    except ValueError:
        return _not_an_identity()


def _not_an_identity() -> UUID:
    raise Mismatch("takes a uuid in quotes")


def _flag(given: Given) -> bool:
    if isinstance(given, bool):
        return given
    if isinstance(given, str) and given.lower() in ("true", "false"):
        return given.lower() == "true"
    raise Mismatch("takes true or false")


_MOST: Final = 10**21


def _number(given: Given) -> float:
    return float(_decimal(given))


def _decimal(given: Given) -> Decimal:
    if not isinstance(given, Number):
        raise Mismatch("takes a number")
    rough = float(given.text)
    if not math.isfinite(rough) or abs(rough) > _MOST:
        raise Mismatch("takes a number of at most 21 digits")
    return Decimal(given.text) if rough else Decimal(0)  # an exponent may be out of Decimal's reach


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def _moment(given: Given) -> int:
    if isinstance(given, Number):
        return _epoch(_decimal(given))
    if not isinstance(given, str):
        raise Mismatch(_MOMENT)
    try:
        moment = datetime.fromisoformat(given.strip())
    except ValueError:
        raise Mismatch(_MOMENT) from None
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // _MICROSECOND


_MOMENT: Final = 'takes a time such as "2024-05-01T12:30:00Z", or an epoch number'


def _epoch(number: Decimal) -> int:
    """Seconds; what would lie beyond the year 5138 is taken for milli-, micro- or nanoseconds."""
    for limit, scale in ((Decimal(10**11), 6), (Decimal(10**14), 3), (Decimal(10**17), 0)):
        if abs(number) < limit:
            return round(number.scaleb(scale))
    return round(number.scaleb(-3))


_DURATION: Final = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*(us|µs|ms|s|m|h|d)?\s*", re.ASCII)
_UNITS: Final = {
    "us": 1,
    "µs": 1,
    "ms": 10**3,
    "s": 10**6,
    "m": 60 * 10**6,
    "h": 3600 * 10**6,
    "d": 86400 * 10**6,
}


def _duration(given: Given) -> int:
    if isinstance(given, Number):
        return round(_decimal(given).scaleb(6))
    match = _DURATION.fullmatch(given) if isinstance(given, str) else None
    if match is None:
        raise Mismatch('takes seconds, as a number or as "1.5s"; ms, m, h and d are units, too')
    return round(_decimal(Number(match.group(1))) * _UNITS[match.group(2) or "s"])

"""Times as HoneyHive has them: numbers are milliseconds since the epoch, texts are ISO 8601."""

from __future__ import annotations

import datetime as dt
import re
import time
from typing import Final

from stenograph.errors import Invalid
from stenograph.model.runs import Micros

_EPOCH: Final = dt.datetime(1970, 1, 1)
_NUMBER: Final = re.compile(r"-?\d{1,20}(?:\.\d{1,20})?", re.ASCII)
_BEYOND: Final = 10_413_792_000_000_000
"""The end of 2299: as far as the run store counts."""

_MONTH: Final = dt.timedelta(days=30)
_RELATIVE: Final = re.compile(r"(\d{1,5})\s?([a-zA-Z]{1,7})", re.ASCII)
_UNITS: Final = {
    "m": dt.timedelta(minutes=1),
    "min": dt.timedelta(minutes=1),
    "minute": dt.timedelta(minutes=1),
    "h": dt.timedelta(hours=1),
    "hour": dt.timedelta(hours=1),
    "d": dt.timedelta(days=1),
    "day": dt.timedelta(days=1),
    "w": dt.timedelta(weeks=1),
    "week": dt.timedelta(weeks=1),
    "M": _MONTH,
    "month": _MONTH,
}


def now() -> Micros:
    return time.time_ns() // 1000


def moment(value: str | float) -> Micros | None:
    """A client's time, None when it is none: epoch milliseconds, as a number or as digits in a text, or ISO 8601
    with or without an offset (without one it is UTC)."""
    if isinstance(value, bool):
        return None
    try:
        if isinstance(value, str):
            text = value.strip()
            if not _NUMBER.fullmatch(text):
                return _bounded(_micros(dt.datetime.fromisoformat(text)))
            value = float(text)
        return _bounded(round(value * 1000))
    except (ValueError, OverflowError):
        return None


def read(value: str | float, where: tuple[str | int, ...]) -> Micros:
    """The same; Invalid, naming the place, when it is none."""
    found = moment(value)
    if found is None:
        raise Invalid(
            f"{str(value)[:60]!r} is not a time: give ISO 8601 such as 2024-01-31T09:30:00.000Z, "
            "or milliseconds since 1970",
            where,
        )
    return found


def ago(text: str, where: tuple[str | int, ...]) -> Micros:
    """The moment that lies so far back, e.g. `30m`, `24h`, `7d`, `2w`, `1M` or `7 days`. A month has 30 days."""
    found = _RELATIVE.fullmatch(text.strip())
    unit = "" if found is None else found[2]
    span = _UNITS.get(unit) or _UNITS.get(unit.lower().removesuffix("s"))
    if found is None or span is None:
        raise Invalid(f"{text[:40]!r} is not a time ago such as 30m, 24h, 7d, 2w or 1M", where)
    return max(0, now() - int(found[1]) * round(span.total_seconds()) * 1_000_000)


def _micros(found: dt.datetime) -> Micros:
    aware = found if found.tzinfo is not None else found.replace(tzinfo=dt.UTC)
    return round(aware.timestamp() * 1_000_000)


def _bounded(found: Micros) -> Micros | None:
    return found if 0 <= found < _BEYOND else None


def millis(at: Micros) -> int | float:
    """Milliseconds since the epoch: a whole number where it is one."""
    whole, rest = divmod(at, 1000)
    return at / 1000 if rest else whole


def iso(at: Micros) -> str:
    """`2024-04-01T22:38:19.000Z`, as HoneyHive writes created_at and updated_at."""
    return (_EPOCH + dt.timedelta(microseconds=at)).isoformat(timespec="milliseconds") + "Z"

"""Times of day and week that a schedule names: the five fields of cron, in UTC."""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass
from typing import Final

from stenograph.errors import Invalid

_BOUNDS: Final = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
_MONTHS: Final = {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS: Final = {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
_NAMED: Final = {
    "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
}  # fmt: skip

LEAST_APART: Final = 3600
"""Seconds between two times: reports are of traces, and those of an hour are few."""

_YEARS: Final = 8
"""Within so many every date comes, the 29th of February too."""


@dataclass(frozen=True, slots=True)
class Cron:
    """A schedule. As cron has it, a day matches by either of day and weekday when both are given."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool

    def next(self, after: int) -> int | None:
        """The first time later than that, both in seconds since the epoch; None when there is none."""
        start = dt.datetime.fromtimestamp(after, dt.UTC).replace(second=0, microsecond=0)
        start += dt.timedelta(minutes=1)
        for ahead in range(_YEARS * 366):
            day = start.date() + dt.timedelta(days=ahead)
            if not self._has(day):
                continue
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    found = dt.datetime(day.year, day.month, day.day, hour, minute, tzinfo=dt.UTC)
                    if found >= start:
                        return int(found.timestamp())
        return None

    def _has(self, day: dt.date) -> bool:
        if day.month not in self.months:
            return False
        by_day, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return by_day or by_weekday if self.either else by_day and by_weekday


def parse(text: str, where: tuple[str | int, ...] = ("schedule_cron",)) -> Cron:
    """Invalid for what is no schedule, never comes, or comes more often than each hour."""
    fields = _NAMED.get(text.strip().lower(), text).split()
    if len(text) > 200 or len(fields) != 5:
        raise Invalid(f"{text[:60]!r} is not five fields: minute hour day month weekday", where)
    sets = [_values(field, *bounds, where) for field, bounds in zip(fields, _BOUNDS, strict=True)]
    weekdays = frozenset(day % 7 for day in sets[4])
    either = not fields[2].startswith("*") and not fields[4].startswith("*")
    found = Cron(sets[0], sets[1], sets[2], sets[3], weekdays, either)
    if len(found.minutes) > 1:
        raise Invalid(f"{text[:60]!r} comes more often than each hour", where)
    if found.next(0) is None:
        raise Invalid(f"{text[:60]!r} never comes", where)
    return found


def _values(field: str, name: str, low: int, high: int, where: tuple[str | int, ...]) -> frozenset[int]:
    found: set[int] = set()
    for part in field.lower().split(","):
        span, slash, step_text = part.partition("/")
        step = _number(step_text, name, 1, high, where) if slash else 1
        if span == "*":
            first, last = low, 6 if name == "weekday" else high
        else:
            left, dash, right = span.partition("-")
            first = _number(left, name, low, high, where)
            last = _number(right, name, low, high, where) if dash else high if slash else first
            if last < first:
                raise Invalid(f"{part!r} runs backwards in the field {name}", where)
        found.update(range(first, last + 1, step))
    return frozenset(found)


def _number(text: str, name: str, low: int, high: int, where: tuple[str | int, ...]) -> int:
    known = _MONTHS if name == "month" else _DAYS if name == "weekday" else {}
    if text in known:
        return known[text]
    if not (text.isascii() and text.isdecimal() and len(text) < 4 and low <= int(text) <= high):
        raise Invalid(f"{text[:20]!r} is not a {name} from {low} to {high}", where)
    return int(text)

"""Spans of time in a time zone: when they begin, as the run store has it too."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stenograph.errors import Invalid
from stenograph.model.measures import Span
from stenograph.model.runs import Micros

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SECOND: Final = 1_000_000
_LENGTHS: Final = {
    Span.MINUTE: 60 * _SECOND,
    Span.HOUR: 3600 * _SECOND,
    Span.DAY: 86_400 * _SECOND,
    Span.WEEK: 7 * 86_400 * _SECOND,
    Span.MONTH: 30 * 86_400 * _SECOND,
}


def zone_of(name: str, where: tuple[str | int, ...]) -> ZoneInfo:
    """The zone of an IANA name; Invalid when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid(f"{name[:60]!r} is not a time zone such as UTC or Europe/Berlin", where) from None


def begin(span: Span, zone: ZoneInfo, at: Micros) -> Micros:
    """When the span began that this moment lies in."""
    local = (_EPOCH + dt.timedelta(microseconds=at)).astimezone(zone)
    match span:
        case Span.MINUTE:
            into = dt.timedelta(seconds=local.second, microseconds=local.microsecond)
            return at - into // dt.timedelta(microseconds=1)
        case Span.HOUR:
            into = dt.timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
            return at - into // dt.timedelta(microseconds=1)
        case Span.DAY:
            first = local.date()
        case Span.WEEK:
            first = local.date() - dt.timedelta(days=local.weekday())
        case Span.MONTH:
            first = local.date().replace(day=1)
    midnight = dt.datetime(first.year, first.month, first.day, tzinfo=zone)
    return (midnight - _EPOCH) // dt.timedelta(microseconds=1)


def begins(span: Span, zone: ZoneInfo, since: Micros, until: Micros) -> Iterator[Micros]:
    """When each span begins that has something between these, the first included and the last not."""
    at = begin(span, zone, since)
    while at < until:
        yield at
        at = following(span, zone, at)


def following(span: Span, zone: ZoneInfo, at: Micros) -> Micros:
    """When the next span begins after the one that begins at this moment."""
    # Well into the next one, so that months, and days of 23 or 25 hours, are none too short.
    step = _LENGTHS[span]
    found = begin(span, zone, at + step + step // 4)
    return found if found > at else at + step


def coarser(span: Span) -> Span | None:
    """The next longer span."""
    spans = list(Span)
    place = spans.index(span) + 1
    return spans[place] if place < len(spans) else None


def about(span: Span, since: Micros, until: Micros) -> int:
    """How many of these spans there are between two moments, give or take some."""
    return max(0, until - since) // _LENGTHS[span] + 1

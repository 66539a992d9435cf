"""What is asked for: how much, over which days, from which seed. And what follows from it alone: ids, chance, times."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from typing import Final

from msgspec import Struct

from stenograph.errors import Invalid

MOST_TRACES: Final = 100_000
MOST_DAYS: Final = 90
_EARLIEST: Final = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_AHEAD: Final = dt.timedelta(days=1)
"""Clocks differ."""


class Plan(Struct, frozen=True):
    """`until` is the moment at which the data ends, in UTC."""

    until: dt.datetime
    days: float = 7
    seed: int = 1
    traces: int = 2000

    @property
    def since(self) -> dt.datetime:
        return self.until - dt.timedelta(days=self.days)

    def at(self, share: float) -> dt.datetime:
        """The moment when this share of the time is over."""
        return self.since + (self.until - self.since) * share

    def chance(self, *purpose: object) -> random.Random:
        """Numbers for one purpose. Those of one do not depend on how many another has drawn."""
        return random.Random("/".join(map(str, (self.seed, *purpose))))  # noqa: S311


class Ids(Struct, frozen=True):
    """Ids that follow from what they are of. `within` is something of the server's, such as a project's id: the demo of
    one workspace never meets that of another, and what was deleted is not what comes next."""

    within: uuid.UUID
    seed: int

    def of(self, *what: object) -> str:
        return str(self.uuid(*what))

    def uuid(self, *what: object) -> uuid.UUID:
        return uuid.uuid5(self.within, "/".join(map(str, (self.seed, *what))))


def plan(until: str | None, days: float, seed: int, traces: int, now: dt.datetime) -> Plan:
    """Invalid says what cannot be. Without `until` the data ends now."""
    if not 1 <= traces <= MOST_TRACES:
        raise Invalid(f"--traces is 1 to {MOST_TRACES:,}, not {traces:,}")
    if not 1 <= days <= MOST_DAYS:
        raise Invalid(f"--days is 1 to {MOST_DAYS}, not {days:g}")
    end = _time(until) if until else now
    if not _EARLIEST <= end <= now + _AHEAD:
        raise Invalid(f"--until {end:%Y-%m-%d} is not a time between {_EARLIEST:%Y} and now")
    return Plan(end.replace(microsecond=0), days, seed, traces)


def _time(text: str) -> dt.datetime:
    try:
        found = dt.datetime.fromisoformat(text.strip())
        found = found if found.tzinfo else found.replace(tzinfo=dt.UTC)
        return found.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise Invalid(f"--until {text[:60]!r} is no time, such as 2026-05-14T16:00:00Z") from None


def moment(when: dt.datetime) -> str:
    """As clients send it."""
    return when.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

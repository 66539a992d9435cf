"""What ran when: versions of the agent, of which one is slow and one breaks payments, for a reader to find."""

from __future__ import annotations

import datetime as dt
from typing import Final

from msgspec import Struct

from stenograph.demo.plan import Plan
from stenograph.demo.runs import ANSWERING, SLOW, Model

_DAY: Final = dt.timedelta(days=1)
SURGE: Final = 0.8
"""From this share of the time on, a code of the newsletter is refused and many ask why."""


class Release(Struct, frozen=True):
    """One version, from `since` until the next."""

    version: str
    since: dt.datetime
    model: Model = ANSWERING
    breaks_payments: bool = False


def releases(plan: Plan) -> tuple[Release, ...]:
    """In order of time: a version that answers by a slower model for a day, and one whose payment tool times out from
    morning to afternoon, both on working days where there are enough of them."""
    slow, back = _span(plan, 0.34, 7.5, 24)
    broken, mended = _span(plan, 0.68, 8.7, 6.2)
    return (
        Release("2.3.1", plan.since),
        Release("2.4.0", slow, SLOW),
        Release("2.4.1", back),
        Release("2.5.0", broken, breaks_payments=True),
        Release("2.5.1", mended),
    )


def _span(plan: Plan, share: float, hour: float, hours: float) -> tuple[dt.datetime, dt.datetime]:
    if plan.days < 4:
        return plan.at(share), plan.at(share + 0.1)
    day = plan.at(share).replace(hour=0, minute=0, second=0)
    while day.weekday() > 4:
        day -= _DAY
    start = day + dt.timedelta(hours=hour)
    return start, start + dt.timedelta(hours=hours)


def running(at: dt.datetime, known: tuple[Release, ...]) -> Release:
    return next((each for each in reversed(known) if each.since <= at), known[0])

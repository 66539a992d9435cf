"""How long traces are kept: what a workspace and its projects ask for, and what that comes to.

Nothing is ever deleted by age in a workspace that has not asked for it, whatever its projects say.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from stenograph.model.runs import Micros

DAY: Final = 86_400_000_000
"""Microseconds."""

MAX_DAYS: Final = 36_500
"""A hundred years. In a project's own days it stands for ever: a null means that the project says nothing."""

SHORT_DAYS: Final = 14
LONG_DAYS: Final = 400
"""What LangSmith's two tiers are worth where a client names one and gives no days (its documentation of data
retention)."""


class Tier(StrEnum):
    """LangSmith's names: traces in general, and those that are kept longer."""

    SHORT = "shortlived"
    LONG = "longlived"


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """What a workspace has asked for. Days of None are for ever.

    `short_days` hold for traces in general, `long_days` for those that were judged and for projects of that tier;
    `tier` is that of projects that name none.
    """

    workspace: UUID
    short_days: int | None = None
    long_days: int | None = None
    tier: Tier = Tier.SHORT
    created_at: Micros = 0
    updated_at: Micros = 0


class OwnRetention(msgspec.Struct, frozen=True, kw_only=True):
    """What a project says of itself, None where it says nothing. An experiment that says nothing keeps its runs."""

    project: UUID
    name: str
    tier: Tier | None = None
    long_days: int | None = None
    experiment: bool = False

    @property
    def silent(self) -> bool:
        return self.tier is None and self.long_days is None


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """What was done last. `looked_to` is the moment as of which ages were reckoned, `ended_at` when that was over;
    `deleted_at`, `traces` and `runs` are of the last time that something was deleted."""

    looked_to: Micros
    ended_at: Micros
    deleted_at: Micros | None = None
    traces: int = 0
    runs: int = 0


class Queued(NamedTuple):
    """What is in annotation queues: single runs, and threads by their ids."""

    runs: frozenset[UUID]
    threads: frozenset[str]


class Limits(NamedTuple):
    """Days after which a trace goes, None for never: of one that nobody judged, and of one that somebody did."""

    plain: int | None
    judged: int | None


FOR_EVER: Final = Limits(None, None)


def limits(asked: Retention | None, own: OwnRetention | None = None) -> Limits:
    """What holds for a project's traces: for those of none, and of an unknown one, what the workspace says.

    What was judged is never kept shorter than what was not.
    """
    if asked is None or (own is not None and own.experiment and own.silent):
        return FOR_EVER
    tier, long = asked.tier, asked.long_days
    if own is not None:
        tier = own.tier or tier
        long = long if own.long_days is None else own.long_days
    long = None if long is not None and long >= MAX_DAYS else long
    plain = asked.short_days if tier is Tier.SHORT else long
    return Limits(plain, None if plain is None or long is None else max(plain, long))


class Term(NamedTuple):
    """Limits as moments before which everything has to lie, None for never, and the projects that they hold for."""

    plain: Micros | None
    judged: Micros | None
    projects: tuple[UUID, ...] = ()


class Aging(msgspec.Struct, frozen=True, kw_only=True):
    """Which traces of a workspace are older than they may be, at `now`.

    `rest` holds for all projects that no term names. Those in `without` are being deleted, and not seen.
    A page begins after the trace `after`, whose oldest run started then.
    """

    workspace: UUID
    now: Micros
    rest: Term
    terms: tuple[Term, ...] = ()
    without: tuple[UUID, ...] = ()
    after: tuple[Micros, UUID] | None = None
    limit: int = 20_000


class Aged(NamedTuple):
    """A trace that is too old for one that nobody judged, all of it; `even_judged` says whether for the others too.

    `oldest` and `youngest` are when its first and its last run started, `projects` where its runs are.
    """

    trace: UUID
    oldest: Micros
    youngest: Micros
    runs: int
    even_judged: bool
    projects: tuple[UUID, ...]


class AgedPage(NamedTuple):
    """`after` is where the next page begins, None behind the last one. A page may be empty and not the last: of the
    traces with old runs, some have young ones."""

    traces: list[Aged]
    after: tuple[Micros, UUID] | None

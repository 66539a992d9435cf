"""How far back a page of feedback reaches. The newest pieces are chosen among all that the projects in question have,
and reading their times takes longer than reading the page, unless a time is known that the page does not go beyond.

It is guessed from the pages that were read before. A guess is never trusted: a page that is full is the right one,
because whatever is left out is older; one that is not is read again without the guess.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from stenograph.model.feedback import Feedback
from stenograph.model.query import FeedbackQuery
from stenograph.model.runs import Micros

MOST: Final = 1000
"""Questions that are remembered, apart from their page."""

DEEPEST: Final = 5_000
"""Pieces up to the end of a page: for more than that a guess would leave little out."""

MARGIN: Final = 8
"""The time looked at is so many times the one that as many pieces took before: nine tenths more cost little."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """The newest piece that was seen, and the microseconds from one piece to the next."""

    newest: Micros
    apart: float


class Reach:
    """Remembers in memory: a restart costs the next pages what they would cost anyway."""

    def __init__(self) -> None:
        self._seen: OrderedDict[FeedbackQuery, _Seen] = OrderedDict()

    def since(self, query: FeedbackQuery) -> Micros | None:
        """A time before which the page probably has nothing; None where there is no telling."""
        if query.created_since is not None or query.offset + query.limit > DEEPEST:
            return None
        seen = self._seen.get(_apart_from_its_page(query))
        if seen is None:
            return None
        top = seen.newest if query.created_until is None else min(query.created_until, seen.newest)
        return top - int(seen.apart * (query.offset + query.limit) * MARGIN) - 1

    def learn(self, query: FeedbackQuery, page: Sequence[Feedback]) -> None:
        """To be told of every page that was read. One that is not full says that there is nothing to leave out."""
        question = _apart_from_its_page(query)
        before = self._seen.pop(question, None)
        if query.runs or query.ids or query.traces or len(page) < max(query.limit, 2):
            return
        newest, apart = page[0].created_at, (page[0].created_at - page[-1].created_at) / (len(page) - 1)
        if before is not None:
            newest, apart = max(newest, before.newest), max(apart, before.apart / 2)
        self._seen[question] = _Seen(newest, apart)
        if len(self._seen) > MOST:
            self._seen.popitem(last=False)


def _apart_from_its_page(query: FeedbackQuery) -> FeedbackQuery:
    return replace(query, limit=0, offset=0, created_until=None)

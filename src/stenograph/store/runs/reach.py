"""How far back a page of feedback reaches. The newest pieces are chosen among all that the projects in question have,
and reading their times takes longer than reading the page, unless a time is known that the page does not go beyond.

It is guessed from the pages that were read before: from where one as deep ended, which new pieces only move towards
now, or else from how far apart pieces lay. A guess is never trusted: a page that is full is the right one, because
whatever is left out is older; one that is not is read again without the guess.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
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
    """The newest piece that was seen, the microseconds from one piece to the next, and where pages from the newest on
    ended: the pieces up to there and the time of the last one, the deepest of each length in bits."""

    newest: Micros
    apart: float
    ends: Mapping[int, tuple[int, Micros]]

    def end(self, depth: int) -> Micros | None:
        """Where the pages ended that were as deep as this one or a little deeper."""
        found = [end for deepest, end in self.ends.values() if deepest >= depth]
        return max(found, default=None)


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
        depth = query.offset + query.limit
        top = seen.newest if query.created_until is None else min(query.created_until, seen.newest)
        guess = top - int(seen.apart * depth * MARGIN) - 1
        end = seen.end(depth) if query.created_until is None else None
        return guess if end is None else max(guess, end)  # an end is left behind where much has come since

    def learn(self, query: FeedbackQuery, page: Sequence[Feedback]) -> None:
        """To be told of every page that was read. One that is not full says that there is nothing to leave out."""
        question = _apart_from_its_page(query)
        before = self._seen.pop(question, None)
        if query.runs or query.ids or query.traces or len(page) < max(query.limit, 2):
            return
        newest, apart = page[0].created_at, (page[0].created_at - page[-1].created_at) / (len(page) - 1)
        ends: Mapping[int, tuple[int, Micros]] = {}
        if before is not None:
            newest, apart, ends = max(newest, before.newest), max(apart, before.apart / 2), before.ends
        if query.created_until is None and query.created_since is None:
            ends = _with_end(ends, query.offset + len(page), page[-1].created_at)
        self._seen[question] = _Seen(newest, apart, ends)
        if len(self._seen) > MOST:
            self._seen.popitem(last=False)


def _with_end(
    ends: Mapping[int, tuple[int, Micros]], depth: int, at: Micros
) -> Mapping[int, tuple[int, Micros]]:
    deepest, _ = ends.get(depth.bit_length(), (0, 0))
    return {**ends, depth.bit_length(): (depth, at)} if depth >= deepest else ends


def _apart_from_its_page(query: FeedbackQuery) -> FeedbackQuery:
    return replace(query, limit=0, offset=0, created_until=None)

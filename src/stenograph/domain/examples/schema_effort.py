"""How much work a document can make for the validator of a schema: an upper bound, found before it begins.

Subschemas that are referred to several times, one level after the other, multiply: a schema of 2 kB can ask a
billion questions about a document of 100 bytes, while the validator holds the interpreter. Which parts of the
schema look at a place, and how often, depends only on the names on the way to it; so each such state is worked
out once, and the document is walked with a look into a table at each place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import chain
from typing import Any, Final

from stenograph.domain.examples.schema_parts import Part

_ITEM: Final = 0
_OTHER: Final = 1
"""Labels of a step: into a list, or to a member that no `properties` names."""
_MAKING: Final = 20
"""Making a state costs us this many checks for each part in it."""


@dataclass(slots=True)
class Effort:
    """`checks` made, characters of `text` matched times the weight of patterns, values that could be in `copies`.

    Copies: an error holds the value it is about, so what could be wrong at each place counts times its size.
    """

    checks: int = 0
    text: int = 0
    copies: int = 0

    def within(self, limit: Effort) -> bool:
        return self.checks <= limit.checks and self.text <= limit.text and self.copies <= limit.copies


class _TooMuch(Exception):
    """Ends a walk."""


def effort(part: Part, document: Any, limit: Effort) -> Effort | None:
    """What checking a decoded document against a part of a schema comes to at most; None beyond the limit.

    RecursionError for a document that is nested beyond what Python can walk.
    """
    walk = _Walk(limit)
    try:
        walk.place(document, walk.state({id(part): (part, 1)}))
    except _TooMuch:
        return None
    return walk.spent if walk.spent.within(limit) else None


def unfolded(part: Part) -> Effort | None:
    """The most that a part can make of any one place, names and texts of one character: what it comes to when
    every reference is written out. None when it refers back to itself: then it depends on the document.
    """
    totals: dict[int, Effort] = {}
    stack: list[tuple[Part, bool]] = [(part, False)]
    open_parts: set[int] = set()
    while stack:
        each, finished = stack.pop()
        if finished:
            open_parts.discard(id(each))
            below = [totals[id(other)] for other in _below(each)]
            totals[id(each)] = Effort(
                each.checks + sum(total.checks for total in below),
                each.text + each.names + sum(total.text for total in below),
            )
        elif id(each) in open_parts:
            return None
        elif id(each) not in totals:
            open_parts.add(id(each))
            stack.append((each, True))
            stack += [(other, False) for other in _below(each) if id(other) not in totals]
    return totals[id(part)]


def _below(part: Part) -> Iterator[Part]:
    return chain(part.here, part.items, part.others, *part.members.values())


class _State:
    __slots__ = ("checks", "known", "names", "next", "parts", "text")

    def __init__(self, parts: list[tuple[Part, int]]) -> None:
        self.parts = parts
        self.checks = sum(part.checks * times for part, times in parts)
        self.text = sum(part.text * times for part, times in parts)
        self.names = sum(part.names * times for part, times in parts)
        self.known = frozenset().union(*(part.members for part, _ in parts))
        self.next: dict[str | int, _State] = {}


class _Walk:
    def __init__(self, limit: Effort) -> None:
        self.spent = Effort()
        self._limit = limit

    def place(self, value: Any, state: _State) -> int:
        """Account for a value and all below it; returns its size."""
        spent, size = self.spent, 1
        if type(value) is dict:
            for name, each in value.items():
                after = state.next.get(name) or self._member(state, name)
                spent.text += len(name) * (state.names + after.text)
                size += len(name) // 8 + self.place(each, after)
        elif type(value) is list:
            if value:
                after = state.next.get(_ITEM) or self._item(state)
                for each in value:
                    size += self.place(each, after)
        elif type(value) is str:
            spent.text += len(value) * state.text
            size += len(value) // 8
        spent.checks += state.checks
        spent.copies += state.checks * size
        if not spent.within(self._limit):
            raise _TooMuch
        return size

    def _member(self, state: _State, name: str) -> _State:
        label: str | int = name if name in state.known else _OTHER
        found = state.next.get(label)
        if found is None:
            looking: dict[int, tuple[Part, int]] = {}
            for part, times in state.parts:
                for below in (*part.members.get(name, ()), *part.others):
                    _add(looking, below, times)
            found = state.next[label] = self.state(looking)
        return found

    def _item(self, state: _State) -> _State:
        looking: dict[int, tuple[Part, int]] = {}
        for part, times in state.parts:
            for below in part.items:
                _add(looking, below, times)
        found = state.next[_ITEM] = self.state(looking)
        return found

    def state(self, looking: dict[int, tuple[Part, int]]) -> _State:
        """The state of a place that these parts look at, and those that they ask about it."""
        ranks = [part.rank for part, _ in looking.values()]
        by_rank = {part.rank: (part, times) for part, times in looking.values()}
        ranks.sort()
        parts: list[tuple[Part, int]] = []
        while ranks:
            part, times = by_rank[heappop(ranks)]
            parts.append((part, times))
            for below in part.here:
                before = by_rank.get(below.rank)
                if before is None:
                    heappush(ranks, below.rank)
                    by_rank[below.rank] = (below, times)
                else:
                    by_rank[below.rank] = (below, before[1] + times)
            self.spent.checks += _MAKING * (1 + len(part.here) + len(part.members))
            if not self.spent.within(self._limit):
                raise _TooMuch
        return _State(parts)


def _add(looking: dict[int, tuple[Part, int]], part: Part, times: int) -> None:
    before = looking.get(id(part))
    looking[id(part)] = (part, times + (before[1] if before else 0))

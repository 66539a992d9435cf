"""The words of a question that tell something, and how alike two words are."""

from __future__ import annotations

import re
from typing import Final

_WORD: Final = re.compile(r"\w+")

COMMON: Final = frozenset(
    """
    a about after all also an and any are as at be because been before being but by can could did do
    does doing down during each few for from further had has have having he her here hers him his how i
    if in into is it its itself just let may me might more most must my no nor not now of off on once
    only or other our ours out over own please same shall she should so some such than that the their
    theirs them then there these they this those through to too under until up us very was we were what
    when where which while who whom why will with would you your yours
    """.split()  # noqa: SIM905
)
"""English words that stand in every second text: looking for them costs much and finds nothing."""


def telling(text: str) -> list[str]:
    """The distinct words of a text in their order, in lower case, without those that say nothing; if that leaves none,
    all of them."""
    words = list(dict.fromkeys(word.lower() for word in _WORD.findall(text)))
    return [word for word in words if word not in COMMON] or words


def trigram_similarity(one: str, other: str) -> float:
    """The share of their trigrams, borders marked, that two words have in common; from 0 to 1 (as PostgreSQL's
    pg_trgm counts)."""
    first, second = _trigrams(one), _trigrams(other)
    return len(first & second) / len(first | second)


def _trigrams(word: str) -> set[str]:
    padded = f"  {word.lower()} "
    return {padded[start : start + 3] for start in range(len(padded) - 2)}

"""Names of clusters without a model: the phrases that tell a cluster from its siblings.

A phrase is good when much of the cluster has it (coverage) and its siblings have not (log-odds with a prior, Monroe et
al., 2008). Names are keywords, not sentences, and unique in a report: clients look clusters up by name.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from stenograph.domain.insights import words

SAMPLED: Final = 20_000
"""Texts whose phrases are counted."""

LONGEST: Final = 80
"""Characters of a name."""

_BEST: Final = 40
_LEAST_COVERAGE: Final = 0.3
"""Of the best phrase's coverage; and of the cluster, for a phrase to name a parent."""


class Phrases:
    """Which phrases the texts of each finest cluster have, and how often. Feed it, then ask."""

    def __init__(self) -> None:
        self._counts: dict[int, Counter[str]] = defaultdict(Counter)
        self._sizes: Counter[int] = Counter()
        self._upper: Counter[str] = Counter()
        self._seen: Counter[str] = Counter()

    def add(self, leaf: int, text: str) -> None:
        """A text counts once, however many traces say it: what a program writes would drown the rest otherwise."""
        self._counts[leaf].update(words.phrases(text))
        self._sizes[leaf] += 1
        for word in set(_LETTERS.findall(text)):
            self._seen[word.lower()] += 1
            if len(word) > 1 and word.isupper():
                self._upper[word.lower()] += 1

    def ranked(self, leaves: Sequence[int], siblings: Sequence[int]) -> list[tuple[str, float]]:
        """The best phrases of a cluster with their coverage, the best first. `siblings` are the leaves next to it."""
        own, size = self._summed(leaves)
        other, others = self._summed([leaf for leaf in siblings if leaf not in set(leaves)])
        if not size:
            return []
        scored: list[tuple[float, str, float]] = []
        least = max(1, size // 100)
        for phrase, count in own.items():
            if count < least:
                continue
            coverage = count / size
            odds = _log_odds(count, size) - _log_odds(other[phrase], others) if others else coverage
            score = coverage**0.8 * odds * (1.5 if " " in phrase else 1.0)
            if score > 0:
                scored.append((-score, phrase, coverage))
        best = sorted(scored)[:_BEST]
        if not best:
            return []
        floor = _LEAST_COVERAGE * max(coverage for _, _, coverage in best[:5])
        return [(phrase, coverage) for _, phrase, coverage in best if coverage >= floor]

    def _summed(self, leaves: Iterable[int]) -> tuple[Counter[str], int]:
        chosen = list(leaves)
        if len(chosen) == 1:
            return self._counts[chosen[0]], self._sizes[chosen[0]]
        total: Counter[str] = Counter()
        for leaf in chosen:
            total.update(self._counts[leaf])
        return total, sum(self._sizes[leaf] for leaf in chosen)

    def shown(self, phrase: str) -> str:
        """With the capitals of words that are mostly written so, such as SSO."""
        return " ".join(
            word.upper() if self._upper[word] * 2 > self._seen[word] else word for word in phrase.split()
        )


_LETTERS: Final = re.compile(r"[^\W\d_]+")


def _log_odds(count: int, size: int) -> float:
    return math.log((count + 0.5) / (max(size, count) - count + 0.5))


def picked(ranked: Sequence[tuple[str, float]], most: int = 2) -> list[str]:
    """The first phrases that repeat no word of one before them; a third when the first two are short."""
    found: list[str] = []
    stems: set[str] = set()
    for phrase, _ in ranked:
        own = {words.stem(word) for word in phrase.split()}
        if own & stems:
            continue
        found.append(phrase)
        stems |= own
        if len(found) >= most + (sum(map(len, found)) < 16):
            break
    return found


def title(phrases: Sequence[str], phrasing: Phrases) -> str:
    """As it is shown: the first letter a capital."""
    shown = [phrasing.shown(phrase) for phrase in phrases]
    joined = shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " & " + shown[-1]
    return (joined[:1].upper() + joined[1:])[:LONGEST]


def apart(ranked: Sequence[tuple[str, float]], name: str) -> list[str]:
    """Phrases that say something that the name does not."""
    said = {words.stem(word) for word in words.tokens(name)}
    return [phrase for phrase, _ in ranked if not said & {words.stem(word) for word in phrase.split()}][:4]


def of_children(names: Sequence[str]) -> str:
    """Of what has no phrase in common: its largest parts. Honest, where a general word would be a guess."""
    firsts = [re.split(r", | & ", name)[0] for name in names[:3]]
    more = len(names) - len(firsts)
    joined = ", ".join(dict.fromkeys(firsts))
    return (joined + (f" + {more} more" if more else ""))[:LONGEST]


def coherent(ranked: Sequence[tuple[str, float]]) -> bool:
    """Whether the best phrase is in enough of a parent's texts to speak for all."""
    return bool(ranked) and ranked[0][1] >= _LEAST_COVERAGE


class Names:
    """The names given so far in a report; no two alike, whatever their case."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = {name.casefold() for name in taken}

    def unique(self, name: str, further: Sequence[str] = ()) -> str:
        """The name, with the next phrase that makes it unlike all others, or a number."""
        wanted = [name, *(f"{name} ({phrase})" for phrase in further)]
        number = 2
        while True:
            for each in wanted:
                if each.casefold() not in self._taken:
                    self._taken.add(each.casefold())
                    return each
            wanted = [f"{name} ({number})"]
            number += 1


def cut(text: str, most: int) -> str:
    """At a word, with a mark when something is gone."""
    if len(text) <= most:
        return text
    return text[: most - 1].rsplit(" ", 1)[0].rstrip(" ,.;:") + "…"

"""Words and phrases of texts in any script, and which of them carry no subject."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|[.,;:!?()\[\]{}\n|\"“”]")
_UNSPACED: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f\uac00-\ud7a3]")
"""Scripts that put no spaces between words: pairs of characters stand for words there."""

_STOP_WORDS: Final = """
    a about above after again all also although am an and any are as at be because been before being below best between
    both but by can cannot could did do does doing don down during each else even few for from further get gets getting
    give given go going good got had has have having he hello help her here hers hey hi him his how however i if in into
    is it its just know let like make many may me might more most much must my need needs no nor not now of off ok okay
    on once one only or other our out over own please possible put regards really said same see she should since so
    some such take tell than thank thanks that the their them then there these they thing things this those through time
    to too tried try trying under until up us use used using very via want wanted wants was way we well were what when
    where whether which while who why will with without would yes yet you your yours
    i'd i'm i've i'll it's don't can't won't isn't doesn't that's what's let's
    aber als am an auch auf aus bei bin bitte das dem den der des die doch du ein eine einen einer er es für habe haben
    ich ihr im in ist ja kann können mein meine meinen meiner mich mir mit möchte nach nicht noch nur oder schon seit
    sie sind so um und uns von war was wenn wie wir wird wo zu zum zur
    au aux avec ce cette ces comment dans de des du elle en est et être il j'ai je la le les leur ma mes mon ne nous
    où par pas plus pour qu que qui sa se ses son sont sur un une vous voudrais
    al con como cuando cuándo de del dónde el ella en es esta este está hay la las lo los me mi mis muy no o para pero
    por que qué quiero se ser si sin su sus te un una y ya necesito busco
    com da do das dos e em eu na não nas no nos o os ou para por que se um uma
    che con da di e gli i il la le per non più sono un una
    tell user assistant system message request customer ticket
"""
STOP: Final = frozenset(_STOP_WORDS.split())
"""Frequent words of six languages and of conversations. They begin and end no phrase."""


def tokens(text: str) -> list[str]:
    """Lower-case words in their order, punctuation as single marks between them."""
    found: list[str] = []
    for word in _WORD.findall(text.lower().replace("’", "'")):
        if len(word) > 1 and _UNSPACED.search(word):
            found += [word[at : at + 2] for at in range(len(word) - 1)]
        else:
            found.append(word)
    return found


def terms(text: str) -> Iterator[str]:
    """What a text is indexed by: its words without the most frequent ones, and pairs that follow one another."""
    before = ""
    for word in tokens(text):
        if len(word) < 2 or word in STOP:
            before = ""
            continue
        yield word
        if before:
            yield f"{before} {word}"
        before = word


def phrases(text: str) -> set[str]:
    """One to three words in a row, no stop word at either end, none twice, inside punctuation."""
    words = tokens(text)
    found: set[str] = set()
    for start, first in enumerate(words):
        if not _carries(first):
            continue
        found.add(first)
        for end in range(start + 1, min(start + 3, len(words))):
            word = words[end]
            if len(word) == 1 and not word.isalnum():
                break
            if _carries(word) and word not in words[start:end]:
                found.add(" ".join(words[start : end + 1]))
    return found


def _carries(word: str) -> bool:
    return len(word) > 1 and word not in STOP and len(word) <= 30


def stem(word: str) -> str:
    """Near enough to see that two words are one: `flights` and `flight`, `booking` and `book`."""
    for ending in ("ings", "ing", "ies", "ers", "es", "ed", "er", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word

"""Long texts in pieces that a model reads whole, cut where sentences end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

LONGEST: Final = 1_000
"""Characters of a chunk: about 170 English words, within the 256 word pieces that the local model reads."""

# After a paragraph; after a sentence's end and what closes it; after an ideographic full stop; after a line.
_ENDS: Final = (
    re.compile(r"\n\s*\n"),
    re.compile(r"[.!?…]+[\"'”’)\]]*\s+|[。！？]+"),
    re.compile(r"\n|[;:,，、]\s*"),
    re.compile(r"\s+"),
)


def chunks(text: str, longest: int = LONGEST) -> list[str]:
    """Pieces of at most `longest` characters that joined make the text again.

    Cut at the ends of paragraphs where they fit, else of sentences, else of clauses, of words, anywhere. A text that
    is short enough is one chunk.
    """
    if len(text) <= longest:
        return [text]
    return list(_packed(_parts(text, longest, 0), longest))


def _parts(text: str, longest: int, level: int) -> Iterator[str]:
    """The text in parts of at most `longest`, no smaller than they have to be."""
    if len(text) <= longest:
        yield text
        return
    if level == len(_ENDS):
        for start in range(0, len(text), longest):
            yield text[start : start + longest]
        return
    start = 0
    for end in (found.end() for found in _ENDS[level].finditer(text)):
        yield from _parts(text[start:end], longest, level + 1)
        start = end
    if start < len(text):
        yield from _parts(text[start:], longest, level + 1)


def _packed(parts: Iterator[str], longest: int) -> Iterator[str]:
    held: list[str] = []
    size = 0
    for part in parts:
        if held and size + len(part) > longest:
            yield "".join(held)
            held, size = [], 0
        held.append(part)
        size += len(part)
    if held:
        yield "".join(held)

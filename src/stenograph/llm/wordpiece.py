"""Text as the word pieces that BERT models read: the uncased English vocabulary, by the reference's own rules.

Lower case, accents off, split at white space and punctuation, then the longest known piece first; Chinese characters
stand alone. `wordpieces.txt` is the vocabulary of all-MiniLM-L6-v2 (Apache-2.0), a piece a line, its id the line's
number. (Devlin et al., BERT, 2018; WordPiece as of Wu et al., 2016.)
"""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib.resources import files
from typing import Final

UNKNOWN: Final = 100
START: Final = 101
END: Final = 102

_LONGEST_WORD: Final = 100
"""Characters; a longer word is one unknown piece."""

_REMEMBERED: Final = 200_000
"""Words whose pieces are kept."""

_PER_PIECE: Final = 12
"""Characters of ordinary text a piece, well above the mean: more of a text than this is never looked at."""


class _Characters(dict[int, str | None]):
    """What becomes of each character, worked out when it is first met. At most as large as Unicode."""

    def __missing__(self, code: int) -> str | None:
        found = self[code] = _standing(chr(code), code)
        return found


def _standing(character: str, code: int) -> str | None:
    category = unicodedata.category(character)
    if character in "\t\n\r" or category == "Zs":
        return " "
    if category == "Mn" or category in ("Cc", "Cf", "Cs", "Co", "Cn") or code == 0xFFFD:
        return None
    ascii_symbol = 33 <= code <= 47 or 58 <= code <= 64 or 91 <= code <= 96 or 123 <= code <= 126
    if ascii_symbol or category[0] == "P" or _is_chinese(code):
        return f" {character} "
    return character


def _is_chinese(code: int) -> bool:
    return (
        0x4E00 <= code <= 0x9FFF
        or 0x3400 <= code <= 0x4DBF
        or 0x20000 <= code <= 0x2CEAF
        or 0xF900 <= code <= 0xFAFF
        or 0x2F800 <= code <= 0x2FA1F
    )


class WordPieces:
    """Turns texts into ids. Not for several threads at once."""

    def __init__(self) -> None:
        lines = files("stenograph.llm").joinpath("wordpieces.txt").read_text("utf-8").split("\n")
        self._ids = {piece: number for number, piece in enumerate(lines) if piece}
        self._words: dict[str, tuple[int, ...]] = {}
        self._characters = _Characters()

    def encode(self, text: str, most: int) -> list[int]:
        """At most `most` ids, the marks of start and end among them; what is too long loses its end."""
        found = [START]
        plain = unicodedata.normalize("NFD", text[: most * _PER_PIECE].lower())
        for word in plain.translate(self._characters).split():
            pieces = self._words.get(word)
            if pieces is None:
                pieces = self._pieces(word)
                if len(self._words) >= _REMEMBERED:
                    self._words.clear()
                self._words[word] = pieces
            found += pieces
            if len(found) >= most - 1:
                del found[most - 1 :]
                break
        found.append(END)
        return found

    def _pieces(self, word: str) -> tuple[int, ...]:
        if len(word) > _LONGEST_WORD:
            return (UNKNOWN,)
        found: list[int] = []
        start = 0
        while start < len(word):
            end = len(word)
            while end > start:
                known = self._ids.get(word[start:end] if start == 0 else f"##{word[start:end]}")
                if known is not None:
                    break
                end -= 1
            else:
                return (UNKNOWN,)
            found.append(known)
            start = end
        return tuple(found)


@cache
def word_pieces() -> WordPieces:
    """The one vocabulary of this process, read when it is first needed."""
    return WordPieces()

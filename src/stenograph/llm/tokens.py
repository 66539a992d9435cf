"""How many tokens a text is to a model.

OpenAI's two vocabularies come with this program (`*_base.gz`, published under the MIT licence; a token in base64 and
its rank a line), and its tokenizer cuts by them. For models of other makers the newer one is an estimate: theirs are
not published, and texts come to within a tenth or two of the same.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import tiktoken

NEWER: Final = "o200k_base"
OLDER: Final = "cl100k_base"

_OLDER_MODELS: Final = ("gpt-4-", "gpt-3.5", "gpt-35", "text-embedding-", "davinci-002", "babbage-002")
"""How the names of models begin that read the older vocabulary; `gpt-4` itself does, `gpt-4o` does not."""

_SUFFIX: Final = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
_PATTERNS: Final = {
    NEWER: "|".join(
        (
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+" + _SUFFIX,
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*" + _SUFFIX,
            r"\p{N}{1,3}",
            r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
            r"\s*[\r\n]+",
            r"\s+(?!\S)",
            r"\s+",
        )
    ),
    OLDER: r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]"
    r"|\s+(?!\S)|\s",
}
_DIGESTS: Final = {
    NEWER: "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    OLDER: "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
}
"""SHA-256 of the files as they are published."""

_LONGEST_RUN: Final = 20_000
"""Characters that are cut at a time: the time for one run without a border grows with the square of its length."""

PER_MESSAGE: Final = 4
"""Tokens that a chat model's own marks add to each message (OpenAI's cookbook, counting tokens)."""

PER_REPLY: Final = 3
"""And those with which every reply begins."""

PER_IMAGE: Final = 765
"""Of an image in high detail at 1024 x 1024 pixels; the true number depends on its size, which nobody tells us."""


def tokenizer_of(model: str) -> str:
    """The name of the vocabulary that texts are counted by for this model. A maker's name before a slash is passed
    over."""
    name = model.rpartition("/")[2].removeprefix("ft:").lower()
    return OLDER if name == "gpt-4" or name.startswith(_OLDER_MODELS) else NEWER


def count(text: str, model: str) -> int:
    """Tokens of a text. Marks such as <|endoftext|> count as the text that they are here."""
    encoding = _encoding(tokenizer_of(model))
    parts = (text[start : start + _LONGEST_RUN] for start in range(0, len(text), _LONGEST_RUN))
    return sum(len(encoding.encode_ordinary(part)) for part in parts)


def is_loaded(model: str) -> bool:
    """Whether counting for this model begins at once."""
    return tokenizer_of(model) in _loaded


def count_all(texts: Iterable[str], model: str) -> int:
    return sum(count(text, model) for text in texts)


_loaded: Final[set[str]] = set()


@cache
def _encoding(name: str) -> tiktoken.Encoding:
    """Half a second and some 60 MB, when a chat first needs it."""
    import tiktoken

    raw = gzip.decompress(files("stenograph.llm").joinpath(f"{name}.gz").read_bytes())
    if hashlib.sha256(raw).hexdigest() != _DIGESTS[name]:
        raise ValueError(f"the vocabulary {name} is damaged: install the package again")
    ranks = {
        base64.b64decode(token): int(rank)
        for token, _, rank in (line.partition(b" ") for line in raw.splitlines())
    }
    made = tiktoken.Encoding(name, pat_str=_PATTERNS[name], mergeable_ranks=ranks, special_tokens={})
    _loaded.add(name)
    return made

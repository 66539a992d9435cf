"""The grammar of LangSmith's run filter language: text to calls, names, literals and lists. No meaning yet.

    expr     := ident "(" [arg {"," arg}] ")"
    arg      := expr | name | literal | list
    literal  := "str" | 'str' (backslash escapes) | number | true | false | null
    list     := "[" [literal {"," literal}] "]"

White space is free. True, False and None are read as Python users write them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NoReturn, TypeAlias

from stenograph.errors import Invalid

MAX_LENGTH: Final = 20_000
MAX_DEPTH: Final = 50


@dataclass(frozen=True, slots=True)
class Number:
    """As it was written: what it is compared with decides what it becomes."""

    text: str


@dataclass(frozen=True, slots=True)
class Literal:
    value: str | Number | bool | None
    at: int


@dataclass(frozen=True, slots=True)
class Name:
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class ListOf:
    items: tuple[Literal, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    args: tuple[Argument, ...]
    at: int


Argument: TypeAlias = "Call | Name | Literal | ListOf"


def read(text: str, where: str) -> Call:
    """The one expression that `text` is. Raises Invalid, with the offset of the mistake."""
    return _Reader(text, where).whole()


def fail(message: str, where: str, at: int) -> NoReturn:
    raise Invalid(f"{where}, at character {at}: {message}", where=("body", where), position=at)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int

    def __str__(self) -> str:
        return "the end" if self.kind == "end" else repr(self.text)


_TOKEN: Final = re.compile(
    r"""(?P<space>\s+)
      | (?P<name>[A-Za-z_][A-Za-z0-9_.]*)
      | (?P<number>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
      | (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<mark>[()\[\],])""",
    re.VERBOSE | re.DOTALL,
)
_WORDS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None, "none": None}


class _Reader:
    """Recursive descent with one token of look-ahead. Length and depth are bounded, so the stack is too."""

    def __init__(self, text: str, where: str) -> None:
        self._where = where
        if len(text) > MAX_LENGTH:
            self._fail(f"the filter is longer than {MAX_LENGTH:,} characters", MAX_LENGTH)
        self._tokens = self._split(text)
        self._next = next(self._tokens)

    def whole(self) -> Call:
        if self._next.kind == "end":
            self._fail('the filter is empty: write for example eq(name, "x")', 0)
        expression = self._argument(1)
        if not isinstance(expression, Call):
            self._fail('a filter is a function call, for example eq(name, "x")', expression.at)
        if self._next.kind != "end":
            self._fail(
                f"expected the end, found {self._next}; join conditions with and(…) or or(…)",
                self._next.at,
            )
        return expression

    def _argument(self, depth: int) -> Argument:
        token = self._take()
        if depth > MAX_DEPTH:
            self._fail(f"nested deeper than {MAX_DEPTH} levels", token.at)
        if token.kind == "name" and self._next.text == "(" and self._next.kind == "mark":
            self._take()
            return Call(token.text, tuple(self._items(")", depth)), token.at)
        if token.kind == "name" and token.text.lower() not in _WORDS:
            return Name(token.text, token.at)
        if token.kind == "mark" and token.text == "[":
            return ListOf(tuple(self._literals(depth)), token.at)
        return self._literal(token)

    def _items(self, close: str, depth: int) -> Iterator[Argument]:
        """What stands between brackets; the opening one is taken already."""
        if self._next.text == close and self._next.kind == "mark":
            self._take()
            return
        while True:
            yield self._argument(depth + 1)
            token = self._take()
            if token.kind == "mark" and token.text == close:
                return
            if token.kind != "mark" or token.text != ",":
                self._fail(f"expected ',' or {close!r}, found {token}", token.at)

    def _literals(self, depth: int) -> Iterator[Literal]:
        for item in self._items("]", depth):
            if not isinstance(item, Literal):
                self._fail("a list holds only strings, numbers, true and false", item.at)
            yield item

    def _literal(self, token: _Token) -> Literal:
        if token.kind == "string":
            return Literal(self._unescaped(token), token.at)
        if token.kind == "number":
            return Literal(Number(token.text), token.at)
        if token.kind != "name":
            self._fail(f"expected a value, a field or a function, found {token}", token.at)
        return Literal(_WORDS[token.text.lower()], token.at)

    def _unescaped(self, token: _Token) -> str:
        text = _ESCAPE.sub(_character, token.text[1:-1])
        try:
            # two escapes may be the halves of one character
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self._fail("half of a surrogate pair is no character", token.at)

    def _take(self) -> _Token:
        token = self._next
        if token.kind != "end":
            self._next = next(self._tokens)
        return token

    def _split(self, text: str) -> Iterator[_Token]:
        at = 0
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                if text[at] in "\"'":
                    self._fail("this string does not end", at)
                self._fail(f"unexpected {text[at]!r}", at)
            kind = match.lastgroup or ""
            if kind != "space":
                yield _Token(kind, match.group(), at)
            at = match.end()
        yield _Token("end", "", len(text))

    def _fail(self, message: str, at: int) -> NoReturn:
        fail(message, self._where, at)


_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_ESCAPES: Final = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "b": "\b",
    "f": "\f",
    '"': '"',
    "'": "'",
    "/": "/",
    "\\": "\\",
}


def _character(match: re.Match[str]) -> str:
    """An escape we do not know keeps its backslash, so that the pattern "100\\%" arrives whole."""
    if match.group(1) is not None:
        return chr(int(match.group(1), 16))
    return _ESCAPES.get(match.group(2), match.group())

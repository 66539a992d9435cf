"""Regular expressions from users, admitted only when no text can make them run long.

Python's engine backtracks and holds the interpreter while it does: one `(a+)+$` would stop the whole server.
So a pattern is parsed first, and its worst case over a text of MAX_TEXT characters is bounded from above;
what could take more than MAX_STEPS is refused. The price is that some harmless patterns are refused too.
"""

from __future__ import annotations

import importlib
import re
from typing import Any, Final

from stenograph.errors import Invalid

MAX_TEXT: Final = 256
MAX_PATTERN: Final = 1024
MAX_STEPS: Final = 60_000_000
"""0.1 s to 0.3 s on the worst texts we found, e.g. two overlapping `+`, searched from every position."""

# The standard library's own parser; it has no public name. Its node names have been stable since Python 2.
_parser: Final[Any] = importlib.import_module("re._parser")

# One turn of a repeated group costs the engine about as much as this many characters.
_ITERATION: Final = 8

_REPEATS: Final = frozenset({"MAX_REPEAT", "MIN_REPEAT"})
_ONE_WAY: Final = frozenset({"LITERAL", "NOT_LITERAL", "ANY", "IN", "AT", "RANGE", "CATEGORY"})


class _Bound:
    """How many ways a part can match from one position, and how many steps trying all of them takes."""

    __slots__ = ("steps", "ways")

    def __init__(self, ways: int, steps: int) -> None:
        self.ways = min(ways, MAX_STEPS + 1)
        self.steps = min(steps, MAX_STEPS + 1)


def compile_bounded(pattern: str) -> re.Pattern[str]:
    """Compile `pattern` for `search` over one line of at most MAX_TEXT characters.

    Raises Invalid when it is no regular expression, or one that some text could keep busy for long.
    """
    if len(pattern) > MAX_PATTERN:
        raise Invalid(f"the pattern is longer than {MAX_PATTERN} characters")
    try:
        re.compile(pattern)
        compiled = re.compile(_LEADING.sub("", pattern))
        tree = _parser.parse(compiled.pattern)
        steps = _starts(tree) * _sequence(_without_tail(list(tree))).steps
    except (re.error, OverflowError) as error:
        raise Invalid(f"not a regular expression: {error}") from None
    except RecursionError:
        raise Invalid("the pattern is nested too deeply") from None
    if steps > MAX_STEPS:
        raise Invalid(
            "the pattern could take too long on some names: avoid repeats inside repeats, "
            "and more than two `.*` or `+`"
        )
    return compiled


def _starts(tree: Any) -> int:
    """From how many positions a search goes past the first node."""
    anchored = len(tree) > 0 and str(tree[0][0]) == "AT" and str(tree[0][1]) in _BEGINNINGS
    return 1 if anchored and not tree.state.flags & re.MULTILINE else MAX_TEXT + 1


# A search begins anywhere in any case: `.*` in front only makes it try every position once more.
_LEADING: Final = re.compile(r"^\^?(?:\.\*\??(?![?+*{]))+")


def _without_tail(nodes: list[Any]) -> list[Any]:
    """A repeat at the very end that may match nothing can't fail, so nothing is tried again because of it.

    `.*$` is such an end too: on one line, `.*` always reaches the end.
    """
    rest = nodes
    if rest and str(rest[-1][0]) == "AT" and str(rest[-1][1]) in {"AT_END", "AT_END_STRING"}:
        rest = rest[:-1]
        if not rest or str(rest[-1][0]) != "MAX_REPEAT" or str(rest[-1][1][2]) != "[(ANY, None)]":
            return nodes
    if rest and str(rest[-1][0]) in _REPEATS and rest[-1][1][0] == 0:
        body = rest[-1][1][2]
        return rest[:-1] if len(body) == 1 and str(body[0][0]) in _ONE_WAY else nodes
    return nodes


_BEGINNINGS: Final = frozenset({"AT_BEGINNING", "AT_BEGINNING_STRING"})


def _sequence(nodes: list[Any]) -> _Bound:
    ways = steps = 1
    before = ""
    for node in nodes:
        kind = str(node[0])
        part = _part(kind, node[1])
        if not kind == before == "LITERAL":  # a word costs what its first letter does
            steps += ways * part.steps
        ways = min(ways * part.ways, MAX_STEPS + 1)
        before = kind
    return _Bound(ways, steps)


def _part(kind: str, argument: Any) -> _Bound:
    if kind in _ONE_WAY:
        return _Bound(1, 1)
    if kind == "SUBPATTERN":
        return _sequence(list(argument[3]))
    if kind == "BRANCH":
        parts = [_sequence(list(branch)) for branch in argument[1]]
        return _Bound(sum(part.ways for part in parts), sum(part.steps for part in parts))
    if kind in _REPEATS:
        return _repeat(*argument)
    if kind == "POSSESSIVE_REPEAT":
        return _Bound(1, _repeat(*argument).steps)
    if kind == "ATOMIC_GROUP":
        return _Bound(1, _sequence(list(argument)).steps)
    if kind in {"ASSERT", "ASSERT_NOT"}:
        return _Bound(1, _sequence(list(argument[1])).steps)
    if kind == "GROUPREF":
        return _Bound(1, MAX_TEXT)
    raise Invalid("the pattern uses a construct that is not supported here: " + kind.lower())


def _repeat(low: int, high: Any, body: Any) -> _Bound:
    inner = _sequence(list(body))
    times = min(int(high), MAX_TEXT // max(int(body.getwidth()[0]), 1))
    if times <= 0:
        return _Bound(1, 1)
    if inner.ways == 1:
        return _Bound(max(times - low, 0) + 1, 1 + times * inner.steps)
    ways, steps, paths = 0, 1, 1
    for done in range(times + 1):
        ways += paths if done >= low else 0
        if done == times:
            break
        steps += paths * (inner.steps + _ITERATION)
        paths *= inner.ways
        if steps > MAX_STEPS:
            return _Bound(MAX_STEPS + 1, MAX_STEPS + 1)
    return _Bound(max(ways, 1), steps)

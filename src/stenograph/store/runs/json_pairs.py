"""Predicates on the key and value pairs inside a payload column, read from the whole JSON at query time.

A key is the names on the way to a scalar, joined with dots; lists add nothing to it. So `a.b` is found in
{"a":{"b":1}}, {"a":[[{"b":1}]]} and {"a.b":1} alike. No limit on how many keys or how long a value, but a
path deeper than 64 levels is not followed.

Each predicate is a cheap scan for text that must occur, then an exact test of the few rows left: the engine
evaluates the right side of AND only where the left side holds.

Columns hold what clients sent: white space may stand anywhere, and printable characters stand as themselves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final

from stenograph.model.filters import PairTest, Part, TestOp
from stenograph.store.runs.sql import Params
from stenograph.store.runs.text_tests import number, pair_part

_STRING: Final = r'"(?:[^"\\\\]|\\\\.)*"'
"""A JSON string as a regular expression, its backslashes doubled once for the SQL literal."""

_TOKENS: Final = f"extractAll({{column}}, '{_STRING}\\\\s*:?|-?[0-9][0-9.eE+-]*|true|false|null')"
"""Every scalar and every key of a document; keys are the tokens that end in a colon."""

_LEVELS: Final = (
    "range(toUInt64(least(64, arrayMax(arrayCumSum(arrayMap(x -> (x IN ('{{', '[')) - (x IN ('}}', ']')), "
    f"extractAll({{column}}, '{_STRING}|[\\\\[\\\\]{{{{}}}}]')))))))"
)
"""One element for each level that this document is deep; brackets inside strings do not count."""

_ROOT: Final = "trimLeft({column}, ' \\t\\n\\r')"

# Both folds keep a list of (path, JSON) and open every list and object in it once a step. `.` stands before
# each name of a path, so that the path of the document itself is ''.

_WALK: Final = (
    "arrayFold((found, i) -> arrayFlatten(arrayMap(n -> multiIf("
    "{stop}"
    "startsWith(n.2, '['), arrayMap(x -> (n.1, x), JSONExtractArrayRaw(n.2)), "
    "startsWith(n.2, '{{'), arrayMap(kv -> (substring(n.1, length(kv.1) + 2), kv.2), "
    "arrayFilter(kv -> n.1 = concat('.', kv.1) OR startsWith(n.1, concat('.', kv.1, '.')), "
    "JSONExtractKeysAndValuesRaw(n.2))), "
    f"n.1 = '', [n], []), found)), {_LEVELS}, arrayMap(p -> (p, {_ROOT}), {{paths}}))"
)
"""What stands at `paths`: of each element, the first half is what is left of its path."""

_FLATTEN: Final = (
    "arrayFold((found, i) -> arrayFlatten(arrayMap(n -> multiIf("
    "startsWith(n.2, '['), arrayMap(x -> (n.1, x), JSONExtractArrayRaw(n.2)), "
    "startsWith(n.2, '{{'), arrayMap(kv -> (concat(n.1, '.', kv.1), kv.2), "
    "JSONExtractKeysAndValuesRaw(n.2)), "
    f"[n]), found)), {_LEVELS}, [('', {_ROOT})])"
)

_SCALAR: Final = "substring(n.2, 1, 1) NOT IN ('{', '[', '')"
_MOST_PATHS: Final = 20  # from so many keys on, flattening is no dearer
_MOST_NEEDLES: Final = 100


def some_pair(column: str, tests: Sequence[PairTest], params: Params) -> str:
    """SQL, 0 or 1: some one pair of `column` passes all tests."""
    keys = [test for test in tests if test.part is Part.KEY]
    values = [test for test in tests if test.part is not Part.KEY]
    likely = [_likely_value(column, test, params) for test in values]
    if not keys:
        exact = (
            f"arrayExists(t -> NOT endsWith(t, ':') AND {_all(values, 't', params)}, {_at(_TOKENS, column)})"
        )
    elif _named(keys):
        names = [str(name) for name in keys[0].values]
        likely.insert(0, _key_occurs(column, names, params))
        exact = _at_keys(column, names, values, params)
    else:
        likely += [_likely_key(column, test, params) for test in keys]
        exact = (
            f"arrayExists(n -> {_SCALAR} AND {_all(keys, 'n.1', params)} AND {_all(values, 'n.2', params)}, "
            f"{_at(_FLATTEN, column)})"
        )
    return _both(*likely, exact)


def pair_at(column: str, key: str, values: Sequence[PairTest], params: Params) -> str:
    """SQL, 0 or 1: some scalar at `key` passes all tests."""
    likely = _key_occurs(column, [key], params)
    return _both(likely, _at_keys(column, [key], values, params))


def exists(column: str, key: str, params: Params) -> str:
    """SQL, 0 or 1: there is a scalar, list or object at `key`."""
    walk = _at(_WALK, column, stop="n.1 = '', [n], ", paths=_paths([key], params))
    return _both(_key_occurs(column, [key], params), f"arrayExists(n -> n.1 = '', {walk})")


def _at_keys(column: str, keys: Sequence[str], values: Sequence[PairTest], params: Params) -> str:
    walk = _at(_WALK, column, stop="", paths=_paths(keys, params))
    return f"arrayExists(n -> n.1 = '' AND {_SCALAR} AND {_all(values, 'n.2', params)}, {walk})"


def _paths(keys: Sequence[str], params: Params) -> str:
    if len(keys) == 1:
        return f"[{params.text('.' + keys[0])}]"
    return params.texts("." + key for key in keys)


def _both(*parts: str) -> str:
    return "(" + " AND ".join(filter(None, parts)) + ")"


def _named(keys: Sequence[PairTest]) -> bool:
    """One list of wanted names, short enough to go to each; the empty name belongs to no object."""
    first = keys[0]
    equality = first.op in (TestOp.EQ, TestOp.IN) and not first.negated and len(keys) == 1
    return equality and 0 < len(first.values) <= _MOST_PATHS and "" not in first.values


def _at(template: str, column: str, **rest: str) -> str:
    return template.format(column=column, **rest)


def _all(tests: Sequence[PairTest], source: str, params: Params) -> str:
    """The tests on keys (`source` is a path) or on values (`source` is JSON)."""
    sql = []
    for test in tests:
        if test.part is Part.KEY:
            sql.append(pair_part(test, f"substring({source}, 2)", params))
        else:
            text = f"if(startsWith({source}, '\"'), JSONExtractString({source}), {source})"
            sql.append(pair_part(test, text, params, source))
    return " AND ".join(sql) or "1"


# Text that must occur in a document for a test to hold in it.


def _key_occurs(column: str, keys: Sequence[str], params: Params) -> str:
    """A key is spread over the document, but its last name is not."""
    return occurs(column, TestOp.IN, [[key.rpartition(".")[2]] for key in keys], params)


def _likely_key(column: str, test: PairTest, params: Params) -> str:
    """A key is spread over the document, but not the pieces of it between dots."""
    if test.negated or test.op not in _NEEDLES:
        return ""
    names = [
        [name for piece in _literals(test.op, str(value)) for name in piece.split(".")]
        for value in test.values
    ]
    return occurs(column, test.op, names, params)


def _likely_value(column: str, test: PairTest, params: Params) -> str:
    if (
        test.negated
        or test.op not in _NEEDLES
        or any(number(str(value)) is not None for value in test.values)
    ):
        return ""  # 1.0 may be written as 1 or 10e-1
    return occurs(column, test.op, [_literals(test.op, str(value)) for value in test.values], params)


_NEEDLES: Final = frozenset({TestOp.EQ, TestOp.IN, TestOp.LIKE, TestOp.CONTAINS})


def occurs(column: str, op: TestOp, literals: Sequence[Sequence[str]], params: Params) -> str:
    """SQL, 0 or 1, that is 0 only where none of some texts can stand in a document; '' where it cannot be told.

    `literals`: for each alternative, the pieces that it consists of.
    """
    needles = [max(map(plain_piece, texts), key=len, default="") for texts in literals]
    if not 0 < len(needles) <= _MOST_NEEDLES or not all(needles):
        return ""
    if op is TestOp.CONTAINS:
        return f"positionCaseInsensitiveUTF8({column}, {params.text(needles[0])}) > 0"
    if len(needles) == 1:
        return f"position({column}, {params.text(needles[0])}) > 0"
    return f"multiSearchAny({column}, {params.texts(needles)})"


def _literals(op: TestOp, value: str) -> list[str]:
    return re.split(r"\\.|[%_]", value, flags=re.DOTALL) if op is TestOp.LIKE else [value]


def plain_piece(text: str) -> str:
    """The longest part that JSON writes only one way: no quote, slash, backslash or control character."""
    pieces = re.split(r'["\\/]', "".join(c if c.isprintable() else '"' for c in text))
    return max(pieces, key=len)


def in_json(text: str) -> list[str]:
    """`text` as it stands inside a JSON string: more than one way when it has a slash."""
    plain = json.dumps(text, ensure_ascii=False)[1:-1]
    return [plain, plain.replace("/", "\\/")] if "/" in plain else [plain]

"""Values inside runs as SQL: what stands at a path of a document, or was said under a key. Meaning: model/values.py.

A document is gone into step by step, along the path alone. As everywhere (see json_pairs.py), a cheap scan for text
that must occur comes first, and the walk is for the few rows that are left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from stenograph.model.feedback import APP, Shelf
from stenograph.model.filters import TestOp
from stenograph.model.values import Document, InDocument, InFeedback, Reading, ValueOp, ValueTest
from stenograph.store.runs.json_pairs import occurs, plain_piece
from stenograph.store.runs.rows import ZERO
from stenograph.store.runs.sql import Params
from stenograph.store.runs.text_tests import contains

_OPERATORS: Final = {ValueOp.EQ: "=", ValueOp.GT: ">", ValueOp.LT: "<"}
_INT64: Final = 2**63 - 1
_QUOTE: Final = '"'

# A list of (what is left of the path, JSON). Every name stands behind a dot, so that the path of the value is ''.
_STEP: Final = (
    "arrayFlatten(arrayMap(n -> multiIf(n.1 = '', [n], "
    "startsWith(n.2, '['), arrayFilter(x -> x.2 != '', arrayMap(d -> "
    "(substring(n.1, length(d) + 2), JSONExtractArrayRaw(n.2)[toUInt32(d) + 1]), "
    "extractAll(n.1, '^[.]([0-9]{{1,6}})(?:[.]|$)'))), "
    "startsWith(n.2, '{{'), arrayMap(kv -> (substring(n.1, length(kv.1) + 2), kv.2), "
    "arrayFilter(kv -> n.1 = concat('.', kv.1) OR startsWith(n.1, concat('.', kv.1, '.')), "
    "JSONExtractKeysAndValuesRaw(n.2))), []), {found}))"
)

_ISO: Final = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?$"
)


def holds(test: ValueTest, params: Params, feedback_of: Callable[[], str]) -> str:
    """SQL, 0 or 1. `feedback_of` gives an SQL condition on the feedback of the runs in question."""
    place = test.place
    if isinstance(place, InFeedback) and not place.path:
        said = f"{feedback_of()} AND run_id != '{ZERO}' AND {SHELVES[place.shelf]}"
        something = f"({_TOKEN} != '' OR ifNull(comment, '') != '')"
        return f"id IN (SELECT run_id FROM feedback FINAL WHERE {said} AND {something})"
    if isinstance(place, InFeedback):
        found = judgements(place, params, feedback_of())
        return f"id IN (SELECT run_id FROM ({found.source}) WHERE {_some(found.tokens, test, params)})"
    if place.document is Document.METADATA and place.path:
        return _any(_at_key(place.path, at, test, params) for at in range(1, len(place.path) + 1))
    column, within, path = _parts(place)
    if not path and not within:
        return _of_document(column, test, params)
    likely = [_name_occurs(column, (*within, *path), params), _value_occurs(column, test, params)]
    return _all([*likely, _some([_tokens(column, within, path, params)], test, params)])


def text(place: InDocument, params: Params) -> str:
    """SQL: what stands there, as text; NULL where there is nothing. Of several values, the first."""
    if place.document is Document.METADATA and place.path:
        ways = []
        for at in range(1, len(place.path) + 1):
            key, inner = params.text(".".join(place.path[:at])), place.path[at:]
            value = f"metadata[{key}]"
            if inner:
                token = f"{_walk(value, inner, params)}[1]"
                ways.append((f"{token} != ''", text_of(token)))
            else:
                ways.append((f"mapContains(metadata, {key})", value))
        chosen = ", ".join(f"{condition}, {value}" for condition, value in reversed(ways))
        return f"multiIf({chosen}, NULL)"
    column, within, path = _parts(place)
    if not path and not within:
        return f"nullIf({column}, '')"
    token = f"{_tokens(column, within, path, params)}[1]"
    return f"if({token} != '', {text_of(token)}, NULL)"


def text_of(token: str) -> str:
    """SQL: a JSON value as text."""
    return f"if(startsWith({token}, '\"'), JSONExtractString({token}), {token})"


def members(place: InDocument, params: Params) -> str:
    """SQL: an array of the names of what stands there, empty unless it is an object."""
    if place.document is Document.METADATA and not place.path:
        return "arrayMap(k -> toString(k), mapKeys(metadata))"
    column, within, path = _parts(place)
    source = f"{_tokens(column, within, path, params)}[1]" if within or path else column
    return f"JSONExtractKeys({source})"


# -- documents -------------------------------------------------------------------------------------------


def _parts(place: InDocument) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """The column, what is gone into by name, and the path from there on. Only `extra` has metadata as one document."""
    if place.document is Document.METADATA:
        return "extra", ("metadata",), place.path
    return place.document.value, place.within, place.path


def _of_document(column: str, test: ValueTest, params: Params) -> str:
    if test.op is ValueOp.EXISTS:
        return f"JSONLength({column}) > 0"
    return _all([f"{column} != ''", passes(column, test, params)])


def _tokens(column: str, within: Sequence[str], path: Sequence[str], params: Params) -> str:
    """An array of the JSON values at a path within something."""
    if not within:
        return _walk(column, path, params)
    inner = f"JSONExtractRaw({column}, {', '.join(map(params.text, within))})"
    return _walk(inner, path, params) if path else f"arrayFilter(t -> t NOT IN ('', 'null'), [{inner}])"


def _walk(column: str, path: Sequence[str], params: Params) -> str:
    """An array of the JSON values at a path.

    Where no name can hold a dot, and none can be a number, there is one way to go, which the engine knows itself.
    """
    if not all(step and plain_piece(step) == step and not step.isdecimal() for step in path):
        return _steps(column, path, params)
    direct = f"JSONExtractRaw({column}, {', '.join(map(params.text, path))})"
    direct = f"arrayFilter(t -> t NOT IN ('', 'null'), [{direct}])"
    if len(path) == 1:
        return direct
    dotted = params.texts(f"{one}.{other}" for one, other in pairwise(path))
    return f"if(multiSearchAny({column}, {dotted}), {_steps(column, path, params)}, {direct})"


def _steps(column: str, path: Sequence[str], params: Params) -> str:
    """The same step by step, by whatever leads there."""
    root = f"[({params.text('.' + '.'.join(path))}, trimLeft({column}, ' \\t\\n\\r'))]"
    walked = f"arrayFold((found, i) -> {_STEP.format(found='found')}, range({len(path)}), {root})"
    return f"arrayMap(n -> n.2, arrayFilter(n -> n.1 = '' AND n.2 NOT IN ('', 'null'), {walked}))"


def _at_key(path: Sequence[str], at: int, test: ValueTest, params: Params) -> str:
    """The first steps are the name of a metadata key, and the rest goes on inside its value."""
    key, inner = params.text(".".join(path[:at])), path[at:]
    value = f"metadata[{key}]"
    if inner:
        likely = [_name_occurs(value, inner, params), _value_occurs(value, test, params)]
        return _all([*likely, _some([_walk(value, inner, params)], test, params)])
    if test.op is ValueOp.EXISTS:
        return f"mapContains(metadata, {key})"
    passed = passes(value, test, params)
    if test.op is ValueOp.EQ and test.value != "":
        return passed  # the map has '' for a key that is not there
    return _all([f"mapContains(metadata, {key})", passed])


def _name_occurs(column: str, path: Sequence[str], params: Params) -> str:
    """The last step that is a name for sure has to stand in the document, at the end of a text."""
    name = next((step for step in reversed(path) if step and not step.isdecimal()), "")
    if plain_piece(name) == name:
        return f"position({column}, {params.text(name + _QUOTE)}) > 0" if name else ""
    return occurs(column, TestOp.EQ, [[name]], params)


def _value_occurs(column: str, test: ValueTest, params: Params) -> str:
    if test.reading is not Reading.TEXT or test.op not in (ValueOp.EQ, ValueOp.CONTAINS):
        return ""
    wanted = TestOp.CONTAINS if test.op is ValueOp.CONTAINS else TestOp.EQ
    return occurs(column, wanted, [[str(test.value)]], params)


# -- tests -----------------------------------------------------------------------------------------------


def _some(tokens: Sequence[str], test: ValueTest, params: Params) -> str:
    """SQL, 0 or 1: one of the JSON values in these arrays passes."""
    array = tokens[0] if len(tokens) == 1 else f"arrayConcat({', '.join(tokens)})"
    if test.op is ValueOp.EXISTS:
        return f"notEmpty({array})"
    return f"arrayExists(t -> {passes(text_of('t'), test, params)}, {array})"


def passes(source: str, test: ValueTest, params: Params) -> str:
    """SQL, 0 or 1, that this text passes; it must not ask for existence."""
    value = test.value
    if test.op is ValueOp.CONTAINS:
        return contains(source, str(value), params)
    operator = _OPERATORS[test.op]
    if test.reading is Reading.TEXT:
        return f"{source} {operator} {params.text(str(value))}"
    if test.reading is Reading.FLAG:
        return f"{source} = '{'true' if value else 'false'}'"
    assert isinstance(value, int | float)
    if test.reading is Reading.NUMBER:
        return f"ifNull(toFloat64OrNull({source}) {operator} {params.number(value)}, 0)"
    bound = params.integer(max(-_INT64, min(int(value), _INT64)))
    return f"ifNull({moment(source)} {operator} {bound}, 0)"


def number(source: str) -> str:
    """SQL: a text as a number that can be reckoned with, truth being 1 and its opposite 0; else NULL."""
    value = f"multiIf({source} = 'true', 1., {source} = 'false', 0., toFloat64OrNull({source}))"
    return f"if(isFinite(ifNull({value}, nan)), {value}, NULL)"


def moment(source: str) -> str:
    """SQL: a text as a moment, in microseconds since the epoch; else NULL."""
    return (
        f"multiIf(match({source}, '^-?[0-9]{{1,15}}([.][0-9]{{1,20}})?$'),"
        f" toInt64OrNull(toString(round(toFloat64OrNull({source}) * 1000))),"
        f" match({source}, '{_ISO}'),"
        f" toUnixTimestamp64Micro(parseDateTime64BestEffortOrNull({source}, 6, 'UTC')), NULL)"
    )


def _all(parts: Sequence[str]) -> str:
    given = [part for part in parts if part]
    return given[0] if len(given) == 1 else f"({' AND '.join(given)})"


def _any(parts: Iterable[str]) -> str:
    given = list(parts)
    return given[0] if len(given) == 1 else f"({' OR '.join(given)})"


# -- feedback --------------------------------------------------------------------------------------------

_MARK: Final = (
    "if(position(source, '\"honeyhive\"') > 0, JSONExtractString(source, 'metadata', 'honeyhive'), '')"
)
SHELVES: Final = {
    Shelf.METRICS: f"({_MARK} = 'metrics' OR {_MARK} != 'feedback' AND source_type != '{APP}')",
    Shelf.FEEDBACK: f"({_MARK} = 'feedback' OR {_MARK} != 'metrics' AND source_type = '{APP}')",
}
"""What model.feedback.shelf says, over the columns of `feedback`."""

_TOKEN: Final = (
    "multiIf(raw_score != '', raw_score, score IS NOT NULL, toString(assumeNotNull(score)),"
    " value != 'null', value, '')"
)
_AGE: Final = "(modified_at, created_at, toString(id))"
EXPLANATION: Final = "_explanation"


@dataclass(frozen=True, slots=True)
class Judgements:
    """A subquery with a row a run, `run_id` its id; and arrays over its columns of the JSON values at a place."""

    source: str
    tokens: tuple[str, ...]


def judgements(place: InFeedback, params: Params, feedback_of: str) -> Judgements:
    """What was said of runs at a place. Of runs of which nothing was said there may be no row."""
    splits = [(".".join(place.path[:at]), place.path[at:]) for at in range(1, len(place.path) + 1)]
    keys: dict[str, int] = {}  # each with the number of its columns
    for key, _ in splits:
        keys.setdefault(key, len(keys))
        if base := _explained(key):
            keys.setdefault(base, len(keys))
    columns = []
    for key, column in keys.items():
        name = params.text(key)
        columns += [
            f"argMaxIf(token, age, key = {name}) AS said{column}",
            f"argMaxIf(words, age, key = {name}) AS words{column}",
            f"maxIf(age, key = {name}) AS age{column}",
        ]
    tokens = []
    for key, inner in splits:
        own, explained = keys[key], _explained(key)
        shown = f"said{own}"
        if explained:
            base = keys[explained]
            newer = f"words{base} != '' AND (said{own} = '' OR age{own} < age{base})"
            shown = f"if({newer}, toJSONString(words{base}), said{own})"
        if inner:
            tokens.append(_walk(shown, inner, params))
        else:
            tokens.append(f"arrayFilter(t -> t != '', [{shown}])")
    rows = (
        f"SELECT run_id, key, {_TOKEN} AS token, ifNull(comment, '') AS words, {_AGE} AS age FROM feedback FINAL"
        f" WHERE {feedback_of} AND run_id != '{ZERO}' AND key IN {params.texts(keys)} AND {SHELVES[place.shelf]}"
    )
    return Judgements(f"SELECT run_id, {', '.join(columns)} FROM ({rows}) GROUP BY run_id", tuple(tokens))


def _explained(key: str) -> str:
    """The key whose comment stands under this one; '' where it can be none."""
    return key.removesuffix(EXPLANATION) if key.endswith(EXPLANATION) else ""

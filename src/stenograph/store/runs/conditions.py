"""A filter as one boolean SQL expression over the table `runs`.

The expression names columns without a table and belongs into a WHERE or PREWHERE: only there does the engine
read the word indexes, and apply their preprocessor where a part has none. It is 0 or 1, never NULL.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, assert_never
from uuid import UUID

from stenograph.model.feedback_formulas import Applied
from stenograph.model.filters import (
    IDENTITIES,
    KINDS,
    And,
    Compare,
    Contains,
    Exists,
    Field,
    Filter,
    HasTag,
    InCluster,
    Kind,
    Like,
    Member,
    Not,
    OneOf,
    Or,
    PairKind,
    Pairs,
    PairTest,
    Part,
    Rare,
    Scalar,
    Search,
    TestOp,
    Text,
    TraceCount,
    Word,
    words,
)
from stenograph.model.values import ValueTest
from stenograph.store.runs import composites, json_pairs, values
from stenograph.store.runs.rows import ZERO
from stenograph.store.runs.sql import Params
from stenograph.store.runs.text_tests import OPERATORS, contains, like, pair_part


def condition(
    wanted: Filter,
    params: Params,
    workspace: UUID,
    *,
    within: str = "",
    projects: Sequence[UUID] = (),
    formulas: Sequence[Applied] = (),
) -> str:
    """The SQL for `wanted`; its values are added to `params`.

    Runs of other workspaces are not excluded here, but subqueries read `workspace` only. `within` is an SQL
    condition over `runs` that holds for all runs of every trace in question (their project, say): it narrows
    the subquery that adds up a trace's tokens and costs. `projects`, where given, are those of all runs in
    question: only feedback of these is looked at. What `formulas` compute is found like given feedback. The
    condition has to stand in a WHERE over the table itself: only there do the word indexes and their preprocessor
    apply.
    """
    return _Compiler(params, workspace, within, tuple(projects), tuple(formulas)).condition(wanted)


_LATENCY: Final = "dateDiff('microsecond', start_time, end_time)"
_NULLABLE: Final = frozenset(
    {"parent_run_id", "reference_example_id", "error", "end_time", "first_token_time"}
)
_LATEST: Final = 10_413_791_999_999_999  # the end of 2299, DateTime64's last moment
_EARLIEST: Final = -2_208_988_800_000_000  # the beginning of 1900, its first
_INT64: Final = 2**63 - 1
_DEAREST: Final = 10**37  # Decimal128(12) holds 26 digits before its point
_MOST_SPLITS: Final = 3
_MOST_SOUGHT: Final = 1000
_MOST_LOOKUPS: Final = 8  # from so many keys on, reading the whole map is no dearer


@dataclass(frozen=True, slots=True)
class _Compiler:
    params: Params
    workspace: UUID
    within: str
    projects: tuple[UUID, ...]
    formulas: tuple[Applied, ...]

    def condition(self, node: Filter) -> str:
        """An expression that can stand beside AND, OR and NOT as it is."""
        match node:
            case And():
                return self._joined("AND", [self.condition(part) for part in node.parts])
            case Or():
                return self._joined("OR", [self.condition(part) for part in node.parts])
            case Not():
                return self._negated(self.condition(node.part))
            case Compare():
                return self._compare(node)
            case Member():
                return self._member(node)
            case Contains():
                return self._contains(node)
            case Like():
                return self._text(node.place, lambda text: like(text, node.pattern, self.params))
            case HasTag():
                return f"has(tags, {self.params.text(node.tag)})"
            case Search():
                return self._joined("AND", [self._word(word) for word in words(node.text)])
            case Exists():
                return self._exists(node)
            case Pairs():
                return self._pairs(node)
            case ValueTest():
                return values.holds(node, self.params, self._feedback_of)
            case TraceCount():
                return self._trace_count(node)
            case Rare():
                return self._rare(node)
            case OneOf():
                return self._one_of(node)
            case InCluster():
                raise ValueError("clusters give way to the ids of their runs before a store is asked")
            case _:
                assert_never(node)

    # Constants are folded here: the engine, doing it, took NOT (words AND 1) for true of every run.

    def _joined(self, operator: str, parts: list[str]) -> str:
        idle, decisive = ("1", "0") if operator == "AND" else ("0", "1")
        if decisive in parts:
            return decisive
        parts = [part for part in parts if part != idle]
        if not parts:
            return idle
        return parts[0] if len(parts) == 1 else "(" + f" {operator} ".join(parts) + ")"

    def _negated(self, part: str) -> str:
        return {"0": "1", "1": "0"}.get(part) or f"NOT ({part})"

    # plain fields

    def _compare(self, node: Compare) -> str:
        field, value = node.field, node.value
        if value is None:
            return self._absent(field, node.alone)
        operator = OPERATORS[node.op.value]
        if KINDS[field] in (Kind.COUNT, Kind.MONEY):
            return self._usage(
                field, lambda column: f"{column} {operator} {self._value(field, value)}", node.alone
            )
        if field is Field.LATENCY:
            return f"ifNull({_LATENCY} {operator} {self._value(field, value)}, 0)"
        return self._present(field, f"{_column(field)} {operator} {self._value(field, value)}")

    def _absent(self, field: Field, alone: bool = False) -> str:
        column, kind = _column(field), KINDS[field]
        if kind is Kind.MONEY:
            return self._usage(field, lambda amount: f"isNull({amount})", alone)
        if field is Field.LATENCY:
            return "isNull(end_time)"
        if column in _NULLABLE:
            return f"isNull({column})"
        return f"{column} = ''" if kind is Kind.TEXT else "0"

    def _present(self, field: Field, sql: str) -> str:
        return f"ifNull({sql}, 0)" if _column(field) in _NULLABLE else sql

    def _value(self, field: Field, value: Scalar) -> str:
        match KINDS[field]:
            case Kind.IDENTITY:
                assert isinstance(value, UUID)
                return self.params.uuid(value)
            case Kind.TEXT:
                return self.params.text(str(value))
            case Kind.TIME:
                return self.params.micros(_clamped(value, _EARLIEST, _LATEST))
            case Kind.DURATION:
                return self.params.integer(_clamped(value, -_INT64, _INT64))
            case Kind.FLAG:
                return "1" if value else "0"
            case Kind.COUNT:
                return self.params.number(_float(value))
            case Kind.MONEY:
                return f"toDecimal128({self.params.text(_dollars(value))}, 12)"

    def _member(self, node: Member) -> str:
        field, values = node.field, node.values
        if not values:
            return "0"
        column = _column(field)
        match KINDS[field]:
            case Kind.IDENTITY:
                ids = self.params.uuids(value for value in values if isinstance(value, UUID))
                return self._present(field, f"{column} IN {ids}")
            case Kind.TEXT:
                return self._present(field, f"{column} IN {self.params.texts(map(str, values))}")
            case Kind.FLAG:
                return f"{column} IN ({', '.join('1' if value else '0' for value in values)})"
            case Kind.TIME:  # whole microseconds are exact as Float64 until the year 2255
                times = self.params.numbers(map(_float, values))
                return f"ifNull(toUnixTimestamp64Micro({column}) IN {times}, 0)"
            case Kind.DURATION:
                return f"ifNull({_LATENCY} IN {self.params.numbers(map(_float, values))}, 0)"
            case Kind.COUNT:
                counts = self.params.numbers(map(_float, values))
                return self._usage(field, lambda amount: f"{amount} IN {counts}")
            case Kind.MONEY:
                amounts = self.params.texts(map(_dollars, values))
                wanted = f"arrayMap(x -> toDecimal128(x, 12), {amounts})"
                return self._usage(field, lambda amount: f"has({wanted}, {amount})")

    def _one_of(self, node: OneOf) -> str:
        """By the index of ids where there are few; of many it would rule out hardly a row, and take longest itself."""
        if not node.ids:
            return "0"
        column = "id" if len(node.ids) <= 16 * _MOST_SOUGHT else "identity(id)"
        return f"{column} IN {self.params.packed_uuids(node.ids)}"

    def _usage(self, field: Field, test: Callable[[str], str], alone: bool = False) -> str:
        """A root run shows what its whole trace used, and is found by that; any other run by its own use."""
        column = _column(field)
        if alone:
            return f"ifNull({test(column)}, 0)"
        where = self._whole_traces()
        having = f"ifNull({test(f'sum({column})')}, 0)"
        whole = f"SELECT trace_id FROM runs FINAL WHERE {where} GROUP BY trace_id HAVING {having}"
        return f"if(is_root, trace_id IN ({whole}), ifNull({test(column)}, 0))"

    def _whole_traces(self) -> str:
        """What holds for all runs of the traces in question."""
        where = f"workspace_id = {self.params.uuid(self.workspace)}"
        return f"{where} AND ({self.within})" if self.within else where

    def _rare(self, node: Rare) -> str:
        """The ids of any version that matches, for which the engine reads no more than it has to and remembers where
        there is none; and of these the runs that still match, by the index of ids."""
        where, matches = self._whole_traces(), self.condition(node.part)
        ever = f"SELECT id FROM runs WHERE {where} AND {matches}"
        return f"id IN (SELECT id FROM runs FINAL WHERE {where} AND id IN ({ever}) AND {matches})"

    def _trace_count(self, node: TraceCount) -> str:
        where, counted = self._whole_traces(), self.condition(node.of)
        if node.field is None:
            found, value = f"countIf({counted})", self.params.number(node.value)
        else:
            found = f"ifNull(sumIf({_column(node.field)}, {counted}), 0)"
            value = self._value(node.field, node.value)
        having = f"{found} {OPERATORS[node.op.value]} {value}"
        return (
            f"trace_id IN (SELECT trace_id FROM runs FINAL WHERE {where} GROUP BY trace_id HAVING {having})"
        )

    # texts

    def _text(self, place: Text, test: Callable[[str], str]) -> str:
        if place is Text.TAGS:
            return f"arrayExists(x -> {test('x')}, tags)"
        sql = test(f"toString({place.value})" if place in IDENTITIES else place.value)
        return f"ifNull({sql}, 0)" if place.value in _NULLABLE else sql

    def _contains(self, node: Contains) -> str:
        if node.place in (Text.INPUTS, Text.OUTPUTS):
            ways = [contains(node.place.value, text, self.params) for text in json_pairs.in_json(node.text)]
            return self._joined("OR", ways)
        return self._text(node.place, lambda text: contains(text, node.text, self.params))

    def _word(self, word: Word) -> str:
        """One word, somewhere: payloads by index, names and errors by a scan, for they are short."""
        piece = self.params.text(word.text)
        if word.unspaced:
            payloads = [
                f"positionCaseInsensitiveUTF8({column}, {piece}) > 0" for column in ("inputs", "outputs")
            ]
        else:
            tokens = self.params.texts(word.tokens)
            payloads = [f"hasAllTokens({column}, {tokens})" for column in ("inputs", "outputs")]
        texts = [
            f"positionCaseInsensitiveUTF8(name, {piece}) > 0",
            f"ifNull(positionCaseInsensitiveUTF8(error, {piece}) > 0, 0)",
        ]
        return self._joined("OR", payloads + texts)

    # pairs

    def _exists(self, node: Exists) -> str:
        if node.kind is PairKind.FEEDBACK:
            return self._feedback((PairTest(node.kind, Part.KEY, TestOp.EQ, (node.key,)),))
        if node.kind is not PairKind.METADATA:
            return json_pairs.exists(node.kind.value, node.key, self.params)
        ways = [f"mapContains(metadata, {self.params.text(node.key)})"]
        for outer, inner in _splits(node.key):
            ways.append(json_pairs.exists(f"metadata[{self.params.text(outer)}]", inner, self.params))
        return self._joined("OR", ways)

    def _pairs(self, node: Pairs) -> str:
        if node.kind is PairKind.FEEDBACK:
            return self._feedback(node.tests)
        if node.kind is PairKind.METADATA:
            return self._metadata(node.tests)
        return json_pairs.some_pair(node.kind.value, node.tests, self.params)

    def _metadata(self, tests: tuple[PairTest, ...]) -> str:
        keys = [test for test in tests if test.part is Part.KEY]
        values = [test for test in tests if test.part is Part.VALUE]
        if len(keys) == 1 and keys[0].op in (TestOp.EQ, TestOp.IN) and not keys[0].negated:
            names = [str(name) for name in keys[0].values]
            if 0 < len(names) <= _MOST_LOOKUPS:
                return self._joined("OR", [self._at_key(name, values) for name in names])
        if not keys and len(values) == 1 and values[0].op is TestOp.EQ and not values[0].negated:
            return f"has(mapValues(metadata), {self.params.text(str(values[0].values[0]))})"
        sql = [pair_part(test, "k", self.params) for test in keys]
        sql += [pair_part(test, "v", self.params) for test in values]
        return f"arrayExists((k, v) -> {' AND '.join(sql)}, mapKeys(metadata), mapValues(metadata))"

    def _at_key(self, name: str, values: list[PairTest]) -> str:
        key = self.params.text(name)
        sql = [pair_part(test, f"metadata[{key}]", self.params) for test in values]
        if not any(test.op is TestOp.EQ and test.values[0] and not test.negated for test in values):
            sql.insert(0, f"mapContains(metadata, {key})")  # the map has '' for a key that is not there
        ways = [self._joined("AND", sql)]
        for outer, inner in _splits(name):
            column = f"metadata[{self.params.text(outer)}]"
            ways.append(json_pairs.pair_at(column, inner, values, self.params))
        return self._joined("OR", ways)

    def _feedback(self, tests: tuple[PairTest, ...]) -> str:
        sql = [pair_part(test, *_feedback_part(test, self.params)) for test in tests]
        where = f"{self._feedback_of()} AND {' AND '.join(sql)}"
        ways = [f"id IN (SELECT run_id FROM feedback FINAL WHERE {where})"]
        ways += [self._composite(one, tests) for one in self.formulas if _may_match(one.formula.key, tests)]
        return self._joined("OR", ways)

    def _feedback_of(self) -> str:
        """Feedback of the runs in question: filed under their projects, or not filed yet."""
        owner = f"workspace_id = {self.params.uuid(self.workspace)}"
        if not self.projects:
            return owner
        return f"{owner} AND (home IN {self.params.uuids(self.projects)} OR home = '{ZERO}')"

    def _composite(self, one: Applied, tests: tuple[PairTest, ...]) -> str:
        """Its runs have a composite score that passes the tests: feedback without a value, a comment or a source."""
        keys = composites.keys_of([one])
        means, columns = composites.averages(keys, self.params)
        found = f"key IN {self.params.texts(keys)} AND score IS NOT NULL"
        scores = f"SELECT run_id, {means} FROM feedback FINAL WHERE {self._feedback_of()} AND {found} GROUP BY run_id"
        pairs = (
            f"SELECT run_id, {self.params.text(one.formula.key)} AS key,"
            f" {composites.score(one.formula, columns, self.params)} AS score,"
            " '' AS value, CAST(NULL, 'Nullable(String)') AS comment, '' AS source_type"
            f" FROM ({scores})"
        )
        passed = [pair_part(test, *_feedback_part(test, self.params)) for test in tests]
        return (
            f"project_id IN {self.params.uuids(one.projects)} AND id IN (SELECT run_id FROM ({pairs})"
            f" WHERE isFinite(score) AND {' AND '.join(passed)})"
        )


def _may_match(key: str, tests: tuple[PairTest, ...]) -> bool:
    """False only where the tests name other keys."""
    return all(
        test.negated
        or test.part is not Part.KEY
        or test.op not in (TestOp.EQ, TestOp.IN)
        or key in test.values
        for test in tests
    )


_FEEDBACK_VALUE: Final = (
    "if(value IN ('', 'null'), NULL, if(startsWith(value, '\"'), JSONExtractString(value), value))"
)


def _feedback_part(test: PairTest, params: Params) -> tuple[str, Params, str | None]:
    match test.part:
        case Part.KEY:
            return "key", params, None
        case Part.VALUE:
            return _FEEDBACK_VALUE, params, "value"
        case Part.SCORE:
            return "score", params, None
        case Part.SOURCE:
            return "source_type", params, None
        case Part.COMMENT:
            return "comment", params, None


def _splits(key: str) -> list[tuple[str, str]]:
    """Where a dotted key may go on inside a metadata value that is itself an object, kept as JSON."""
    names = key.split(".")
    return [
        (".".join(names[:at]), ".".join(names[at:])) for at in range(1, min(len(names), _MOST_SPLITS + 1))
    ]


def _column(field: Field) -> str:
    return field.value


def _clamped(value: Scalar, least: int, most: int) -> int:
    assert isinstance(value, int)
    return max(least, min(value, most))


def _float(value: Scalar) -> float:
    assert isinstance(value, int | float)
    return float(max(-(10**300), min(value, 10**300)))


def _dollars(value: Scalar) -> str:
    return format(Decimal(_clamped(value, -_DEAREST, _DEAREST)).scaleb(-12), "f")

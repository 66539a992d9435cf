"""What LangSmith's run filter language means: its functions, fields and types, as our own filter tree.

The user's page on the language is docs/filters.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import Final, NoReturn, TypeAlias
from uuid import UUID

import msgspec

from stenograph.model.filters import (
    IDENTITIES,
    KINDS,
    Compare,
    Contains,
    Exists,
    Field,
    Filter,
    HasTag,
    InCluster,
    Kind,
    Like,
    Loose,
    Member,
    Op,
    PairKind,
    PairTest,
    PairValue,
    Part,
    Scalar,
    Search,
    TestOp,
    Text,
    all_of,
    any_of,
    negate,
    words,
)
from stenograph.wire.langsmith.filters.syntax import Argument, Call, ListOf, Literal, Name, fail, read
from stenograph.wire.langsmith.filters.values import Mismatch, identity, pair_value, plain_value

MAX_CONDITIONS: Final = 100
"""The engine bounds the length of a statement; a condition on inputs or outputs takes some of it."""


def parse(text: str, where: str = "filter") -> Filter:
    """`where` names the parameter that `text` came in.

    Raises Invalid whatever is wrong with `text`: its message says what would be right, its `position` is a
    character offset.
    """
    return all_of([_Meaning(where).of(read(text, where))])


_PLAIN: Final[dict[str, Field]] = {
    **{field.value: field for field in Field if field is not Field.PROJECT_ID},
    "session_id": Field.PROJECT_ID,
}

_PAIRS: Final[dict[str, tuple[PairKind, Part]]] = {
    "metadata_key": (PairKind.METADATA, Part.KEY),
    "metadata_value": (PairKind.METADATA, Part.VALUE),
    "input_key": (PairKind.INPUTS, Part.KEY),
    "input_value": (PairKind.INPUTS, Part.VALUE),
    "output_key": (PairKind.OUTPUTS, Part.KEY),
    "output_value": (PairKind.OUTPUTS, Part.VALUE),
    "feedback_key": (PairKind.FEEDBACK, Part.KEY),
    "feedback_score": (PairKind.FEEDBACK, Part.SCORE),
    "feedback_value": (PairKind.FEEDBACK, Part.VALUE),
    "feedback_source": (PairKind.FEEDBACK, Part.SOURCE),
    "feedback_comment": (PairKind.FEEDBACK, Part.COMMENT),
}

_TEXTS: Final[dict[str, Text]] = {text.value: text for text in Text if text not in IDENTITIES}
_OBJECTS: Final = {"metadata": PairKind.METADATA, "inputs": PairKind.INPUTS, "outputs": PairKind.OUTPUTS}
_CLUSTER: Final = "cluster_id"
_FIELDS: Final = sorted({*_PLAIN, *_PAIRS, *_OBJECTS, "tags", _CLUSTER})

_ORDERED: Final = frozenset({Kind.TEXT, Kind.TIME, Kind.DURATION, Kind.COUNT, Kind.MONEY})

_Handler: TypeAlias = "Callable[[_Meaning, Call], Loose]"


class _Meaning:
    """From syntax to meaning, one call at a time; counts conditions as it goes."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._conditions = 0

    def of(self, call: Call) -> Loose:
        handler = _FUNCTIONS.get(call.name)
        if handler is None:
            self._unknown("function", call.name, sorted(_FUNCTIONS), call.at)
        return handler(self, call)

    # logic

    def _and(self, call: Call) -> Loose:
        return all_of(self._parts(call))

    def _or(self, call: Call) -> Loose:
        return any_of(self._parts(call))

    def _not(self, call: Call) -> Loose:
        parts = self._parts(call)
        if len(parts) != 1:
            self._fail("not(…) takes one condition", call.at)
        return negate(parts[0])

    def _parts(self, call: Call) -> list[Loose]:
        if not call.args:
            self._fail(f"{call.name}(…) needs at least one condition", call.at)
        return [self.of(self._condition(call, part)) for part in call.args]

    def _condition(self, call: Call, part: Argument) -> Call:
        if not isinstance(part, Call):
            self._fail(f'{call.name}(…) takes conditions, for example eq(name, "x")', part.at)
        return part

    # comparison

    def _compare(self, call: Call) -> Loose:
        field, value = self._field_and_value(call)
        negated = call.name == "neq"
        op = Op.EQ if negated else Op(call.name)
        if field.text in _PAIRS:
            test = self._pair_test(field, TestOp(op.value), [value])
            return test.flipped() if negated else test
        if field.text == _CLUSTER:
            if op is not Op.EQ:
                self._fail(f"{_CLUSTER} has no order: use eq, neq or in", field.at)
            among = InCluster((self._cluster(value),))
            return negate(among) if negated else among
        plain = self._plain(field, call.name)
        result = Compare(plain, op, self._plain_value(plain, field.text, value, op))
        return negate(result) if negated else result

    def _plain_value(self, plain: Field, name: str, literal: Literal, op: Op) -> Scalar | None:
        if literal.value is None:
            if op is not Op.EQ:
                self._fail("null has no order: use eq or neq to ask whether a field is there", literal.at)
            return None
        if op is not Op.EQ and KINDS[plain] not in _ORDERED:
            self._fail(f"{name} has no order: use eq, neq or in", literal.at)
        return self._typed(plain, name, literal)

    def _in(self, call: Call) -> Loose:
        name, items = self._two(call, "a field and a list")
        field = self._field(call, name)
        if not isinstance(items, ListOf):
            self._fail(f'in(…) takes a list, for example in({field.text}, ["a", "b"])', items.at)
        if any(item.value is None for item in items.items):
            self._fail("null can't stand in a list: ask for it apart, with eq(field, null)", items.at)
        if field.text in _PAIRS:
            return self._pair_test(field, TestOp.IN, items.items)
        if field.text == "tags":
            return any_of([self._tag(item) for item in items.items])
        if field.text == _CLUSTER:
            self._count(field.at)
            return InCluster(tuple(self._cluster(item) for item in items.items))
        plain = self._plain(field, call.name)
        self._count(field.at)
        return Member(plain, tuple(self._typed(plain, field.text, item) for item in items.items))

    def _cluster(self, literal: Literal) -> UUID:
        if literal.value is None:
            self._fail(f"{_CLUSTER} takes the id of a cluster of an insights report, not null", literal.at)
        try:
            return identity(literal.value)
        except Mismatch as mistake:
            self._fail(f"{_CLUSTER} {mistake}", literal.at)

    def _tag(self, item: Literal) -> Filter:
        self._count(item.at)
        return HasTag(self._string(item, "a tag"))

    # texts

    def _like(self, call: Call) -> Loose:
        return self._within_text(call, TestOp.LIKE, Like)

    def _search(self, call: Call) -> Loose:
        if len(call.args) != 1:
            return self._within_text(call, TestOp.CONTAINS, Contains)
        text = self._string(call.args[0], "search(…) takes a text, or a field and a text; the text")
        self._count(call.at)
        if not words(text):
            self._fail("nothing to search for: a word has at least two characters", call.args[0].at)
        return Search(text)

    def _within_text(self, call: Call, op: TestOp, plain: Callable[[Text, str], Filter]) -> Loose:
        field, value = self._field_and_value(call)
        text = self._string(value, f"what {call.name}(…) looks for")
        pair = _PAIRS.get("metadata_value" if field.text == "metadata" else field.text)
        if pair is not None and pair[1] is not Part.SCORE:
            return PairTest(*pair, op, (text,))
        if field.text not in _TEXTS:
            known = sorted(
                {*_TEXTS, "metadata", *(name for name, of in _PAIRS.items() if of[1] is not Part.SCORE)}
            )
            self._fail(f"{call.name}(…) works on texts: {', '.join(known)}; not on {field.text}", field.at)
        return plain(_TEXTS[field.text], text)

    # presence

    def _has(self, call: Call) -> Loose:
        field, value = self._field_and_value(call)
        text = self._string(value, f"what {field.text} has")
        if field.text == "tags":
            return HasTag(text)
        if field.text == "metadata":
            return self._has_metadata(text, value.at)
        pair = _PAIRS.get(field.text)
        if pair is None or pair[1] is not Part.KEY:
            what = "tags, metadata and the *_key fields"
            self._fail(f"has(…) works on {what}, not on {field.text}: use eq or like", field.at)
        return PairTest(*pair, TestOp.EQ, (text,))

    def _has_metadata(self, text: str, at: int) -> Filter:
        try:
            return all_of(list(self._contained(_decode(text), "", at)))
        except (msgspec.DecodeError, RecursionError):
            self._fail('has(metadata, …) takes a JSON object in a string: \'{"key": "value"}\'', at)

    def _contained(self, members: dict[str, msgspec.Raw], path: str, at: int) -> Iterable[Loose]:
        """Each scalar of the object is a pair; a list has to be equal, however it is spaced."""
        for name, member in members.items():
            key, raw = path + name, bytes(member).strip()
            if raw == b"null":
                self._fail("null in metadata is not kept, so nothing can be asked about it", at)
            if raw[:1] == b"{":
                yield from self._contained(_decode(raw), key + ".", at)
                continue
            value = msgspec.json.decode(raw) if raw[:1] == b'"' else raw.decode()
            spellings = dict.fromkeys((value, *_spellings(raw))) if raw[:1] == b"[" else (value,)
            self._count(at)
            yield all_of(
                [
                    PairTest(PairKind.METADATA, Part.KEY, TestOp.EQ, (key,)),
                    PairTest(PairKind.METADATA, Part.VALUE, TestOp.IN, tuple(spellings))
                    if len(spellings) > 1
                    else PairTest(PairKind.METADATA, Part.VALUE, TestOp.EQ, (value,)),
                ]
            )

    def _exists(self, call: Call) -> Loose:
        field, value = self._field_and_value(call)
        kind = _OBJECTS.get(field.text)
        if kind is None:
            self._fail(
                f"exists(…) works on {', '.join(_OBJECTS)}; for a field use neq({field.text}, null)", field.at
            )
        return Exists(kind, self._string(value, "the key"))

    # arguments

    def _two(self, call: Call, what: str) -> tuple[Argument, Argument]:
        if len(call.args) != 2:
            self._fail(f"{call.name}(…) takes {what}, not {len(call.args)} arguments", call.at)
        return call.args[0], call.args[1]

    def _field_and_value(self, call: Call) -> tuple[Name, Literal]:
        name, value = self._two(call, "a field and a value")
        field = self._field(call, name)
        if isinstance(value, ListOf):
            self._fail(f"{call.name}(…) takes one value; for a list use in({field.text}, […])", value.at)
        if not isinstance(value, Literal):
            what = value.text if isinstance(value, Name) else f"{value.name}(…)"
            self._fail(f"expected a value, found {what}: texts stand in quotes", value.at)
        self._count(field.at)
        return field, value

    def _field(self, call: Call, name: Argument) -> Name:
        if isinstance(name, Literal) and name.value in _FIELDS:  # clients put it in quotes, too
            return Name(str(name.value), name.at)
        if not isinstance(name, Name):
            self._fail(
                f"{call.name}(…) begins with a field, without quotes: one of {', '.join(_FIELDS)}", name.at
            )
        if name.text not in _FIELDS:
            self._unknown("field", name.text, _FIELDS, name.at)
        return name

    def _plain(self, field: Name, function: str) -> Field:
        plain = _PLAIN.get(field.text)
        if plain is None:
            instead = {
                "tags": 'has(tags, "x") or in(tags, ["x", "y"])',
                "metadata": 'and(eq(metadata_key, "k"), eq(metadata_value, "v"))',
                "inputs": 'search(inputs, "x") or the fields input_key and input_value',
                "outputs": 'search(outputs, "x") or the fields output_key and output_value',
            }[field.text]
            self._fail(f"{function}(…) does not work on {field.text}: use {instead}", field.at)
        return plain

    def _pair_test(self, field: Name, op: TestOp, literals: Sequence[Literal]) -> PairTest:
        kind, part = _PAIRS[field.text]
        values: list[PairValue] = []
        for literal in literals:
            try:
                values.append(pair_value(kind, part, op, literal.value))
            except Mismatch as mistake:
                self._fail(f"{field.text} {mistake}", literal.at)
        if op is TestOp.IN:
            self._count(field.at)
        return PairTest(kind, part, op, tuple(values))

    def _typed(self, plain: Field, name: str, literal: Literal) -> Scalar:
        assert literal.value is not None
        try:
            return plain_value(plain, literal.value)
        except Mismatch as mistake:
            self._fail(f"{name} {mistake}", literal.at)

    def _string(self, literal: Argument, what: str) -> str:
        if not isinstance(literal, Literal) or not isinstance(literal.value, str):
            self._fail(f"{what} is a text in quotes", literal.at)
        return literal.value

    def _count(self, at: int) -> None:
        self._conditions += 1
        if self._conditions > MAX_CONDITIONS:
            self._fail(f"more than {MAX_CONDITIONS} conditions: to ask for one of many values, use in(…)", at)

    def _unknown(self, what: str, name: str, known: Sequence[str], at: int) -> NoReturn:
        close = get_close_matches(name.lower(), known, n=1, cutoff=0.5)
        hint = f"; did you mean {close[0]}?" if close else "."
        self._fail(f"unknown {what} {name!r}{hint} Known are {', '.join(known)}.", at)

    def _fail(self, message: str, at: int) -> NoReturn:
        fail(message, self._where, at)


_FUNCTIONS: Final[dict[str, _Handler]] = {
    "and": _Meaning._and,
    "or": _Meaning._or,
    "not": _Meaning._not,
    **dict.fromkeys(("eq", "neq", "gt", "gte", "lt", "lte"), _Meaning._compare),
    "in": _Meaning._in,
    "has": _Meaning._has,
    "exists": _Meaning._exists,
    "search": _Meaning._search,
    "like": _Meaning._like,
}


def _decode(text: str | bytes) -> dict[str, msgspec.Raw]:
    return msgspec.json.decode(text, type=dict[str, msgspec.Raw])


def _spellings(raw: bytes) -> tuple[str, str]:
    """The two ways in which clients write JSON: JavaScript's and Python's."""
    return msgspec.json.format(raw, indent=-1).decode(), msgspec.json.format(raw, indent=0).decode()

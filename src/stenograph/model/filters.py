"""What a filter over runs means, whatever language it was written in.

A face parses its vendor's text into these values; the run store turns them into its engine's conditions.
Nothing here knows a vendor's syntax or an engine.

Build trees with `all_of`, `any_of` and `negate`: they decide which key and value predicates speak of one and
the same pair (see `all_of`), so that a finished `Filter` holds only grouped `Pairs`.

A predicate on something that is absent is false, and its negation true: there is no third value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, TypeAlias
from uuid import UUID

from stenograph.model.values import ValueTest


class Field(StrEnum):
    """A plain field of a run: one value, or none."""

    ID = "id"
    TRACE_ID = "trace_id"
    PARENT_RUN_ID = "parent_run_id"
    PROJECT_ID = "project_id"
    REFERENCE_EXAMPLE_ID = "reference_example_id"
    NAME = "name"
    RUN_TYPE = "run_type"
    STATUS = "status"
    ERROR = "error"
    THREAD_ID = "thread_id"
    START_TIME = "start_time"
    END_TIME = "end_time"
    FIRST_TOKEN_TIME = "first_token_time"
    LATENCY = "latency"
    IS_ROOT = "is_root"
    PROMPT_TOKENS = "prompt_tokens"
    COMPLETION_TOKENS = "completion_tokens"
    TOTAL_TOKENS = "total_tokens"
    PROMPT_COST = "prompt_cost"
    COMPLETION_COST = "completion_cost"
    TOTAL_COST = "total_cost"


class Kind(StrEnum):
    """What a plain field holds, and so what Python value it is compared with."""

    IDENTITY = "identity"
    """UUID."""
    TEXT = "text"
    """str."""
    TIME = "time"
    """int, microseconds since 1970-01-01 UTC."""
    DURATION = "duration"
    """int, microseconds."""
    FLAG = "flag"
    """bool."""
    COUNT = "count"
    """int or float. Of a root run: the sum over its trace."""
    MONEY = "money"
    """int, 10⁻¹² dollars. Of a root run: the sum over its trace."""


KINDS: Final[dict[Field, Kind]] = {
    Field.ID: Kind.IDENTITY,
    Field.TRACE_ID: Kind.IDENTITY,
    Field.PARENT_RUN_ID: Kind.IDENTITY,
    Field.PROJECT_ID: Kind.IDENTITY,
    Field.REFERENCE_EXAMPLE_ID: Kind.IDENTITY,
    Field.NAME: Kind.TEXT,
    Field.RUN_TYPE: Kind.TEXT,
    Field.STATUS: Kind.TEXT,
    Field.ERROR: Kind.TEXT,
    Field.THREAD_ID: Kind.TEXT,
    Field.START_TIME: Kind.TIME,
    Field.END_TIME: Kind.TIME,
    Field.FIRST_TOKEN_TIME: Kind.TIME,
    Field.LATENCY: Kind.DURATION,
    Field.IS_ROOT: Kind.FLAG,
    Field.PROMPT_TOKENS: Kind.COUNT,
    Field.COMPLETION_TOKENS: Kind.COUNT,
    Field.TOTAL_TOKENS: Kind.COUNT,
    Field.PROMPT_COST: Kind.MONEY,
    Field.COMPLETION_COST: Kind.MONEY,
    Field.TOTAL_COST: Kind.MONEY,
}

Scalar: TypeAlias = str | int | float | bool | UUID


class Op(StrEnum):
    EQ = "eq"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"


@dataclass(frozen=True, slots=True)
class Compare:
    """A plain field against a value of its kind. `eq` with None: the field is absent.

    `alone`: tokens and costs of a root run are its own, too, and not the sum over its trace.
    """

    field: Field
    op: Op
    value: Scalar | None
    alone: bool = False

    def __post_init__(self) -> None:
        if self.value is None:
            _require(self.op is Op.EQ, "absence has no order")
            return
        _require_kind(self.field, self.value)
        ordered = KINDS[self.field] not in (Kind.IDENTITY, Kind.FLAG)
        _require(ordered or self.op is Op.EQ, f"{self.field} has no order")


@dataclass(frozen=True, slots=True)
class Member:
    """A plain field is one of some values; of none, never."""

    field: Field
    values: tuple[Scalar, ...]

    def __post_init__(self) -> None:
        for value in self.values:
            _require_kind(self.field, value)


class Text(StrEnum):
    """Where text can be looked for. Of a list of texts, one has to match."""

    NAME = "name"
    RUN_TYPE = "run_type"
    STATUS = "status"
    ERROR = "error"
    THREAD_ID = "thread_id"
    TAGS = "tags"
    INPUTS = "inputs"
    """The JSON as text, names of keys included."""
    OUTPUTS = "outputs"
    ID = "id"
    TRACE_ID = "trace_id"
    PARENT_RUN_ID = "parent_run_id"
    PROJECT_ID = "project_id"


IDENTITIES: Final = frozenset({Text.ID, Text.TRACE_ID, Text.PARENT_RUN_ID, Text.PROJECT_ID})
"""Of which a part is looked for as it is written, in lower case with hyphens."""


@dataclass(frozen=True, slots=True)
class Contains:
    """The text occurs, whatever its case."""

    place: Text
    text: str


@dataclass(frozen=True, slots=True)
class Like:
    """SQL's LIKE over the whole text; case counts. % is any text, _ one character, \\ escapes either."""

    place: Text
    pattern: str


@dataclass(frozen=True, slots=True)
class HasTag:
    tag: str


@dataclass(frozen=True, slots=True)
class Search:
    """Every word of the text (see `words`) occurs in the inputs, outputs, name or error.

    Not necessarily all in the same of the four. A text without words asks for nothing, and matches all runs.
    """

    text: str


class PairKind(StrEnum):
    """What a run has key and value pairs of.

    Inputs and outputs are JSON: a pair for each scalar, keyed by the names on the way to it joined with dots.
    Lists add nothing to a key, so one key may have many values. Metadata has one pair for each name at its
    top, a list or object being the text of its JSON; a dotted key given by equality reads inside it, too.
    """

    METADATA = "metadata"
    INPUTS = "inputs"
    OUTPUTS = "outputs"
    FEEDBACK = "feedback"


class Part(StrEnum):
    """A part of a pair; all but the first two are feedback's."""

    KEY = "key"
    VALUE = "value"
    SCORE = "score"
    SOURCE = "source"
    COMMENT = "comment"


class TestOp(StrEnum):
    EQ = "eq"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    IN = "in"
    LIKE = "like"
    CONTAINS = "contains"

    __test__ = False  # the name is not pytest's


PairValue: TypeAlias = str | float | None

_SINGLE_TEXT: Final = frozenset({TestOp.LIKE, TestOp.CONTAINS})


@dataclass(frozen=True, slots=True)
class PairTest:
    """One predicate on one part of a pair; not a filter until `all_of` and the like have grouped it.

    Keys and values are texts; `1` and `true` in a payload are the texts "1" and "true", and a JSON number
    also equals a text that is the same number. Ordering against a float reads the value as a number, against
    a text compares texts. Scores take floats. None, with eq: that part of the feedback was not given.
    """

    kind: PairKind
    part: Part
    op: TestOp
    values: tuple[PairValue, ...]
    negated: bool = False

    def __post_init__(self) -> None:
        feedback = self.kind is PairKind.FEEDBACK
        _require(feedback or self.part in (Part.KEY, Part.VALUE), f"{self.kind} has no {self.part}")
        _require(self.op is TestOp.IN or len(self.values) == 1, f"{self.op} takes one value")
        for value in self.values:
            self._check(value)

    def _check(self, value: PairValue) -> None:
        if value is None:
            absent = self.part not in (Part.KEY, Part.SOURCE) and self.kind is PairKind.FEEDBACK
            _require(absent and self.op is TestOp.EQ, f"{self.part} is never absent")
        elif self.part is Part.SCORE:
            _require(not isinstance(value, str) and self.op not in _SINGLE_TEXT, "a score is a number")
        elif isinstance(value, float | int):
            ordering = self.op not in (TestOp.EQ, TestOp.IN) and self.op not in _SINGLE_TEXT
            _require(ordering and self.part is Part.VALUE, "numbers only order values; else give the text")

    def flipped(self) -> PairTest:
        return replace(self, negated=not self.negated)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Some one pair of this kind passes every test. A negated test has to fail on that same pair."""

    kind: PairKind
    tests: tuple[PairTest, ...]

    def __post_init__(self) -> None:
        _require(len(self.tests) > 0, "a pair without tests")
        _require(all(test.kind is self.kind for test in self.tests), "tests of another kind")


@dataclass(frozen=True, slots=True)
class Exists:
    """There is something at this key (dotted, as in PairKind), be it a scalar, a list or an object."""

    kind: PairKind
    key: str


@dataclass(frozen=True, slots=True)
class TraceCount:
    """How many runs of the run's trace match; with a `field` of tokens or costs, what these come to in all, nought
    where nothing is known. `value` is of the field's kind, else a whole number."""

    of: Filter
    op: Op
    value: int | float
    field: Field | None = None

    def __post_init__(self) -> None:
        summed = self.field is None or KINDS[self.field] in (Kind.COUNT, Kind.MONEY)
        _require(summed, f"{self.field} does not add up")


@dataclass(frozen=True, slots=True)
class Rare:
    """The same as its part, of which it is known that it holds for few runs, and is dear to ask of all: the few are
    looked for first."""

    part: Filter


@dataclass(frozen=True, slots=True)
class InCluster:
    """A report of insights has put the run into one of these clusters, or into one below them. Whoever asks a store
    says `OneOf` instead: a store of runs knows no clusters."""

    clusters: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class OneOf:
    """The run's id is one of these, sixteen bytes each: the form for very many, which `Member` is not."""

    ids: bytes

    def __post_init__(self) -> None:
        _require(len(self.ids) % 16 == 0, "ids of sixteen bytes")


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Filter


Filter: TypeAlias = (
    "And | Or | Not | Compare | Member | Contains | Like | HasTag | Search | Exists | Pairs"
    " | ValueTest | TraceCount | Rare | InCluster | OneOf"
)
Loose: TypeAlias = "Filter | PairTest"
"""A filter, or a pair predicate that the `all_of` around it will group."""


def all_of(parts: Iterable[Loose]) -> Filter:
    """Every part holds; of no parts, always. Pair predicates directly among `parts` are grouped by kind.

    Those of one kind speak of one and the same pair, except that a denied key is absent from the whole run:

    | among the parts               | means                                             |
    |-------------------------------|---------------------------------------------------|
    | key is k, value is v          | some pair has key k and value v                   |
    | key is k                      | some pair has key k                               |
    | value is v                    | some pair has value v                             |
    | key is not k                  | no pair has key k                                 |
    | value is not v                | no pair has value v                               |
    | key is k, value is not v      | some pair has key k and a value other than v      |
    | key is not k, value is v      | no pair has key k, and some pair has value v      |
    | key is not k, value is not v  | no pair has key k, and no pair has value v        |

    Scores, sources and comments go by the rules of values. Predicates inside a nested `all_of` or `any_of`
    are grouped there, on their own: both of two pairs is `all_of([all_of(first), all_of(second)])`.
    """
    grouped: list[Filter] = []
    tests: dict[PairKind, list[PairTest]] = {}
    for part in parts:
        if isinstance(part, PairTest):
            tests.setdefault(part.kind, []).append(part)
        else:
            grouped.append(part)
    for kind, of_kind in tests.items():
        grouped += _group(kind, of_kind)
    return grouped[0] if len(grouped) == 1 else And(tuple(grouped))


def _group(kind: PairKind, tests: Sequence[PairTest]) -> list[Filter]:
    denied_keys = [test for test in tests if test.part is Part.KEY and test.negated]
    bound = [test for test in tests if test not in denied_keys]
    apart = denied_keys
    if all(test.negated for test in bound):
        apart, bound = denied_keys + bound, []
    result: list[Filter] = [Pairs(kind, tuple(bound))] if bound else []
    return result + [Not(Pairs(kind, (test.flipped(),))) for test in apart]


def any_of(parts: Iterable[Loose]) -> Filter:
    """Some part holds; of no parts, never. Each pair predicate speaks of a pair of its own."""
    alone = [all_of([part]) for part in parts]
    return alone[0] if len(alone) == 1 else Or(tuple(alone))


def negate(part: Loose) -> Loose:
    """The part does not hold. A pair predicate stays one, so that not(eq(…)) groups as neq(…) does."""
    if isinstance(part, PairTest):
        return part.flipped()
    return part.part if isinstance(part, Not) else Not(part)


@dataclass(frozen=True, slots=True)
class Word:
    """One white-space separated piece of a search text.

    `tokens` are its lower-cased runs of letters and digits, as a word index holds them: every non-ASCII
    character counts as a letter. `unspaced`: it is in a script that puts no spaces between words, so that
    it has to be looked for as a substring.
    """

    text: str
    tokens: tuple[str, ...]
    unspaced: bool


_SEPARATORS: Final = re.compile(r"[\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]+")
# Thai to Burmese, Khmer, kana, CJK ideographs and their extensions
_UNSPACED: Final = re.compile(
    "[\u0e00-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


def words(text: str) -> tuple[Word, ...]:
    """What a search text asks for. Pieces shorter than two characters, or all punctuation, are ignored.

    One character is a word, though, in a script that puts no spaces between words.
    """
    pieces = [piece for piece in dict.fromkeys(text.split()) if len(piece) > 1 or _UNSPACED.match(piece)]
    found = [
        Word(piece, tuple(filter(None, _SEPARATORS.split(piece.lower()))), bool(_UNSPACED.search(piece)))
        for piece in pieces
    ]
    return tuple(word for word in found if word.tokens)


_TYPES: Final[dict[Kind, tuple[type, ...]]] = {
    Kind.IDENTITY: (UUID,),
    Kind.TEXT: (str,),
    Kind.TIME: (int,),
    Kind.DURATION: (int,),
    Kind.FLAG: (bool,),
    Kind.COUNT: (int, float),
    Kind.MONEY: (int,),
}


def _require_kind(field: Field, value: Scalar) -> None:
    kind = KINDS[field]
    fits = isinstance(value, _TYPES[kind]) and (kind is Kind.FLAG or not isinstance(value, bool))
    _require(fits, f"{field} is compared with {kind}, not {value!r}")


def _require(condition: bool, message: str) -> None:
    """A tree that makes no sense is a bug in the face that built it, not the caller's mistake."""
    if not condition:
        raise ValueError(message)

from collections.abc import Callable
from itertools import pairwise

import pytest

from stenograph.model.filters import (
    KINDS,
    And,
    Compare,
    Field,
    Filter,
    HasTag,
    Kind,
    Loose,
    Member,
    Not,
    Op,
    Or,
    PairKind,
    Pairs,
    PairTest,
    Part,
    TestOp,
    all_of,
    any_of,
    negate,
    words,
)

PAIRED = list(PairKind)


def key(kind: PairKind, name: str = "k", negated: bool = False) -> PairTest:
    return PairTest(kind, Part.KEY, TestOp.EQ, (name,), negated)


def value(kind: PairKind, text: str = "v", negated: bool = False) -> PairTest:
    return PairTest(kind, Part.VALUE, TestOp.EQ, (text,), negated)


@pytest.mark.parametrize("kind", PAIRED)
def test_every_row_of_the_table_of_pair_semantics(kind: PairKind) -> None:
    k, v = key(kind), value(kind)
    not_k, not_v = key(kind, negated=True), value(kind, negated=True)
    no_k, no_v = Not(Pairs(kind, (k,))), Not(Pairs(kind, (v,)))

    rows: list[tuple[list[Loose], Filter]] = [
        ([k, v], Pairs(kind, (k, v))),
        ([k], Pairs(kind, (k,))),
        ([v], Pairs(kind, (v,))),
        ([not_k], no_k),
        ([not_v], no_v),
        ([k, not_v], Pairs(kind, (k, not_v))),
        ([not_k, v], And((Pairs(kind, (v,)), no_k))),
        ([not_k, not_v], And((no_k, no_v))),
    ]
    for parts, meaning in rows:
        assert all_of(parts) == meaning


def test_a_denied_key_is_absent_even_beside_a_wanted_key() -> None:
    kind = PairKind.METADATA
    wanted, denied = key(kind, "a"), key(kind, "b", negated=True)
    assert all_of([wanted, denied]) == And((Pairs(kind, (wanted,)), Not(Pairs(kind, (key(kind, "b"),)))))


def test_a_score_range_is_of_one_feedback() -> None:
    kind = PairKind.FEEDBACK
    tests = (
        key(kind),
        PairTest(kind, Part.SCORE, TestOp.GT, (0.2,)),
        PairTest(kind, Part.SCORE, TestOp.GT, (0.8,), negated=True),
    )
    assert all_of(tests) == Pairs(kind, tests)


def test_kinds_are_grouped_apart_and_plain_parts_stay() -> None:
    tag = HasTag("t")
    parts: list[Loose] = [key(PairKind.METADATA), key(PairKind.FEEDBACK), tag, value(PairKind.METADATA)]
    assert all_of(parts) == And(
        (
            tag,
            Pairs(PairKind.METADATA, (key(PairKind.METADATA), value(PairKind.METADATA))),
            Pairs(PairKind.FEEDBACK, (key(PairKind.FEEDBACK),)),
        )
    )


def test_nested_groups_bind_on_their_own() -> None:
    kind = PairKind.METADATA
    one, two = [key(kind, "a"), value(kind, "1")], [key(kind, "b"), value(kind, "2")]
    assert all_of([all_of(one), all_of(two)]) == And((Pairs(kind, tuple(one)), Pairs(kind, tuple(two))))
    assert any_of([*one]) == Or((Pairs(kind, (one[0],)), Pairs(kind, (one[1],))))
    assert all_of([one[0], any_of([two[1], HasTag("t")])]) == And(
        (Or((Pairs(kind, (two[1],)), HasTag("t"))), Pairs(kind, (one[0],)))
    )


def test_a_negated_pair_predicate_groups_like_its_opposite() -> None:
    kind = PairKind.INPUTS
    assert negate(value(kind)) == value(kind, negated=True)
    assert all_of([key(kind), negate(value(kind))]) == Pairs(kind, (key(kind), value(kind, negated=True)))
    assert negate(negate(value(kind))) == value(kind)
    assert negate(negate(HasTag("t"))) == HasTag("t")


def test_nothing_asked_is_always_and_no_choice_is_never() -> None:
    assert all_of([]) == And(())
    assert any_of([]) == Or(())
    assert all_of([HasTag("t")]) == any_of([HasTag("t")]) == HasTag("t")


@pytest.mark.parametrize(
    "build",
    [
        lambda: Compare(Field.NAME, Op.EQ, 5),
        lambda: Compare(Field.ID, Op.EQ, "not a uuid"),
        lambda: Compare(Field.IS_ROOT, Op.GT, True),
        lambda: Compare(Field.IS_ROOT, Op.EQ, 1),
        lambda: Compare(Field.TOTAL_TOKENS, Op.EQ, True),
        lambda: Compare(Field.END_TIME, Op.LT, None),
        lambda: Member(Field.LATENCY, (1.5,)),
        lambda: PairTest(PairKind.METADATA, Part.SCORE, TestOp.EQ, (1.0,)),
        lambda: PairTest(PairKind.METADATA, Part.VALUE, TestOp.EQ, (1.0,)),
        lambda: PairTest(PairKind.METADATA, Part.VALUE, TestOp.EQ, (None,)),
        lambda: PairTest(PairKind.FEEDBACK, Part.KEY, TestOp.EQ, (None,)),
        lambda: PairTest(PairKind.FEEDBACK, Part.SCORE, TestOp.LIKE, ("x",)),
        lambda: PairTest(PairKind.INPUTS, Part.KEY, TestOp.EQ, ("a", "b")),
        lambda: Pairs(PairKind.INPUTS, ()),
        lambda: Pairs(PairKind.INPUTS, (key(PairKind.OUTPUTS),)),
    ],
)
def test_trees_that_make_no_sense_are_refused(build: Callable[[], object]) -> None:
    with pytest.raises(ValueError):
        build()


def test_every_field_has_a_kind_and_every_kind_a_field() -> None:
    assert set(KINDS) == set(Field)
    assert set(KINDS.values()) == set(Kind)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Hello  wOrld\n", [("hello",), ("world",)]),
        ("a of x", [("of",)]),
        ("snake_case-and.dots", [("snake", "case", "and", "dots")]),
        ("C++ -> ==", [("c",)]),
        ("ÉTÉ naïve ΟΔΟΣ", [("été",), ("naïve",), ("οδος",)]),
        ("twice twice", [("twice",)]),
        ("図 x 図書館", [("図",), ("図書館",)]),
        ("", []),
        (" ! ", []),
    ],
)
def test_words_are_split_as_the_index_splits(text: str, tokens: list[tuple[str, ...]]) -> None:
    assert [word.tokens for word in words(text)] == tokens


def test_scripts_without_spaces_are_marked() -> None:
    assert [word.unspaced for word in words("図書館 library ราคา été")] == [True, False, True, False]


def test_search_ranges_do_not_overlap() -> None:
    ranges = [(0xE00, 0x109F), (0x1780, 0x17FF), (0x3040, 0x30FF), (0x3400, 0x9FFF), (0xF900, 0xFAFF)]
    assert all(words(chr(first))[0].unspaced and words(chr(last))[0].unspaced for first, last in ranges)
    assert not any(words(chr(low[1] + 1) * 2)[0].unspaced for low, _ in pairwise(ranges))

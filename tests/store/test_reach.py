"""Guessing how far back a page of feedback reaches: wrong guesses cost a second look, never an answer."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from stenograph.model.feedback import Feedback
from stenograph.model.query import FeedbackQuery
from stenograph.store.runs.chdb import Chdb
from stenograph.store.runs.reach import DEEPEST, MARGIN, MOST, Reach
from stenograph.store.runs.store import Runs
from tests.store.run_samples import NOON, PROJECT, SECOND, feedback

WORKSPACE = UUID(int=0x4EAC4)
PAGE = FeedbackQuery(workspace=WORKSPACE, projects=(PROJECT,), limit=10)


def given(*seconds: float) -> list[Feedback]:
    """A page of pieces that are so many seconds older than noon."""
    return [feedback(WORKSPACE, f"f{at}", "a", created_at=NOON - int(at * SECOND)) for at in seconds]


def test_nothing_is_guessed_of_what_was_never_read() -> None:
    assert Reach().since(PAGE) is None


def test_a_page_is_as_long_as_the_last_one_with_a_margin() -> None:
    reach = Reach()
    reach.learn(PAGE, given(*range(10)))
    assert reach.since(replace(PAGE, limit=11)) == NOON - 11 * MARGIN * SECOND - 1
    assert reach.since(replace(PAGE, offset=30)) == NOON - 40 * MARGIN * SECOND - 1
    before = NOON - 500 * SECOND
    assert reach.since(replace(PAGE, created_until=before)) == before - 10 * MARGIN * SECOND - 1
    later = replace(PAGE, created_until=NOON + 10**6 * SECOND)
    assert reach.since(later) == NOON - 10 * MARGIN * SECOND - 1, (
        "beyond the newest there is nothing to look at"
    )


def test_a_page_ends_no_earlier_than_one_as_deep_did() -> None:
    reach = Reach()
    reach.learn(PAGE, given(*range(10)))
    assert reach.since(PAGE) == reach.since(replace(PAGE, limit=4)) == NOON - 9 * SECOND
    reach.learn(replace(PAGE, offset=90), given(*range(90, 100)))
    assert reach.since(replace(PAGE, offset=50)) == NOON - 99 * SECOND
    assert reach.since(PAGE) == NOON - 9 * SECOND, "the deeper page has not displaced it"
    reach.learn(replace(PAGE, offset=90), given(*range(92, 102)))  # something has been withdrawn
    assert reach.since(replace(PAGE, offset=90)) == NOON - 101 * SECOND
    before = replace(PAGE, created_until=NOON - 5 * SECOND)
    reach.learn(before, given(*range(5, 15)))
    assert reach.since(PAGE) == NOON - 9 * SECOND, "a page before some moment tells nothing of the newest"


def test_an_end_is_left_behind_by_what_has_come_since() -> None:
    reach = Reach()
    reach.learn(replace(PAGE, offset=90), given(*range(90, 100)))
    reach.learn(replace(PAGE, limit=2), given(-1_000_000, -999_999))
    deep = reach.since(replace(PAGE, offset=90))
    assert deep is not None
    assert deep > NOON


@pytest.mark.parametrize(
    "other",
    [
        {"keys": ("k",)},
        {"projects": (UUID(int=7),)},
        {"workspace": UUID(int=7)},
        {"created_since": NOON - SECOND},
        {"offset": DEEPEST},
    ],
)
def test_another_question_is_another_guess(other: dict[str, Any]) -> None:
    reach = Reach()
    reach.learn(PAGE, given(*range(10)))
    assert reach.since(replace(PAGE, **other)) is None


@pytest.mark.parametrize("narrow", ["runs", "ids", "traces"])
def test_of_named_things_nothing_is_remembered(narrow: str) -> None:
    named: dict[str, Any] = {narrow: (UUID(int=1),)}
    reach, asked = Reach(), replace(PAGE, **named)
    reach.learn(asked, given(*range(10)))
    assert reach.since(asked) is None


def test_a_page_that_is_not_full_ends_the_guessing() -> None:
    reach = Reach()
    reach.learn(PAGE, given(*range(10)))
    reach.learn(PAGE, given(*range(9)))
    assert reach.since(PAGE) is None
    reach.learn(replace(PAGE, limit=1), given(0))  # tells nothing of what lies between two
    assert reach.since(PAGE) is None


def test_where_pieces_lie_close_it_is_not_forgotten_that_they_lay_apart() -> None:
    reach = Reach()
    reach.learn(PAGE, given(*(100 * at for at in range(10))))
    reach.learn(PAGE, given(*(at / 10 for at in range(10))))
    assert reach.since(replace(PAGE, limit=20)) == NOON - 50 * 20 * MARGIN * SECOND - 1


def test_the_oldest_questions_are_forgotten() -> None:
    reach = Reach()
    for number in range(MOST + 1):
        reach.learn(replace(PAGE, keys=(str(number),)), given(*range(10)))
    assert reach.since(replace(PAGE, keys=("0",))) is None
    assert reach.since(replace(PAGE, keys=("1",))) is not None


def test_pages_are_the_same_with_and_without_guesses(tmp_path: Path) -> None:
    """Of pieces in bursts with years between, while some are withdrawn and others come."""
    chance = random.Random(7)
    moments = [
        NOON - burst * 10**8 * SECOND - chance.randrange(SECOND) for burst in range(4) for _ in range(60)
    ]
    pieces = [
        feedback(WORKSPACE, f"f{number}", "a", created_at=at, key=chance.choice("xy"), home=PROJECT)
        for number, at in enumerate(moments)
    ]

    def expected(query: FeedbackQuery) -> list[UUID]:
        listed = [
            piece
            for piece in pieces
            if not piece.deleted
            and (not query.keys or piece.key in query.keys)
            and (query.created_until is None or piece.created_at <= query.created_until)
        ]
        listed.sort(key=lambda piece: (piece.created_at, piece.id), reverse=True)
        return [piece.id for piece in listed[query.offset : query.offset + query.limit]]

    async def same(store: Runs, questions: Sequence[FeedbackQuery]) -> None:
        for query in questions:
            assert [piece.id for piece in await store.feedback(query)] == expected(query), query

    questions = [
        FeedbackQuery(
            workspace=WORKSPACE,
            projects=(PROJECT,),
            keys=keys,
            created_until=until,
            limit=limit,
            offset=offset,
        )
        for keys in ((), ("x",))
        for until in (None, moments[70], moments[150])
        for limit, offset in ((5, 0), (40, 0), (10, 55), (10, 115), (50, 0), (7, 230))
    ]

    async def story() -> None:
        store = await Runs.open(Chdb(tmp_path, readers=1, threads=1, memory=2**30))
        try:
            await store.write([], pieces)
            chance.shuffle(questions)
            await same(store, questions)
            for number in range(0, 60, 2):
                pieces[number] = msgspec.structs.replace(pieces[number], deleted=True, version=2)
            pieces.append(feedback(WORKSPACE, "new", "a", created_at=NOON + SECOND, key="x", home=PROJECT))
            await store.write([], pieces)
            chance.shuffle(questions)
            await same(store, questions)
        finally:
            await store.close()

    asyncio.run(story())

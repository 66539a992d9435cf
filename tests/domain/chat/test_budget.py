"""Leaving out the oldest turns: whole, and only as many as have to be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stenograph.domain.chat.budget import Fit, Weighed, fit, turns
from stenograph.model.conversations import Speaker

U, A, S, T = Speaker.USER, Speaker.ASSISTANT, Speaker.SYSTEM, Speaker.TOOL
ASKED = Weighed(A, 10, calls=frozenset({"c"}))
TOLD = Weighed(T, 10, answers="c")


def said(*speakers: Speaker) -> list[Weighed]:
    return [Weighed(speaker, 10) for speaker in speakers]


def test_the_oldest_turns_go_first_and_no_more_than_must() -> None:
    history = said(U, A, U, A, U, A)
    assert fit(history, 40, 100) == Fit((0, 1, 2, 3, 4, 5), 100)
    assert fit(history, 40, 99) == Fit((2, 3, 4, 5), 80)
    assert fit(history, 40, 60) == Fit((4, 5), 60)
    assert fit(history, 40, 59) == Fit((), 40)
    assert fit(history, 40, 39) is None


def test_a_tools_result_goes_and_stays_with_its_call() -> None:
    history = [*said(U), ASKED, *said(U), TOLD, *said(A), *said(U, A)]
    assert turns(history) == [[0, 1, 3], [2, 4], [5, 6]]
    assert fit(history, 0, 50) == Fit((2, 4, 5, 6), 40)


def test_a_call_that_the_new_input_answers_stays() -> None:
    history = [*said(U), ASKED]
    assert fit(history, 10, 25) == Fit((), 10)
    assert fit(history, 10, 25, frozenset({"c"})) is None
    assert fit([*said(U, A), *history], 10, 30, frozenset({"c"})) == Fit((2, 3), 30)


def test_a_summary_stays() -> None:
    history = [Weighed(S, 10, stays=True), *said(U, A, U, A)]
    assert fit(history, 0, 30) == Fit((0, 3, 4), 30)


MESSAGES = st.builds(
    Weighed,
    st.sampled_from([U, A, S, T]),
    st.integers(0, 30),
    st.frozensets(st.sampled_from("abc"), max_size=1),
    st.none() | st.sampled_from("abc"),
    st.booleans(),
)


@given(st.lists(MESSAGES, max_size=25), st.integers(0, 50), st.integers(0, 300))
def test_what_fits_is_within_the_budget_whole_and_the_newest(
    history: list[Weighed], fixed: int, budget: int
) -> None:
    found = fit(history, fixed, budget)
    if found is None:
        assert fixed + sum(message.tokens for message in history if message.stays) > budget
        return
    assert found.tokens == fixed + sum(history[index].tokens for index in found.kept) <= budget
    assert all(index in found.kept for index, message in enumerate(history) if message.stays)
    whole = [all(index in found.kept or history[index].stays for index in group) for group in turns(history)]
    gone = [
        not any(index in found.kept for index in group if not history[index].stays)
        for group in turns(history)
    ]
    assert all(one or other for one, other in zip(whole, gone, strict=True))
    assert sorted(index for group in turns(history) for index in group) == list(range(len(history)))

"""Cutting long texts: nothing is lost, nothing is too long, and sentences stay whole where they can."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from stenograph.domain.recall.chunking import chunks

SENTENCE = "The quick brown fox jumps over the lazy dog, and nobody minds. "


@given(st.text(alphabet=st.sampled_from("ab .!\n,;。é\t"), max_size=400), st.integers(1, 60))
def test_the_pieces_make_the_text_again_and_none_is_too_long(text: str, longest: int) -> None:
    pieces = chunks(text, longest)
    assert "".join(pieces) == text
    assert all(len(piece) <= longest for piece in pieces)
    assert pieces == [text] or all(pieces)


def test_sentences_stay_whole() -> None:
    pieces = chunks(SENTENCE * 40)
    assert len(pieces) > 1
    assert all(piece.endswith("minds. ") for piece in pieces)


def test_paragraphs_are_cut_between_before_sentences_are() -> None:
    paragraph = SENTENCE * 3 + "\n\n"
    assert chunks(paragraph * 4, 400) == [paragraph * 2, paragraph * 2]


def test_a_word_longer_than_a_chunk_is_cut() -> None:
    assert [len(piece) for piece in chunks("x" * 2_500)] == [1_000, 1_000, 500]


def test_pieces_are_as_few_as_they_can_be_in_order() -> None:
    pieces = chunks(SENTENCE * 100)
    assert all(
        len(one) + len(next_one) > 1_000 - len(SENTENCE) for one, next_one in itertools.pairwise(pieces)
    )

"""Examples are gone through in parts that memory can hold."""

from __future__ import annotations

import itertools
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from stenograph.domain.examples.reading import PAGE_CHARACTERS, within

SIZES = st.lists(st.integers(0, 2 * PAGE_CHARACTERS), max_size=20)


@given(SIZES)
def test_parts_are_the_whole_in_its_order_and_none_is_too_large(sizes: list[int]) -> None:
    ids = [UUID(int=number) for number in range(len(sizes))]
    size = dict(zip(ids, sizes, strict=True))
    parts = list(within(ids, size))
    assert [each for part in parts for each in part] == ids
    for part in parts:
        assert len(part) == 1 or sum(size[each] for each in part) <= PAGE_CHARACTERS
    for before, after in itertools.pairwise(parts):
        assert sum(size[each] for each in [*before, after[0]]) > PAGE_CHARACTERS


def test_an_example_of_unknown_size_counts_nothing() -> None:
    """It was deleted meanwhile: nothing will be read."""
    ids = [UUID(int=1), UUID(int=2)]
    assert list(within(ids, {})) == [ids]

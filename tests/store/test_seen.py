"""The filter of known ids: "no" is never wrong, "maybe" seldom."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stenograph.store.seen import SeenIds

IDS = st.integers(0, 2**128 - 1)


def ready(ids: list[int]) -> SeenIds:
    seen = SeenIds()
    seen.add(ids)
    seen.ready = True
    return seen


def random_ids(count: int, seed: int) -> list[int]:
    chance = Random(seed)
    return [chance.getrandbits(128) for _ in range(count)]


def ids_in_order_of_time(count: int, seed: int) -> list[int]:
    """Like uuid7: a clock in the high bits."""
    chance = Random(seed)
    return [(0x018F00000000 + at) << 80 | chance.getrandbits(80) for at in range(count)]


def ids_that_count(count: int, seed: int) -> list[int]:
    return [(seed << 64) + at for at in range(count)]


@given(st.lists(IDS), st.lists(IDS))
def test_no_id_that_was_added_is_denied(first: list[int], second: list[int]) -> None:
    seen = ready(first)
    seen.add(second)
    assert all(seen.maybe(first + second))


@given(st.lists(IDS, min_size=1), st.lists(IDS, min_size=2))
def test_ids_asked_for_one_by_one_are_answered_alike(known: list[int], others: list[int]) -> None:
    seen = ready(known)
    asked = [*known, *others]
    assert [seen.maybe([each])[0] for each in asked] == seen.maybe(asked)


def test_until_it_is_ready_everything_may_be_there() -> None:
    seen = SeenIds()
    seen.add([1])
    assert seen.maybe([1, 2]) == [True, True]
    seen.ready = True
    assert seen.maybe([1, 2]) == [True, False]
    assert seen.maybe([]) == []


@pytest.mark.parametrize("make", [random_ids, ids_in_order_of_time, ids_that_count])
def test_it_grows_and_stays_sharp(make) -> None:
    known, others = make(600_000, 1), make(200_000, 2)
    seen = ready(known)
    assert all(seen.maybe(known))
    assert sum(seen.maybe(others)) < 40  # about one in 100,000 and layer, ten times that allowed for


def test_threads_that_add_at_once_lose_nothing() -> None:
    parts = [random_ids(20_000, seed) for seed in range(8)]
    seen = SeenIds()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(seen.add, parts))
    finally:
        sys.setswitchinterval(interval)
    seen.ready = True
    assert all(all(seen.maybe(part)) for part in parts)

"""The map of clusters: the same for everybody, nothing over another or past the edge, like near like."""

from __future__ import annotations

import itertools
import math
import uuid

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stenograph.domain.insights import map as cluster_map
from stenograph.domain.insights.map import HEIGHT, Spot, drawn
from stenograph.model.insights import Cluster


def cluster(number: int, runs: int, middle: list[float] | None, level: int = 0) -> Cluster:
    return Cluster(
        id=uuid.UUID(int=number),
        job_id=uuid.UUID(int=0),
        level=level,
        name=f"cluster {number}",
        description="",
        runs=runs,
        stats={},
        leaves=(number,),
        centroid=b"" if middle is None else np.array(middle, "<f2").tobytes(),
    )


def many(count: int, seed: int) -> list[Cluster]:
    draw = np.random.default_rng(seed)
    return [cluster(at, int(draw.integers(1, 2000)), draw.normal(size=16).tolist()) for at in range(count)]


def apart(one: Spot, other: Spot) -> float:
    return math.dist((one.x, one.y), (other.x, other.y))


@given(st.integers(1, 60), st.integers(0, 10_000))
def test_all_are_inside_and_the_same_each_time(count: int, seed: int) -> None:
    clusters = many(count, seed)
    spots = drawn(clusters)
    assert [spot.cluster_id for spot in spots] == [each.id for each in clusters]
    for spot in spots:
        assert spot.radius - 1e-4 <= spot.x <= 1 - spot.radius + 1e-4
        assert spot.radius - 1e-4 <= spot.y <= HEIGHT - spot.radius + 1e-4
    cluster_map._laid_out.cache_clear()
    assert drawn(clusters) == spots


@pytest.mark.parametrize("count", [2, 8, 20, 60, 200])
def test_none_covers_another(count: int) -> None:
    for one, other in itertools.combinations(drawn(many(count, count)), 2):
        assert apart(one, other) >= 0.97 * (one.radius + other.radius)


def test_what_is_alike_is_near_and_area_is_share() -> None:
    subjects = ([1.0, 0.0, 0.0], [0.95, 0.05, 0.0], [0.0, 0.0, 1.0], [0.0, 0.1, 0.9])
    sizes = (400, 100, 400, 100)
    spots = drawn(
        [cluster(at, size, middle) for at, (size, middle) in enumerate(zip(sizes, subjects, strict=True))]
    )
    one, like, other, like_other = spots
    assert apart(one, like) < apart(one, other)
    assert apart(other, like_other) < apart(like, other)
    assert one.radius**2 / like.radius**2 == pytest.approx(4, rel=0.01)


def test_only_the_finest_are_on_it() -> None:
    found = drawn([cluster(1, 5, [1, 0]), cluster(2, 5, [0, 1]), cluster(3, 10, [1, 1], level=1)])
    assert {spot.cluster_id.int for spot in found} == {1, 2}
    assert drawn([]) == []


@pytest.mark.parametrize("middle", [None, [], [1.0], [0.0, 0.0], [math.nan, math.inf], [65504.0, -65504.0]])
def test_middles_that_say_nothing(middle: list[float] | None) -> None:
    """Reports from elsewhere may have none, or all the same: there is a map all the same."""
    spots = drawn([cluster(at, 10, middle) for at in range(4)])
    assert all(math.isfinite(spot.x + spot.y + spot.radius) for spot in spots)
    for one, other in itertools.combinations(spots, 2):
        assert apart(one, other) >= 0.97 * (one.radius + other.radius)

"""The method on labelled traffic: clusters, names, planted differences; and on what is hardly traffic at all."""

from __future__ import annotations

import functools
import hashlib
import uuid
from collections.abc import Sequence

import numpy as np
import pytest
from bench import quality, scores, traffic
from bench.quality import INTENTS, THEMES, row

from stenograph.domain.insights import clustering, levels, vectors
from stenograph.domain.insights.analysis import Analysis, Distinct, Plan, TraceRow, analyse, embed_all
from stenograph.domain.insights.bags import Floats, unit

TRACES = INTENTS * 60
PROJECT = quality.PROJECT


def by_hash(some: Sequence[str]) -> Floats:
    """Vectors of words by their hash: quick, and the same anywhere. For what does not depend on meaning."""
    found = np.zeros((len(some), 64), np.float32)
    for number, text in enumerate(some):
        for word in text.split():
            seed = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")
            found[number] += np.random.default_rng(seed).standard_normal(64).astype(np.float32)
    return unit(found + 1e-3)


def report_of(
    rows: Sequence[TraceRow], embed: vectors.Embed = by_hash, before: Sequence[str] = (), **plan
) -> Analysis:
    made = Plan(job_id=uuid.UUID(int=1), **plan)
    distinct = Distinct(rows, before)
    return analyse(rows, made, distinct, embed_all(distinct, embed, made.seed, _mute), embed, _mute)


def _mute(stage: str, done: int, of: int) -> None:
    pass


@functools.cache
def labelled() -> quality.Labelled:
    """Traffic with its report, made with the model that the program has."""
    monkey = pytest.MonkeyPatch()
    monkey.setattr(vectors, "TAUGHT", 250)  # as large a part of these as is taught of ten thousand
    monkey.setattr(vectors, "WORDS", 150)
    try:
        return quality.labelled(TRACES)
    finally:
        monkey.undo()


@pytest.mark.parametrize(("level", "least_v", "least_ami"), [(0, 0.80, 0.75), (1, 0.45, 0.40)])
def test_clusters_are_the_intents_and_better_than_plain_means(
    level: int, least_v: float, least_ami: float
) -> None:
    found = quality.agreement(labelled(), level)
    assert found.v >= max(least_v, found.floor_v)
    assert found.ami >= max(least_ami, found.floor_ami)


def test_the_wanted_counts_are_met_exactly() -> None:
    found = labelled().found
    assert [sum(each.level == level for each in found.clusters) for level in (0, 1)] == [INTENTS, THEMES]
    assert sum(each.runs for each in found.clusters if each.level == 0) == TRACES
    by_id = {each.id: each for each in found.clusters}
    for cluster in found.clusters:
        if cluster.parent_id is not None:
            assert set(cluster.leaves) <= set(by_id[cluster.parent_id].leaves)


def test_names_are_in_the_words_of_their_intents_and_unique() -> None:
    made = labelled()
    assert len({each.name for each in made.found.clusters}) == len(made.found.clusters)
    assert quality.of_names(made) >= 0.8


def test_what_was_planted_is_found_and_little_else() -> None:
    precision, recall = quality.of_points(labelled())
    assert recall >= 0.8
    assert precision >= 0.6


def test_highlighted_traces_say_which_number_put_them_there() -> None:
    found = labelled().found
    assert [each.rank for each in found.highlighted] == list(range(1, len(found.highlighted) + 1))
    assert 3 <= len(found.highlighted) <= 10
    assert all(any(sign.isdigit() for sign in each.highlight_reason) for each in found.highlighted)
    assert any("See #1." in point for point in found.key_points)


def test_the_same_traces_in_any_order_make_the_same_report() -> None:
    rows = [row(trace) for trace in traffic.traces(400)]
    first, second = report_of(rows), report_of(list(reversed(rows)))
    assert [(each.id, each.name, each.runs) for each in first.clusters] == [
        (each.id, each.name, each.runs) for each in second.clusters
    ]
    assert first.key_points == second.key_points
    other = report_of(rows, seed=5)
    assert {each.id for each in other.clusters} != {each.id for each in first.clusters}


@pytest.mark.parametrize("count", [1, 2, 3, 11, 12])
def test_few_traces(count: int) -> None:
    rows = [row(trace) for trace in traffic.traces(count)]
    found = report_of(rows)
    top = max(each.level for each in found.clusters)
    assert sum(each.runs for each in found.clusters if each.level == top) == count
    assert found.key_points


def test_all_identical_and_all_empty() -> None:
    same = [TraceRow(uuid.UUID(int=at), PROJECT, 1, "hello world", "hello world") for at in range(50)]
    found = report_of(same, hierarchy=(5, 2))
    assert {each.runs for each in found.clusters} == {50}
    nothing = [TraceRow(uuid.UUID(int=at), PROJECT, 1, "", "") for at in range(50)]
    found = report_of(nothing)
    assert [(each.name, each.runs) for each in found.clusters] == [(levels.EMPTY, 50)]


def test_given_categories_are_the_top_level() -> None:
    rows = [row(trace) for trace in traffic.traces(200, intents=2)]
    given = {"refunds": "get my money back for an order", "invoices": "download an invoice with VAT"}
    found = report_of(rows, partitions=given)
    top = max(each.level for each in found.clusters)
    assert {each.name for each in found.clusters if each.level == top} <= {*given, levels.OTHER}
    assert sum(each.runs for each in found.clusters if each.level == 0) == 200


def test_given_categories_that_only_the_window_before_has_are_left_out() -> None:
    """Clusters without traces would have one id, and a report with two of them could not be kept."""
    rows = [TraceRow(uuid.UUID(int=at), PROJECT, 1, "refund", "refund") for at in range(30)]
    given = {"refund": "refund", "invoice": "invoice", "parcel": "parcel"}
    found = report_of(rows, before=["invoice"] * 20 + ["parcel"] * 20, hierarchy=(6,), partitions=given)
    assert all(each.runs for each in found.clusters)
    assert len({each.id for each in found.clusters}) == len(found.clusters)
    assert [each.name for each in found.clusters if each.level == 1] == ["refund"]


@pytest.mark.parametrize("hierarchy", [(2,), (2, 1)])
def test_growth_against_the_window_before(hierarchy: tuple[int, ...]) -> None:
    said = ["refund my money please", "download an invoice pdf"]
    rows = [TraceRow(uuid.UUID(int=at), PROJECT, 1, said[at % 2], said[at % 2]) for at in range(300)]
    found = report_of(rows, before=[said[0]] * 250 + [said[1]] * 50 + ["goodbye"], hierarchy=hierarchy)
    assert any("grew to 50.0% of traces, from 16." in point for point in found.key_points)
    assert [each.runs for each in found.clusters if each.level == 0] == [150, 150]
    assert found.distinct == 2, "what only the window before has is none of the report's texts"


def test_attributes_are_summed_up() -> None:
    found = report_of([row(trace) for trace in traffic.traces(60, intents=3)], hierarchy=(1,))
    assert found.clusters[0].stats["attributes"]["theme"] == {"n": 60, "values": {"billing": 60}}


def test_leaders_say_the_same_as_those_they_stand_for() -> None:
    points = unit(np.random.default_rng(0).standard_normal((40, 16)).astype(np.float32))
    twice = np.concatenate([points, points])
    found = clustering.leaders(twice, np.ones(80), 0)
    assert np.array_equal(twice[found], twice)
    assert len(np.unique(found)) == 40


def test_scores_of_labellings_whose_scores_are_known() -> None:
    assert scores.v_measure("aabb", "xxyy") == pytest.approx(1)
    assert scores.v_measure([0, 0, 1, 1], [0, 0, 1, 2]) == pytest.approx(0.8)
    assert scores.v_measure("abcd", "xxxx") == 0
    assert scores.adjusted_mutual_information("aabb" * 50, "xxyy" * 50) == pytest.approx(1)
    by_chance = np.random.default_rng(1).integers(0, 5, 1000).tolist()
    assert abs(scores.adjusted_mutual_information("abcde" * 200, by_chance)) < 0.02

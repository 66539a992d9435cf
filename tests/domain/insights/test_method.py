"""The method on labelled traffic: clusters, names, planted differences; and on what is hardly traffic at all."""

from __future__ import annotations

import functools
import hashlib
import uuid
from collections.abc import Sequence

import msgspec
import numpy as np
import pytest
from bench import traffic

from stenograph.domain.insights import analysis, clustering, texts, vectors, words
from stenograph.domain.insights.analysis import Analysis, Distinct, Plan, TraceRow, analyse, embed_all
from stenograph.domain.insights.bags import Floats, unit
from stenograph.llm.embedding import LocalEmbedder
from tests.domain.insights.scores import adjusted_mutual_information, v_measure

TRACES = 29 * 60
PROJECT = uuid.UUID(int=7)
INTENTS = len(traffic.INTENTS)
THEMES = len({intent.theme for intent in traffic.INTENTS})


def row(trace: traffic.Trace) -> TraceRow:
    """Without the answer: in this traffic it would give the intent away."""
    asked = msgspec.json.encode({"messages": [{"role": "user", "content": trace.text}]})
    text = texts.of_trace(asked, None, None)
    return TraceRow(
        run_id=trace.id, project_id=PROJECT, start_time=1, text=text.whole, topic=text.topic,
        error=trace.error or "", failed=trace.error is not None, latency=trace.seconds, tokens=len(trace.text),
        cost=trace.cost, feedback={} if trace.score is None else {"user_score": trace.score},
        attributes={"theme": trace.theme},
    )  # fmt: skip


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


def members(found: Analysis, level: int) -> dict[uuid.UUID, str]:
    """The cluster's name by run."""
    names: dict[uuid.UUID, str] = {}
    for cluster in found.clusters:
        if cluster.level == level:
            for chunk in found.chunks:
                if chunk.leaf in cluster.leaves:
                    ids = [chunk.run_ids[at : at + 16] for at in range(0, len(chunk.run_ids), 16)]
                    names.update((uuid.UUID(bytes=each), cluster.name) for each in ids)
    return names


@functools.cache
def labelled() -> tuple[list[traffic.Trace], Analysis, Floats]:
    """Traffic with its report, made with the model that the program has, and the vectors that were clustered."""
    monkey = pytest.MonkeyPatch()
    monkey.setattr(vectors, "TAUGHT", 250)  # as large a part of these as is taught of ten thousand
    monkey.setattr(vectors, "WORDS", 150)
    try:
        traces = list(traffic.traces(TRACES))
        rows = [row(trace) for trace in traces]
        embed = LocalEmbedder(tokens=48).embed_now
        made = Plan(job_id=uuid.UUID(int=1), hierarchy=(INTENTS, THEMES))
        distinct = Distinct(rows, ())
        embedded = embed_all(distinct, embed, 0, _mute)
        found = analyse(rows, made, distinct, embedded, embed, _mute)
        return traces, found, embedded.clustered[distinct.of_rows]
    finally:
        monkey.undo()


@pytest.mark.parametrize(
    ("level", "label", "least_v", "least_ami"), [(0, "intent", 0.80, 0.75), (1, "theme", 0.45, 0.40)]
)
def test_clusters_are_the_intents_and_better_than_plain_means(
    level: int, label: str, least_v: float, least_ami: float
) -> None:
    traces, found, points = labelled()
    names = members(found, level)
    wanted = [getattr(trace, label) for trace in traces]
    got = [names[trace.id] for trace in traces]
    assert v_measure(wanted, got) >= least_v
    assert adjusted_mutual_information(wanted, got) >= least_ami
    count = len(set(wanted))
    floors = []
    for seed in range(3):
        centers = clustering.means(points, np.ones(len(points)), count, np.random.default_rng(seed))
        floors.append(v_measure(wanted, clustering.nearest(points, centers).tolist()))
    assert v_measure(wanted, got) >= sorted(floors)[1]


def test_the_wanted_counts_are_met_exactly() -> None:
    _, found, _ = labelled()
    assert [sum(each.level == level for each in found.clusters) for level in (0, 1)] == [INTENTS, THEMES]
    assert sum(each.runs for each in found.clusters if each.level == 0) == TRACES
    by_id = {each.id: each for each in found.clusters}
    for cluster in found.clusters:
        if cluster.parent_id is not None:
            assert set(cluster.leaves) <= set(by_id[cluster.parent_id].leaves)


def test_names_are_in_the_words_of_their_intents_and_unique() -> None:
    traces, found, _ = labelled()
    assert len({each.name for each in found.clusters}) == len(found.clusters)
    names = members(found, 0)
    of_name: dict[str, list[str]] = {}
    for trace in traces:
        of_name.setdefault(names[trace.id], []).append(trace.intent)
    said = {
        intent.name: _stems(" ".join((intent.name, *intent.actions, *intent.things)))
        for intent in traffic.INTENTS
    }
    good = [
        len(_stems(name) & said[max(set(intents), key=intents.count)]) >= 0.6 * len(_stems(name))
        for name, intents in of_name.items()
    ]
    assert np.mean(good) >= 0.8


def _stems(text: str) -> set[str]:
    return {words.stem(word) for word in words.tokens(text) if len(word) > 2 and word not in words.STOP}


def test_what_was_planted_is_found_and_little_else() -> None:
    traces, found, _ = labelled()
    names = members(found, 0)
    home = {
        intent: max(of, key=of.count)
        for intent in traffic.PLANTED
        if (of := [names[trace.id] for trace in traces if trace.intent == intent])
    }
    measures = {"errors": " fail, ", "latency": " takes ", "cost": " costs ", "score": "Feedback user_score"}
    points = found.key_points[1:]
    hits = [
        any(f"“{home[intent]}”" in point and measures[kind] in point for point in points)
        for intent, kind in traffic.PLANTED.items()
    ]
    assert sum(hits) >= 4
    true = [
        any(
            f"“{home[intent]}”" in point and measures[kind] in point
            for intent, kind in traffic.PLANTED.items()
        )
        for point in points
    ]
    assert np.mean(true) >= 0.6


def test_highlighted_traces_say_which_number_put_them_there() -> None:
    _, found, _ = labelled()
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
    assert [(each.name, each.runs) for each in found.clusters] == [(analysis.EMPTY, 50)]


def test_given_categories_are_the_top_level() -> None:
    rows = [row(trace) for trace in traffic.traces(200, intents=2)]
    given = {"refunds": "get my money back for an order", "invoices": "download an invoice with VAT"}
    found = report_of(rows, partitions=given)
    top = max(each.level for each in found.clusters)
    assert {each.name for each in found.clusters if each.level == top} <= {*given, analysis.OTHER}
    assert sum(each.runs for each in found.clusters if each.level == 0) == 200


def test_given_categories_that_only_the_window_before_has_are_left_out() -> None:
    """Clusters without traces would have one id, and a report with two of them could not be kept."""
    rows = [TraceRow(uuid.UUID(int=at), PROJECT, 1, "refund", "refund") for at in range(30)]
    given = {"refund": "refund", "invoice": "invoice", "parcel": "parcel"}
    found = report_of(rows, before=["invoice"] * 20 + ["parcel"] * 20, hierarchy=(6,), partitions=given)
    assert all(each.runs for each in found.clusters)
    assert len({each.id for each in found.clusters}) == len(found.clusters)
    assert [each.name for each in found.clusters if each.level == 1] == ["refund"]


def test_growth_against_the_window_before() -> None:
    said = ["refund my money please", "download an invoice pdf"]
    rows = [TraceRow(uuid.UUID(int=at), PROJECT, 1, said[at % 2], said[at % 2]) for at in range(300)]
    found = report_of(rows, before=[said[0]] * 250 + [said[1]] * 50, hierarchy=(2,))
    assert any("grew to 50.0% of traces, from 16.7%" in point for point in found.key_points)
    assert [each.runs for each in found.clusters] == [150, 150]


def test_attributes_are_summed_up() -> None:
    found = report_of([row(trace) for trace in traffic.traces(60, intents=3)], hierarchy=(1,))
    assert found.clusters[0].stats["attributes"]["theme"] == {"n": 60, "values": {"billing": 60}}


def test_leaders_say_the_same_as_those_they_stand_for() -> None:
    points = unit(np.random.default_rng(0).standard_normal((40, 16)).astype(np.float32))
    twice = np.concatenate([points, points])
    found = clustering.leaders(twice, np.ones(80), 0)
    assert np.array_equal(twice[found], twice)
    assert len(np.unique(found)) == 40

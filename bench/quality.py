"""What a report finds in labelled traffic, held against the labels: clusters beside plain k-means on the same vectors,
names against the intents' own words, and key points against the differences that were planted."""

from __future__ import annotations

import functools
import statistics
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from bench import traffic
from bench.scores import adjusted_mutual_information, v_measure
from stenograph.domain.insights import clustering, texts, words
from stenograph.domain.insights.analysis import Analysis, Distinct, Plan, TraceRow, analyse, embed_all
from stenograph.domain.insights.bags import Floats
from stenograph.domain.insights.vectors import Embed
from stenograph.llm.embedding import LocalEmbedder

PROJECT: Final = uuid.UUID(int=7)
INTENTS: Final = len(traffic.INTENTS)
THEMES: Final = len({intent.theme for intent in traffic.INTENTS})
_SEEDS: Final = 3
_SAYS: Final = {"errors": " fail, ", "latency": " takes ", "cost": " costs ", "score": "Feedback user_score"}
_DUE_TO: Final = 0.3
"""The share of a cluster from which on an intent of which something was planted is what its figures come from."""

_OVERLAP: Final = 0.6


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of one level with the labels; `floor_` is the median of plain k-means."""

    v: float
    ami: float
    floor_v: float
    floor_ami: float


@dataclass(frozen=True, slots=True)
class Quality:
    """`names` is the share of the finest clusters whose names are in the words of their intent; precision is of all key
    points but the first, recall of what was planted."""

    traces: int
    fine: Agreement
    top: Agreement
    names: float
    precision: float
    recall: float


@dataclass(frozen=True, slots=True)
class Labelled:
    """Traffic with its report, and the vectors that were clustered, one a trace."""

    traces: list[traffic.Trace]
    found: Analysis
    points: Floats

    def members(self, level: int) -> dict[uuid.UUID, str]:
        """The cluster's name by run."""
        homes = {
            leaf: cluster.name
            for cluster in self.found.clusters
            if cluster.level == level
            for leaf in cluster.leaves
        }
        return {
            uuid.UUID(bytes=chunk.run_ids[at : at + 16]): homes[chunk.leaf]
            for chunk in self.found.chunks
            for at in range(0, len(chunk.run_ids), 16)
        }


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


def labelled(count: int, embed: Embed | None = None) -> Labelled:
    """A report of so many traces, with as many clusters as there are intents, and themes. The model is the program's
    own, unless another one is given."""
    embed = embed or LocalEmbedder(tokens=48).embed_now
    traces = list(traffic.traces(count))
    rows = [row(trace) for trace in traces]
    distinct = Distinct(rows, ())
    embedded = embed_all(distinct, embed, 0, _mute)
    plan = Plan(job_id=uuid.UUID(int=1), hierarchy=(INTENTS, THEMES))
    found = analyse(rows, plan, distinct, embedded, embed, _mute)
    return Labelled(traces, found, embedded.clustered[distinct.of_rows])


def _mute(stage: str, done: int, of: int) -> None:
    """Nobody waits for it."""


def measure(per_intent: int) -> Quality:
    """Of so many paraphrases of each intent."""
    made = labelled(INTENTS * per_intent)
    precision, recall = of_points(made)
    return Quality(
        len(made.traces), agreement(made, 0), agreement(made, 1), of_names(made), precision, recall
    )


def agreement(made: Labelled, level: int) -> Agreement:
    """Of the finest level with the intents, of the one above with the themes."""
    label = ("intent", "theme")[level]
    wanted = [getattr(trace, label) for trace in made.traces]
    names = made.members(level)
    got = [names[trace.id] for trace in made.traces]
    plain = [_plain_means(made.points, len(set(wanted)), seed) for seed in range(_SEEDS)]
    return Agreement(
        v_measure(wanted, got),
        adjusted_mutual_information(wanted, got),
        statistics.median(v_measure(wanted, each) for each in plain),
        statistics.median(adjusted_mutual_information(wanted, each) for each in plain),
    )


def _plain_means(points: Floats, count: int, seed: int) -> list[int]:
    centers = clustering.means(points, np.ones(len(points)), count, np.random.default_rng(seed))
    labels: list[int] = clustering.nearest(points, centers).tolist()
    return labels


def of_names(made: Labelled) -> float:
    """The share of the finest clusters of whose names' words most are the intent's own."""
    good = [
        len(_stems(name) & _own_words(most_frequent(intents))) >= _OVERLAP * len(_stems(name))
        for name, intents in intents_of(made, 0).items()
    ]
    return sum(good) / len(good)


def intents_of(made: Labelled, level: int) -> dict[str, list[str]]:
    """The intents of the traces of each cluster, by its name."""
    names = made.members(level)
    found: dict[str, list[str]] = {}
    for trace in made.traces:
        found.setdefault(names[trace.id], []).append(trace.intent)
    return found


def most_frequent(intents: Sequence[str]) -> str:
    return max(sorted(set(intents)), key=intents.count)


@functools.cache
def _own_words(intent_name: str) -> frozenset[str]:
    (intent,) = (each for each in traffic.INTENTS if each.name == intent_name)
    return frozenset(_stems(" ".join((intent.name, *intent.actions, *intent.things))))


def _stems(text: str) -> set[str]:
    return {words.stem(word) for word in words.tokens(text) if len(word) > 2 and word not in words.STOP}


def of_points(made: Labelled) -> tuple[float, float]:
    """(precision, recall) of what the key points say but for the first, which tells of sizes."""
    clusters = intents_of(made, 0) | intents_of(made, 1)
    found: set[str] = set()
    right = 0
    points = made.found.key_points[1:]
    for point in points:
        intents = next((clusters[name] for name in clusters if f"“{name}”" in point), [])
        due = {
            intent
            for intent, kind in traffic.PLANTED.items()
            if _SAYS[kind] in point and intents.count(intent) >= _DUE_TO * max(1, len(intents))
        }
        found |= due
        right += bool(due)
    return right / max(1, len(points)), len(found) / len(traffic.PLANTED)

"""Experiments judged and set against each other, from their events' metrics. Pure.

A metric with a rule passes when the rule says so, and always without one. A datapoint passes when all metrics of its
sessions pass, and an experiment succeeds when no datapoint fails. A text is judged, and not computed with.
docs/honeyhive-experiments.md
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from stenograph.domain.experiments.measured import ROOT, TOP, MeasuredEvent, Measurement
from stenograph.model.evaluators import Threshold

_DIGITS: Final = 9
"""Values that differ by less than floating point arithmetic may make of equal ones are equal."""

CLIENT_SIDE: Final = "CLIENT_SIDE"
LLM: Final = "LLM"
_KINDS: Final = {"model": LLM}
"""The type of a metric that no evaluator is known of, by the type of its feedback's source."""


def passes(rule: Threshold, measured: Measurement) -> bool:
    """Whether a value is within bounds, both inclusive, equal to what is asked for, one of the categories.

    A text is neither within bounds nor equal to a number.
    """
    number = measured.number
    if rule.passing_categories and str(measured.value) not in rule.passing_categories:
        return False
    if number is None:
        return rule.min is None and rule.max is None and rule.pass_when is None
    if rule.pass_when is not None and number != float(rule.pass_when):
        return False
    return (rule.min is None or number >= rule.min) and (rule.max is None or number <= rule.max)


@dataclass(frozen=True, slots=True)
class MetricInfo:
    """What is known of a metric beside its values: who computes it, and when it passes."""

    kind: str | None = None
    rule: Threshold | None = None


_UNKNOWN: Final = MetricInfo()

Metrics = Mapping[str, MetricInfo]
"""By the metric's name."""


@dataclass(frozen=True, slots=True)
class Scored:
    """One metric of one event."""

    metric: str
    event: MeasuredEvent
    measured: Measurement
    passed: bool


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A metric on the events of one name and type. `depth` is that of the topmost of them."""

    metric: str
    kind: str
    event_name: str
    event_kind: str
    depth: int
    rule: Threshold | None
    scored: tuple[Scored, ...]

    @property
    def values(self) -> list[bool | float]:
        """Those that are computed with, in the order of the events."""
        return [one.measured.value for one in self.scored if not isinstance(one.measured.value, str)]

    @property
    def numbers(self) -> list[float]:
        return [one.measured.number for one in self.scored if one.measured.number is not None]

    def datapoints(self, passed: bool) -> list[str]:
        """Those whose events all pass, or the others."""
        failed = dict.fromkeys(one.event.label for one in self.scored if not one.passed)
        if not passed:
            return list(failed)
        return [each for each in dict.fromkeys(one.event.label for one in self.scored) if each not in failed]

    def by_datapoint(self) -> dict[str, float]:
        """The mean of each datapoint's numbers, for those that have a name and a number."""
        found: dict[str, list[float]] = {}
        for one in self.scored:
            if one.event.datapoint is not None and one.measured.number is not None:
                found.setdefault(one.event.datapoint, []).append(one.measured.number)
        return {each: sum(numbers) / len(numbers) for each, numbers in found.items()}


@dataclass(frozen=True, slots=True)
class SessionResult:
    """What became of one session."""

    session: UUID
    datapoint: str | None
    scored: tuple[Scored, ...] = ()

    @property
    def passed(self) -> bool:
        return all(one.passed for one in self.scored)


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """An experiment judged. Rows come from the top of the sessions down, sessions by their start.

    `passed` and `failed` are datapoints; a session stands for one that has no name. `events` are the names and types
    of all events.
    """

    rows: tuple[MetricRow, ...]
    sessions: tuple[SessionResult, ...]
    passed: tuple[str, ...]
    failed: tuple[str, ...]
    events: tuple[tuple[str, str], ...]

    @property
    def success(self) -> bool:
        return not self.failed


def judge(events: Sequence[MeasuredEvent], metrics: Metrics) -> EvaluationResult:
    """What the events of one experiment, the oldest first, come to."""
    of_sessions: dict[UUID, list[Scored]] = {}
    datapoints: dict[UUID, str | None] = {}
    for event in events:
        datapoints.setdefault(event.session, event.datapoint)
        scored = of_sessions.setdefault(event.session, [])
        for key, measured in event.metrics.items():
            rule = metrics.get(key, _UNKNOWN).rule
            if measured.number is None and rule is None:
                continue  # words that nobody judges, such as explanations
            scored.append(Scored(key, event, measured, rule is None or passes(rule, measured)))
    sessions = tuple(
        SessionResult(session, datapoints[session], tuple(scored)) for session, scored in of_sessions.items()
    )
    failed = dict.fromkeys(each.datapoint or str(each.session) for each in sessions if not each.passed)
    labels = dict.fromkeys(each.datapoint or str(each.session) for each in sessions)
    return EvaluationResult(
        rows=_rows([one for each in sessions for one in each.scored], metrics),
        sessions=sessions,
        passed=tuple(each for each in labels if each not in failed),
        failed=tuple(failed),
        events=tuple(dict.fromkeys((event.name, event.kind) for event in events)),
    )


def _rows(scored: Iterable[Scored], metrics: Metrics) -> tuple[MetricRow, ...]:
    found: dict[tuple[str, str, str], list[Scored]] = {}
    for one in scored:
        found.setdefault((one.metric, one.event.name, one.event.kind), []).append(one)
    rows = []
    for (metric, name, kind), each in found.items():
        info = metrics.get(metric, _UNKNOWN)
        rows.append(
            MetricRow(
                metric=metric,
                kind=info.kind or _KINDS.get(each[-1].measured.by, CLIENT_SIDE),
                event_name=name,
                event_kind=kind,
                depth=min(one.event.depth for one in each),
                rule=info.rule,
                scored=tuple(each),
            )
        )
    return tuple(sorted(rows, key=lambda row: (row.depth, row.metric, row.event_name, row.event_kind)))


# -- comparing -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """One metric in two experiments; either may be without it. Datapoints are those that both have a number for."""

    new: MetricRow | None
    old: MetricRow | None
    improved: tuple[str, ...] = ()
    degraded: tuple[str, ...] = ()
    same: tuple[str, ...] = ()

    @property
    def row(self) -> MetricRow:
        found = self.new or self.old
        assert found is not None
        return found

    @property
    def found(self) -> int:
        return len(self.improved) + len(self.degraded) + len(self.same)


@dataclass(frozen=True, slots=True)
class Change:
    """From the old aggregate to the new one; `percent` of the old one, None of nought."""

    difference: float
    percent: float | None


@dataclass(frozen=True, slots=True)
class EvaluationComparison:
    """Rows of the topmost events come last: HoneyHive's client keeps one row a metric, the last.

    `events` are names and types with `new`, `old` or `both`.
    """

    rows: tuple[ComparedRow, ...]
    common: tuple[str, ...]
    events: tuple[tuple[str, str, str], ...] = field(default=())


def compare(
    new: EvaluationResult, old: EvaluationResult, lower_is_better: frozenset[str] = frozenset()
) -> EvaluationComparison:
    """The new experiment against the old one."""
    rows = [_compared(pair, lower_is_better) for pair in _paired(new.rows, old.rows)]
    rows.sort(key=lambda each: (-each.row.depth, each.row.metric, each.row.event_name, each.row.event_kind))
    there = {each.datapoint for each in old.sessions} - {None}
    common = dict.fromkeys(each.datapoint for each in new.sessions if each.datapoint in there)
    presence = dict.fromkeys(old.events, "old")
    for each in new.events:
        presence[each] = "both" if each in presence else "new"
    return EvaluationComparison(
        rows=tuple(rows),
        common=tuple(each for each in common if each is not None),
        events=tuple((name, kind, where) for (name, kind), where in presence.items()),
    )


def change(new: float | None, old: float | None) -> Change | None:
    """None where either is not known."""
    if new is None or old is None:
        return None
    difference = new - old
    return Change(difference, difference / abs(old) * 100 if old else None)


def _paired(new: Iterable[MetricRow], old: Iterable[MetricRow]) -> list[ComparedRow]:
    """Rows of one metric on events of one name and type belong together.

    So do the only rows of a metric on the sessions, or on the topmost events of the sessions, when their names differ:
    sessions are named after their run, and the topmost event after the function that was evaluated.
    """
    olds = {_key(row): row for row in old}
    pairs: list[ComparedRow] = []
    alone: list[MetricRow] = []
    for row in new:
        other = olds.pop(_key(row), None)
        if other is None:
            alone.append(row)
        else:
            pairs.append(ComparedRow(row, other))
    for depth in (ROOT, TOP):
        for metric in dict.fromkeys(row.metric for row in alone):
            mine = [row for row in alone if (row.metric, row.depth) == (metric, depth)]
            theirs = [row for row in olds.values() if (row.metric, row.depth) == (metric, depth)]
            if len(mine) == len(theirs) == 1:
                pairs.append(ComparedRow(mine[0], theirs[0]))
                alone.remove(mine[0])
                del olds[_key(theirs[0])]
    pairs += [ComparedRow(row, None) for row in alone]
    return pairs + [ComparedRow(None, row) for row in olds.values()]


def _key(row: MetricRow) -> tuple[str, str, str]:
    return row.metric, row.event_name, row.event_kind


def _compared(pair: ComparedRow, lower_is_better: frozenset[str]) -> ComparedRow:
    """With the datapoints that became better, worse, and neither."""
    if pair.new is None or pair.old is None:
        return pair
    better = -1 if pair.row.metric in lower_is_better else 1
    improved: list[str] = []
    degraded: list[str] = []
    same: list[str] = []
    before = pair.old.by_datapoint()
    for datapoint, after in pair.new.by_datapoint().items():
        if datapoint not in before:
            continue
        difference = better * round(after - before[datapoint], _DIGITS)
        (improved if difference > 0 else degraded if difference < 0 else same).append(datapoint)
    return replace(pair, improved=tuple(improved), degraded=tuple(degraded), same=tuple(same))

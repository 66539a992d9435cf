"""Events of two experiments side by side: those that answer one datapoint in the same role. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stenograph.domain.experiments.measured import ROOT, TOP, MeasuredEvent


@dataclass(frozen=True, slots=True)
class EventPair:
    """An event of the new experiment and its counterpart in the old one."""

    datapoint: str
    new: MeasuredEvent
    old: MeasuredEvent


def paired(new: Sequence[MeasuredEvent], old: Sequence[MeasuredEvent]) -> list[EventPair]:
    """In the order of the new experiment's datapoints; events without a counterpart are left out.

    Sessions are counterparts whatever they are called: they have the names of their runs. Other events are when their
    names and types agree, the first with the first and so on; and so are the topmost events when there is one left on
    either side, which are named after the functions that were evaluated.
    """
    olds = _by_datapoint(old)
    found: list[EventPair] = []
    for datapoint, events in _by_datapoint(new).items():
        rest = olds.get(datapoint, [])
        alone: list[MeasuredEvent] = []
        pairs: list[EventPair] = []
        for event in events:
            other = next((each for each in rest if _role(each) == _role(event)), None)
            if other is None:
                alone.append(event)
            else:
                rest.remove(other)
                pairs.append(EventPair(datapoint, event, other))
        mine = [event for event in alone if event.depth == TOP]
        theirs = [event for event in rest if event.depth == TOP]
        if len(mine) == len(theirs) == 1:
            pairs.append(EventPair(datapoint, mine[0], theirs[0]))
        found += sorted(pairs, key=lambda pair: (pair.new.start_time, pair.new.depth, pair.new.id))
    return found


def _by_datapoint(events: Iterable[MeasuredEvent]) -> dict[str, list[MeasuredEvent]]:
    found: dict[str, list[MeasuredEvent]] = {}
    for event in events:
        if event.datapoint is not None:
            found.setdefault(event.datapoint, []).append(event)
    return found


def _role(event: MeasuredEvent) -> tuple[str, str]:
    return event.kind, "" if event.depth == ROOT else event.name

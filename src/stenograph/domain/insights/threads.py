"""Threads as what a report counts: all traces of a conversation that began in the window, told as one.

A thread is chosen when one of its traces matches. It stands under its last trace, whose id and start it has, as in
LangSmith. Tokens, cost and latency are those of all its turns together, feedback is their mean, and it has failed when
one of them has. Text is read of the first turns and of the last: no more is looked at of any.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple
from uuid import UUID

from stenograph.domain.insights.worker import RawTrace, Turn
from stenograph.model.filters import Compare, Field, Filter, Op, all_of, negate
from stenograph.model.runs import Micros, Run

FIRST_TURNS: Final = 4
"""Turns whose text is read, besides the last."""


class TurnKey(NamedTuple):
    """A trace of a thread."""

    start_time: Micros
    run_id: UUID


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation of a project, its turns in their order."""

    project_id: UUID
    name: str
    turns: tuple[TurnKey, ...]

    @property
    def key(self) -> bytes:
        return self.project_id.bytes + self.name.encode()

    @property
    def told(self) -> tuple[UUID, ...]:
        """The turns whose text is read."""
        some = dict.fromkeys((*self.turns[:FIRST_TURNS], self.turns[-1]))
        return tuple(turn.run_id for turn in some)


def in_threads(wanted: Filter | None) -> Filter:
    """Of what matches, that which is part of a thread."""
    there = negate(Compare(Field.THREAD_ID, Op.EQ, None))
    return all_of([there] if wanted is None else [wanted, there])


async def gathered(
    turns: AsyncIterator[list[Run]], chosen: set[tuple[UUID, str]] | None = None
) -> list[Thread]:
    """The threads of these turns, or those that are chosen; by the start of the last turn."""
    found: dict[tuple[UUID, str], list[TurnKey]] = {}
    async for page in turns:
        for run in page:
            key = (run.project_id, run.thread_id or "")
            if chosen is None or key in chosen:
                found.setdefault(key, []).append(TurnKey(run.start_time, run.id))
    threads = [Thread(project, name, tuple(sorted(of))) for (project, name), of in found.items()]
    return sorted(threads, key=lambda thread: thread.turns[-1])


def portions(threads: Iterable[Thread], most: int) -> Iterator[list[Thread]]:
    """Some threads at a time, of so many turns together; a longer one by itself."""
    some: list[Thread] = []
    turns = 0
    for thread in threads:
        if some and turns + len(thread.turns) > most:
            yield some
            some, turns = [], 0
        some.append(thread)
        turns += len(thread.turns)
    if some:
        yield some


def told(thread: Thread, turns: Mapping[UUID, RawTrace]) -> RawTrace | None:
    """A thread as one; None when its turns are gone. `turns` have payloads where they are to be read."""
    rows = [turns[turn.run_id] for turn in thread.turns if turn.run_id in turns]
    if not rows:
        return None
    last = rows[-1]
    read = set(thread.told)
    errors = [row.error for row in rows if row.error]
    attributes = {name: value for row in rows for name, value in row.attributes.items()}
    return RawTrace(
        run_id=last.run_id,
        project_id=last.project_id,
        start_time=last.start_time,
        name=last.name,
        turns=[Turn(row.inputs, row.outputs, row.error) for row in rows if row.run_id in read],
        error=errors[-1] if errors else None,
        failed=any(row.failed for row in rows),
        latency=_sum([row.latency for row in rows]),
        first_token=rows[0].first_token,
        tokens=None if (tokens := _sum([row.tokens for row in rows])) is None else int(tokens),
        cost=_sum([row.cost for row in rows]),
        feedback=_means([row.feedback for row in rows]),
        attributes=attributes,
    )


def _sum(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return sum(there) if there else None


def _means(all_feedback: Sequence[Mapping[str, float]]) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for feedback in all_feedback:
        for key, score in feedback.items():
            found.setdefault(key, []).append(score)
    return {key: sum(scores) / len(scores) for key, scores in found.items()}

"""Noting what evaluators may have to look at, as it is written and before the inbox forgets it.

One row of the metadata store a flush and workspace has the runs that ended and that some evaluator samples. Which of
them an evaluator is for is found out later (work.py), off the way of those who write. A run that is written again,
because it has changed or because a crash came in between, is noted again; a task it has only once.
docs/decisions/071-new-events-are-noted-then-sorted.md
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final
from uuid import UUID, uuid4

from stenograph.domain.evaluators.enabled import Enabled
from stenograph.domain.evaluators.python import PythonEvaluators
from stenograph.model.evaluators import Candidates, Evaluator, EvaluatorType
from stenograph.model.runs import Micros, Run
from stenograph.store.api import MetaStore

_DAY: Final = 24 * 3600 * 1_000_000

KEPT: Final[Micros] = 30 * _DAY
"""How long a task is kept that is over."""

NEW: Final[Micros] = 29 * _DAY
"""How long a run counts as new after it was first heard of. Its task is kept for longer, so that it has one only."""


class Noting:
    """Told of every run that has been written; returns once what it notes is on disk."""

    def __init__(
        self,
        meta: MetaStore,
        enabled: Enabled,
        python: PythonEvaluators,
        *,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._store = meta.evaluator_tasks
        self._enabled = enabled
        self._python = python
        self._clock = clock
        self.noted: Callable[[], None] = lambda: None
        """Called when there is something to sort out."""

    async def stored(self, runs: Iterable[Run]) -> None:
        """Note those that are over, or have an outcome at least: HoneyHive's sessions seldom end."""
        if not self._enabled:
            return
        candidates = await asyncio.to_thread(self._all_candidates, list(runs))
        if candidates:
            await self._store.note(candidates)
            self.noted()

    def _all_candidates(self, runs: Sequence[Run]) -> list[Candidates]:
        """A workspace each. On a thread: a flush has thousands of runs, and requests must not wait for it."""
        now = self._clock() // 1000
        over: defaultdict[UUID, list[Run]] = defaultdict(list)
        for run in runs:
            if (run.end_time is not None or run.outputs is not None) and run.received_at > now - NEW:
                over[run.workspace].append(run)
        found = [self._candidates(workspace, ended, now) for workspace, ended in over.items()]
        return [each for each in found if each is not None]

    def _candidates(self, workspace: UUID, runs: Sequence[Run], now: Micros) -> Candidates | None:
        evaluators = [each for each in self._enabled.of(workspace) if self._can_run(each)]
        widest = max(evaluators, key=lambda each: each.definition.sampling_percentage, default=None)
        sampled = [run for run in runs if widest is not None and widest.definition.samples(run.id)]
        if not sampled:
            return None
        starts = [run.start_time for run in sampled]
        return Candidates(
            id=uuid4(),
            workspace=workspace,
            versions=tuple(each.live.id for each in evaluators),
            runs=tuple(dict.fromkeys(run.id for run in sampled)),
            since=min(starts),
            until=max(starts),
            noted_at=now,
        )

    def _can_run(self, evaluator: Evaluator) -> bool:
        return evaluator.definition.type is not EvaluatorType.PYTHON or self._python.problem is None

"""Everything about evaluators that faces and the server use, put together."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from stenograph.domain.evaluators.enabled import Enabled
from stenograph.domain.evaluators.evaluators import Evaluators
from stenograph.domain.evaluators.noting import Noting
from stenograph.domain.evaluators.python import PythonEvaluators
from stenograph.domain.evaluators.running import Running
from stenograph.domain.evaluators.work import EvaluatorWork, Language
from stenograph.domain.recording.recorder import Recorder
from stenograph.llm.client import Models
from stenograph.model.evaluators import EvaluatorType, Task, TaskStatus
from stenograph.observability import Metrics
from stenograph.settings import Settings
from stenograph.store.api import MetaStore, RunStore


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an evaluator has come with new events. `problem` says why it does not come any further."""

    counts: Mapping[TaskStatus, int]
    tasks: Sequence[Task]
    problem: str | None


class Evaluation:
    """Evaluators, running them, and their work on new events.

    Made before the recorder, which tells it of what it has written (`noting`); joined to it by `follow`.
    """

    def __init__(
        self,
        meta: MetaStore,
        models: Models,
        language: Language,
        settings: Settings,
        *,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._meta = meta
        self._clock = clock
        self._enabled = Enabled(meta)
        self._settings = settings
        self._language = language
        self.models = models
        self.python = PythonEvaluators(
            is_on=settings.python_evaluators,
            seconds=settings.python_evaluator_seconds,
            memory=settings.python_evaluator_memory_bytes,
            at_once=settings.evaluator_concurrency,
        )
        self.running = Running(models, self.python)
        self.noting = Noting(meta, self._enabled, self.python, clock=clock)
        self.evaluators = Evaluators(meta, self._enabled, self.python, language.filter, clock=clock)
        self._work: EvaluatorWork | None = None

    def follow(self, recorder: Recorder, store: RunStore, metrics: Metrics) -> None:
        """Work on what this recorder writes, between start and stop."""
        self._work = work = EvaluatorWork(
            self._meta,
            store,
            recorder,
            self.running,
            self._language,
            metrics,
            at_once=self._settings.evaluator_concurrency,
            clock=self._clock,
        )
        self.noting.noted = work.wake
        metrics.watch_evaluations(lambda: work.waiting)

    async def prepare(self) -> None:
        """Before anything is recorded: learn which evaluators are enabled."""
        await self._enabled.load()

    async def start(self) -> None:
        """Once there is something to read."""
        assert self._work is not None
        await self._work.start()

    async def stop(self) -> None:
        """What is under way is left to the next start."""
        assert self._work is not None
        await self._work.stop()
        await self.models.close()

    # -- progress ----------------------------------------------------------------------------------------

    async def progress(
        self,
        workspace: UUID,
        evaluator_id: UUID,
        status: TaskStatus | None = None,
        offset: int = 0,
        limit: int | None = None,
    ) -> Progress:
        """Tasks by status, and a page of them, the last changed first. NotFound when there is no such evaluator."""
        evaluator = await self.evaluators.read(workspace, evaluator_id)
        problem = None
        if evaluator.definition.enabled_in_prod:
            if evaluator.definition.type is EvaluatorType.PYTHON:
                problem = self.python.problem
            elif evaluator.definition.type is EvaluatorType.LLM:
                problem = self.models.problem
        return Progress(
            counts=await self._meta.evaluator_tasks.count(workspace, evaluator_id),
            tasks=await self._meta.evaluator_tasks.page(workspace, evaluator_id, status, offset, limit),
            problem=problem,
        )

    async def take_up(self, workspace: UUID, evaluator_id: UUID) -> int:
        """Have what failed tried again; how many events that are. NotFound when there is no such evaluator."""
        await self.evaluators.read(workspace, evaluator_id)
        count = await self._meta.evaluator_tasks.take_up(workspace, evaluator_id, self._clock() // 1000)
        if count and self._work is not None:
            self._work.waiting += count
            self._work.wake()
        return count

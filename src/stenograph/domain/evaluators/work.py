"""Evaluating new events by themselves: noted runs are sorted into tasks, and tasks are worked on until they are over.

    flush -> candidates -> sorted: sampled, and matched by the run store -> tasks -> evaluated -> feedback
             (noting.py)                                                     |  ^
                                                                             +--+ failed: again later, up to a limit

Everything between is on disk, so that a crash repeats work and loses none: feedback has an id that follows from run and
key, and takes its own place. What evaluators write is feedback, no run: they never see it as an event of its own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, Protocol

import msgspec
import structlog

from stenograph.domain.evaluators.noting import KEPT
from stenograph.domain.evaluators.results import feedback_of
from stenograph.domain.evaluators.running import Running, has_ground_truth
from stenograph.domain.evaluators.verdicts import EvaluationFailed
from stenograph.domain.recording.recorder import Recorder
from stenograph.domain.rounds import Rounds
from stenograph.errors import Invalid, ModelRefused, Overloaded, StenographError, Unsupported
from stenograph.model.evaluators import Candidates, Evaluator, EvaluatorType, Task, TaskKey, TaskStatus
from stenograph.model.feedback import Feedback
from stenograph.model.filters import Filter
from stenograph.model.query import FeedbackQuery, RunQuery, RunSelection
from stenograph.model.runs import Micros, Run
from stenograph.observability import Metrics
from stenograph.store.api import MetaStore, RunStore

log = structlog.get_logger("stenograph.evaluators")

ATTEMPTS: Final = 10
FIRST_PAUSE: Final = 5.0
MAX_PAUSE: Final = 3600.0
"""How often a task is tried, and the seconds between: they double. All in all three quarters of an hour."""

QUICK_PAUSE: Final = 1.0
"""The same for composites whose parts are still being computed."""

_SORTED_AT_ONCE: Final = 10
_AT_ONCE: Final = 1000
_IDLE: Final = 30.0
_FORGET_EVERY: Final = 3600.0
_MAX_FEEDBACK: Final = 1000

_MAY_BE_MENDED: Final = frozenset({None, 401, 403, 404})
"""What a model's server refuses with when it is not set up right, rather than asked wrongly."""


class Language(Protocol):
    """How events look to those who write evaluators: a face's way of showing runs and of choosing them."""

    @property
    def columns(self) -> frozenset[str]:
        """Those of the run store that `event` needs."""

    def filter(self, filters: bytes) -> Filter | None:
        """What a list of filters means; None for all. Invalid where it means nothing."""

    def event(self, run: Run, feedback: Sequence[Feedback]) -> bytes:
        """The run with its feedback as a JSON object; of a composite, the values are its `metrics`."""


class _Skipped(Exception):
    """The evaluator is not for this event, after all."""


class EvaluatorWork:
    """One a process, between start and stop. So many tasks at a time as it is told."""

    def __init__(
        self,
        meta: MetaStore,
        store: RunStore,
        recorder: Recorder,
        running: Running,
        language: Language,
        metrics: Metrics,
        *,
        at_once: int,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._meta = meta
        self._tasks = meta.evaluator_tasks
        self._store = store
        self._recorder = recorder
        self._running = running
        self._language = language
        self._metrics = metrics
        self._at_once = at_once
        self._clock = clock
        self._rounds = Rounds("evaluators", self._round, pause=FIRST_PAUSE, idle=_IDLE)
        self._under_way: dict[TaskKey, asyncio.Task[None]] = {}
        self._forgotten_at = 0.0
        self.waiting = 0
        """Tasks that wait, as far as is known: counted at the start, and kept up."""

    async def start(self) -> None:
        self.waiting = (await self._tasks.count()).get(TaskStatus.WAITING, 0)
        self._rounds.start()

    async def stop(self) -> None:
        """Leave what is under way to the next start."""
        await self._rounds.stop(self._under_way.values())

    def wake(self) -> None:
        """There is something new to do."""
        self._rounds.wake()

    # -- the loop ----------------------------------------------------------------------------------------

    async def _round(self) -> float:
        """Sort what is noted, begin what is due; the seconds until there may be more."""
        noted = await self._tasks.noted(_SORTED_AT_ONCE)
        for candidates in noted:
            await self._sort(candidates)
        if time.monotonic() - self._forgotten_at > _FORGET_EVERY:
            await self._tasks.forget(self._now() - KEPT)
            self._forgotten_at = time.monotonic()
        free = self._at_once - len(self._under_way)
        following: Micros | None = None
        if free > 0:
            due, following = await self._tasks.due(self._now(), free, frozenset(self._under_way))
            for task in due:
                self._begin(task)
            if not self._under_way and following is None:
                self.waiting = 0  # whatever went with its evaluator
        if len(noted) == _SORTED_AT_ONCE:
            return 0.0
        return _IDLE if following is None else min(_IDLE, max(0.0, (following - self._now()) / 1e6))

    def _begin(self, task: Task) -> None:
        async def work() -> None:
            try:
                await self._work(task)
            finally:
                del self._under_way[task.key]
                self._rounds.wake()

        self._under_way[task.key] = asyncio.create_task(work())

    def _now(self) -> Micros:
        return self._clock() // 1000

    # -- sorting -----------------------------------------------------------------------------------------

    async def _sort(self, candidates: Candidates) -> None:
        """Tasks in the place of candidates: for each evaluator the runs that it samples and that match its filters."""
        evaluators = await self._meta.evaluators.named(candidates.workspace, candidates.versions)
        tasks: list[Task] = []
        for evaluator in evaluators.values():
            try:
                tasks += [self._task(evaluator, run) for run in await self._matching(evaluator, candidates)]
            except Invalid as error:  # filters of another version of this program, say
                log.warning(
                    "an evaluator's filters cannot be used", id=str(evaluator.id), reason=error.message[:500]
                )
        new = await self._tasks.sort(candidates, tasks)
        self.waiting += new

    async def _matching(self, evaluator: Evaluator, candidates: Candidates) -> list[Run]:
        definition = evaluator.definition
        selection = RunSelection(
            workspace=candidates.workspace,
            since=candidates.since,
            until=candidates.until,
            without_projects=self._recorder.deleted.dropping(candidates.workspace),
            filter=self._language.filter(bytes(definition.filters)),
        )
        if evaluator.project:
            project = await self._meta.projects.find_named(candidates.workspace, evaluator.project)
            if project is None:
                return []
            selection = replace(selection, projects=(project.id,))
        sampled = [run for run in candidates.runs if definition.samples(run)]
        found: list[Run] = []
        for start in range(0, len(sampled), _AT_ONCE):
            part = tuple(sampled[start : start + _AT_ONCE])
            query = RunQuery(selection=replace(selection, ids=part), columns=frozenset(), limit=len(part))
            found += await self._store.page(query)
        return found

    def _task(self, evaluator: Evaluator, run: Run) -> Task:
        now = self._now()
        return Task(
            workspace=run.workspace,
            version_id=evaluator.live.id,
            run_id=run.id,
            evaluator_id=evaluator.id,
            project_id=run.project_id,
            start_time=run.start_time,
            created_at=now,
            modified_at=now,
            due_at=now,
        )

    # -- one task ----------------------------------------------------------------------------------------

    async def _work(self, task: Task) -> None:
        """Evaluate, and write down what became of it."""
        try:
            await self._evaluate(task)
        except _Skipped as reason:
            over = self._over(task, TaskStatus.SKIPPED, str(reason))
        except StenographError as error:
            over = self._failed(task, error)
        except Exception as error:
            log.exception("an evaluation failed", evaluator=str(task.evaluator_id), run=str(task.run_id))
            over = self._over(task, TaskStatus.FAILED, f"this server failed: {type(error).__name__}")
        else:
            over = self._over(task, TaskStatus.DONE, None)
        self._metrics.evaluated(over.status.value)
        if over.status is not TaskStatus.WAITING:
            self.waiting -= 1
        while True:
            try:
                await self._tasks.change([over])
                return
            except Overloaded as error:
                log.warning("what became of an evaluation cannot be noted yet", reason=error.message[:500])
                await asyncio.sleep(FIRST_PAUSE)

    def _over(self, task: Task, status: TaskStatus, reason: str | None) -> Task:
        return msgspec.structs.replace(
            task, status=status, reason=reason, attempts=task.attempts + 1, modified_at=self._now()
        )

    def _failed(self, task: Task, error: StenographError) -> Task:
        """Waiting for another attempt, if there is hope and there were not too many."""
        hope = (
            isinstance(error, Overloaded)
            or (isinstance(error, EvaluationFailed) and error.again)
            or (isinstance(error, ModelRefused) and error.status in _MAY_BE_MENDED)
        )
        attempts = task.attempts + 1
        if not hope or attempts >= ATTEMPTS:
            times = f" (tried {attempts} times)" if attempts > 1 else ""
            return self._over(task, TaskStatus.FAILED, error.message + times)
        pause = min(FIRST_PAUSE * 2**task.attempts, MAX_PAUSE)
        if isinstance(error, Overloaded):
            pause = max(pause, error.retry_after)
        if isinstance(error, _PartsMissing):
            pause = min(QUICK_PAUSE * 2**task.attempts, MAX_PAUSE)
        waiting = self._over(task, TaskStatus.WAITING, error.message)
        return msgspec.structs.replace(waiting, due_at=self._now() + round(pause * 1e6))

    async def _evaluate(self, task: Task) -> None:
        """Run the evaluator on the event as it is now, and record what it finds."""
        evaluators = await self._meta.evaluators.named(task.workspace, [task.version_id])
        evaluator = evaluators.get(task.version_id)
        if evaluator is None:
            raise _Skipped("the metric is gone")
        is_composite = evaluator.definition.type is EvaluatorType.COMPOSITE
        run, feedback = await self._read(task)
        event = self._language.event(run, feedback)
        if evaluator.definition.needs_ground_truth and not has_ground_truth(event):
            raise _Skipped("the event has no ground truth")
        parts = await self._parts(task, evaluator) if is_composite else {}
        try:
            verdict = await self._running.run(
                evaluator.definition,
                event,
                {name: each.definition for name, each in parts.items()},
                retries=0,
            )
        except EvaluationFailed as error:
            if is_composite and error.again:
                raise _PartsMissing(error.message) from None
            raise
        except Unsupported as error:
            raise EvaluationFailed(error.message) from None
        await self._recorder.accept([], [feedback_of(verdict, evaluator, run, self._now())])

    async def _read(self, task: Task) -> tuple[Run, list[Feedback]]:
        dropping = self._recorder.deleted.dropping(task.workspace)
        selection = RunSelection(workspace=task.workspace, ids=(task.run_id,), without_projects=dropping)
        near = replace(selection, since=task.start_time, until=task.start_time)
        columns = self._language.columns
        for where in (near, selection):  # the second, when it has got another start since
            found, feedback = await asyncio.gather(
                self._store.page(RunQuery(selection=where, columns=columns, limit=1)),
                self._store.feedback(
                    FeedbackQuery(workspace=task.workspace, runs=(task.run_id,), limit=_MAX_FEEDBACK)
                ),
            )
            if found:
                return found[0], feedback
        raise _Skipped("the event is gone")

    async def _parts(self, task: Task, whole: Evaluator) -> Mapping[str, Evaluator]:
        """The evaluators that a composite is made of. _PartsMissing while one of them still has this event to do."""
        names = {child.name for child in whole.definition.child_metrics}
        known = [
            each
            for each in await self._meta.evaluators.find(task.workspace)
            if each.definition.name in names and each.project in ("", whole.project)
        ]
        busy = await self._tasks.waiting_for(task.workspace, task.run_id)
        waits = _names(each for each in known if each.id in busy and each.id != whole.id)
        if waits:
            raise _PartsMissing(f"its parts {waits} are still being computed")
        return {each.definition.name: each for each in sorted(known, key=lambda each: each.project)}


class _PartsMissing(EvaluationFailed):
    """A composite has to wait for what it is made of."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, again=True)


def _names(evaluators: Iterable[Evaluator]) -> str:
    return ", ".join(repr(each.definition.name[:60]) for each in evaluators)

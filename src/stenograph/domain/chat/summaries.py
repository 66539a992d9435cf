"""Summaries of what a conversation's prompts have no room for any more (`context_overflow: adaptive`).

    turn ends, history over budget -> task and job on disk -> model asked -> summary, relations, session.summary
                                          |        ^
                                          |        +-- failed: again later, up to a limit
                                          +-- what is to be summed up is chosen when it is done: the turns that are
                                              the oldest by then

One task a conversation at a time. The summary's entry has the job's id, and entries have their id once: so no turns
are summed up twice, whether the process ends in the middle or two of them work on one store. Turns do not wait for it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, TypeAlias
from uuid import UUID

import msgspec
import structlog

from stenograph.domain.chat import overflow
from stenograph.domain.conversations.history import Histories
from stenograph.domain.conversations.jobs import Jobs
from stenograph.domain.rounds import Rounds
from stenograph.errors import Conflict, ModelRefused, NotFound, Overloaded, StenographError
from stenograph.llm import tokens
from stenograph.llm.client import Models
from stenograph.llm.endpoint import Endpoint
from stenograph.model.conversations import ConversationContext, Entry, EntrySource, Relation, Speaker
from stenograph.model.ids import new_id
from stenograph.model.jobs import Job, JobState
from stenograph.model.summaries import SummaryTask
from stenograph.store.api import MetaStore

log = structlog.get_logger("stenograph.chat")

EndpointOf: TypeAlias = Callable[[UUID], Awaitable[Endpoint]]
"""Where a workspace's conversations are answered. ModelRefused, naming the settings, when nothing says where."""

RELATION: Final = "summary"
ATTEMPTS: Final = 8
FIRST_PAUSE: Final = 5.0
MAX_PAUSE: Final = 900.0
"""How often a summary is tried, and the seconds between: they double. All in all some twenty minutes."""

AT_ONCE: Final = 2
_IDLE: Final = 60.0

_MAY_BE_MENDED: Final = frozenset({None, 401, 403, 404})
"""What a model's server refuses with when it is not set up right, rather than asked wrongly."""


class Summaries:
    """One a process. `after_turn` at any time; what it leaves is done between start and stop."""

    def __init__(
        self,
        meta: MetaStore,
        histories: Histories,
        jobs: Jobs,
        models: Models,
        endpoint_of: EndpointOf,
        *,
        first_pause: float = FIRST_PAUSE,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._tasks = meta.summary_tasks
        self._histories = histories
        self._jobs = jobs
        self._models = models
        self._endpoint_of = endpoint_of
        self._first_pause = first_pause
        self._clock = clock
        self._rounds = Rounds("summaries", self._round, idle=_IDLE)
        self._under_way: dict[UUID, asyncio.Task[None]] = {}

    async def start(self) -> None:
        """Go on with what an earlier process left. Jobs that nobody goes on with have failed."""
        await self._jobs.sweep({task.job_id for task in await self._tasks.waiting()})
        self._rounds.start()

    async def stop(self) -> None:
        """Leave what is under way to the next start."""
        await self._rounds.stop(self._under_way.values())

    async def after_turn(self, workspace: UUID, session: UUID) -> UUID | None:
        """Have the oldest turns summed up if the session wants that and they do not fit: the id of the job that stands
        for it, which may have been waiting already. None when there is nothing to do. NotFound for no session."""
        context = await self._histories.context(workspace, session)
        if not await asyncio.to_thread(overflow.due, context):
            return None
        now = self._now()
        job = Job(id=new_id(now), workspace=workspace, name="summary", created_at=now, updated_at=now)
        task = SummaryTask(workspace=workspace, conversation_id=session, job_id=job.id, due_at=now)
        begun = await self._tasks.begin(task, job)
        self._rounds.wake()
        return begun

    # -- the loop ----------------------------------------------------------------------------------------

    async def _round(self) -> float:
        """Begin what is due; the seconds until there may be more."""
        waiting = [task for task in await self._tasks.waiting() if task.job_id not in self._under_way]
        now = self._now()
        for task in waiting:
            if task.due_at > now:
                return min(_IDLE, (task.due_at - now) / 1_000_000)
            if len(self._under_way) >= AT_ONCE:
                return _IDLE
            self._under_way[task.job_id] = begun = asyncio.create_task(self._attempt(task))
            begun.add_done_callback(partial(self._over, task.job_id))
        return _IDLE

    def _over(self, job_id: UUID, attempt: asyncio.Task[None]) -> None:
        del self._under_way[job_id]
        if not attempt.cancelled() and (error := attempt.exception()) is not None:
            log.warning("a summary could not be noted; trying again", reason=str(error)[:500])
        self._rounds.wake()

    # -- a task ------------------------------------------------------------------------------------------

    async def _attempt(self, task: SummaryTask) -> None:
        task = msgspec.structs.replace(task, attempts=task.attempts + 1)
        try:
            await self._tasks.put_off(task)
            again = "" if task.attempts == 1 else f"This is attempt {task.attempts}."
            await self._move(task, JobState.IN_PROGRESS, again, 0.0)
            said = await self._sum_up(task)
        except (NotFound, Conflict) as error:
            await self._settled(task, error)
        except StenographError as error:
            await self._failed(task, error)
        except Exception:
            log.exception("a summary failed", session=str(task.conversation_id))
            await self._failed(task, StenographError("The server made a mistake; its log has more."))
        else:
            await self._end(task, JobState.SUCCEEDED, said)

    async def _sum_up(self, task: SummaryTask) -> str:
        """What to say of it."""
        context = await self._histories.context(task.workspace, task.conversation_id)
        covered = await asyncio.to_thread(overflow.to_sum_up, context)
        if not covered:
            return "Everything fits by now."
        endpoint = await self._endpoint_of(task.workspace)
        model = overflow.model_of(context) or endpoint.model
        text = ""
        pieces = overflow.pieces(context, covered)
        for done, piece in enumerate(pieces):
            request = overflow.question(context, text, piece, model)
            text = (await self._models.chat(request, endpoint)).text.strip()
            if not text:
                raise Overloaded("The model answered with nothing.")
            await self._move(task, JobState.IN_PROGRESS, "", 100.0 * (done + 1) / (len(pieces) + 1))
        await self._write(task, context, covered, overflow.shortened(context, text, model), model)
        return f"{len(covered)} entries are summed up."

    async def _write(
        self,
        task: SummaryTask,
        before: ConversationContext,
        covered: tuple[Entry, ...],
        text: str,
        model: str,
    ) -> None:
        """The summary in the place of what it covers, unless that has changed meanwhile."""
        workspace, ident = task.workspace, task.conversation_id
        async with self._histories.turn(workspace, ident) as context:
            standing = {entry.id for entry in context.history.standing}
            if not standing.issuperset(entry.id for entry in covered):
                raise NotFound("What was to be summed up is gone.")
            now = self._now()
            written = overflow.heading(text)
            entry = Entry(
                id=task.job_id,
                role=Speaker.SYSTEM,
                source=EntrySource.SUMMARIZER,
                content=msgspec.json.encode([{"type": "text", "text": written}]),
                created_at=now,
                timestamp=now,
                token_count=tokens.count(written, model),
                tokenizer=tokens.tokenizer_of(model),
                model=model or None,
            )
            await self._histories.append(
                workspace,
                ident,
                [entry],
                relations=[Relation(each.id, RELATION, entry.id) for each in covered],
                summary=text,
            )

    async def _settled(self, task: SummaryTask, error: StenographError) -> None:
        """A conflict: the summary is there already, by an attempt whose end was not noted. Else its session is gone, or
        what was said in it."""
        if isinstance(error, Conflict):
            await self._end(task, JobState.SUCCEEDED, "The turns are summed up.")
        else:
            await self._end(task, JobState.ABORTED, error.message)

    async def _failed(self, task: SummaryTask, error: StenographError) -> None:
        lasting = isinstance(error, ModelRefused) and error.status not in _MAY_BE_MENDED
        if lasting or task.attempts >= ATTEMPTS:
            log.warning("a summary is given up", session=str(task.conversation_id), reason=error.message)
            await self._end(task, JobState.FAILED, f"{error.message} Tried {task.attempts} times.")
            return
        pause = min(self._first_pause * 2 ** (task.attempts - 1), MAX_PAUSE)
        await self._move(task, JobState.RETRYING, f"{error.message} Tried again in {pause:.0f} seconds.")
        await self._tasks.put_off(msgspec.structs.replace(task, due_at=self._now() + int(pause * 1_000_000)))

    async def _move(
        self, task: SummaryTask, state: JobState, reason: str, progress: float | None = None
    ) -> None:
        blank = Job(id=task.job_id, workspace=task.workspace, name="", created_at=0, updated_at=0)
        await self._jobs.move(blank, state, reason=reason, progress=progress)

    async def _end(self, task: SummaryTask, state: JobState, reason: str) -> None:
        await self._tasks.end(task, state, self._now(), reason=reason)

    def _now(self) -> int:
        return self._clock() // 1000

"""One call of a chat from its question to its answer.

    wait for the turns before -> repeated? then the kept answer
      -> prompt (docs, templates, budget) -> model, tools, model … -> history and trace on disk -> answer

Nothing is stored before the model has answered, and all of a turn at once: a turn that fails, or whose process ends,
leaves nothing behind. An answer that was cut off while somebody read it is kept as far as it came.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import msgspec
import structlog

from stenograph.domain.chat.answering import FINISHED, Rounds, Tell
from stenograph.domain.chat.asked import Answer, Asked, Origin, Piece, Said
from stenograph.domain.chat.messages import LONG, Message, for_model, said, to_entry
from stenograph.domain.chat.prompts import Prompt, Prompts, speaking
from stenograph.domain.chat.providers import Providers
from stenograph.domain.chat.repeats import Repeats
from stenograph.domain.chat.summaries import Summaries
from stenograph.domain.chat.toolbox import Toolbox
from stenograph.domain.chat.tracing import Trace, Tracer
from stenograph.domain.conversations.history import Histories
from stenograph.errors import ModelUnavailable, StenographError, TurnBroken
from stenograph.llm import tokens
from stenograph.llm.chat import Choice
from stenograph.llm.client import Models
from stenograph.model.conversations import ConversationContext, Entry, EntrySource, KeptAnswer, Speaker
from stenograph.model.ids import new_id
from stenograph.model.runs import Micros

log = structlog.get_logger("stenograph.chat")


@dataclass(frozen=True, slots=True)
class Kit:
    """What turns are made with."""

    histories: Histories
    models: Models
    prompts: Prompts
    providers: Providers
    tools: Toolbox
    tracer: Tracer
    repeats: Repeats
    summaries: Summaries
    rounds: int
    clock: Callable[[], int] = time.time_ns


class Turn:
    """One call. `pieces` takes what is said while it is said; without it the model is asked for the whole."""

    def __init__(
        self,
        kit: Kit,
        workspace: UUID,
        session: UUID,
        asked: Asked,
        origin: Origin,
        pieces: Callable[[Piece], None] | None = None,
    ) -> None:
        self._kit = kit
        self._workspace = workspace
        self._session = session
        self._asked = asked
        self._origin = origin
        self._pieces = pieces
        self._task: asyncio.Task[Any] | None = None
        self._stopped = False
        self._is_read = True
        self._asking = True
        self._told = False
        inputs = {"messages": for_model(asked.messages)}
        self._trace: Trace = kit.tracer.begin(workspace, session, inputs)
        self._created_at = kit.clock() // 1000

    def stop(self, *, is_read: bool) -> None:
        """Nobody listens any more. What was said until now is kept if some of it has been read (`is_read`); what is
        being written is written."""
        self._stopped = True
        self._is_read = is_read
        if self._asking and self._task is not None:
            self._task.cancel()

    async def run(self) -> Answer | None:
        """None when it was stopped before anything was said."""
        self._task = asyncio.current_task()
        if self._stopped:
            return None
        kit = self._kit
        try:
            if not self._asked.save:
                return await self._take(await kit.histories.context(self._workspace, self._session))
            async with kit.histories.turn(self._workspace, self._session) as context:
                known = await kit.repeats.answer(self._workspace, self._session, self._origin)
                answer = known or await self._take(context)
        except asyncio.CancelledError as error:
            self._taken_back(error)
            return None
        if answer is None or known is not None:
            return answer
        job = await self._afterwards()
        return answer if job is None else msgspec.structs.replace(answer, jobs=(job,))

    def _taken_back(self, error: asyncio.CancelledError) -> None:
        """Raises again what is no `stop`."""
        if not self._stopped or self._task is None or self._task.uncancel() > 0:
            raise error

    async def _afterwards(self) -> UUID | None:
        try:
            return await self._kit.summaries.after_turn(self._workspace, self._session)
        except Exception:  # the turn is over and on disk
            log.exception("what follows a turn failed", session=str(self._session))
            return None

    async def _take(self, context: ConversationContext) -> Answer | None:
        """One turn over this context, stored and recorded. None when it was stopped before anything was said."""
        trace, course = self._trace, self._course(context)
        failure: StenographError | None = None
        try:
            await self._said(context, course)
        except asyncio.CancelledError as error:
            if not self._stopped:
                await self._recorded(None, error)
            self._taken_back(error)
        except StenographError as error:
            failure = error
        except Exception as error:
            await self._recorded(None, error)
            raise
        self._asking = False
        if not course.choices and not (course.told and self._is_read):
            await self._recorded(None, failure or asyncio.CancelledError())
            if failure is None:
                return None
            raise _broken(failure, course.rounds)
        answer, spoken = course.end(self._created_at, trace.root.id)
        await asyncio.gather(self._saved(answer, spoken), self._recorded(answer, failure))
        if failure is not None:
            raise failure
        return answer

    async def _said(self, context: ConversationContext, course: _Course) -> None:
        kit, trace, asked = self._kit, self._trace, self._asked
        agent = speaking(context, asked)
        trace.root.name = agent.name
        trace.project = agent.project
        trace.metadata |= {"agent_id": str(agent.id), "agent": agent.name}
        prompt = await kit.prompts.prepare(context, asked, trace)
        where = await kit.providers.endpoint(self._workspace, asked.api_key)
        if not prompt.model and where.model:
            prompt = replace(prompt, settings={**prompt.settings, "model": where.model})
        course.prompt = prompt
        await course.rounds.run(self._workspace, prompt, asked, where)

    def _course(self, context: ConversationContext) -> _Course:
        talk = context.history.conversation
        auto = talk.auto_run_tools if self._asked.auto_run_tools is None else self._asked.auto_run_tools
        course = _Course()
        tell: Tell | None = None
        if self._pieces is not None:
            tell = self._teller(self._pieces, course)
        course.rounds = Rounds(
            self._kit.models, self._kit.tools, self._trace, tell=tell, auto=auto, most=self._kit.rounds
        )
        return course

    def _teller(self, pieces: Callable[[Piece], None], course: _Course) -> Tell:
        def tell(index: int, text: str) -> None:
            course.told = True
            docs = course.prompt.docs if course.prompt is not None else ()
            pieces(
                Piece(
                    id=self._trace.root.id,
                    created_at=self._created_at,
                    docs=docs,
                    index=index,
                    text=text,
                )
            )

        return tell

    async def _recorded(self, answer: Answer | None, error: BaseException | None) -> None:
        outputs = None
        if answer is not None:
            outputs = {"messages": for_model([each.message for each in answer.choices])}
        self._trace.end(outputs, error)
        await self._kit.tracer.record(self._trace)

    async def _saved(self, answer: Answer, spoken: Spoken) -> None:
        if not self._asked.save:
            return
        at, model = self._kit.clock() // 1000, spoken.model

        def entries() -> list[Entry]:
            return [
                to_entry(
                    message,
                    answer.choices[0].id if message is spoken.answer else new_id(at + place),
                    at + place,
                    model,
                )
                for place, message in enumerate(spoken.messages)
            ]

        size = sum(len(each.text) for each in spoken.messages)
        is_quick = size <= LONG and tokens.is_loaded(model)
        made = entries() if is_quick else await asyncio.to_thread(entries)
        kept: KeptAnswer | None = None
        delivered: tuple[UUID, ...] = ()
        if spoken.is_whole:
            kept, delivered = self._kit.repeats.keeping(self._session, self._origin, answer)
        await self._kit.histories.append(
            self._workspace, self._session, made, answer=kept, delivered=delivered
        )


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the history gets of a turn; `answer` is that one of its messages which is the answer."""

    messages: tuple[Message, ...]
    answer: Message
    model: str
    is_whole: bool


class _Course:
    """How far a turn has come."""

    rounds: Rounds

    def __init__(self) -> None:
        self.prompt: Prompt | None = None
        self.told = False

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The answer, when it is whole."""
        return self.rounds.choices

    def end(self, at: Micros, ident: UUID) -> tuple[Answer, Spoken]:
        """The answer, and the whole turn. Of an answer that has been cut off there is what was said until then."""
        assert self.prompt is not None
        rounds, prompt = self.rounds, self.prompt
        choices = rounds.choices or (Choice(content=rounds.partial or None),)
        ran = frozenset(each.tool_call_id for each in rounds.results)
        first = _message(choices[0], prompt)
        answer = Answer(
            id=ident,
            created_at=at,
            choices=tuple(
                Said(
                    id=new_id(at + number),
                    message=_message(each, prompt, without=ran),
                    finish_reason=_reason(each) if rounds.choices else None,
                )
                for number, each in enumerate(choices)
            ),
            docs=prompt.docs,
            tokens=rounds.tokens,
        )
        is_empty = not rounds.choices and not first.content
        last = () if is_empty else (first, *rounds.results)
        history = Spoken((*prompt.new, *rounds.between, *last), first, prompt.model, bool(rounds.choices))
        return answer, history


def _message(choice: Choice, prompt: Prompt, without: frozenset[str | None] = frozenset()) -> Message:
    """An answer; `without` are calls that nobody else has to answer."""
    return said(
        Speaker.ASSISTANT,
        choice.content or choice.refusal or "",
        name=prompt.agent.name or None,
        tool_calls=tuple(call for call in choice.tool_calls if call.id not in without),
        source=EntrySource.API_RESPONSE,
    )


def _reason(choice: Choice) -> str:
    if choice.finish_reason in FINISHED:
        return choice.finish_reason
    return "tool_calls" if choice.tool_calls else "stop"


def _broken(failure: StenographError, rounds: Rounds) -> StenographError:
    """A failure that may pass must not be tried again by itself once tools have run."""
    if isinstance(failure, ModelUnavailable) and rounds.between:
        return TurnBroken(f"{failure.message} Tools had run by then: asking again would run them again.")
    return failure

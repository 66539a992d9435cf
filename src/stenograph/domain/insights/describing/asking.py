"""Asking a model for one report: what was answered before is found again, the budget is kept, and what fails is let be.

Questions go out in waves. Before each the budget is looked at in the order of the questions, at the most that they can
take; after it, by what they took. So the same questions and answers stop at the same place, however many are asked at
once, and an answer that was kept counts as it did when it was paid for: a job that is resumed or repeated decides alike
and pays nothing twice.

A server that refuses its key, or fails three times in a row, is not asked again. The report goes on without it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog

from stenograph.domain.insights.describing.questions import Question, found_object
from stenograph.errors import Invalid, ModelRefused, ModelUnavailable, StenographError
from stenograph.llm.chat import ChatReply, ChatRequest
from stenograph.llm.client import Models
from stenograph.llm.endpoint import Endpoint
from stenograph.model.insights import ModelAnswer, ModelUse
from stenograph.store.api import InsightAnswers

log = structlog.get_logger("stenograph.insights")

WAVE: Final = 64
FAILURES: Final = 3
"""In a row, retries within each not counted."""

KEPT_DAYS: Final = 90
"""How long answers are kept."""

SPENT: Final = "the budget of {budget:,} tokens does not reach for all questions"
_ATTEMPTS: Final = 2
"""Of a question whose answer cannot be read."""

_HOPELESS: Final = frozenset({None, 401, 402, 403, 404})
_ROOM: Final = 1.25
"""How far the count of a question's tokens may be off: it is by OpenAI's vocabulary, whoever's model is asked."""

_THOUGHT: Final = 2_000
"""Tokens that a model may have beside its answer which takes none of the usual parameters: it thinks first."""


@dataclass(frozen=True, slots=True)
class Pen:
    """What a report is written with: a server, the models by what they are for, and how many tokens they may take."""

    endpoint: Endpoint
    summary_model: str
    cluster_model: str
    budget: int

    def model(self, question: Question) -> str:
        return self.cluster_model if question.strong else self.summary_model


@dataclass(slots=True)
class _Tally:
    """Tokens of one model."""

    prompt: int = 0
    completion: int = 0


@dataclass(frozen=True, slots=True)
class _Said:
    """One attempt: what was in it, if it was an answer, and what it took."""

    content: bytes | None
    prompt: int
    completion: int


class Asker:
    """Of one job, or of one draft (`job_id` None). `slots` bounds what the whole server asks at once."""

    def __init__(
        self,
        models: Models,
        store: InsightAnswers,
        pen: Pen,
        slots: asyncio.Semaphore,
        *,
        workspace: UUID,
        project_id: UUID,
        job_id: UUID | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._models = models
        self._store = store
        self._pen = pen
        self._slots = slots
        self._workspace = workspace
        self._project_id = project_id
        self._job_id = job_id
        self._clock = clock
        self._plain = False
        self._failures = 0
        self._gone = ""
        self._note = ""
        self._used = 0
        self._calls = self._cached = self._unanswered = 0
        self._paid: dict[str, _Tally] = {}
        self._known: dict[bytes, bytes] = {}

    async def answers(
        self,
        questions: Sequence[Question],
        share: float = 1.0,
        heard: Callable[[int], None] = lambda done: None,
    ) -> list[bytes | None]:
        """In the order of the questions; None for one that there is no budget for, or no answer."""
        found: list[bytes | None] = []
        for start in range(0, len(questions), WAVE):
            found += await self._wave(questions[start : start + WAVE], share)
            heard(len(found))
        self._unanswered += sum(each is None for each in found)
        return found

    @property
    def pen(self) -> Pen:
        return self._pen

    @property
    def paid(self) -> dict[str, tuple[int, int]]:
        """Tokens asked and answered of this job, by model."""
        return {name: (tally.prompt, tally.completion) for name, tally in sorted(self._paid.items())}

    def use(self, cost: float | None) -> ModelUse:
        return ModelUse(
            summary_model=self._pen.summary_model,
            cluster_model=self._pen.cluster_model,
            calls=self._calls,
            cached=self._cached,
            prompt_tokens=sum(prompt for prompt, _ in self.paid.values()),
            completion_tokens=sum(completion for _, completion in self.paid.values()),
            cost=cost,
            token_budget=self._pen.budget,
            budget_used=self._used,
            unanswered=self._unanswered,
            note=self._note,
        )

    # -- a wave ------------------------------------------------------------------------------------------

    async def _wave(self, questions: Sequence[Question], share: float) -> list[bytes | None]:
        digests = [each.digest(self._pen.model(each), self._pen.endpoint.base_url) for each in questions]
        kept = await self._store.find(self._workspace, self._project_id, digests)
        asked: dict[bytes, Question] = {}
        for digest, question in zip(digests, questions, strict=True):
            if digest not in self._known:
                asked.setdefault(digest, question)
        allowed = self._affordable(list(asked), asked, share)
        found: dict[bytes, bytes] = {}
        for digest in allowed:
            if digest in kept:
                self._take(kept[digest], asked[digest])
                found[digest] = kept[digest].content
        spent: dict[bytes, _Said] = {}
        for _ in range(_ATTEMPTS):
            open_ones = [each for each in allowed if each not in found]
            if not open_ones or self._gone:
                break
            if spent:
                open_ones = self._affordable(open_ones, asked, share)
            await self._attempt(open_ones, asked, found, spent)
        self._known |= found
        return [self._known.get(digest) for digest in digests]

    def _affordable(
        self, digests: Sequence[bytes], asked: dict[bytes, Question], share: float
    ) -> list[bytes]:
        """The first that the budget reaches for, whatever comes of them."""
        left = int(self._pen.budget * share) - self._used
        allowed = []
        for digest in digests:
            left -= self._most(asked[digest])
            if left < 0:
                self._note = self._note or SPENT.format(budget=self._pen.budget)
                break
            allowed.append(digest)
        return allowed

    def _most(self, question: Question) -> int:
        return int(question.tokens * _ROOM) + question.most + (_THOUGHT if self._plain else 0)

    def _take(self, answer: ModelAnswer, question: Question) -> None:
        """Count an answer that was there: as one of this job's own when it paid for it before it was interrupted."""
        self._used += answer.prompt_tokens + answer.completion_tokens
        if self._job_id is not None and answer.job_id == self._job_id:
            self._calls += 1
            self._pay(question, answer.prompt_tokens, answer.completion_tokens)
        else:
            self._cached += 1

    def _pay(self, question: Question, prompt: int, completion: int) -> None:
        tally = self._paid.setdefault(self._pen.model(question), _Tally())
        tally.prompt += prompt
        tally.completion += completion

    async def _attempt(
        self,
        digests: Sequence[bytes],
        asked: dict[bytes, Question],
        found: dict[bytes, bytes],
        spent: dict[bytes, _Said],
    ) -> None:
        """Ask all at once; an answer that can be read is kept before the others are waited for."""

        async def one(digest: bytes) -> _Said | None:
            said = await self._ask(asked[digest])
            if said is not None and said.content is not None:
                before = spent.get(digest, _Said(None, 0, 0))
                kept = ModelAnswer(
                    digest=digest,
                    content=said.content,
                    prompt_tokens=said.prompt + before.prompt,
                    completion_tokens=said.completion + before.completion,
                    job_id=self._job_id,
                    created_at=self._clock() // 1000,
                )
                await self._store.keep(self._workspace, self._project_id, kept)
            return said

        tasks = [asyncio.ensure_future(one(digest)) for digest in digests]
        try:
            answers = await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for digest, said in zip(digests, answers, strict=True):
            if said is None:
                continue
            self._calls += 1
            self._used += said.prompt + said.completion
            self._pay(asked[digest], said.prompt, said.completion)
            if said.content is not None:
                found[digest] = said.content
            else:
                spent[digest] = said
                self._note = self._note or "an answer of the model could not be read"

    # -- a question --------------------------------------------------------------------------------------

    async def _ask(self, question: Question) -> _Said | None:
        """One answer; None when the server gives none."""
        async with self._slots:
            if self._gone:
                return None
            try:
                reply = await self._reply(question)
            except (Invalid, ModelUnavailable) as error:
                self._failed(error)
                return None
        self._failures = 0
        used = reply.tokens
        prompt = used.prompt if used is not None and used.prompt else question.tokens
        completion = used.completion if used is not None and used.total else len(reply.text) // 3 + 1
        return _Said(found_object(reply.text, question.schema), prompt, completion)

    async def _reply(self, question: Question) -> ChatReply:
        """Some servers know no schemas, some models no temperature: who refuses is asked without."""
        if not self._plain:
            try:
                return await self._models.chat(_request(question, self._pen, plain=False), self._pen.endpoint)
            except ModelRefused as error:
                if error.status not in (400, 415, 422):
                    raise
        reply = await self._models.chat(_request(question, self._pen, plain=True), self._pen.endpoint)
        self._plain = True
        return reply

    def _failed(self, error: StenographError) -> None:
        self._failures += 1
        self._note = self._note or error.message[:500]
        refused = isinstance(error, ModelRefused) and error.status not in _HOPELESS
        hopeless = isinstance(error, Invalid) and not refused  # else its address may not be asked at all
        if (hopeless or self._failures >= FAILURES) and not self._gone:
            self._gone = error.message
            log.warning(
                "a report goes on without its model", job=str(self._job_id), reason=error.message[:500]
            )


def _request(question: Question, pen: Pen, *, plain: bool) -> ChatRequest:
    messages = [{"role": "system", "content": question.system}, {"role": "user", "content": question.user}]
    if plain:
        wanted = f"\n\nThe object has this JSON schema: {msgspec.json.encode(question.schema).decode()}"
        messages[0]["content"] += wanted
        more: dict[str, Any] = {"max_completion_tokens": question.most + _THOUGHT}
        return ChatRequest(
            messages=msgspec.json.encode(messages),
            model=pen.model(question),
            more=msgspec.json.encode(more),
        )
    form = {
        "type": "json_schema",
        "json_schema": {"name": "answer", "strict": True, "schema": question.schema},
    }
    return ChatRequest(
        messages=msgspec.json.encode(messages),
        model=pen.model(question),
        response_format=msgspec.json.encode(form),
        temperature=0.0,
        max_tokens=question.most,
    )

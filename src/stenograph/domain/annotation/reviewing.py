"""A reviewer's answers to a queue's item: given as feedback, and the item is done.

A piece of feedback of a reviewer on an item has one id, which follows from both, from the run and from the key. So an
answer that is sent twice is there once, one that is changed takes the place of the former, and one that is left out the
second time is withdrawn. What others have said of the run, in this queue or elsewhere, is never touched.

An item that holds a thread is judged by the thread's last trace. Of two runs to compare the preferred one gets 1, the
other 0, or both 0.5, as LangSmith's evaluators of pairs do it; `group_id` says which two belong together.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias
from uuid import UUID, uuid5

import msgspec

from stenograph.domain.annotation.items import QueueItems
from stenograph.domain.feedback.feedback import FeedbackService, check
from stenograph.domain.runs import RunReader
from stenograph.errors import Invalid, NotFound
from stenograph.model.feedback import APP, Feedback
from stenograph.model.filters import Compare, Field, Op
from stenograph.model.query import FeedbackQuery, RunQuery, RunSelection
from stenograph.model.queue_items import QueueItem, Reviewed, ReviewStatus

MAX_ANSWERS: Final = 300
_PAGE: Final = 1000

Preference: TypeAlias = Literal["first", "second", "tie"]
_SCORES: Final[dict[Preference, tuple[float, float]]] = {
    "first": (1.0, 0.0),
    "second": (0.0, 1.0),
    "tie": (0.5, 0.5),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is said under a key. `value` and `correction` are JSON. Of a pair: `preference`, and no score."""

    key: str
    score: float | None = None
    value: bytes | None = None
    comment: str | None = None
    correction: bytes | None = None
    preference: Preference | None = None


class Reviewing:
    """Reviews of one workspace at a time. Unknown queues and items are NotFound."""

    def __init__(
        self,
        items: QueueItems,
        feedback: FeedbackService,
        runs: RunReader,
        *,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._items = items
        self._feedback = feedback
        self._runs = runs
        self._clock = clock

    async def subjects(self, item: QueueItem) -> tuple[UUID, ...]:
        """The runs that feedback on the item is about: one, the two of a pair, or the last trace of a thread; none
        where that has not arrived."""
        if item.thread is None:
            return tuple(place.run_id for place in item.runs)
        selection = RunSelection(
            workspace=item.workspace,
            projects=(item.thread.project_id,),
            is_root=True,
            filter=Compare(Field.THREAD_ID, Op.EQ, item.thread.thread_id),
        )
        found = await self._runs.page(RunQuery(selection=selection, columns=frozenset(), limit=1))
        return tuple(run.id for run in found)

    async def given(self, item: QueueItem, runs: Sequence[UUID], reviewer: UUID) -> list[Feedback]:
        """What this reviewer has said of the item, newest first."""
        found: list[Feedback] = []
        offset = 0
        while runs:
            query = FeedbackQuery(
                workspace=item.workspace,
                runs=tuple(runs),
                users=(str(reviewer),),
                limit=_PAGE,
                offset=offset,
            )
            page = await self._feedback.page(query)
            found += [
                each
                for each in page
                if each.run_id is not None and each.id == piece_id(item.id, reviewer, each.run_id, each.key)
            ]
            if len(page) < _PAGE:
                break
            offset += _PAGE
        return found

    async def finish(
        self,
        workspace: UUID,
        queue_id: UUID,
        item_id: UUID,
        reviewer: UUID,
        answers: Sequence[Answer],
        name: str | None = None,
    ) -> Reviewed:
        """Give the answers, withdraw what is not among them any more, and mark the item completed. `name` is what the
        reviewer is called.

        Forbidden and Conflict as in QueueItems.review, Invalid for answers that are no feedback: then nothing is
        given. Marked last, so that whoever is cut off finds the item where it was, and its answers with it.
        """
        item = (await self._items.place(workspace, queue_id, item_id, reviewer)).seen.item
        runs = await self.subjects(item)
        if not runs and answers:
            raise NotFound("This thread has no trace to give feedback on.")
        wanted = [piece for answer in answers for piece in self._pieces(item, runs, reviewer, name, answer)]
        if len(answers) > MAX_ANSWERS:
            raise Invalid(f"at most {MAX_ANSWERS} answers", ("answers",))
        if len({piece.id for piece in wanted}) < len(wanted):
            raise Invalid("two answers have one key", ("answers",))
        for piece in wanted:
            check(piece)
        await self._items.review(workspace, item_id, reviewer, ReviewStatus.VIEWED)
        kept = {piece.id for piece in wanted}
        for former in await self.given(item, runs, reviewer):
            if former.id not in kept:
                await self._feedback.withdraw(workspace, former.id)
        for piece in wanted:
            await self._feedback.give(piece)
        return await self._items.review(workspace, item_id, reviewer, ReviewStatus.COMPLETED)

    def _pieces(
        self, item: QueueItem, runs: Sequence[UUID], reviewer: UUID, name: str | None, answer: Answer
    ) -> list[Feedback]:
        """One a run that is judged. In a pair what is said in words is said of both."""
        if (answer.preference is not None) != (len(runs) == 2 and answer.score is None):
            raise Invalid(
                "of two runs say which is preferred; of one, what it is worth", ("answers", answer.key[:60])
            )
        scores: tuple[float | None, ...] = (answer.score,)
        if answer.preference is not None:
            scores = _SCORES[answer.preference]
        now = self._clock() // 1000
        by = {"user_id": str(reviewer)} | ({"user_name": name} if name else {})
        return [
            Feedback(
                workspace=item.workspace,
                id=piece_id(item.id, reviewer, run, answer.key),
                key=answer.key,
                created_at=now,
                modified_at=now,
                run_id=run,
                score=score,
                raw_score=None if score is None else _number(score),
                value=answer.value,
                comment=answer.comment,
                correction=answer.correction,
                source_type=APP,
                source=msgspec.json.encode(
                    {
                        "type": APP,
                        **by,
                        "metadata": {"queue_id": str(item.queue_id), "item_id": str(item.id)},
                    }
                ),
                group_id=item.id if len(runs) == 2 else None,
            )
            for run, score in zip(runs, scores, strict=True)
        ]


def piece_id(item_id: UUID, reviewer: UUID, run_id: UUID, key: str) -> UUID:
    """The id of what a reviewer says of a run of an item under a key."""
    return uuid5(item_id, f"{reviewer} {run_id} {key}")


def _number(score: float) -> bytes:
    """As people write it: 1, not 1.0."""
    whole = score.is_integer() and abs(score) < 2**53
    return msgspec.json.encode(int(score) if whole else score)

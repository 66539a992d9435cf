"""Giving, changing and reading feedback. It may come before the run that it speaks of."""

from __future__ import annotations

import time
from uuid import UUID

import msgspec

from stenograph.domain.recorder import Recorder
from stenograph.errors import Invalid, NotFound
from stenograph.model.feedback import Feedback
from stenograph.model.query import FeedbackQuery
from stenograph.observability import Metrics
from stenograph.store.api import RunStore

MAX_KEY = 180
"""Characters of a feedback key, LangSmith's own limit."""


def check(feedback: Feedback) -> None:
    """Invalid unless this feedback may be recorded."""
    if not feedback.key:
        raise Invalid("key is empty: it names what is judged, e.g. 'correctness'", where=("key",))
    if len(feedback.key) > MAX_KEY:
        raise Invalid(
            f"key has {len(feedback.key)} characters; at most {MAX_KEY} are allowed", where=("key",)
        )
    if feedback.run_id is None and feedback.project_id is None:
        raise Invalid("give run_id, or session_id for feedback on a whole project", where=("run_id",))


class FeedbackService:
    """Feedback of one workspace at a time."""

    def __init__(self, store: RunStore, recorder: Recorder, metrics: Metrics) -> None:
        self._store = store
        self._recorder = recorder
        self._metrics = metrics

    async def give(self, feedback: Feedback) -> None:
        """Record one piece; an id that is known is replaced."""
        check(feedback)
        await self._recorder.accept([], [feedback])

    async def one(self, workspace: UUID, feedback_id: UUID) -> Feedback:
        """NotFound when the workspace has none of this id."""
        found = await self.page(FeedbackQuery(workspace=workspace, ids=(feedback_id,), limit=1))
        if not found:
            raise NotFound(f"feedback {feedback_id} not found")
        return found[0]

    async def page(self, query: FeedbackQuery) -> list[Feedback]:
        await self._recorder.settle(query.workspace)
        with self._metrics.querying("feedback"):
            return await self._store.feedback(query)

    async def change(self, changed: Feedback) -> Feedback:
        """Replace a piece that was read and changed."""
        changed = msgspec.structs.replace(changed, modified_at=time.time_ns() // 1000)
        check(changed)
        await self._recorder.accept([], [changed])
        return changed

    async def withdraw(self, workspace: UUID, feedback_id: UUID) -> None:
        """Delete one piece; NotFound when there is none."""
        found = await self.one(workspace, feedback_id)
        await self._recorder.accept([], [msgspec.structs.replace(found, deleted=True)])

"""Giving, changing and reading feedback. It may come before the run that it speaks of."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID
from weakref import WeakValueDictionary

import msgspec

from stenograph.domain.feedback.configs import FeedbackConfigs
from stenograph.domain.recording.derive import derive
from stenograph.domain.recording.recorder import Recorder
from stenograph.errors import Invalid, NotFound, TooLarge
from stenograph.model.feedback import Feedback, FeedbackPatch
from stenograph.model.feedback_setup import FeedbackShape
from stenograph.model.query import FeedbackQuery, RunQuery, RunSelection
from stenograph.model.runs import NO_USAGE, Run, merge
from stenograph.observability import Metrics
from stenograph.store.api import RunStore

MAX_KEY: Final = 180
"""Characters of a feedback key, LangSmith's own limit."""

MAX_SOURCE: Final = 100
"""Characters of a source's type."""

MAX_BYTES: Final = 8 * 1024 * 1024
"""What one piece of feedback may come to: statistics carry comments along."""


def check_key(key: str, where: str = "key") -> None:
    """Invalid unless feedback can be given under this key."""
    if not key:
        raise Invalid(f"{where} is empty: it names what is judged, e.g. 'correctness'", where=(where,))
    if len(key) > MAX_KEY:
        raise Invalid(f"{where} has {len(key)} characters; at most {MAX_KEY} are allowed", where=(where,))
    if "\0" in key:
        raise Invalid(f"{where} must not contain the NUL character", where=(where,))


def check(feedback: Feedback) -> None:
    """Invalid or TooLarge unless this feedback may be recorded."""
    check_key(feedback.key)
    if feedback.run_id is None and feedback.project_id is None:
        raise Invalid("give run_id, or session_id for feedback on a whole project", where=("run_id",))
    if feedback.score is not None and not math.isfinite(feedback.score):
        raise Invalid("score is too large a number to compute with", where=("score",))
    if len(feedback.source_type) > MAX_SOURCE:
        raise Invalid(
            f"the type of feedback_source has more than {MAX_SOURCE} characters", where=("feedback_source",)
        )
    if feedback.size() > MAX_BYTES:
        raise TooLarge(f"feedback of {feedback.size()} bytes; at most {MAX_BYTES} are taken")


class FeedbackService:
    """Feedback of one workspace at a time."""

    def __init__(
        self, store: RunStore, recorder: Recorder, configs: FeedbackConfigs, metrics: Metrics
    ) -> None:
        self._store = store
        self._recorder = recorder
        self._configs = configs
        self._metrics = metrics
        self._locks: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()

    async def give(self, feedback: Feedback, shape: FeedbackShape | None = None) -> None:
        """Record one piece; an id that is known is replaced. `shape` is what its key gets if that is new."""
        check(feedback)
        if shape is not None:
            await self._configs.ensure(feedback.workspace, {feedback.key: shape})
        await self._recorder.accept([], [feedback])

    async def one(self, workspace: UUID, feedback_id: UUID) -> Feedback:
        """NotFound when the workspace has none of this id."""
        found = await self.page(FeedbackQuery(workspace=workspace, ids=(feedback_id,), limit=1))
        if not found:
            raise NotFound(f"feedback {feedback_id} not found")
        return found[0]

    async def page(self, query: FeedbackQuery) -> list[Feedback]:
        """One page, newest first, ties by id."""
        await self._recorder.settle(query.workspace)
        dropping = self._recorder.deleted.dropping(query.workspace)
        if dropping:
            query = replace(query, without_projects=dropping)
        with self._metrics.querying("feedback"):
            return await self._store.feedback(query)

    async def change(
        self,
        workspace: UUID,
        feedback_id: UUID,
        patch: FeedbackPatch,
        shape: FeedbackShape | None = None,
    ) -> Feedback:
        """The piece as changed; NotFound when there is none. Changes of one piece at once all count."""
        async with self._alone(feedback_id):
            found = await self.one(workspace, feedback_id)
            changed = patch.apply(found)
            if changed != found:
                changed = msgspec.structs.replace(changed, modified_at=time.time_ns() // 1000)
                await self.give(changed, shape)
            elif shape is not None:
                await self._configs.ensure(workspace, {found.key: shape})
            return changed

    async def withdraw(self, workspace: UUID, feedback_id: UUID) -> None:
        """Delete one piece; NotFound when there is none."""
        async with self._alone(feedback_id):
            found = await self.one(workspace, feedback_id)
            await self._recorder.accept([], [msgspec.structs.replace(found, deleted=True)])

    def _alone(self, feedback_id: UUID) -> asyncio.Lock:
        """Held while a piece is read, changed and written back."""
        return self._locks.setdefault(feedback_id, asyncio.Lock())

    # -- the runs that feedback speaks of ----------------------------------------------------------------

    async def runs_of(self, workspace: UUID, items: Sequence[Feedback]) -> Mapping[UUID, Run]:
        """The runs of those items that are not filed, as far as they are known: their place, no payload. One query.

        What is filed has all that there is to say of its run.
        """
        wanted = tuple({item.run_id for item in items if item.run_id is not None and item.home is None})
        if not wanted:
            return {}
        with self._metrics.querying("page"):
            found = await self._store.page(
                RunQuery(
                    selection=RunSelection(workspace=workspace, ids=wanted),
                    columns=frozenset(),
                    limit=len(wanted),
                )
            )
        return {run.id: run for run in found}

    async def run_of(self, feedback: Feedback) -> Run | None:
        """The run of a piece that is not filed, such as one that has just been given, if it is known already.

        Looks into memory first and waits for no flush: whoever gives feedback is not made to wait until the
        runs before it are written. The store is not asked where the client has said in which project the run is and
        when it began: those who judge whole experiments say so, one request a judgement, and a query for each
        would cost the server five times what it costs them.
        """
        if feedback.run_id is None or feedback.home is not None:
            return None
        waiting = self._recorder.pending.get(feedback.workspace, feedback.run_id)
        if waiting is not None and (waiting.created or waiting.base is not None):
            facts = merge(waiting.base, waiting.patches)
            facts.extra = facts.events = None  # its place is all that is wanted
            return derive(facts, 0, lambda *_: NO_USAGE)
        if feedback.project_id is not None and feedback.start_time is not None:
            return None
        return (await self.runs_of(feedback.workspace, [feedback])).get(feedback.run_id)

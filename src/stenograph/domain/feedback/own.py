"""Feedback that people give in a user interface: whose it is, and that nobody else changes it there.

A person is a member, or an API key that belongs to nobody, as in annotation queues (`Caller.person`): the source of a
piece names them by id, and by the name that they had then. In open mode nobody is told from anybody, so that all such
feedback is everybody's own; an admin may change any that people gave. What programs gave is changed by the vendors'
interfaces alone.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import msgspec

from stenograph.domain.feedback.feedback import FeedbackService
from stenograph.domain.people import name_of
from stenograph.domain.runs import RunReader
from stenograph.errors import Forbidden, Invalid
from stenograph.model.access import PERMISSIONS, Caller, Permission
from stenograph.model.feedback import APP, Feedback, FeedbackPatch
from stenograph.model.ids import new_id
from stenograph.store.api import MetaStore

MAX_COMMENT: Final = 100_000


@dataclass(frozen=True, slots=True)
class Said:
    """A judgement: a number, a label, or words; at least one of them."""

    score: float | None = None
    value: str | None = None
    comment: str | None = None

    def check(self) -> None:
        """Invalid when it says nothing, or too much."""
        if self.score is None and not self.value and not self.comment:
            raise Invalid("Give a score, a value or a comment.", ("body", "score"))
        for name in ("value", "comment"):
            if len(getattr(self, name) or "") > MAX_COMMENT:
                raise Invalid(f"{name} has at most {MAX_COMMENT} characters.", ("body", name))

    @property
    def raw_score(self) -> bytes | None:
        """The number as people write it: 1, not 1.0."""
        if self.score is None:
            return None
        whole = self.score.is_integer() and abs(self.score) < 2**53
        return msgspec.json.encode(int(self.score) if whole else self.score)

    @property
    def raw_value(self) -> bytes | None:
        return msgspec.json.encode(self.value) if self.value else None


class Giver(msgspec.Struct, frozen=True):
    """Who gave a piece, as its source says."""

    user_id: str | None = None
    user_name: str | None = None


_giver = msgspec.json.Decoder(Giver).decode


def giver(item: Feedback) -> Giver:
    """Nobody in particular where the source names none."""
    if item.source is None:
        return Giver()
    try:
        return _giver(item.source)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Giver()


def is_own(who: Caller, item: Feedback) -> bool:
    """Whether the caller may change this piece in a user interface."""
    if item.source_type != APP:
        return False
    if who.person is None or Permission.ADMIN in PERMISSIONS[who.role]:
        return True
    return giver(item).user_id == str(who.person)


class OwnFeedback:
    """What one caller says of runs, and takes back. Callers check the permission."""

    def __init__(self, meta: MetaStore, runs: RunReader, feedback: FeedbackService) -> None:
        self._meta = meta
        self._runs = runs
        self._feedback = feedback

    async def give(self, who: Caller, run_id: UUID, key: str, said: Said) -> Feedback:
        """NotFound for an unknown run; Invalid for an empty judgement or a key that is none."""
        said.check()
        run = await self._runs.one(who.workspace, run_id, frozenset())
        now = time.time_ns() // 1000
        given = Feedback(
            workspace=who.workspace,
            id=new_id(now),
            key=key,
            created_at=now,
            modified_at=now,
            run_id=run.id,
            score=said.score,
            raw_score=said.raw_score,
            value=said.raw_value,
            comment=said.comment or None,
            source_type=APP,
            source=await self._source(who),
        )
        await self._feedback.give(given)
        return given

    async def change(self, who: Caller, feedback_id: UUID, said: Said) -> Feedback:
        """The piece says this now, and nothing else; its correction stays. Forbidden when it is another's."""
        said.check()
        await self._mine(who, feedback_id)
        patch = FeedbackPatch(
            score=said.score,
            raw_score=said.raw_score,
            value=said.raw_value,
            comment=said.comment or None,
        )
        return await self._feedback.change(who.workspace, feedback_id, patch)

    async def withdraw(self, who: Caller, feedback_id: UUID) -> None:
        """Forbidden when it is another's."""
        await self._mine(who, feedback_id)
        await self._feedback.withdraw(who.workspace, feedback_id)

    async def _mine(self, who: Caller, feedback_id: UUID) -> None:
        if not is_own(who, await self._feedback.one(who.workspace, feedback_id)):
            raise Forbidden("This feedback is not yours: it was given by somebody else, or by a program.")

    async def _source(self, who: Caller) -> bytes:
        source: dict[str, str] = {"type": APP}
        if who.person is not None:
            source["user_id"] = str(who.person)
            if name := await name_of(self._meta, who):
                source["user_name"] = name
        return msgspec.json.encode(source)

"""Summaries that conversations wait for."""

from __future__ import annotations

from uuid import UUID

import msgspec

from stenograph.model.runs import Micros


class SummaryTask(msgspec.Struct, frozen=True, kw_only=True):
    """The oldest turns of a conversation are to be summed up: what the job of this id stands for. `attempts` have been
    begun; the next is due at `due_at`."""

    workspace: UUID
    conversation_id: UUID
    job_id: UUID
    due_at: Micros
    attempts: int = 0

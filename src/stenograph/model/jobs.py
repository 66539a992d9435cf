"""Jobs: work that goes on after the answer to the request that caused it."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

import msgspec

from stenograph.model.runs import Micros


class JobState(StrEnum):
    """The last three are final."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    ABORTED = "aborted"
    FAILED = "failed"


FINAL_STATES = frozenset({JobState.SUCCEEDED, JobState.ABORTED, JobState.FAILED})


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job. `reason` says in a sentence why it is in its state; `progress` is a percentage, None if unknown."""

    id: UUID
    workspace: UUID
    name: str
    created_at: Micros
    updated_at: Micros
    state: JobState = JobState.PENDING
    reason: str = ""
    progress: float | None = None

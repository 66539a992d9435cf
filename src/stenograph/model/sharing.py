"""Shares: unguessable links to one thing, for readers without a key."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

import msgspec

from stenograph.model.runs import Micros


class ShareKind(StrEnum):
    """What a link leads to. A shared run opens its whole trace."""

    RUN = "run"
    DATASET = "dataset"
    THREAD = "thread"


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """One link. `token` is a random (version 4) UUID; a target has at most one.

    `target_id` is a run's or dataset's id as lower-case text with dashes, or `thread_target(...)`.
    `project_id` is where the target lives, when it lives in a project: the link dies with the project.
    """

    token: UUID
    workspace: UUID
    kind: ShareKind
    target_id: str
    created_at: Micros
    project_id: UUID | None = None


def thread_target(project_id: UUID, thread_id: str) -> str:
    """A thread's `target_id`: clients choose thread ids, so they are unique in one project only."""
    return f"{project_id}/{thread_id}"

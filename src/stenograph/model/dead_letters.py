"""Dead letters: acknowledged records that the run store would not take, kept with the reason."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec

from stenograph.model.runs import Micros

UNREADABLE: Final = UUID(int=0)
"""Stands for the workspace of a record that cannot be decoded: nobody knows whose it is."""


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """One record. `kind` names its encoding (`run`, `feedback`); `subject_id` is what it speaks of, if known.

    `record` is the inbox's bytes, so that it can be replayed once the reason is gone.
    """

    id: UUID
    workspace: UUID
    kind: str
    reason: str
    record: bytes
    created_at: Micros
    subject_id: UUID | None = None
    replayed_at: Micros | None = None


class DeadLetterNote(msgspec.Struct, frozen=True, kw_only=True):
    """A letter without its record, of which it tells the size: for lists."""

    id: UUID
    workspace: UUID
    kind: str
    reason: str
    size: int
    created_at: Micros
    subject_id: UUID | None = None
    replayed_at: Micros | None = None

"""What feedback is expected: the shape of a key's scores, and tokens for giving feedback without a key."""

from __future__ import annotations

from typing import Literal
from uuid import UUID, uuid5

import msgspec

from stenograph.model.runs import Micros


class FeedbackCategory(msgspec.Struct, frozen=True):
    """One choice of a categorical key: the number that is the score, and its name."""

    value: int | float
    label: str | None = None


class FeedbackShape(msgspec.Struct, frozen=True, kw_only=True):
    """What scores under a key look like, in LangSmith's words. Bounds are inclusive."""

    type: Literal["continuous", "categorical", "freeform"]
    min: int | float | None = None
    max: int | float | None = None
    categories: tuple[FeedbackCategory, ...] | None = None
    allows_multiple_categories: bool = False


class FeedbackConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The shape of one feedback key in one workspace. `config` is a FeedbackShape as JSON."""

    workspace: UUID
    key: str
    config: bytes
    modified_at: Micros
    is_lower_score_better: bool | None = False
    is_enforced: bool = False
    deleted_at: Micros | None = None

    @property
    def id(self) -> UUID:
        """A key has one config in a workspace, so its id follows from the two."""
        return uuid5(self.workspace, self.key)

    @property
    def shape(self) -> FeedbackShape:
        return _shape(self.config)


_shape = msgspec.json.Decoder(FeedbackShape).decode


class FeedbackToken(msgspec.Struct, frozen=True, kw_only=True):
    """Permission to give feedback under one key on one run, until `expires_at`, any number of times.

    `id` is the secret in the link, so it has to be a UUID that nobody can guess: of version 4 or 7.
    """

    id: UUID
    workspace: UUID
    run_id: UUID
    key: str
    expires_at: Micros
    created_at: Micros
    config: bytes | None = None

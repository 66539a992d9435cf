"""What feedback is expected: the shape of a key's scores, and tokens for giving feedback without a key."""

from __future__ import annotations

from uuid import UUID

import msgspec

from stenograph.model.runs import Micros


class FeedbackConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The shape of one feedback key in one workspace.

    `config` is the client's JSON object: type (continuous, categorical, freeform), min, max, categories.
    """

    workspace: UUID
    key: str
    config: bytes
    modified_at: Micros
    is_lower_score_better: bool | None = False
    is_enforced: bool = False


class FeedbackToken(msgspec.Struct, frozen=True, kw_only=True):
    """Permission to give feedback under one key on one run, until `expires_at`, any number of times.

    `id` is the secret in the link, so it has to be a random (version 4) UUID.
    """

    id: UUID
    workspace: UUID
    run_id: UUID
    key: str
    expires_at: Micros
    created_at: Micros
    config: bytes | None = None

"""Tokens: permission to give feedback on one run, for browsers and mails that must not hold an API key."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

import msgspec

from stenograph.domain.feedback.configs import FeedbackConfigs, check_shape
from stenograph.domain.feedback.feedback import check_key
from stenograph.errors import Conflict, Invalid, NotFound
from stenograph.model.feedback_setup import FeedbackShape, FeedbackToken
from stenograph.model.runs import Micros
from stenograph.store.api import MetaStore

MAX_TOKENS: Final = 1000
"""Tokens that one call may ask for."""

MAX_LIFE: Final[Micros] = 10 * 366 * 24 * 3600 * 1_000_000
"""Ten years."""

_UNGUESSABLE: Final = frozenset({4, 7})


class FeedbackTokens:
    """Issues tokens and says what one allows."""

    def __init__(
        self, meta: MetaStore, configs: FeedbackConfigs, *, clock: Callable[[], int] = time.time_ns
    ) -> None:
        self._store = meta.feedback_tokens
        self._configs = configs
        self._clock = clock

    def now(self) -> Micros:
        return self._clock() // 1000

    async def issue(self, tokens: Sequence[FeedbackToken]) -> None:
        """Keep these, all or none; keys that are new get the shape that their token states.

        The same again is no error. Invalid for a token that could never be used, or whose id could be
        guessed; Conflict when an id is taken.
        """
        if len(tokens) > MAX_TOKENS:
            raise Invalid(f"{len(tokens)} tokens are too many for one call; at most {MAX_TOKENS}", ())
        for token in tokens:
            self._check(token)
        for workspace in {token.workspace for token in tokens}:
            own = [token for token in tokens if token.workspace == workspace]
            shapes = {token.key: _shape(token.config) for token in own if token.config is not None}
            await self._configs.ensure(workspace, shapes)
        try:
            await self._store.create(tokens)
        except Conflict:
            if not all([_same(await self._store.resolve(token.id), token) for token in tokens]):
                raise Conflict("A feedback token of this id already exists.") from None

    def _check(self, token: FeedbackToken) -> None:
        check_key(token.key, "feedback_key")
        if token.id.version not in _UNGUESSABLE:
            raise Invalid(
                "id is the secret in the link: leave it out, or make it a UUID of version 4 or 7", ("id",)
            )
        if token.expires_at <= self.now():
            raise Invalid(
                "the token would have expired already: give a later expires_at, or expires_in of at least "
                "a minute",
                ("expires_at",),
            )
        if token.expires_at > self.now() + MAX_LIFE:
            raise Invalid("a token lasts ten years at most", ("expires_at",))
        if token.config is not None:
            check_shape(_shape(token.config))

    async def page(
        self, workspace: UUID, run_id: UUID, offset: int = 0, limit: int | None = None
    ) -> list[FeedbackToken]:
        """A run's tokens, oldest first, expired ones too."""
        return await self._store.page(workspace, run_id, offset, limit)

    async def redeem(self, token_id: UUID) -> FeedbackToken:
        """What this token allows. NotFound when there is none, or when it has expired."""
        token = await self._store.resolve(token_id)
        if token is None:
            raise NotFound("feedback token not found")
        if token.expires_at <= self.now():
            raise NotFound("feedback token not found: it has expired, ask for a new link")
        return token


_shape = msgspec.json.Decoder(FeedbackShape).decode


def _same(found: FeedbackToken | None, wanted: FeedbackToken) -> bool:
    """Whether a client has merely asked twice."""
    return found is not None and (found.workspace, found.run_id, found.key) == (
        wanted.workspace,
        wanted.run_id,
        wanted.key,
    )

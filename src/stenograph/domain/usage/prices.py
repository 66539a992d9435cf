"""The workspaces' price maps: changed here, and kept in memory for the flush."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from uuid import UUID

import msgspec

from stenograph.domain.recording.derive import UsageOf
from stenograph.domain.usage.pricing import Pricing, check_price
from stenograph.errors import Invalid, NotFound
from stenograph.model.prices import ModelPrice
from stenograph.store.api import MetaStore

MAX_NAME = 255
"""Characters of a price's name, its provider, and each key of its match_path."""

_SECONDS = 30.0
"""How long a price map is used before it is read again: another process may have changed it."""


class PriceBook:
    """Prices by workspace. A change counts for runs written from then on; it does not fill in old ones."""

    def __init__(self, meta: MetaStore) -> None:
        self._meta = meta
        self._known: dict[UUID, tuple[float, Pricing]] = {}
        self._changes = 0

    async def load(self, workspaces: Iterable[UUID]) -> None:
        """Have the prices of these workspaces in memory."""
        now = time.monotonic()
        for workspace in workspaces:
            entry = self._known.get(workspace)
            if entry is None or entry[0] < now:
                seen = self._changes
                prices = await self._meta.prices.all(workspace)
                # What was read before a change must not be relied on after it.
                expires = now + _SECONDS if seen == self._changes else 0.0
                self._known[workspace] = (expires, Pricing(prices))

    def of(self, workspace: UUID) -> UsageOf:
        """From payloads to tokens and cost, at the prices that were loaded last."""
        return self._known[workspace][1].usage

    async def all(self, workspace: UUID) -> Sequence[ModelPrice]:
        return await self._meta.prices.all(workspace)

    async def add(self, price: ModelPrice) -> None:
        """Invalid when its pattern, names or amounts cannot be used."""
        _check(price)
        await self._meta.prices.create(price)
        self._expire(price.workspace)

    async def replace(self, price: ModelPrice) -> ModelPrice:
        """The price as it is now: it keeps the time of its making, which breaks ties between prices.

        Invalid as for add; NotFound when there is none of this id.
        """
        _check(price)
        former = await self._meta.prices.read(price.workspace, price.id)
        if former is not None:
            price = msgspec.structs.replace(price, created_at=former.created_at)
        if former is None or not await self._meta.prices.replace(price):
            raise NotFound(f"model price {price.id} not found")
        self._expire(price.workspace)
        return price

    async def remove(self, workspace: UUID, price_id: UUID) -> None:
        """NotFound when there is none of this id."""
        if not await self._meta.prices.delete(workspace, price_id):
            raise NotFound(f"model price {price_id} not found")
        self._expire(workspace)

    def _expire(self, workspace: UUID) -> None:
        """Have the prices read again, and keep the old ones until then: a flush may be using them."""
        self._changes += 1
        entry = self._known.get(workspace)
        if entry is not None:
            self._known[workspace] = (0.0, entry[1])


def _check(price: ModelPrice) -> None:
    if not price.name.strip():
        raise Invalid("name is empty: it says which model the price is for", ("name",))
    check_price(price)
    texts = [("name", price.name), ("provider", price.provider or "")]
    texts += [("match_path", key) for key in price.match_path]
    for field, text in texts:
        if len(text) > MAX_NAME:
            raise Invalid(f"{field} has more than {MAX_NAME} characters", (field,))
    for field, text in (*texts, ("match_pattern", price.match_pattern)):
        if "\0" in text:
            raise Invalid(f"{field} must not contain the NUL character", (field,))

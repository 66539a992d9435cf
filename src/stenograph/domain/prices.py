"""The workspaces' price maps: changed here, and kept in memory for the flush."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from uuid import UUID

from stenograph.domain.derive import UsageOf
from stenograph.domain.pricing import Pricing, check_price
from stenograph.errors import NotFound
from stenograph.model.prices import ModelPrice
from stenograph.store.api import MetaStore

_SECONDS = 30.0
"""How long a price map is used before it is read again: another process may have changed it."""


class PriceBook:
    """Prices by workspace. A change counts for runs written from then on; it does not fill in old ones."""

    def __init__(self, meta: MetaStore) -> None:
        self._meta = meta
        self._known: dict[UUID, tuple[float, Pricing]] = {}

    async def load(self, workspaces: Iterable[UUID]) -> None:
        """Have the prices of these workspaces in memory."""
        now = time.monotonic()
        for workspace in workspaces:
            entry = self._known.get(workspace)
            if entry is None or entry[0] < now:
                prices = await self._meta.prices.all(workspace)
                self._known[workspace] = (now + _SECONDS, Pricing(prices))

    def of(self, workspace: UUID) -> UsageOf:
        """From payloads to tokens and cost, at the prices that were loaded last."""
        return self._known[workspace][1].usage

    async def all(self, workspace: UUID) -> Sequence[ModelPrice]:
        return await self._meta.prices.all(workspace)

    async def add(self, price: ModelPrice) -> None:
        """Invalid when its pattern or amounts cannot be used."""
        check_price(price)
        await self._meta.prices.create(price)
        self._expire(price.workspace)

    async def replace(self, price: ModelPrice) -> None:
        """Invalid as for add; NotFound when there is none of this id."""
        check_price(price)
        if not await self._meta.prices.replace(price):
            raise NotFound(f"model price {price.id} not found")
        self._expire(price.workspace)

    async def remove(self, workspace: UUID, price_id: UUID) -> None:
        if not await self._meta.prices.delete(workspace, price_id):
            raise NotFound(f"model price {price_id} not found")
        self._expire(workspace)

    def _expire(self, workspace: UUID) -> None:
        """Have the prices read again, and keep the old ones until then: a flush may be using them."""
        entry = self._known.get(workspace)
        if entry is not None:
            self._known[workspace] = (0.0, entry[1])

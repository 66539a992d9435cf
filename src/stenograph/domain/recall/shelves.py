"""Owners' vectors in memory, for searching by meaning.

What is kept of an owner is checked against the store before each search (`Docs.shelf`, a look at an index): new chunks
are read on top, and when chunks went away, or got their vectors late, what differs is found by the numbers. So several
processes may share a store.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Sequence
from typing import Final, TypeAlias
from uuid import UUID

import numpy as np
import structlog

from stenograph.domain.recall.holding import BLOCK, Holding
from stenograph.llm.embedding import Vectors
from stenograph.model.docs import Owner
from stenograph.store.api import Docs

log = structlog.get_logger("stenograph.recall")

Key: TypeAlias = tuple[UUID, Owner, str]
"""Workspace, owner, model."""

EXACT: Final = 100_000
"""Vectors of an owner that a search multiplies all; where there are more, they are indexed."""

_AT_ONCE: Final = 2_000
"""Vectors that are multiplied without leaving the event loop's thread: less than a millisecond."""


class Shelves:
    """The vectors of the owners that were searched last, up to `budget` bytes; one owner may have more alone.

    Nothing waits for an index, unless more than twice `exact` vectors would be in memory without one.
    """

    def __init__(self, docs: Docs, budget: int, *, exact: int = EXACT) -> None:
        self._docs = docs
        self._budget = budget
        self._exact = exact
        self._held: OrderedDict[Key, Holding] = OrderedDict()
        self._locks: dict[Key, asyncio.Lock] = {}
        self._moving: dict[Key, asyncio.Task[None]] = {}
        self._cannot_index = False

    async def nearest(
        self,
        workspace: UUID,
        owners: Sequence[tuple[Owner, Collection[UUID] | None]],
        model: str,
        vector: Vectors,
        limit: int,
        floor: float | None = None,
    ) -> list[tuple[int, float]]:
        """(number, cosine) of the chunks nearest to a vector of length 1, the nearest first, ties by number.

        With each owner come the docs that count, all of them for None. `floor` is the least cosine. Exact, but for an
        owner who has an index: of those who are near a few may be missed then, none where docs are named.
        """
        found: list[tuple[int, float]] = []
        for owner, among in owners:
            held = await self._current((workspace, owner, model), len(vector))
            if len(held) <= _AT_ONCE:
                found += held.nearest(vector, limit, among, floor)
            else:
                found += await asyncio.to_thread(held.nearest, vector, limit, among, floor)
        found.sort(key=lambda one: (-one[1], one[0]))
        return found[:limit]

    async def settle(self) -> None:
        """Return once no index is being made or added to."""
        while self._moving:
            await asyncio.wait(list(self._moving.values()))

    async def _current(self, key: Key, dimensions: int) -> Holding:
        workspace, owner, model = key
        lock = self._locks.setdefault(key, asyncio.Lock())
        try:
            async with lock:
                shelf = await self._docs.shelf(workspace, owner, model)
                held = self._held.get(key)
                if held is None:
                    held = Holding(shelf, dimensions)
                elif held.shelf.removals != shelf.removals:
                    await self._compare(key, held)
                    held.shelf = shelf
                if held.newest < shelf.newest:
                    await self._read(key, held, shelf.newest)
                self._index(key, held)
                self._held[key] = held
                self._held.move_to_end(key)
                self._make_room(key)
                return held
        finally:
            if not lock.locked():
                self._locks.pop(key, None)

    async def _read(self, key: Key, held: Holding, newest: int) -> None:
        workspace, owner, model = key
        while held.newest < newest:
            rows = await self._docs.vectors(workspace, owner, model, held.newest, BLOCK)
            if not rows:
                return  # the newest went away meanwhile
            held.append(rows)
            self._index(key, held)
            if held.loose > 2 * self._exact and (moving := self._moving.get(key)) is not None:
                await asyncio.wait([moving])

    async def _compare(self, key: Key, held: Holding) -> None:
        """Let go of what the store no longer has, and read what came below the newest."""
        workspace, owner, model = key
        if (moving := self._moving.get(key)) is not None:
            await asyncio.wait([moving])
        there = np.array(await self._docs.numbers(workspace, owner, model), np.int64)
        held.keep(there)
        lacking = np.setdiff1d(there[there <= held.newest], held.numbers)
        for start in range(0, len(lacking), BLOCK):
            wanted = lacking[start : start + BLOCK].tolist()
            rows = await self._docs.vectors_of(workspace, owner, model, wanted)
            if rows:
                held.append(rows)

    def _index(self, key: Key, held: Holding) -> None:
        """Move what is loose into the index where that is due, behind the searches."""
        due = BLOCK if held.is_indexed else self._exact
        if key in self._moving or held.loose <= due or self._cannot_index:
            return
        task = asyncio.create_task(self._move(held))
        self._moving[key] = task
        task.add_done_callback(lambda _: self._moving.pop(key, None))

    async def _move(self, held: Holding) -> None:
        try:
            await asyncio.to_thread(held.move)
        except (
            Exception
        ) as error:  # of the library, whatever it may raise; its locals are no reading for a log
            self._cannot_index = True
            log.error(
                "vectors cannot be indexed; searches multiply all of them until the next start",
                reason=f"{type(error).__name__}: {error}"[:500],
            )

    def _make_room(self, keep: Key) -> None:
        total = sum(held.nbytes for held in self._held.values())
        for key in list(self._held):
            if total <= self._budget:
                return
            if key != keep:
                total -= self._held.pop(key).nbytes

"""Owners' vectors in memory, so that a search by meaning is one product of a matrix and a vector.

What is kept of an owner is checked against the store before each search (`Docs.shelf`, a look at an index): new chunks
are read on top, and when chunks went away or changed all are read again. So several processes may share a store.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Sequence
from typing import Final, TypeAlias
from uuid import UUID

import numpy as np
import numpy.typing as npt

from stenograph.llm.embedding import Vectors
from stenograph.model.docs import ChunkVector, Owner, Shelf
from stenograph.store.api import Docs

Key: TypeAlias = tuple[UUID, Owner, str]
"""Workspace, owner, model."""

BLOCK: Final = 8_192
"""Vectors read from the store, and multiplied, at a time."""

_AT_ONCE: Final = 2_000
"""Vectors that are multiplied without leaving the event loop's thread: less than a millisecond."""


class _Held:
    """What is in memory of one owner: blocks of vectors, and for each of them the chunk's number and its doc."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.blocks: list[Vectors] = []
        self.numbers: list[npt.NDArray[np.int64]] = []
        self.docs: list[npt.NDArray[np.int32]] = []
        self.known: dict[UUID, int] = {}

    @property
    def newest(self) -> int:
        return int(self.numbers[-1][-1]) if self.numbers else 0

    @property
    def size(self) -> int:
        return sum(block.nbytes for block in self.blocks)

    def __len__(self) -> int:
        return sum(len(block) for block in self.blocks)

    def append(self, rows: Sequence[ChunkVector]) -> None:
        flat = np.frombuffer(b"".join(row.vector for row in rows), "<f2").astype(np.float32)
        vectors = flat.reshape(len(rows), -1)
        numbers = np.array([row.number for row in rows], np.int64)
        docs = np.array([self.known.setdefault(row.doc_id, len(self.known)) for row in rows], np.int32)
        if self.blocks and len(self.blocks[-1]) + len(rows) <= BLOCK:
            vectors = np.concatenate([self.blocks.pop(), vectors])
            numbers = np.concatenate([self.numbers.pop(), numbers])
            docs = np.concatenate([self.docs.pop(), docs])
        self.blocks.append(vectors)
        self.numbers.append(numbers)
        self.docs.append(docs)

    def nearest(
        self, vector: Vectors, limit: int, among: Collection[UUID] | None, floor: float | None
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """Numbers and cosines of the `limit` nearest, in no order."""
        if not self.blocks:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        cosines = np.concatenate([block @ vector for block in self.blocks])
        numbers = np.concatenate(self.numbers)
        if among is not None:
            allowed = np.zeros(len(self.known), bool)
            allowed[[self.known[doc] for doc in among if doc in self.known]] = True
            chosen = allowed[np.concatenate(self.docs)]
            cosines, numbers = cosines[chosen], numbers[chosen]
        if floor is not None:
            chosen = cosines >= floor
            cosines, numbers = cosines[chosen], numbers[chosen]
        if len(cosines) > limit:
            best = np.argpartition(-cosines, limit)[:limit]
            cosines, numbers = cosines[best], numbers[best]
        return numbers, cosines


class Shelves:
    """The vectors of the owners that were searched last, up to `budget` bytes; one owner may have more alone."""

    def __init__(self, docs: Docs, budget: int) -> None:
        self._docs = docs
        self._budget = budget
        self._held: OrderedDict[Key, _Held] = OrderedDict()
        self._locks: dict[Key, asyncio.Lock] = {}

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

        With each owner come the docs that count, all of them for None. `floor` is the least cosine.
        """
        found: list[tuple[int, float]] = []
        for owner, among in owners:
            held = await self._current((workspace, owner, model))
            if len(held) <= _AT_ONCE:
                numbers, cosines = held.nearest(vector, limit, among, floor)
            else:
                numbers, cosines = await asyncio.to_thread(held.nearest, vector, limit, among, floor)
            found += zip(numbers.tolist(), cosines.tolist(), strict=True)
        found.sort(key=lambda one: (-one[1], one[0]))
        return found[:limit]

    async def _current(self, key: Key) -> _Held:
        workspace, owner, model = key
        lock = self._locks.setdefault(key, asyncio.Lock())
        try:
            async with lock:
                shelf = await self._docs.shelf(workspace, owner, model)
                held = self._held.get(key)
                if held is None or held.shelf.removals != shelf.removals:
                    held = _Held(shelf)
                if held.newest < shelf.newest:
                    await self._read(key, held, shelf.newest)
                self._held[key] = held
                self._held.move_to_end(key)
                self._make_room(key)
                return held
        finally:
            if not lock.locked():
                self._locks.pop(key, None)

    async def _read(self, key: Key, held: _Held, newest: int) -> None:
        workspace, owner, model = key
        while held.newest < newest:
            rows = await self._docs.vectors(workspace, owner, model, held.newest, BLOCK)
            if not rows:
                return  # the newest went away meanwhile: the next search reads all again
            held.append(rows)

    def _make_room(self, keep: Key) -> None:
        total = sum(held.size for held in self._held.values())
        for key in list(self._held):
            if total <= self._budget:
                return
            if key != keep:
                total -= self._held.pop(key).size

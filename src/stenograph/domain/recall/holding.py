"""One owner's vectors in memory: multiplied all, or where there are very many, looked for by an index.

The newest are blocks that a search multiplies. Once there are more than an exact search should take, they move into
the index block by block, on a thread of its own; each is in one of the two at any time, or in both for a moment.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

import numpy as np
import numpy.typing as npt

from stenograph.domain.recall.vector_index import Numbers, VectorIndex
from stenograph.llm.embedding import Vectors
from stenograph.model.docs import ChunkVector, Shelf

BLOCK: Final = 8_192
"""Vectors read from the store, and multiplied, at a time."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """Of each row the chunk's number, and its doc's among those known."""

    numbers: Numbers
    docs: npt.NDArray[np.int32]

    def chosen(self, rows: npt.NDArray[np.bool_]) -> _Rows:
        return _Rows(self.numbers[rows], self.docs[rows])

    def and_then(self, other: _Rows) -> _Rows:
        return _Rows(np.concatenate([self.numbers, other.numbers]), np.concatenate([self.docs, other.docs]))


_NONE: Final = _Rows(np.empty(0, np.int64), np.empty(0, np.int32))


@dataclass(frozen=True, slots=True)
class _Block:
    vectors: Vectors
    rows: _Rows

    def __len__(self) -> int:
        return len(self.vectors)


@dataclass(frozen=True, slots=True)
class _State:
    """All of it as of one moment: `moving` are blocks on their way into the index."""

    tail: tuple[_Block, ...] = ()
    moving: tuple[_Block, ...] = ()
    index: VectorIndex | None = None
    indexed: _Rows = _NONE

    @property
    def blocks(self) -> tuple[_Block, ...]:
        return self.moving + self.tail


class Holding:
    """What is in memory of one owner, as the store had it at `shelf`. Changed by one caller at a time, but for
    `move`; searched by any."""

    def __init__(self, shelf: Shelf, dimensions: int) -> None:
        self.shelf = shelf
        self.newest = 0
        """The highest number that was read."""
        self._dimensions = dimensions
        self._known: dict[UUID, int] = {}
        self._state = _State()
        self._lock = threading.Lock()  # around changes of the state

    def __len__(self) -> int:
        return self.loose + len(self._state.indexed.numbers)

    @property
    def loose(self) -> int:
        """Vectors that no index has yet."""
        return sum(map(len, self._state.blocks))

    @property
    def is_indexed(self) -> bool:
        return self._state.index is not None

    @property
    def nbytes(self) -> int:
        state = self._state
        held = sum(block.vectors.nbytes for block in state.blocks)
        return held + (state.index.nbytes if state.index is not None else 0)

    @property
    def numbers(self) -> Numbers:
        state = self._state
        return np.concatenate([state.indexed.numbers, *(block.rows.numbers for block in state.blocks)])

    def append(self, rows: Sequence[ChunkVector]) -> None:
        """Rows of another length than the model's are passed over: they were made by another one of its name."""
        self.newest = max(self.newest, *(row.number for row in rows))
        rows = [row for row in rows if len(row.vector) == 2 * self._dimensions]
        if not rows:
            return
        flat = np.frombuffer(b"".join(row.vector for row in rows), "<f2").astype(np.float32)
        block = _Block(
            flat.reshape(len(rows), -1),
            _Rows(
                np.array([row.number for row in rows], np.int64),
                np.array([self._known.setdefault(row.doc_id, len(self._known)) for row in rows], np.int32),
            ),
        )
        with self._lock:
            tail = self._state.tail
            if tail and len(tail[-1]) + len(rows) <= BLOCK:
                last, tail = tail[-1], tail[:-1]
                vectors = np.concatenate([last.vectors, block.vectors])
                block = _Block(vectors, last.rows.and_then(block.rows))
            self._state = replace(self._state, tail=(*tail, block))

    def keep(self, numbers: Numbers) -> None:
        """Let go of all others. Not while `move` is at work."""
        state = self._state
        blocks = []
        for block in state.blocks:
            chosen = np.isin(block.rows.numbers, numbers)
            if chosen.all():
                blocks.append(block)
            elif chosen.any():
                blocks.append(_Block(block.vectors[chosen], block.rows.chosen(chosen)))
        chosen = np.isin(state.indexed.numbers, numbers)
        if state.index is not None and not chosen.all():
            state.index.remove(state.indexed.numbers[~chosen])
        with self._lock:
            indexed = state.indexed.chosen(chosen)
            self._state = replace(state, tail=tuple(blocks), moving=(), indexed=indexed)

    def move(self) -> None:
        """Put all that is loose into the index, which is made if there is none. By one caller at a time."""
        with self._lock:
            state = replace(self._state, moving=self._state.blocks, tail=())
            self._state = state
        index = state.index
        if index is None:
            index = VectorIndex(np.concatenate([block.vectors for block in state.moving]))
        for block in state.moving:
            index.add(block.vectors, block.rows.numbers)
            with self._lock:
                before = self._state
                self._state = replace(
                    before,
                    index=index,
                    indexed=before.indexed.and_then(block.rows),
                    moving=before.moving[1:],
                )

    def nearest(
        self, vector: Vectors, limit: int, among: Collection[UUID] | None, floor: float | None
    ) -> list[tuple[int, float]]:
        """(number, cosine) of the `limit` nearest, in no order."""
        state = self._state
        allowed = None
        if among is not None:
            allowed = np.zeros(len(self._known), bool)
            allowed[[self._known[doc] for doc in among if doc in self._known]] = True
        found: dict[int, float] = {}
        for numbers, cosines in (
            _multiplied(state.blocks, vector, limit, allowed),
            _looked_up(state, vector, limit, allowed),
        ):
            found |= zip(numbers.tolist(), cosines.tolist(), strict=True)
        return [(number, cosine) for number, cosine in found.items() if floor is None or cosine >= floor]


def _multiplied(
    blocks: Sequence[_Block], vector: Vectors, limit: int, allowed: npt.NDArray[np.bool_] | None
) -> tuple[Numbers, npt.NDArray[np.float32]]:
    if not blocks:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    parts = [(block.vectors, block.rows.numbers) for block in blocks]
    if allowed is not None:
        chosen = [allowed[block.rows.docs] for block in blocks]
        parts = [(rows[these], numbers[these]) for (rows, numbers), these in zip(parts, chosen, strict=True)]
    # Row by row on this thread: the matrix product of numpy's library takes as long, and its idle threads spin for
    # three times as much CPU.
    cosines = np.concatenate([np.vecdot(rows, vector) for rows, _ in parts])
    numbers = np.concatenate([numbers for _, numbers in parts])
    if len(cosines) > limit:
        best = np.argpartition(-cosines, limit)[:limit]
        cosines, numbers = cosines[best], numbers[best]
    return numbers, cosines


def _looked_up(
    state: _State, vector: Vectors, limit: int, allowed: npt.NDArray[np.bool_] | None
) -> tuple[Numbers, npt.NDArray[np.float32]]:
    among = None if allowed is None else state.indexed.numbers[allowed[state.indexed.docs]]
    if state.index is None or (among is not None and not len(among)):
        return np.empty(0, np.int64), np.empty(0, np.float32)
    return state.index.nearest(vector, limit, among)

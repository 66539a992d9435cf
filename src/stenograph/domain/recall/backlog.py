"""Chunks that have no vector of the model in use get one behind everything else: after a model that was away, after a
change of the model, and of docs that are too long to wait for.

Which they are stands in the store, so that nothing is lost with the process. Searches by meaning meanwhile find those
that are done; searches by words find all.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from typing import Final

import structlog

from stenograph.errors import ModelRefused, Overloaded
from stenograph.llm.embedding import Embedder, Vectors
from stenograph.model.docs import Chunk
from stenograph.store.api import Docs as DocStore

log = structlog.get_logger("stenograph.recall")

STEP: Final = 32
FIRST_PAUSE: Final = 5.0
MAX_PAUSE: Final = 300.0
"""Seconds until a model that failed is tried again: they double."""

TOLD_EVERY: Final = 15.0
"""Seconds between two lines on how far it has come."""

_OF_THE_TEXT: Final = frozenset({400, 413, 422})
"""What a server refuses with when it is the text that it does not like."""

_HARMLESS: Final = "A text."


class Backlog:
    """One a process, between start and stop."""

    def __init__(self, store: DocStore, embedder: Embedder, *, pause: float = FIRST_PAUSE) -> None:
        self._store = store
        self._embedder = embedder
        self._first_pause = pause
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._refused: set[int] = set()
        self._is_away = False

    @property
    def is_away(self) -> bool:
        """The model failed when it was last asked, and is being tried again here: nobody else need wait for it."""
        return self._is_away and self._task is not None

    def start(self) -> None:
        self._wanted.set()
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def add(self, *, away: bool = False) -> None:
        """There are chunks without a vector; `away`: because the model failed."""
        self._is_away = self._is_away or away
        self._wanted.set()

    async def _run(self) -> None:
        pause = self._first_pause
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                await self._catch_up()
            except (Overloaded, ModelRefused) as error:
                self._is_away = True
                log.warning("docs wait for their vectors", reason=error.message, again_in=pause)
            except Exception:
                log.exception("docs wait for their vectors", again_in=pause)
            else:
                self._is_away = False
                pause = self._first_pause
                continue
            self._wanted.set()
            await asyncio.sleep(pause)
            pause = min(2 * pause, MAX_PAUSE)

    async def _catch_up(self) -> None:
        model = self._embedder.model
        total = await self._store.count_without_vector(model) - len(self._refused)
        if total <= 0:
            return
        began = told = time.monotonic()
        done = after = 0
        log.info("docs get their vectors", chunks=total, model=model)
        while waiting := await self._store.without_vector(model, STEP, after):
            after = waiting[-1].number
            done += await self._give([chunk for chunk in waiting if chunk.number not in self._refused])
            self._is_away = False
            if time.monotonic() - told >= TOLD_EVERY:
                told = time.monotonic()
                log.info("docs get their vectors", done=done, chunks=total, seconds=round(told - began))
        seconds = round(time.monotonic() - began, 1)
        log.info("docs have their vectors", chunks=done, model=model, seconds=seconds)

    async def _give(self, waiting: Sequence[Chunk]) -> int:
        """How many have got one. What a server refuses in the middle of others is set aside until the next start."""
        if not waiting:
            return 0
        try:
            found = dict(zip(waiting, raw(await self._embedder.embed(_texts(waiting))), strict=True))
        except ModelRefused as error:
            if error.status not in _OF_THE_TEXT:
                raise
            found = await self._one_by_one(waiting)
        await self._store.give_vectors(
            self._embedder.model, [(chunk.number, vector) for chunk, vector in found.items()]
        )
        return len(found)

    async def _one_by_one(self, waiting: Sequence[Chunk]) -> dict[Chunk, bytes]:
        await self._embedder.embed([_HARMLESS])  # refused as well: then it is not the text
        found = {}
        for chunk in waiting:
            try:
                found[chunk] = raw(await self._embedder.embed(_texts([chunk])))[0]
            except ModelRefused as error:
                if error.status not in _OF_THE_TEXT:
                    raise
                self._refused.add(chunk.number)
                log.warning(
                    "a chunk gets no vector", doc=str(chunk.doc_id), chunk=chunk.index, reason=error.message
                )
        return found


def read_as(instruction: str, title: str, piece: str) -> str:
    """What the model reads of a chunk: the title tells what a piece from the middle is about."""
    return "\n\n".join(part for part in (instruction, title, piece) if part)


def raw(vectors: Vectors) -> list[bytes]:
    """As the store takes them."""
    return [row.astype("<f4").tobytes() for row in vectors]


def _texts(chunks: Sequence[Chunk]) -> list[str]:
    return [read_as(chunk.instruction, chunk.title, chunk.content) for chunk in chunks]

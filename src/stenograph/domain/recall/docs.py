"""Docs of agents and users: cut in chunks and embedded when they are written, so that they are found at once."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import structlog

from stenograph.domain.recall.chunking import chunks
from stenograph.errors import Invalid, NotFound, StoreUnavailable
from stenograph.llm.embedding import Embedder, Vectors
from stenograph.model.docs import Doc, DocQuery, Owner
from stenograph.model.ids import new_id
from stenograph.model.listing import MetadataTest
from stenograph.store.api import Docs as DocStore

log = structlog.get_logger("stenograph.recall")

LONGEST_TITLE: Final = 800
LONGEST_ITEM: Final = 2_000_000
"""Characters of one text of a doc."""

MOST_CHUNKS: Final = 20_000
AT_ONCE: Final = 200
"""Chunks of a doc that are embedded before the answer, some ten seconds' worth; further ones follow behind it."""

_STEP: Final = 32
_PAUSE: Final = 5.0
"""Seconds until the model is tried again."""


class Docs:
    """Keeps docs, and sees to it that each chunk has a vector of the model in use."""

    def __init__(self, store: DocStore, embedder: Embedder) -> None:
        self._store = store
        self._embedder = embedder
        self._missing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Embed behind everything else what has no vector yet, or one of another model."""
        self._missing.set()
        self._task = asyncio.create_task(self._keep_up())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def create(
        self,
        workspace: UUID,
        owner: Owner,
        title: str,
        content: Sequence[str],
        metadata: bytes,
        instruction: str = "",
    ) -> Doc:
        """A new doc, found by the next search. Conflict when the owner has the same already; NotFound without owner.

        `instruction` is read by the model before each piece: some are trained to be told what a vector is for.
        Texts longer than a model reads are cut where sentences end; the doc's content is then the pieces.
        """
        if len(title) > LONGEST_TITLE:
            raise Invalid(
                f"a title has at most {LONGEST_TITLE} characters, not {len(title)}", where=("body", "title")
            )
        for text in content:
            if len(text) > LONGEST_ITEM:
                raise Invalid(
                    f"a text of a doc has at most {LONGEST_ITEM} characters, not {len(text)}",
                    where=("body", "content"),
                )
        pieces = tuple(piece for text in content for piece in chunks(text))
        if not pieces or not any(piece.strip() for piece in pieces):
            raise Invalid("a doc needs content", where=("body", "content"))
        if len(pieces) > MOST_CHUNKS:
            raise Invalid(
                f"a doc has at most {MOST_CHUNKS} chunks, not {len(pieces)}", where=("body", "content")
            )
        vectors = await self._embedded(instruction, title, pieces[:AT_ONCE])
        now = time.time_ns() // 1000
        doc = Doc(
            workspace=workspace,
            id=new_id(now),
            owner=owner,
            title=title,
            content=pieces,
            created_at=now,
            metadata=metadata,
            instruction=instruction,
            model=self._embedder.model,
            vectors=(*vectors, *(None,) * (len(pieces) - len(vectors))),
        )
        await self._store.add(doc)
        if None in doc.vectors:
            self._missing.set()
        return doc

    async def read(self, workspace: UUID, doc_id: UUID, *, vectors: bool = True) -> Doc:
        """NotFound when there is none."""
        found = await self._store.read(workspace, doc_id, vectors=vectors)
        if found is None:
            raise NotFound(f"there is no doc {doc_id}")
        return found

    async def page(self, query: DocQuery) -> list[Doc]:
        return await self._store.page(query)

    async def delete(self, workspace: UUID, owner: Owner, doc_id: UUID) -> None:
        """NotFound when this owner has no such doc."""
        if not await self._store.delete(workspace, owner, [doc_id]):
            raise NotFound(f"this {owner.kind} has no doc {doc_id}")

    async def delete_matching(
        self, workspace: UUID, owner: Owner, tests: Sequence[MetadataTest]
    ) -> list[UUID]:
        """All of the owner's docs whose metadata pass the tests. Returns their ids."""
        return await self._store.delete(workspace, owner, await self._store.matching(workspace, owner, tests))

    async def _embedded(
        self, instruction: str, title: str, pieces: Sequence[str]
    ) -> tuple[bytes | None, ...]:
        try:
            vectors = await self._embedder.embed([read_as(instruction, title, piece) for piece in pieces])
        except StoreUnavailable as error:
            log.warning("docs wait for their vectors", reason=error.message)
            return (None,) * len(pieces)
        return tuple(_raw(vectors))

    async def _keep_up(self) -> None:
        while True:
            await self._missing.wait()
            self._missing.clear()
            try:
                while waiting := await self._store.without_vector(self._embedder.model, _STEP):
                    texts = [read_as(chunk.instruction, chunk.title, chunk.content) for _, chunk in waiting]
                    vectors = _raw(await self._embedder.embed(texts))
                    await self._store.give_vectors(
                        self._embedder.model,
                        [(chunk.number, vector) for (_, chunk), vector in zip(waiting, vectors, strict=True)],
                    )
            except StoreUnavailable as error:
                log.warning("docs wait for their vectors", reason=error.message, again_in=_PAUSE)
                await asyncio.sleep(_PAUSE)
                self._missing.set()


def read_as(instruction: str, title: str, piece: str) -> str:
    """What the model reads of a chunk: the title tells what a piece from the middle is about."""
    return "\n\n".join(part for part in (instruction, title, piece) if part)


def _raw(vectors: Vectors) -> list[bytes]:
    return [row.astype("<f4").tobytes() for row in vectors]

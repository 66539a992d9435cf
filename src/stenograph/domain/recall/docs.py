"""Docs of agents and users: cut in chunks and embedded when they are written, so that they are found at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import structlog

from stenograph.domain.recall.backlog import FIRST_PAUSE, Backlog, raw, read_as
from stenograph.domain.recall.chunking import chunks
from stenograph.errors import Invalid, ModelRefused, NotFound, Overloaded
from stenograph.llm.embedding import Embedder
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

PATIENCE: Final = 30.0
"""Seconds that a new doc waits for its vectors; then it goes without, and gets them later."""


class Docs:
    """Keeps docs, and sees to it that each chunk has a vector of the model in use."""

    def __init__(
        self,
        store: DocStore,
        embedder: Embedder,
        *,
        patience: float = PATIENCE,
        pause: float = FIRST_PAUSE,
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._patience = patience
        self._backlog = Backlog(store, embedder, pause=pause)

    async def start(self) -> None:
        """Embed behind everything else what has no vector yet, or one of another model."""
        self._backlog.start()

    async def stop(self) -> None:
        await self._backlog.stop()

    async def create(
        self,
        workspace: UUID,
        owner: Owner,
        title: str,
        content: Sequence[str],
        metadata: bytes,
        instruction: str = "",
    ) -> Doc:
        """A new doc, found by the next search; by words alone where the model cannot be asked now. Conflict when the
        owner has the same already; NotFound without owner.

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
            self._backlog.add()
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
        if self._backlog.is_away:
            return (None,) * len(pieces)
        try:
            async with asyncio.timeout(self._patience):
                vectors = await self._embedder.embed([read_as(instruction, title, piece) for piece in pieces])
        except (Overloaded, ModelRefused, TimeoutError) as error:
            reason = "the model takes too long" if isinstance(error, TimeoutError) else error.message
            log.warning("a doc waits for its vectors", reason=reason)
            self._backlog.add(away=isinstance(error, Overloaded))
            return (None,) * len(pieces)
        return tuple(raw(vectors))

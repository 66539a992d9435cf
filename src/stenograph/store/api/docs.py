"""Docs and their chunks: the seam."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from stenograph.model.docs import Chunk, ChunkVector, Doc, DocQuery, Owner, Shelf
from stenograph.model.listing import MetadataTest


class Docs(Protocol):
    """Docs of agents and users, with an index of their words. Whoever deletes an owner deletes its docs."""

    async def add(self, doc: Doc) -> None:
        """Conflict when the owner has a doc of the same title and content, or the id is taken."""

    async def read(self, workspace: UUID, doc_id: UUID, *, vectors: bool = False) -> Doc | None: ...

    async def page(self, query: DocQuery) -> list[Doc]: ...

    async def delete(self, workspace: UUID, owner: Owner, doc_ids: Sequence[UUID]) -> list[UUID]:
        """Those that the owner had, and no longer has."""

    async def matching(self, workspace: UUID, owner: Owner, tests: Sequence[MetadataTest]) -> list[UUID]:
        """Ids of the owner's docs whose metadata pass all of the tests."""

    async def by_words(
        self, workspace: UUID, owners: Sequence[Owner], query: str, tests: Sequence[MetadataTest], limit: int
    ) -> list[tuple[int, float]]:
        """(number, BM25 score) of the chunks that have words of the query, the best first, ties by number.

        `query` is words joined by spaces; one of them is enough. A word counts in any of its English forms, whatever
        its case and accents; a title's counts twice. Scores are above 0, the higher the better.
        Unsupported where the engine has no index of words.
        """

    async def words_like(self, word: str) -> list[str]:
        """Words of the index, whoever's they are, that begin as this one does and are about as long, in no order."""

    async def shelf(self, workspace: UUID, owner: Owner, model: str) -> Shelf:
        """What an owner has by now: cheap, and asked before every search."""

    async def vectors(
        self, workspace: UUID, owner: Owner, model: str, after: int, limit: int
    ) -> list[ChunkVector]:
        """Vectors of this model whose number is above `after`, by number."""

    async def numbers(self, workspace: UUID, owner: Owner, model: str) -> list[int]:
        """Of all of an owner's chunks that have a vector of this model, in order."""

    async def vectors_of(
        self, workspace: UUID, owner: Owner, model: str, numbers: Sequence[int]
    ) -> list[ChunkVector]:
        """Vectors of this model of these chunks, by number; those that are gone are absent."""

    async def chunks(self, workspace: UUID, numbers: Sequence[int]) -> list[Chunk]:
        """These chunks, in any order, with their vectors; those that are gone are absent."""

    async def without_vector(self, model: str, limit: int, after: int = 0) -> list[Chunk]:
        """Chunks that have no vector of this model, whatever their workspace: those whose number is above `after`, by
        number."""

    async def count_without_vector(self, model: str) -> int:
        """How many there are."""

    async def give_vectors(self, model: str, vectors: Sequence[tuple[int, bytes]]) -> None:
        """Vectors, as little-endian float32, for chunks of these numbers; those that are gone are passed over."""

"""Looking for docs: by words, by meaning, or by both, and what of the result to show."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final
from uuid import UUID

import msgspec
import numpy as np

from stenograph.domain.recall.ranking import fused, varied
from stenograph.domain.recall.shelves import Shelves
from stenograph.domain.recall.words import telling, trigram_similarity
from stenograph.errors import Invalid
from stenograph.llm.embedding import Embedder, Vectors
from stenograph.model.docs import Chunk, Found, Owner, Search
from stenograph.store.api import Docs

MOST_CANDIDATES: Final = 500
_MOST_ALIKE: Final = 5
"""Other spellings that are looked for beside one word."""


class Recall:
    """Searches docs. `distance` of what is found, the smaller the better:

    - by words: 1 / (1 + BM25), between 0 and 1;
    - by meaning: 1 - cosine, between 0 and 2;
    - by both: 1 - the weighted reciprocal ranks, 0 for what leads both orders (see ranking.fused).
    """

    def __init__(self, docs: Docs, shelves: Shelves, embedder: Embedder) -> None:
        self._docs = docs
        self._shelves = shelves
        self._embedder = embedder

    async def vector(self, text: str) -> tuple[float, ...]:
        """The text as a vector to search by."""
        return tuple((await self._embedder.embed([text]))[0].tolist())

    async def has_vectors(self, workspace: UUID, owners: Sequence[Owner]) -> bool:
        """Whether a search by meaning among the docs of these owners could find anything."""
        for owner in owners:
            if (await self._docs.shelf(workspace, owner, self._embedder.model)).newest:
                return True
        return False

    async def search(self, search: Search) -> list[Found]:
        """At most `limit` chunks, the best first; with `mmr_strength`, each next one is near and unlike those before.

        Invalid when there is nothing to look for, or the vector has not the model's dimensions.
        """
        if search.text is None and search.vector is None:
            raise Invalid("a search needs a text, a vector, or both", where=("text",))
        distances = await self._distances(search)
        order = sorted(distances, key=lambda number: (distances[number], number))
        varies = search.vector is not None and search.mmr_strength > 0
        if not varies:
            order = order[: search.limit]
        read = await self._docs.chunks(search.workspace, order)
        chunks = {chunk.number: self._comparable(chunk) for chunk in read}
        standing = [number for number in order if number in chunks]
        if varies:
            standing = self._varied(search, [chunks[number] for number in standing], distances)
        return [Found(chunks[number], distances[number]) for number in standing]

    def _comparable(self, chunk: Chunk) -> Chunk:
        """Without a vector that is another model's: it may have one until it has got its own of this model."""
        size = 4 * self._embedder.dimensions
        if chunk.vector is None or (chunk.model == self._embedder.model and len(chunk.vector) == size):
            return chunk
        return msgspec.structs.replace(chunk, vector=None)

    def _varied(self, search: Search, chunks: Sequence[Chunk], distances: Mapping[int, float]) -> list[int]:
        vectors = np.zeros((len(chunks), self._embedder.dimensions), np.float32)
        for row, chunk in enumerate(chunks):
            if chunk.vector is not None:
                vectors[row] = np.frombuffer(chunk.vector, "<f4")
        relevance = [1.0 - distances[chunk.number] for chunk in chunks]
        chosen = varied(vectors, relevance, search.limit, search.mmr_strength)
        return [chunks[index].number for index in chosen]

    async def _distances(self, search: Search) -> dict[int, float]:
        """Candidates, and how far each is."""
        by_words = await self._by_words(search) if search.text is not None else []
        if search.vector is None:
            return {number: 1.0 / (1.0 + score) for number, score in by_words}
        by_meaning = await self._by_meaning(search, await self._checked(search.vector))
        if search.text is None:
            return {number: 1.0 - cosine for number, cosine in by_meaning}
        scores = fused([number for number, _ in by_words], [number for number, _ in by_meaning], search.alpha)
        return {number: 1.0 - score for number, score in scores.items()}

    async def _checked(self, vector: Sequence[float]) -> Vectors:
        size = self._embedder.dimensions or len(await self.vector("How long is a vector?"))
        if len(vector) != size:
            raise Invalid(
                f"the vector has {len(vector)} dimensions; the model {self._embedder.model} has {size}",
                where=("vector",),
            )
        with np.errstate(over="ignore"):
            found = np.array(vector, np.float32)
            length = float(np.linalg.norm(found))
        if not np.isfinite(length):
            raise Invalid("the vector has a number that is not finite", where=("vector",))
        return found / length if length > 0 else found

    async def _by_words(self, search: Search) -> list[tuple[int, float]]:
        assert search.text is not None
        words = telling(search.text)
        if search.fuzziness is not None:
            words += [other for word in words for other in await self._alike(word, search.fuzziness)]
        return await self._docs.by_words(
            search.workspace, search.owners, " ".join(words), search.tests, self._reach(search)
        )

    async def _alike(self, word: str, least: float) -> list[str]:
        near = [
            (trigram_similarity(word, other), other)
            for other in await self._docs.words_like(word)
            if other != word
        ]
        return [other for share, other in sorted(near, reverse=True)[:_MOST_ALIKE] if share >= least]

    async def _by_meaning(self, search: Search, vector: Vectors) -> list[tuple[int, float]]:
        among: list[tuple[Owner, Collection[UUID] | None]] = []
        for owner in search.owners:
            chosen = None
            if search.tests:
                chosen = await self._docs.matching(search.workspace, owner, search.tests)
            among.append((owner, chosen))
        return await self._shelves.nearest(
            search.workspace, among, self._embedder.model, vector, self._reach(search), search.confidence
        )

    @staticmethod
    def _reach(search: Search) -> int:
        """How many candidates a side gives: fused orders and variety need more than are shown."""
        one_order = search.vector is None or (search.text is None and search.mmr_strength <= 0)
        return search.limit if one_order else min(search.limit * search.reach, MOST_CANDIDATES)

"""Vectors in memory: what is searched is what the store has, with and without an index."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import numpy as np

from stenograph.domain.recall.shelves import Shelves
from stenograph.domain.recall.vector_index import VectorIndex
from stenograph.llm.embedding import Vectors
from stenograph.model.access import DEFAULT_WORKSPACE as W
from stenograph.model.docs import Doc, Owner, OwnerKind
from stenograph.model.ids import new_id
from stenograph.store.meta.database import Database, open_meta
from tests.domain.recall.owners import owner_in

SIZE = 32
EXACT = 500


def vectors(count: int, seed: int = 0) -> Vectors:
    """In clouds, as texts are: of 40 topics."""
    rng = np.random.default_rng(7)
    topics = rng.standard_normal((40, SIZE), np.float32)
    rng = np.random.default_rng(seed)
    found = topics[rng.integers(40, size=count)] + 0.7 * rng.standard_normal((count, SIZE), np.float32)
    rows: Vectors = found / np.linalg.norm(found, axis=1, keepdims=True)
    return rows


class Shelf:
    def __init__(self, meta: Database, owner: Owner) -> None:
        self.meta = meta
        self.owner = owner
        self.texts = 0

    async def add(self, rows: Vectors, *, model: str | None = "m", a_doc: int = 100) -> list[UUID]:
        made = []
        for start in range(0, len(rows), a_doc):
            some = rows[start : start + a_doc]
            self.texts += 1
            doc = Doc(
                workspace=W, id=new_id(self.texts), owner=self.owner, title=f"{self.texts}", created_at=self.texts,
                content=("x",) * len(some), model=model or "",
                vectors=tuple(row.astype("<f4").tobytes() if model else None for row in some),
            )  # fmt: skip
            await self.meta.docs.add(doc)
            made.append(doc.id)
        return made


@asynccontextmanager
async def shelf(folder: Path) -> AsyncIterator[Shelf]:
    meta = await open_meta(f"sqlite:///{folder / 'meta.db'}")
    yield Shelf(meta, await owner_in(meta, OwnerKind.AGENT))
    await meta.close()


async def numbers(at: Shelf, shelves: Shelves, query: Vectors, limit: int = 10, among=None) -> list[int]:
    found = await shelves.nearest(W, [(at.owner, among)], "m", query, limit)
    return [number for number, _ in found]


def test_an_index_finds_what_an_exact_search_does(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with shelf(tmp_path) as at:
            docs = await at.add(vectors(3_000))
            exact, indexed = Shelves(at.meta.docs, 1 << 30), Shelves(at.meta.docs, 1 << 30, exact=EXACT)
            await numbers(at, indexed, vectors(1)[0])
            await indexed.settle()
            (held,) = indexed._held.values()
            assert (held.is_indexed, held.loose, len(held)) == (True, 0, 3_000)
            queries = vectors(40, seed=1)
            hits = [len({*await numbers(at, exact, q)} & {*await numbers(at, indexed, q)}) for q in queries]
            assert sum(hits) / 400 > 0.97
            chosen = docs[3:9]  # among some docs nothing is missed
            for query in queries:
                assert await numbers(at, indexed, query, among=chosen) == await numbers(
                    at, exact, query, among=chosen
                )
            assert await numbers(at, indexed, queries[0], among=[new_id(1)]) == []
            sure = await indexed.nearest(W, [(at.owner, None)], "m", queries[0], 50, 0.6)
            assert sure == [each for each in sure if each[1] >= 0.6]

    asyncio.run(scenario())


def test_what_comes_and_goes_later_is_seen_by_an_index(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with shelf(tmp_path) as at:
            docs = await at.add(vectors(1_000))
            shelves = Shelves(at.meta.docs, 1 << 30, exact=EXACT)
            query = vectors(1, seed=5)[0]
            await numbers(at, shelves, query)
            await shelves.settle()
            (new,) = await at.add(query[None, :])
            newest = (await numbers(at, shelves, query))[0]
            assert newest == 1_001
            assert await at.meta.docs.delete(W, at.owner, [new, *docs[:5]])
            left = await numbers(at, shelves, query, limit=2_000)
            assert newest not in left
            assert min(left) > 500
            (held,) = shelves._held.values()
            assert len(held) == 500
            assert set(left) <= set(await at.meta.docs.numbers(W, at.owner, "m"))

    asyncio.run(scenario())


def test_vectors_that_come_late_are_read_though_newer_ones_were(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with shelf(tmp_path) as at:
            query = vectors(1, seed=5)[0]
            await at.add(vectors(3), model=None)
            await at.add(vectors(3, seed=2))
            shelves = Shelves(at.meta.docs, 1 << 30)
            assert sorted(await numbers(at, shelves, query)) == [4, 5, 6]
            raw = [row.astype("<f4").tobytes() for row in vectors(3)]
            await at.meta.docs.give_vectors("m", [(2, raw[1]), (99, raw[0])])
            assert sorted(await numbers(at, shelves, query)) == [2, 4, 5, 6]
            await at.meta.docs.give_vectors("m", [(1, raw[0]), (3, raw[2])])
            assert sorted(await numbers(at, shelves, query)) == [1, 2, 3, 4, 5, 6]

    asyncio.run(scenario())


def test_reading_waits_for_the_index_before_memory_fills_up(tmp_path: Path, monkeypatch) -> None:
    async def scenario() -> None:
        monkeypatch.setattr("stenograph.domain.recall.shelves.BLOCK", 100)
        most = 0
        read = Shelves._index

        def watched(self, key, held):
            nonlocal most
            most = max(most, held.loose)
            read(self, key, held)

        monkeypatch.setattr(Shelves, "_index", watched)
        async with shelf(tmp_path) as at:
            await at.add(vectors(4_000))
            shelves = Shelves(at.meta.docs, 1 << 30, exact=EXACT)
            assert len(await numbers(at, shelves, vectors(1)[0])) == 10
            await shelves.settle()
            assert EXACT < most <= 2 * EXACT + 100

    asyncio.run(scenario())


def test_without_the_library_everything_is_multiplied(tmp_path: Path, monkeypatch) -> None:
    def broken(self, sample):
        raise ImportError("no faiss here")

    async def scenario() -> None:
        async with shelf(tmp_path) as at:
            await at.add(vectors(1_000))
            shelves = Shelves(at.meta.docs, 1 << 30, exact=EXACT)
            query = vectors(1_000)[0]
            first = await numbers(at, shelves, query)
            await shelves.settle()
            assert await numbers(at, shelves, query) == first
            assert first[0] == 1
            await at.add(vectors(1, seed=9))
            assert len(await numbers(at, shelves, query, limit=2_000)) == 1_001

    monkeypatch.setattr(VectorIndex, "__init__", broken)
    asyncio.run(scenario())

"""Searching docs through Julep's face at 100,000 chunks of one agent: `python -m bench.recall`.

The chunks are made up: words by the frequencies of English (a hundred that stand everywhere, 20,000 that do not), and
vectors of 384 dimensions in clouds, as those of texts lie. They are put into the metadata store as docs of a hundred
chunks. Each question is five words of some chunk among four that say nothing, and a vector near that chunk's. Beside
each search stand its CPU in the server, all threads, and the floor: the index of words in SQLite alone, the product of
matrix and vector in numpy alone, both as CPU.

Above 100,000 chunks the server has an index (`--chunks 300000`); how much of an exact search it finds is measured
without a server: ten nearest of a hundred questions.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.connection import Connection
from bench.server import Server
from stenograph.domain.conversations.agents import Agents
from stenograph.domain.recall.vector_index import VectorIndex
from stenograph.domain.recall.words import COMMON, telling
from stenograph.llm.embedding import LOCAL_MODEL, Vectors
from stenograph.model.access import DEFAULT_WORKSPACE
from stenograph.model.agents import AgentPatch
from stenograph.model.docs import Doc, Owner, OwnerKind
from stenograph.model.ids import new_id
from stenograph.store.meta.database import Database, open_meta

SIZE: Final = 384
ROUNDS: Final = 40
DOC: Final = 100
"""Chunks of a doc."""

WORDS: Final = 160
BLOCK: Final = 10_000
START: Final = 1_750_000_000_000_000

_CLOUDS: Final = 500
_DEGREES: Final = 64
_COMMON: Final = sorted(COMMON)
_RARE: Final = np.array([f"w{number:x}x" for number in range(20_000)])
_SHARES: Final = (1 / (np.arange(len(_RARE)) + 150)) / (1 / (np.arange(len(_RARE)) + 150)).sum()


class Corpus:
    """Texts and vectors, the same each time."""

    def __init__(self, count: int) -> None:
        self.count = count
        rng = np.random.default_rng(0)
        self._map = rng.standard_normal((_DEGREES, SIZE), np.float32) / 8
        self._clouds = rng.standard_normal((_CLOUDS, _DEGREES), np.float32)

    def vectors(self, count: int, rng: np.random.Generator) -> Vectors:
        within = self._clouds[rng.integers(_CLOUDS, size=count)]
        within = within + 0.8 * rng.standard_normal((count, _DEGREES), np.float32)
        found = within @ self._map + 0.35 * rng.standard_normal((count, SIZE), np.float32)
        rows: Vectors = found / np.linalg.norm(found, axis=1, keepdims=True)
        return rows

    def blocks(self) -> Iterator[tuple[list[str], Vectors]]:
        for start in range(0, self.count, BLOCK):
            rng = np.random.default_rng(start + 1)
            count = min(BLOCK, self.count - start)
            rare = rng.choice(_RARE, size=(count, WORDS // 2), p=_SHARES)
            common = rng.choice(_COMMON, size=(count, WORDS // 2))
            texts = [" ".join(np.concatenate(pair)) for pair in zip(rare, common, strict=True)]
            yield texts, self.vectors(count, rng)


async def fill(store: Database, corpus: Corpus) -> tuple[Owner, list[dict[str, Any]]]:
    """The docs, and a question for each round."""
    agent = await Agents(store).create(DEFAULT_WORKSPACE, AgentPatch(name="Librarian"))
    owner = Owner(OwnerKind.AGENT, agent.id)
    rng = np.random.default_rng(9)
    questions: list[dict[str, Any]] = []
    number = 0
    for texts, vectors in corpus.blocks():
        for start in range(0, len(texts), DOC):
            number += 1
            await store.docs.add(
                Doc(
                    workspace=DEFAULT_WORKSPACE,
                    id=new_id(START + number),
                    owner=owner,
                    title=f"Doc {number}",
                    content=tuple(texts[start : start + DOC]),
                    created_at=START + number,
                    metadata=b'{"shelf":%d}' % (number % 100),
                    model=LOCAL_MODEL,
                    vectors=tuple(row.astype("<f4").tobytes() for row in vectors[start : start + DOC]),
                )
            )
        for row in rng.integers(len(texts), size=ROUNDS * BLOCK // corpus.count + 1):
            words = texts[row].split()
            near = vectors[row] + 0.05 * rng.standard_normal(SIZE, np.float32)
            questions.append(
                {
                    "text": " ".join([*words[:5], *words[-4:]]),
                    "vector": (near / np.linalg.norm(near)).astype(float).tolist(),
                }
            )
    return owner, questions


SEARCHES: Final[dict[str, tuple[tuple[str, ...], dict[str, Any]]]] = {
    "text": (("text",), {}),
    "text, without vectors": (("text",), {"include_embeddings": False}),
    "vector": (("vector",), {"mmr_strength": 0}),
    "vector, varied": (("vector",), {}),
    "vector, of 1,000 chunks by metadata": (
        ("vector",),
        {"mmr_strength": 0, "metadata_filter": {"shelf": 7}},
    ),
    "hybrid": (("text", "vector"), {"mmr_strength": 0}),
    "hybrid, varied": (("text", "vector"), {}),
    "hybrid, varied, without vectors": (("text", "vector"), {"include_embeddings": False}),
}


def floors(database: Path, corpus: Corpus, questions: list[dict[str, Any]]) -> dict[str, float]:
    """Milliseconds of CPU of the two engines alone, a search."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    wanted = (
        "SELECT rowid, bm25(doc_words, 0.0, 2.0, 1.0) AS rank FROM doc_words WHERE doc_words MATCH ? "
        "ORDER BY rank LIMIT 10"
    )
    texts = [" OR ".join(f'"{word}"' for word in telling(each["text"])) for each in questions]
    words = _timed([lambda text=text: connection.execute(wanted, (text,)).fetchall() for text in texts])
    connection.close()
    matrix = np.concatenate([vectors for _, vectors in corpus.blocks()])
    asked = [np.array(each["vector"], np.float32) for each in questions]

    def best(vector: Vectors) -> object:
        return np.argpartition(-np.vecdot(matrix, vector), 10)[:10]

    product = _timed([lambda vector=vector: best(vector) for vector in asked])
    return {"text": words, "vector": product}


def _timed(calls: list[Any]) -> float:
    calls[0]()
    began = time.process_time()
    for call in calls:
        call()
    return (time.process_time() - began) / len(calls) * 1000


def measure(folder: Path, count: int) -> None:
    corpus = Corpus(count)
    server = Server(folder / "data")
    server.folder.mkdir()
    database = server.folder / "meta.db"

    async def prepare() -> tuple[Owner, list[dict[str, Any]]]:
        store = await open_meta(f"sqlite:///{database}")
        try:
            return await fill(store, corpus)
        finally:
            await store.close()

    began = time.perf_counter()
    owner, questions = asyncio.run(prepare())
    questions = questions[:ROUNDS]
    size = database.stat().st_size / count
    print(f"{count:,} chunks, {size:,.0f} bytes each, written in {time.perf_counter() - began:.0f} s")
    bare = floors(database, corpus, questions)
    server.start()
    try:
        with Connection(server.url) as connection:
            path = f"/julep/agents/{owner.id}/search"
            first = _search(connection, path, {"vector": questions[0]["vector"]})
            print(f"the first search by meaning, which reads all vectors: {first / 1000:.1f} s")
            server.settle()
            for name, (members, more) in SEARCHES.items():
                asked = [{each: one[each] for each in members} | more for one in questions]
                _search(connection, path, asked[0])
                before = server.cpu()
                times = sorted(_search(connection, path, one) for one in asked)
                spent = (server.cpu() - before) / len(asked) * 1000
                least = sum(bare[each] for each in members)
                print(
                    f"{name:36} p50 {statistics.median(times):6.1f} ms   p99 {times[-2]:6.1f} ms"
                    f"   CPU {spent:5.1f} ms   floor {least:5.1f} ms",
                    flush=True,
                )
        print(f"memory, peak: {server.peak_memory() / 1e6:,.0f} MB")
    finally:
        server.stop()


def _search(connection: Connection, path: str, body: dict[str, Any]) -> float:
    document = json.dumps(body).encode()
    began = time.perf_counter()
    status, answer = connection.post(path, document)
    took = (time.perf_counter() - began) * 1000
    assert status == 200, answer[:500]
    return took


def index(count: int) -> None:
    """What the index costs and finds, beside an exact search."""
    corpus = Corpus(count)
    matrix = np.concatenate([vectors for _, vectors in corpus.blocks()]).astype(np.float16).astype(np.float32)
    asked = corpus.vectors(100, np.random.default_rng(99))
    truth = [set(np.argpartition(-(matrix @ vector), 10)[:10].tolist()) for vector in asked]
    began = time.process_time()
    made = VectorIndex(matrix[:100_000])
    trained = time.process_time()
    for start in range(0, count, BLOCK):
        rows = matrix[start : start + BLOCK]
        made.add(rows, np.arange(start, start + len(rows), dtype=np.int64))
    added = time.process_time()
    found = [set(made.nearest(vector, 10)[0].tolist()) for vector in asked]
    spent = (time.process_time() - added) / len(asked) * 1000
    recall = sum(len(one & other) for one, other in zip(found, truth, strict=True)) / (10 * len(asked))
    print(
        f"an index of {count:,}: centres found in {trained - began:.0f} s of CPU, filled in {added - trained:.0f} s, "
        f"{made.nbytes / 1e6:,.0f} MB; recall at 10 {recall:.3f}, {spent:.1f} ms of CPU a search"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=100_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        measure(Path(scratch), given.chunks)
    index(max(2 * given.chunks, 200_000))


if __name__ == "__main__":
    main()

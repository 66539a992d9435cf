"""What a chat costs beside its model: `python -m bench.chats`.

The model is a server that answers at once, in a process of its own; what it takes to ask it directly, on one kept
connection, is taken off. Sessions have a history of a few turns. Docs are put into the metadata store as rows, with
vectors of random directions, so that a search has to look at all of them; the question is embedded as in earnest.

`--turns 50 --sessions 1000` then holds as many conversations, several at once, and counts what the histories have.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import random
import statistics
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.connection import Connection
from bench.conversations import ROUNDS, timed
from bench.server import Server
from stenograph.llm.embedding import LOCAL_DIMENSIONS, LOCAL_MODEL
from stenograph.model.access import DEFAULT_WORKSPACE
from stenograph.model.docs import Doc, Owner, OwnerKind
from stenograph.model.ids import new_id
from stenograph.store.meta.database import open_meta

CHUNKS: Final = 10
"""Chunks of a doc."""

HISTORY: Final = 4
"""Turns that a session has before it is timed."""

_ANSWER: Final = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "gpt-4o-mini",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "It is sunny in Paris, and warm. " * 8},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 200, "completion_tokens": 64, "total_tokens": 264},
    }
).encode()
_WORDS: Final = [
    "river",
    "copper",
    "lantern",
    "orchard",
    "signal",
    "meadow",
    "engine",
    "harbour",
    "winter",
    "kettle",
    "violin",
    "marble",
]


def model(told: Any) -> None:
    """The process that answers every question alike; it tells its port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(_ANSWER)}\r\n\r\n"
        try:
            while True:
                asked = (await reader.readuntil(b"\r\n\r\n")).lower()
                await reader.readexactly(int(asked.partition(b"content-length:")[2].partition(b"\r\n")[0]))
                writer.write(head.encode() + _ANSWER)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def run() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        told.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


async def fill(database: Path, agent: uuid.UUID, chunks: int) -> None:
    """So many chunks of an agent's docs."""
    store = await open_meta(f"sqlite:///{database}")
    numbers, words = np.random.default_rng(1), random.Random(1)
    for doc in range(chunks // CHUNKS):
        vectors = numbers.normal(size=(CHUNKS, LOCAL_DIMENSIONS)).astype("<f4")
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        texts = tuple(" ".join(words.choices(_WORDS, k=120)) for _ in range(CHUNKS))
        await store.docs.add(
            Doc(
                workspace=DEFAULT_WORKSPACE,
                id=new_id(time.time_ns() // 1000),
                owner=Owner(OwnerKind.AGENT, agent),
                title=f"Doc {doc}",
                content=texts,
                created_at=time.time_ns() // 1000,
                model=LOCAL_MODEL,
                vectors=tuple(vector.tobytes() for vector in vectors),
            )
        )
    await store.close()


def made(connection: Connection, path: str, body: Any) -> dict[str, Any]:
    status, answer = connection.post(path, json.dumps(body).encode())
    if status != 201:
        raise RuntimeError(f"{path} answers {status}: {answer[:300]!r}")
    found: dict[str, Any] = json.loads(answer)
    return found


def question(text: str, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], **more}


class Talks:
    """Chats with sessions of one agent, each with the same short history."""

    def __init__(self, connection: Connection, agent: str, **asked: Any) -> None:
        self._connection = connection
        self._asked = asked
        self._sessions = [
            made(connection, "/julep/sessions", {"agent": agent})["id"] for _ in range((ROUNDS + 1) // 2 + 1)
        ]
        for session in self._sessions:
            for turn in range(HISTORY):
                made(connection, f"/julep/sessions/{session}/chat", question(f"turn {turn}", recall=False))
        self._turns = 0

    def chat(self) -> None:
        """The next session's turn; each has two."""
        session = self._sessions[self._turns % len(self._sessions)]
        self._turns += 1
        words = " ".join(random.choices(_WORDS, k=12))
        made(self._connection, f"/julep/sessions/{session}/chat", question(words, **self._asked))


def show(name: str, times: list[float], direct: float, spent: float, goal: str) -> None:
    middle = statistics.median(times)
    print(
        f"{name:34} p50 {middle:6.1f} ms   p99 {times[-2]:6.1f} ms   model {direct:4.1f} ms"
        f"   ours, p50 {middle - direct:6.1f} ms   CPU {spent:5.1f} ms   goal {goal}"
    )


def costs(server: Server, work: Callable[[], None]) -> tuple[list[float], float]:
    """Milliseconds of each call, and of the server's CPU a call."""
    before = server.cpu()
    times = timed(work)
    return times, (server.cpu() - before) / (ROUNDS + 1) * 1000


def measure(server: Server, address: str, chunks: int) -> None:
    body = json.dumps(question("x", model="gpt-4o-mini")).encode()
    with Connection(address) as asked:
        direct = statistics.median(timed(lambda: asked.post("/v1/chat/completions", body)))
    with Connection(server.url) as connection:
        plain = made(connection, "/julep/agents", {"name": "Ada"})["id"]
        learned = made(connection, "/julep/agents", {"name": "Bea"})["id"]
        talks = Talks(connection, plain, recall=False)
        times, spent = costs(server, talks.chat)
        show("a chat, without recall", times, direct, spent, "25 ms")
        server.stop()
        asyncio.run(fill(server.folder / "meta.db", uuid.UUID(learned), chunks))
        server.start()
    with Connection(server.url) as connection:
        talks = Talks(connection, learned)
        times, spent = costs(server, talks.chat)
        show(f"with recall over {chunks:,} chunks", times, direct, spent, "60 ms")


def converse(server: Server, sessions: int, turns: int, at_once: int) -> None:
    """So many conversations, and whether all of them are there."""
    with Connection(server.url) as connection:
        agent = made(connection, "/julep/agents", {"name": "Cid"})["id"]
        idents = [made(connection, "/julep/sessions", {"agent": agent})["id"] for _ in range(sessions)]

    def talk(mine: list[str]) -> None:
        with Connection(server.url) as connection:
            for turn in range(turns):
                for ident in mine:
                    path = f"/julep/sessions/{ident}/chat"
                    made(connection, path, question(f"turn {turn}", recall=False))

    before, began = server.cpu(), time.perf_counter()
    threads = [threading.Thread(target=talk, args=(idents[place::at_once],)) for place in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds, count = time.perf_counter() - began, sessions * turns
    lost = 0
    with Connection(server.url) as connection:
        for ident in idents:
            entries = json.loads(connection.get(f"/julep/sessions/{ident}/history")[1])["entries"]
            wanted = [f"turn {turn}" for turn in range(turns)]
            lost += [each["content"][0]["text"] for each in entries[::2]] != wanted or len(
                entries
            ) != 2 * turns
    print(
        f"{sessions:,} sessions of {turns} turns, {at_once} at once: {count / seconds:,.0f} chats a second, "
        f"server CPU {(server.cpu() - before) / count * 1000:.1f} ms each, memory "
        f"{server.peak_memory() / 1e6:,.0f} MB, histories that are not as they should be: {lost}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=10_000)
    parser.add_argument("--sessions", type=int, default=1_000)
    parser.add_argument("--turns", type=int, default=50)
    parser.add_argument("--at-once", type=int, default=8)
    given = parser.parse_args()
    told: Any = multiprocessing.Queue()
    process = multiprocessing.Process(target=model, args=(told,), daemon=True)
    process.start()
    address = f"http://127.0.0.1:{told.get()}"
    with tempfile.TemporaryDirectory() as scratch:
        server = Server(
            Path(scratch) / "data",
            {"STENOGRAPH_LLM_BASE_URL": f"{address}/v1", "STENOGRAPH_LLM_MODEL": "gpt-4o-mini"},
        )
        server.start()
        try:
            measure(server, address, given.chunks)
            converse(server, given.sessions, given.turns, given.at_once)
        finally:
            server.stop()
            process.terminate()


if __name__ == "__main__":
    main()

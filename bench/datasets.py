"""Datasets: examples written and read through the LangSmith face, beside the same rows in SQLite alone.

Bodies are what LangSmith's Python client 0.15 writes for `create_examples`, uncompressed, split by its rule.
"""

from __future__ import annotations

import json
import random
import sqlite3
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench import data
from bench.connection import Connection
from bench.server import Server

PAGE: Final = 100
"""Examples that one read asks for, which is what the client does."""

MEAN: Final = 1_000
"""Bytes of JSON in inputs, outputs and metadata together, on average."""

_BODY: Final = 20_000_000
_OVERHEAD: Final = 1_000
"""The client's rule: a request has so many bytes, with so many counted for each example besides its JSON."""

_LINE: Final = f"--{data.SEED}\r\n".encode()
_TYPE: Final = f"multipart/form-data; boundary={data.SEED}"


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one dataset: microseconds of CPU an example, the seconds it took, and milliseconds of each request."""

    cpu_us: float
    seconds: float
    requests: list[float]


def bodies(count: int, seed: int) -> list[bytes]:
    """The requests that add so many examples."""
    found: list[bytes] = []
    parts: list[bytes] = []
    size = 0
    for example_id, main, inputs, outputs in _examples(count, seed):
        weight = _OVERHEAD + len(main) + len(inputs) + len(outputs)
        if parts and size + weight > _BODY:
            found.append(_closed(parts))
            parts, size = [], 0
        size += weight
        parts += [
            _part(example_id, main),
            _part(f"{example_id}.inputs", inputs),
            _part(f"{example_id}.outputs", outputs),
        ]
    return [*found, _closed(parts)]


def _examples(count: int, seed: int) -> Iterator[tuple[str, bytes, bytes, bytes]]:
    chance = random.Random(f"{data.SEED}:examples:{seed}")
    text = data.texts(chance)
    for place in range(count):
        level = chance.choice(("easy", "medium", "hard"))
        main = b'{"created_at":"2026-01-01T00:00:00.%06d+00:00","metadata":{"level":"%b","place":%d},"split":"test"}'
        size = int(chance.uniform(0.4, 1.6) * (MEAN - 200))
        yield (
            str(uuid.UUID(int=chance.getrandbits(128), version=4)),
            main % (place, level.encode(), place),
            b'{"question":"%b","context":"%b"}' % (text(size // 8), text(size * 5 // 8)),
            b'{"answer":"%b"}' % text(size // 4),
        )


def _part(name: str, document: bytes) -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"\r\nContent-Type: application/json\r\n\r\n'
    return _LINE + head.encode() + document + b"\r\n"


def _closed(parts: Sequence[bytes]) -> bytes:
    return b"".join(parts) + _LINE[:-2] + b"--\r\n"


# -- the server ------------------------------------------------------------------------------------------


def create(server: Server, name: str) -> str:
    """The id of a new dataset."""
    with Connection(server.url) as connection:
        found = _answer(connection.post("/datasets", json.dumps({"name": name}).encode()), 200)
    return str(found["id"])


def write(server: Server, dataset: str, requests: Sequence[bytes], count: int) -> Cost:
    """Send all, one after the other, as the client does."""
    path = f"/v1/platform/datasets/{dataset}/examples"
    began, before, times, written = time.perf_counter(), server.cpu(), [], 0
    with Connection(server.url) as connection:
        for body in requests:
            asked = time.perf_counter()
            written += _answer(connection.request("POST", path, _TYPE, body), 201)["count"]
            times.append((time.perf_counter() - asked) * 1000)
    if written != count:
        raise RuntimeError(f"{written} of {count} examples were written")
    return Cost((server.cpu() - before) / count * 1e6, time.perf_counter() - began, times)


def read(server: Server, dataset: str, count: int) -> Cost:
    """List all, page by page."""
    began, before, times, found = time.perf_counter(), server.cpu(), [], 0
    with Connection(server.url) as connection:
        for offset in range(0, count, PAGE):
            asked = time.perf_counter()
            page = connection.get(f"/examples?dataset={dataset}&limit={PAGE}&offset={offset}")
            times.append((time.perf_counter() - asked) * 1000)
            found += len(_answer(page, 200))
    if found != count:
        raise RuntimeError(f"{found} of {count} examples were read")
    return Cost((server.cpu() - before) / count * 1e6, time.perf_counter() - began, sorted(times))


def _answer(answer: tuple[int, bytes], status: int) -> Any:
    if answer[0] != status:
        raise RuntimeError(f"a request failed: {answer[0]} {answer[1][:300]!r}")
    return json.loads(answer[1])


# -- the floor -------------------------------------------------------------------------------------------


def floor(server: Server, scratch: Path, dataset: str, batches: int) -> tuple[float, float]:
    """Microseconds of CPU an example, of writing and of reading the same rows in an SQLite file of the same
    tables, indexes and settings: one `executemany` and one commit a request, then pages of the same columns."""
    source = sqlite3.connect(f"file:{server.folder / 'meta.db'}?mode=ro", uri=True)
    schema = source.execute(
        "SELECT sql FROM sqlite_master WHERE tbl_name = 'examples' AND sql IS NOT NULL ORDER BY type DESC"
    ).fetchall()
    rows = source.execute(
        "SELECT * FROM examples WHERE dataset_id = ? ORDER BY valid_from, ordinal", (uuid.UUID(dataset).hex,)
    ).fetchall()
    source.close()
    target = sqlite3.connect(scratch / f"floor-{dataset}.db", isolation_level=None)
    target.execute("PRAGMA journal_mode = WAL")
    target.execute("PRAGMA synchronous = FULL")
    for (statement,) in schema:
        target.execute(statement)
    insert = f"INSERT INTO examples VALUES ({', '.join('?' * len(rows[0]))})"
    began = time.process_time()
    step = -(-len(rows) // batches)
    for start in range(0, len(rows), step):
        target.execute("BEGIN IMMEDIATE")
        target.executemany(insert, rows[start : start + step])
        target.execute("COMMIT")
    written = time.process_time()
    page = (
        "SELECT * FROM examples WHERE workspace_id = ? AND dataset_id = ? AND valid_to IS NULL"
        " ORDER BY valid_from DESC, ordinal LIMIT ? OFFSET ?"
    )
    workspace = rows[0][0]
    for offset in range(0, len(rows), PAGE):
        target.execute(page, (workspace, uuid.UUID(dataset).hex, PAGE, offset)).fetchall()
    read = time.process_time()
    target.close()
    return (written - began) / len(rows) * 1e6, (read - written) / len(rows) * 1e6

"""Lists of sessions through Julep's face at 100,000 of them: `python -m bench.conversations`.

The sessions are put into the metadata store as rows, which takes a tenth of the time that posting them would. Each has
five values in its metadata: one that all share, one that half of them has, one in a hundred, one in ten thousand, one
of its own. Beside each list stands what it costs the server in CPU, all threads, which other work on the machine does
not change much, and the floor: the same 100 rows by id, in SQLite alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from bench.connection import Connection
from bench.server import Server
from stenograph.domain.conversations.agents import Agents
from stenograph.model.access import DEFAULT_WORKSPACE
from stenograph.model.agents import AgentPatch
from stenograph.model.ids import new_id
from stenograph.model.listing import labels
from stenograph.store.meta import tables
from stenograph.store.meta.database import Database, open_meta

STEP: Final = 5_000
START: Final = 1_750_000_000_000_000
ROUNDS: Final = 100

QUESTIONS: Final = {
    "newest": "limit=100",
    "at offset 50,000": "limit=100&offset=50000",
    "by time of change": "limit=100&sort_by=updated_at&direction=asc",
    "metadata of all": "limit=100&metadata_filter.app=bench",
    "of a half": "limit=100&metadata_filter.beta=true",
    "of a half, at offset 20,000": "limit=100&offset=20000&metadata_filter.beta=true",
    "of 1,000, by time of change": "limit=100&metadata_filter.user.plan=plan8&sort_by=updated_at",
    "of a half, by time of change": "limit=100&metadata_filter.beta=true&sort_by=updated_at",
    "of 1,000 and of a half": "limit=100&metadata_filter.user.plan=plan8&metadata_filter.beta=true",
    "of 10, a number": "limit=100&metadata_filter.batch=77",
    "of one": "limit=100&metadata_filter.serial=99999",
    "of none": "limit=100&metadata_filter.serial=x",
}


async def fill(store: Database, count: int) -> None:
    """So many sessions of ten agents and a thousand users, one a second."""
    agents = Agents(store)
    made = [await agents.create(DEFAULT_WORKSPACE, AgentPatch(name=f"Agent {n}")) for n in range(10)]
    users = [uuid.uuid4() for _ in range(1000)]
    for start in range(0, count, STEP):
        rows = list(_rows(range(start, min(count, start + STEP)), [each.id for each in made], users))

        def write(connection: sa.Connection, rows: list[dict[str, Any]] = rows) -> None:
            connection.execute(sa.insert(tables.conversations), [row["session"] for row in rows])
            added = [each for row in rows for each in row["labels"]]
            connection.execute(sa.insert(tables.metadata_labels), added)

        await store.engine.write(write)


def _rows(places: range, agents: list[uuid.UUID], users: list[uuid.UUID]) -> Iterator[dict[str, Any]]:
    for place in places:
        at = START + place * 1_000_000
        ident = new_id(at)
        metadata = json.dumps(
            {
                "app": "bench",
                "beta": place % 2 == 0,
                "user": {"plan": f"plan{place % 100}"},
                "batch": place % 10_000,
                "serial": place,
            }
        ).encode()
        yield {
            "session": {
                "workspace_id": DEFAULT_WORKSPACE,
                "id": ident,
                "agents": msgspec.json.encode([agents[place % len(agents)]]),
                "users": msgspec.json.encode([users[place % len(users)]]),
                "situation": f"the situation of session {place}",
                "render_templates": True,
                "auto_run_tools": False,
                "forward_tool_calls": False,
                "metadata": metadata,
                "created_at": at,
                "updated_at": at + place * 7919 % 86_400 * 1_000_000,
            },
            "labels": [
                {"label": label, "created_at": at, "owner_id": ident}
                for label in labels(DEFAULT_WORKSPACE, tables.conversations.name, metadata)
            ],
        }


def timed(work: Callable[[], object]) -> list[float]:
    """Milliseconds of each of ROUNDS calls, the first not counted."""
    work()
    found = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        found.append((time.perf_counter() - began) * 1000)
    return sorted(found)


def floor(path: Path, ids: list[str]) -> list[float]:
    """The same rows by their ids."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    wanted = f"SELECT * FROM conversations WHERE workspace_id = ? AND id IN ({','.join('?' * len(ids))})"
    bound = [DEFAULT_WORKSPACE.hex, *(uuid.UUID(each).hex for each in ids)]
    found = timed(lambda: connection.execute(wanted, bound).fetchall())
    connection.close()
    return found


def measure(folder: Path, count: int) -> None:
    server = Server(folder / "data")
    server.folder.mkdir()
    database = server.folder / "meta.db"

    async def prepare() -> None:
        store = await open_meta(f"sqlite:///{database}")
        await fill(store, count)
        await store.close()

    began = time.perf_counter()
    asyncio.run(prepare())
    size = database.stat().st_size / count
    print(f"{count:,} sessions, {size:,.0f} bytes each, written in {time.perf_counter() - began:.0f} s")
    server.start()
    try:
        with Connection(server.url) as connection:
            for name, query in QUESTIONS.items():
                status, body = connection.get(f"/julep/sessions?{query}")
                items = json.loads(body)["items"] if status == 200 else []
                before = server.cpu()
                times = timed(partial(connection.get, f"/julep/sessions?{query}"))
                spent = (server.cpu() - before) / (ROUNDS + 1) * 1000
                bare = floor(database, [item["id"] for item in items]) if items else [0.0]
                print(
                    f"{name:32} {len(items):4} rows   p50 {statistics.median(times):6.1f} ms"
                    f"   p99 {times[-2]:6.1f} ms   CPU {spent:5.1f} ms   floor {statistics.median(bare):5.1f} ms"
                )
    finally:
        server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=100_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        measure(Path(scratch), given.sessions)


if __name__ == "__main__":
    main()

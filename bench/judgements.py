"""Feedback on the runs of one project, as evaluators and people give it: much of it, and then asked for by the page."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator
from typing import Any, Final

from bench import bodies, data
from bench.bodies import Body
from bench.connection import Connection
from bench.data import MadeRun, Span, iso
from bench.server import Server

PROJECT: Final = data.PROJECTS[0]
"""The one with most runs."""

KEYS: Final = ("correctness", "helpfulness", "conciseness", "user_rating", "note")
_BODY: Final = 500
_DAY: Final = 86_400_000_000


def give(server: Server, span: Span, count: int) -> None:
    """Send so many pieces, evenly over the project's runs, each of the day after its run's end. They come in the
    order of their times, as they do in life."""
    with Connection(server.url) as connection:
        for body in _bodies(span, count):
            status, answer = connection.send(body)
            if status != 202:
                raise RuntimeError(f"feedback was refused: {status} {answer[:200]!r}")


def share(server: Server) -> str:
    """Make the project an experiment over a dataset of its own, and give the token that opens it."""
    with Connection(server.url) as connection:

        def asked(method: str, path: str, **document: str) -> dict[str, Any]:
            status, answer = connection.request(
                method, path, "application/json", json.dumps(document).encode()
            )
            if status != 200:
                raise RuntimeError(f"{method} {path}: {status} {answer[:200]!r}")
            found: dict[str, Any] = json.loads(answer)
            return found

        dataset = asked("POST", "/datasets", name="judged")["id"]
        asked("POST", "/sessions?upsert=true", name=PROJECT, reference_dataset_id=dataset)
        return str(asked("PUT", f"/datasets/{dataset}/share")["share_token"])


def _bodies(span: Span, count: int) -> Iterator[Body]:
    runs = [
        run
        for batch in range(span.batches)
        for trace in data.traces(span, batch)
        if trace[0].project == PROJECT
        for run in trace
    ]
    chance = random.Random(data.SEED)
    pieces = [_piece(runs[number % len(runs)], chance) for number in range(count)]
    pieces.sort(key=lambda piece: str(piece["created_at"]))
    for start in range(0, count, _BODY):
        some = pieces[start : start + _BODY]
        parts = (bodies.part(f"feedback.{piece['id']}", json.dumps(piece).encode()) for piece in some)
        yield bodies.body(parts, 0)


def _piece(run: MadeRun, chance: random.Random) -> dict[str, Any]:
    """As the Python client sends it, without a project: that is the run's."""
    key = chance.choice(KEYS)
    judge = str(uuid.UUID(int=chance.getrandbits(128), version=4))
    return {
        "id": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        "run_id": run.id,
        "trace_id": run.trace_id,
        "key": key,
        "score": None if key == "note" else round(chance.random(), 4),
        "comment": "Says what was asked for, but not where it found it." if key == "note" else None,
        "created_at": iso(run.end + chance.randrange(_DAY)),
        "feedback_source": {"type": "model", "metadata": {"__run": {"run_id": judge}}},
    }

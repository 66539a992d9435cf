"""Feedback on the runs of projects, as evaluators and people give it: much of it, and then asked for by the page."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Collection, Iterator
from typing import Any, Final

from bench import bodies, data
from bench.bodies import Body
from bench.connection import Connection
from bench.data import MadeRun, Span, iso
from bench.server import Server

PROJECT: Final = data.PROJECTS[0]
"""The one with most runs."""

EXPERIMENTS: Final = data.PROJECTS[1:5]
"""Those that become experiments over a shared dataset."""

KEYS: Final = ("correctness", "helpfulness", "conciseness", "user_rating", "note")
_BODY: Final = 500
_DAY: Final = 86_400_000_000


def give(server: Server, span: Span, count: int) -> None:
    """Send so many pieces, evenly over the project's runs, each of the day after its run's end. They come in the
    order of their times, as they do in life."""
    pieces = _pieces(span, count, (PROJECT,))
    pieces.sort(key=lambda piece: str(piece["created_at"]))
    _send(server, pieces)


def give_in_any_order(server: Server, span: Span, count: int) -> None:
    """The same to the experiments, all together, whatever the order of the times: as when they are judged later."""
    pieces = _pieces(span, count, EXPERIMENTS)
    random.Random(data.SEED).shuffle(pieces)
    _send(server, pieces)


def _send(server: Server, pieces: list[dict[str, Any]]) -> None:
    with Connection(server.url) as connection:
        for body in _bodies(pieces):
            status, answer = connection.send(body)
            if status != 202:
                raise RuntimeError(f"feedback was refused: {status} {answer[:200]!r}")


def share(server: Server) -> str:
    """Make the experiments out of their projects, over a dataset of their own; the token that opens it."""
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
        for name in EXPERIMENTS:
            asked("POST", "/sessions?upsert=true", name=name, reference_dataset_id=dataset)
        return str(asked("PUT", f"/datasets/{dataset}/share")["share_token"])


def _pieces(span: Span, count: int, projects: Collection[str]) -> list[dict[str, Any]]:
    runs = [
        run
        for batch in range(span.batches)
        for trace in data.traces(span, batch)
        if trace[0].project in projects
        for run in trace
    ]
    chance = random.Random(f"{data.SEED} {sorted(projects)}")
    return [_piece(runs[number % len(runs)], chance) for number in range(count)]


def _bodies(pieces: list[dict[str, Any]]) -> Iterator[Body]:
    for start in range(0, len(pieces), _BODY):
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

"""A HoneyHive session of 10,000 events: brought in by batches; read as a tree, as its own event, and as an export.

Every fourth event is a model call, three levels deep, 1.3 KB each. The floor of a tree is what an encoder takes to
write the same answer from objects that are there, on one core.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import msgspec

from bench.connection import Connection
from bench.server import Server

EVENTS: Final = 10_000
_A_BATCH: Final = 500
_START: Final = 1_750_000_000_000
_SESSION: Final = UUID(int=0x5E55)
_WORDS: Final = "the quick brown fox jumps over the lazy dog and asks why it was not told before "


def _id(number: int) -> str:
    return str(UUID(int=(0xE7E27 << 64) + number))


def _event(number: int) -> dict[str, Any]:
    """Ten chains below the session, a hundred steps in each, ten calls below a step."""
    chain, step = number % 10, number // 10 % 100
    parent = (
        _SESSION if number < 10 else _id(chain) if number < 1000 else _id(10 + step * 10 % 990 + chain % 10)
    )
    is_model = number % 4 == 3
    found: dict[str, Any] = {
        "event_id": _id(number),
        "session_id": str(_SESSION),
        "parent_id": str(parent),
        "event_type": "model" if is_model else "tool" if number >= 1000 else "chain",
        "event_name": f"step {step}",
        "project": "bench",
        "source": "bench",
        "start_time": _START + number,
        "end_time": _START + number + 250,
        "inputs": {"chat_history": [{"role": "user", "content": _WORDS * 5}]},
        "outputs": {"role": "assistant", "content": _WORDS * 4},
        "metadata": {"step": step, "plan": "pro"},
    }
    if is_model:
        found["config"] = {"model": "gpt-4o", "temperature": 0.2}
        found["metadata"] |= {
            "prompt_tokens": 100,
            "completion_tokens": 50,
            "total_tokens": 150,
            "cost": 0.001,
        }
        found["metrics"] = {"accuracy": number % 7 / 7}
    return found


@dataclass(frozen=True, slots=True)
class Read:
    """Seconds of calls one after the other, sorted; CPU seconds of the server a call; bytes of the answer."""

    times: list[float]
    cpu: float
    bytes: int


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds and CPU seconds of the server that writing took; `floor` in CPU seconds for one tree."""

    written: float
    written_cpu: float
    floor: float
    reads: dict[str, Read]
    memory: int


def measure(server: Server, calls: int) -> Measured:
    """Into a server that has just started. RuntimeError when an answer is not what was sent."""
    began, before = time.monotonic(), server.cpu()
    bodies = [
        msgspec.json.encode({"events": [_event(number) for number in range(at, at + _A_BATCH)]})
        for at in range(0, EVENTS, _A_BATCH)
    ]
    with Connection(server.url) as connection:
        began = time.monotonic()
        for body in bodies:
            _asked(connection, "/honeyhive/events/batch", body)
        written = time.monotonic() - began
        session = f"/honeyhive/session/{_SESSION}"
        found = msgspec.json.decode(_asked(connection, session))
        if found["metadata"]["num_events"] != EVENTS:
            raise RuntimeError(f"{found['metadata']['num_events']} events are there, not {EVENTS}")
        written_cpu = server.cpu() - before
        server.settle(30)
        wanted = {"field": "session_id", "operator": "is", "value": str(_SESSION), "type": "id"}
        export = msgspec.json.encode({"filters": [wanted], "limit": 7500})
        tree = f"/honeyhive/v1/sessions/{_SESSION}"
        reads = {
            "tree": _timed(server, connection, tree, None, calls),
            "the session's own event, with roll-ups": _timed(server, connection, session, None, calls),
            "export of 7,500 of its events": _timed(
                server, connection, "/honeyhive/v1/events/export", export, calls
            ),
        }
        return Measured(written, written_cpu, _floor(_asked(connection, tree)), reads, server.peak_memory())


def _timed(server: Server, connection: Connection, path: str, body: bytes | None, calls: int) -> Read:
    answer = _asked(connection, path, body)
    before = server.cpu()
    times = []
    for _ in range(calls):
        began = time.monotonic()
        _asked(connection, path, body)
        times.append(time.monotonic() - began)
    return Read(sorted(times), (server.cpu() - before) / calls, len(answer))


def _asked(connection: Connection, path: str, body: bytes | None = None) -> bytes:
    status, answer = connection.get(path) if body is None else connection.post(path, body)
    if status != 200:
        raise RuntimeError(f"{path} answered {status}: {answer[:300]!r}")
    return answer


def _floor(answer: bytes) -> float:
    document = msgspec.json.decode(answer)
    best = float("inf")
    for _ in range(10):
        began = time.process_time()
        msgspec.json.encode(document)
        best = min(best, time.process_time() - began)
    return best

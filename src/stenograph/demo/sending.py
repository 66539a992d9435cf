"""Runs and feedback on their way to a server: in multipart bodies, as LangSmith's clients send them."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from msgspec import Raw

from stenograph.demo.runs import Feedback, Run
from stenograph.transfer.connection import Connection
from stenograph.transfer.progress import shown

_RUNS: Final = 600
_FEEDBACK: Final = 2000
"""In one body."""
_BOUNDARY: Final = "stenograph-demo-7c1f0e"


def send_traces(server: Connection, what: str, traces: Sequence[Sequence[Run]]) -> int:
    """Sends them in order, with progress by trace; answers how many runs that were."""
    count = 0
    with shown(f"Sending {what}", len(traces), "traces") as advance:
        for some in _batches(traces):
            runs = [run for trace in some for run in trace]
            _send(server, [("post", run) for run in runs])
            count += len(runs)
            advance(len(some))
    return count


def send_feedback(server: Connection, pieces: Sequence[Feedback]) -> None:
    for start in range(0, len(pieces), _FEEDBACK):
        _send(server, [("feedback", piece) for piece in pieces[start : start + _FEEDBACK]])


def _batches(traces: Sequence[Sequence[Run]]) -> Iterator[list[Sequence[Run]]]:
    """Whole traces, together about as many runs as fit in a body."""
    batch: list[Sequence[Run]] = []
    count = 0
    for trace in traces:
        if batch and count + len(trace) > _RUNS:
            yield batch
            batch, count = [], 0
        batch.append(trace)
        count += len(trace)
    if batch:
        yield batch


def _send(server: Connection, parts: Sequence[tuple[str, Run | Feedback]]) -> None:
    body = bytearray()
    for event, value in parts:
        head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{event}.{value.id}"\r\n'
        body += f"{head}Content-Type: application/json\r\n\r\n".encode()
        body += msgspec.json.encode(value) + b"\r\n"
    body += f"--{_BOUNDARY}--\r\n".encode()
    server.upload("/runs/multipart", Raw, io.BytesIO(body), f"multipart/form-data; boundary={_BOUNDARY}")

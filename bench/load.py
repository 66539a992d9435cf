"""Sends serialised bodies from client processes of their own and times every acknowledgement.

Closed loop: each connection sends its next body as soon as it has an answer; that finds the highest rate.
Paced: bodies have appointed times, and latency counts from the appointment, whether or not a connection was
free then; that finds what a client waits at a given rate.
"""

from __future__ import annotations

import resource
import threading
import time
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from pathlib import Path
from types import TracebackType
from typing import Any

from bench import bodies
from bench.connection import MULTIPART, Connection, Form


@dataclass(slots=True)
class Sent:
    """What one sender did. Latencies in seconds; times on the monotonic clock, which processes share."""

    runs: int = 0
    requests: int = 0
    bytes: int = 0
    inflated: int = 0
    refused: int = 0
    failed: list[str] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    began: float = 0.0
    ended: float = 0.0
    cpu: float = 0.0


@dataclass(frozen=True, slots=True)
class Load:
    """All senders together."""

    runs: int
    requests: int
    bytes: int
    inflated: int
    refused: int
    failed: list[str]
    latencies: list[float]
    seconds: float
    cpu: float

    @property
    def rate(self) -> float:
        """Finished runs acknowledged a second."""
        return self.runs / self.seconds if self.seconds else 0.0


class Senders:
    """Client processes that have their bodies in memory and wait for `go`. A context manager."""

    def __init__(
        self,
        url: str,
        paths: list[Path],
        connections: int,
        rate: float | None = None,
        form: Form = MULTIPART,
    ) -> None:
        """`connections` and `rate` (runs a second; None: closed loop) are those of all senders together."""
        context = get_context("spawn")
        self._go, self._stop = context.Event(), context.Event()
        self._ready = [context.Event() for _ in paths]
        self._pool = ProcessPoolExecutor(
            len(paths), mp_context=context, initializer=_adopt, initargs=(self._go, self._stop, self._ready)
        )
        each = max(1, connections // len(paths))
        pace = None if rate is None else rate / len(paths)
        self._jobs: list[Future[Sent]] = [
            self._pool.submit(_send, number, url, path, each, pace, form) for number, path in enumerate(paths)
        ]

    def __enter__(self) -> Senders:
        for ready, job in zip(self._ready, self._jobs, strict=True):
            while not ready.wait(0.2):
                if job.done():
                    job.result()
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._go.set()
        self._stop.set()
        self._pool.shutdown()

    def go(self) -> None:
        """Begin to send."""
        self._go.set()

    def stop(self) -> None:
        """Have the senders end after their next answer."""
        self._stop.set()

    @property
    def done(self) -> bool:
        return all(job.done() for job in self._jobs)

    def result(self) -> Load:
        """Wait for the end."""
        sent = [job.result() for job in self._jobs]
        return Load(
            runs=sum(one.runs for one in sent),
            requests=sum(one.requests for one in sent),
            bytes=sum(one.bytes for one in sent),
            inflated=sum(one.inflated for one in sent),
            refused=sum(one.refused for one in sent),
            failed=[text for one in sent for text in one.failed],
            latencies=sorted(latency for one in sent for latency in one.latencies),
            seconds=max(one.ended for one in sent) - min(one.began for one in sent),
            cpu=sum(one.cpu for one in sent),
        )


def drive(
    url: str, paths: list[Path], connections: int, rate: float | None = None, form: Form = MULTIPART
) -> Load:
    """Send everything and wait."""
    with Senders(url, paths, connections, rate, form) as senders:
        senders.go()
        return senders.result()


# -- in the client process -------------------------------------------------------------------------------

_signals: tuple[Any, Any, list[Any]]


def _adopt(go: Event, stop: Event, ready: list[Event]) -> None:
    global _signals  # a pool hands events over only through its initializer
    _signals = (go, stop, ready)


def _send(number: int, url: str, path: Path, connections: int, rate: float | None, form: Form) -> Sent:
    go, stop, ready = _signals
    waiting = bodies.read(path)
    sockets = [Connection(url) for _ in range(connections)]
    turns = _Turns(waiting, rate)
    ready[number].set()
    go.wait()
    before = resource.getrusage(resource.RUSAGE_SELF)
    turns.began = time.monotonic()
    threads = [threading.Thread(target=_work, args=(connection, turns, stop, form)) for connection in sockets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    after = resource.getrusage(resource.RUSAGE_SELF)
    sent = turns.sent
    sent.began, sent.ended = turns.began, time.monotonic()
    sent.cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return sent


class _Turns:
    """Hands out bodies in order, each with its appointed time."""

    def __init__(self, waiting: list[bodies.Body], rate: float | None) -> None:
        self._waiting = waiting
        self._next = 0
        self._due = 0.0
        self._rate = rate
        self._lock = threading.Lock()
        self.began = 0.0
        self.sent = Sent()

    def take(self) -> tuple[bodies.Body, float] | None:
        with self._lock:
            if self._next == len(self._waiting):
                return None
            body = self._waiting[self._next]
            self._next += 1
            due = self._due
            if self._rate is not None:
                self._due += body.runs / self._rate
            return body, due

    def note(self, body: bodies.Body, latency: float, refused: int) -> None:
        with self._lock:
            sent = self.sent
            sent.runs += body.runs
            sent.requests += 1
            sent.bytes += len(body.data)
            sent.inflated += body.inflated
            sent.refused += refused
            sent.latencies.append(latency)

    def wait_until(self, due: float) -> float:
        """The moment from which the client waits."""
        if self._rate is None:
            return time.monotonic()
        pause = self.began + due - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        return self.began + due


def _work(connection: Connection, turns: _Turns, stop: Event, form: Form) -> None:
    with connection:
        while not stop.is_set() and (turn := turns.take()) is not None:
            body, due = turn
            began = turns.wait_until(due)
            refused = 0
            while True:
                status, answer = connection.send(body, form)
                if status not in (429, 503):
                    break
                refused += 1
                time.sleep(0.25)
            turns.note(body, time.monotonic() - began, refused)
            if status != form.taken:
                turns.sent.failed.append(f"{status} {answer[:200]!r}")

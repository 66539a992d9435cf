"""What people and pages ask of a server with many runs, through the LangSmith face, each time about something else.

Parameters vary with every call (project, run, user, word, threshold, end of the time range), so that no cache
answers for the engine. The first call of each kind comes after the page cache was dropped.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from bench import data, judgements
from bench.bodies import Body
from bench.connection import Connection
from bench.data import MadeRun, Span, iso
from bench.server import Server

PREVIEW: Final = [
    "id", "name", "run_type", "start_time", "end_time", "status", "error", "inputs_preview", "outputs_preview",
    "tags", "first_token_time", "total_tokens", "total_cost", "trace_id", "thread_id",
]  # fmt: skip


Single: TypeAlias = Callable[[int], tuple[MadeRun, Body]]
"""Gives the n-th run of a series and the body that records it."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request; a body makes it a POST."""

    path: str
    body: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds, sorted but for `first`. `empty` is the share of answers that found nothing."""

    first: float
    times: list[float]
    empty: float
    bytes: int
    skipped: str = ""


class Picker:
    """Chooses what a call is about, among what was recorded."""

    def __init__(self, span: Span, projects: Mapping[str, str], seed: int) -> None:
        self._span = span
        self._projects = projects
        self.chance = random.Random(seed)

    def run(self) -> MadeRun:
        traces = data.traces(self._span, self.chance.randrange(self._span.batches))
        return self.chance.choice(self.chance.choice(traces))

    def project(self, name: str | None = None) -> str:
        """That of this name; else half of the calls are about one of the three largest, the rest about any."""
        if name is not None:
            return self._projects[name]
        names = data.PROJECTS[:3] if self.chance.random() < 0.5 else data.PROJECTS
        return self._projects[self.chance.choice([name for name in names if name in self._projects])]

    def until(self) -> str:
        """An end of the time range within the newest two days."""
        last = self._span.end - self.chance.random() * min(2 * 86400, (self._span.end - self._span.start) / 2)
        return iso(int(last * 1e6))

    def roots(self, **more: Any) -> Ask:
        """The 100 newest roots of a project, with previews."""
        body = {"session": [self.project()], "is_root": True, "limit": 100, "select": PREVIEW}
        return Ask("/runs/query", body | {"end_time": self.until()} | more)


def _filtered(text: Callable[[Picker], str]) -> Callable[[Picker], Ask]:
    return lambda pick: pick.roots(filter=text(pick))


def _full(pick: Picker) -> Ask:
    found = pick.roots()
    assert found.body is not None
    return Ask(found.path, {name: value for name, value in found.body.items() if name != "select"})


def _metadata(pick: Picker) -> str:
    return f'and(eq(metadata_key, "user_id"), eq(metadata_value, "{pick.run().user}"))'


def _day(pick: Picker) -> dict[str, str]:
    return {"start_time": iso(int((time.time() - 8 * 86400 + pick.chance.random() * 3600) * 1e6))}


KINDS: Final[dict[str, Callable[[Picker], Ask]]] = {
    "one run": lambda pick: Ask(f"/runs/{pick.run().id}"),
    "one trace": lambda pick: Ask("/runs/query", {"trace": pick.run().trace_id, "limit": 100}),
    "100 newest roots, previews": lambda pick: pick.roots(),
    "100 newest roots, full payload": _full,
    "roots with error": _filtered(lambda _: 'eq(status, "error")'),
    "roots by latency": _filtered(lambda pick: f"gt(latency, {pick.chance.uniform(8, 25):.2f})"),
    "roots by tag": _filtered(lambda pick: f'has(tags, "{pick.chance.choice(data.TAGS)}")'),
    "roots by metadata": _filtered(_metadata),
    "roots by name": _filtered(lambda pick: f'eq(name, "{pick.chance.choice(data.CHAINS)}")'),
    "rare word": lambda pick: pick.roots(
        is_root=None, filter=f'search("{pick.chance.choice(data.rare_words())}")'
    ),
    "common word": lambda pick: pick.roots(
        is_root=None, filter=f'search("{pick.chance.choice(data.common_words())}")'
    ),
    "project statistics": lambda pick: Ask("/runs/stats", {"session": [pick.project()]} | _day(pick)),
    "root statistics": lambda pick: Ask(
        "/runs/stats", {"session": [pick.project()], "is_root": True} | _day(pick)
    ),
    "project page with statistics": lambda pick: Ask(f"/sessions/{pick.project()}?include_stats=true"),
    "hourly series": lambda pick: Ask(
        f"/sessions/{pick.project()}/dashboard", _day(pick) | {"stride": {"hours": 1}}
    ),
    "threads": lambda pick: Ask(
        "/runs/group", {"session_id": pick.project(), "group_by": "conversation", "limit": 20} | _day(pick)
    ),
}


def _feedback(pick: Picker) -> Ask:
    """A page of one project's feedback: the newest before some moment, half of the time of one key."""
    path = f"/feedback?session={pick.project(judgements.PROJECT)}&limit=100&max_created_at={pick.until()}"
    if pick.chance.random() < 0.5:
        path += f"&key={pick.chance.choice(judgements.KEYS)}"
    return Ask(path.replace("+", "%2B"))


def on_feedback(share_token: str) -> dict[str, Callable[[Picker], Ask]]:
    """Asked for apart, once there is some: without it the other kinds are the same from version to version.

    The token opens a dataset over which judgements.EXPERIMENTS are experiments.
    """

    def shared(pick: Picker) -> Ask:
        path = f"/public/{share_token}/datasets/feedback?limit=100&offset={100 * pick.chance.randrange(5)}"
        return Ask(
            path + (f"&key={pick.chance.choice(judgements.KEYS)}" if pick.chance.random() < 0.5 else "")
        )

    return {"feedback list": _feedback, "feedback of a shared dataset": shared}


def projects_of(server: Server, span: Span) -> dict[str, str]:
    """Name to id of the projects, as the runs that were recorded tell."""
    found: dict[str, str] = {}
    with Connection(server.url) as connection:
        for batch in range(min(span.batches, 400)):
            run = data.traces(span, batch)[0][0]
            if run.project in found:
                continue
            status, answer = connection.get(f"/runs/{run.id}")
            if status != 200:
                raise RuntimeError(f"a recorded run cannot be read: {status} {answer[:200]!r}")
            found[run.project] = json.loads(answer)["session_id"]
            if len(found) == len(data.PROJECTS):
                break
    return found


def measure(
    server: Server,
    span: Span,
    projects: Mapping[str, str],
    calls: int,
    *,
    seconds: float,
    seed: int,
    cold: bool,
    kinds: Mapping[str, Callable[[Picker], Ask]] = KINDS,
) -> Iterator[tuple[str, Timing]]:
    """Each kind in turn, `calls` times on one connection, or fewer when that takes longer than `seconds`."""
    with Connection(server.url) as connection:
        for kind, make in kinds.items():
            # A seed of each kind's own: the same questions whichever kinds were asked before.
            pick = Picker(span, projects, hash_of(kind) + seed)
            if cold:
                server.forget_pages()
            yield kind, _time(connection, [make(pick) for _ in range(calls + 1)], seconds)


def hash_of(text: str) -> int:
    """The same in every process, unlike hash()."""
    return int.from_bytes(text.encode()[:6], "big")


def _time(connection: Connection, asks: list[Ask], seconds: float) -> Timing:
    times: list[float] = []
    empty, size = 0, 0
    for ask in asks:
        if len(times) > 2 and sum(times) > seconds * 1000:
            break
        began = time.perf_counter()
        if ask.body is None:
            status, answer = connection.get(ask.path)
        else:
            status, answer = connection.post(ask.path, json.dumps(ask.body).encode())
        times.append((time.perf_counter() - began) * 1000)
        if status != 200:
            return Timing(0, [], 0, 0, f"{status} {answer[:160].decode('utf-8', 'replace')}")
        size += len(answer)
        empty += _is_empty(json.loads(answer))
    first, *rest = times
    return Timing(first, sorted(rest), empty / len(times), size // len(times))


def _is_empty(found: Any) -> bool:
    if isinstance(found, list):
        return not found
    return not (found.get("runs", True) and found.get("groups", True) and found.get("run_count", 1))


def until_readable(server: Server, single: Single, times: int) -> list[float]:
    """Seconds from the acknowledgement of a run until GET gives it finished, again and again."""
    found = []
    with Connection(server.url) as writing, Connection(server.url) as reading:
        for number in range(times):
            run, body = single(number)
            status, answer = writing.send(body)
            if status != 202:
                raise RuntimeError(f"a run was refused: {status} {answer[:200]!r}")
            acknowledged = time.perf_counter()
            while True:
                status, answer = reading.get(f"/runs/{run.id}")
                if status == 200 and json.loads(answer)["end_time"] is not None:
                    break
                if time.perf_counter() - acknowledged > 60:
                    raise RuntimeError(f"an acknowledged run could not be read for 60 s: {status}")
            found.append(time.perf_counter() - acknowledged)
            time.sleep(0.2)
    return sorted(found)

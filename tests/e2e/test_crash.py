"""The server is killed again and again under load: whatever it acknowledged is there afterwards, once."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

from tests.conftest import Server
from tests.effort import tries

KILLS = tries(12)
SEED = 20_260_105
START = "2026-01-05T10:00:00.{:06}Z"
STAMP = "20260105T100000{:06}Z"


def multipart(parts: dict[str, dict[str, Any]]) -> tuple[bytes, dict[str, str]]:
    mark = uuid.uuid4().hex
    body = b""
    for name, value in parts.items():
        data = json.dumps(value).encode()
        head = f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\nContent-Type: application/json'
        body += f"{head}\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data + b"\r\n"
    return body + f"--{mark}--\r\n".encode(), {"Content-Type": f"multipart/form-data; boundary={mark}"}


@dataclass
class Load:
    """Clients that send until told to stop, each request again and again until it is acknowledged."""

    url: str
    project: str
    acknowledged: int = 0
    finished: dict[str, int] = field(default_factory=dict)
    judged: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    ending: bool = False
    moved: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, more: int) -> None:
        """Until so many more requests have been acknowledged."""
        with self.moved:
            goal = self.acknowledged + more
            assert self.moved.wait_for(lambda: self.acknowledged >= goal or self.wrong, 60), "no progress"

    def send(self, http: httpx.Client, path: str, **body: Any) -> None:
        while not self.wrong:
            try:
                answer = http.post(path, **body)
            except httpx.HTTPError:
                threading.Event().wait(0.02)  # the server is away: this is a client's own patience
                continue
            if answer.status_code == 202:
                with self.moved:
                    self.acknowledged += 1
                    self.moved.notify_all()
                return
            if answer.status_code not in (429, 503):
                self.wrong.append(answer.text)

    def client(self, number: int) -> None:
        chance = Random(SEED + number)
        with httpx.Client(base_url=self.url, timeout=60) as http:
            round_ = 0
            while not self.ending and not self.wrong:
                round_ += 1
                self.traces(http, chance, round_ % 2 == 0)
                if number == 0:
                    self.read(http)

    def read(self, http: httpx.Client) -> None:
        """Which has everything written that waits. Whoever reads sees what was acknowledged before."""
        with self.moved:
            [*_, (run, value)] = self.finished.items()
        try:
            answer = http.post("/runs/query", json={"trace": run, "select": ["id", "outputs"]})
        except httpx.HTTPError:
            return
        if answer.status_code == 503:
            return
        if answer.status_code != 200 or [found["outputs"]["n"] for found in answer.json()["runs"]] != [value]:
            self.wrong.append(f"{run}: {answer.text}")

    def traces(self, http: httpx.Client, chance: Random, in_parts: bool) -> None:
        """Some runs: their creates, then their updates in another request, or the other way round; and feedback."""
        creates: dict[str, dict[str, Any]] = {}
        updates: dict[str, dict[str, Any]] = {}
        for _ in range(chance.randint(1, 6)):
            run, at = str(uuid.UUID(int=chance.getrandbits(128), version=4)), chance.randrange(1_000_000)
            place = {"id": run, "trace_id": run, "dotted_order": STAMP.format(at) + run}
            started = {"start_time": START.format(at), "session_name": self.project}
            creates[run] = {**place, **started, "name": "step", "run_type": "chain", "inputs": {"n": at}}
            updates[run] = {
                **place,
                "end_time": START.format(999_999),
                "outputs": {"n": at, "text": "x" * 2000},
            }
            if chance.random() < 0.3:  # stated late: its row moves in the table
                del creates[run]["start_time"]
                updates[run]["start_time"] = START.format(at)
        sent = [("post", creates), ("patch", updates)]
        for kind, runs in sent if chance.random() < 0.8 else reversed(sent):
            if in_parts:
                body, headers = multipart({f"{kind}.{run}": value for run, value in runs.items()})
                self.send(http, "/runs/multipart", content=body, headers=headers)
            else:
                self.send(http, "/runs/batch", json={kind: list(runs.values())})
        judged = {str(uuid.UUID(int=chance.getrandbits(128), version=4)): run for run in creates}
        body, headers = multipart(
            {
                f"feedback.{each}": {"id": each, "run_id": run, "trace_id": run, "key": "seen", "score": 1}
                for each, run in judged.items()
            }
        )
        self.send(http, "/runs/multipart", content=body, headers=headers)
        if not self.wrong:
            with self.moved:
                self.finished |= {run: create["inputs"]["n"] for run, create in creates.items()}
                self.judged += judged


def all_runs(http: httpx.Client, session: str) -> list[dict[str, Any]]:
    """By paging through the project, which shows a run that stands in it twice."""
    wanted: dict[str, Any] = {
        "session": [session],
        "limit": 100,
        "select": ["id", "inputs", "outputs", "status"],
    }
    found: list[dict[str, Any]] = []
    while True:
        answer = http.post("/runs/query", json=wanted).raise_for_status().json()
        found += answer["runs"]
        if not (following := answer["cursors"].get("next")):
            return found
        wanted["cursor"] = following


def test_nothing_acknowledged_is_lost_or_doubled_by_kills(own_server: Server, project: str) -> None:
    own_server.environment = {
        "STENOGRAPH_FLUSH_SECONDS": "0.05",
        "STENOGRAPH_HOLD_OPEN_SECONDS": "0.2",
        "STENOGRAPH_INBOX_SEGMENT_BYTES": "64KiB",
    }
    own_server.start()
    load = Load(own_server.url, project)
    clients = [threading.Thread(target=load.client, args=(number,)) for number in range(3)]
    chance = Random(SEED)
    for client in clients:
        client.start()
    try:
        for _ in range(KILLS):
            load.wait_for(chance.choice([1, 2, 5, 10, 20, 40, 60]))
            own_server.kill()
            own_server.start()
    finally:
        load.ending = True
        for client in clients:
            client.join()
    assert load.wrong == []
    assert len(load.finished) > 100
    own_server.kill()
    own_server.start()
    with httpx.Client(base_url=own_server.url, timeout=60) as http:
        session = http.get(f"/runs/{next(iter(load.finished))}").raise_for_status().json()["session_id"]
        found = all_runs(http, session)
        assert {run["id"]: run["outputs"]["n"] for run in found if run["outputs"]} == load.finished
        assert [run for run, times in Counter(run["id"] for run in found).items() if times > 1] == []
        assert all(run["inputs"] == {"n": run["outputs"]["n"]} for run in found)
        assert {run["status"] for run in found} == {"success"}
        stats = http.post("/runs/stats", json={"session": [session]}).raise_for_status().json()
        assert stats["run_count"] == len(load.finished)
        assert stats["feedback_stats"]["seen"]["n"] == len(load.judged)
        dead = [line for line in http.get("/metrics").text.splitlines() if "dead_lettered_total{" in line]
        assert all(line.endswith(" 0.0") for line in dead)
    assert own_server.stop() == 0
    assert list((own_server.data_dir / "inbox").glob("*")) == []


def test_the_server_answers_while_the_inbox_is_still_being_replayed(own_server: Server, project: str) -> None:
    """Nothing is due to be written before a reader asks, so that what the start has waited for is seen."""
    own_server.environment = {
        "STENOGRAPH_FLUSH_SECONDS": "3600",
        "STENOGRAPH_HOLD_OPEN_SECONDS": "3600",
        "STENOGRAPH_PENDING_MAX_BYTES": "1MiB",
    }
    own_server.start()
    runs = [str(uuid.uuid4()) for _ in range(20)]
    with httpx.Client(base_url=own_server.url, timeout=60) as http:
        for at, run in enumerate(runs):
            place = {"id": run, "trace_id": run, "dotted_order": STAMP.format(at) + run}
            rest = {"name": "open", "run_type": "chain", "session_name": project, "inputs": {"n": at}}
            sent = http.post(
                "/runs/batch", json={"post": [{**place, **rest, "start_time": START.format(at)}]}
            )
            assert sent.status_code == 202
        own_server.kill()
        own_server.start()  # returns when GET /ok answers
        metrics = http.get("/metrics").text
        assert gauge(metrics, "stenograph_inbox_bytes") > 0
        assert gauge(metrics, 'stenograph_records_stored_total{kind="run"}') == 0
        session = http.get(f"/runs/{runs[0]}").raise_for_status().json()["session_id"]
        assert {run["id"] for run in all_runs(http, session)} == set(runs)
        assert gauge(http.get("/metrics").text, "stenograph_inbox_bytes") == 0
    assert own_server.stop() == 0


def test_files_of_a_write_that_a_kill_cut_short_go_at_the_next_start(own_server: Server) -> None:
    """Another program holds the database, so that the server has stored the file and not yet the example."""
    own_server.start()
    blobs = own_server.data_dir / "blobs"

    def stored() -> list[bytes]:
        return sorted(path.read_bytes() for path in blobs.rglob("*") if path.is_file())

    def upload(http: httpx.Client, dataset: str, data: bytes) -> httpx.Response:
        example = str(uuid.uuid4())
        parts = {
            example: (None, b"{}", "application/json"),
            f"{example}.inputs": (None, b"{}", "application/json"),
            f"{example}.attachment.f": (None, data, f"text/plain; length={len(data)}"),
        }
        return http.post(f"/v1/platform/datasets/{dataset}/examples", files=parts)

    with httpx.Client(base_url=own_server.url, timeout=60) as http:
        dataset = http.post("/datasets", json={"name": "files"}).raise_for_status().json()["id"]
        upload(http, dataset, b"kept").raise_for_status()
        held = sqlite3.connect(own_server.data_dir / "meta.db", isolation_level=None)
        held.execute("BEGIN IMMEDIATE")
        cut = threading.Thread(target=lambda: refused(upload, http, dataset, b"lost"))
        cut.start()
        until(lambda: stored() == [b"kept", b"lost"])
        own_server.kill()
        cut.join()
        held.execute("ROLLBACK")
        held.close()
    own_server.start()
    until(lambda: stored() == [b"kept"])
    with httpx.Client(base_url=own_server.url, timeout=60) as http:
        assert http.get(f"/datasets/{dataset}").json()["example_count"] == 1
    assert own_server.stop() == 0


def refused(call: Callable[..., Any], *arguments: Any) -> None:
    with contextlib.suppress(httpx.HTTPError):
        call(*arguments)


def until(holds: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "in vain"
        threading.Event().wait(0.02)


def gauge(metrics: str, name: str) -> float:
    """A sample's value; 0 when there is none yet."""
    return sum(float(line.split()[-1]) for line in metrics.splitlines() if line.split(" ")[0] == name)

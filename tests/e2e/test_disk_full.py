"""A disk that fills up: clients are told, readers are answered, and nothing acknowledged is lost."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import Server

MiB = 2**20
SIZE = 192 * MiB
WATERMARK = 48 * MiB


@pytest.fixture
def small_disk(own_server: Server) -> Iterator[Server]:
    """A server whose data folder is a disk of its own, small enough to fill."""
    own_server.data_dir.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(own_server.data_dir)]
    try:
        subprocess.run(mount, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"needs the right to mount a tmpfs: {getattr(error, 'stderr', '') or error}")
    try:
        yield own_server
    finally:
        if own_server.process is not None and own_server.process.poll() is None:
            own_server.kill()
        subprocess.run(["umount", "--lazy", str(own_server.data_dir)], check=True)


@pytest.fixture
def client_of(project: str) -> Iterator[ClientOf]:
    with contextlib.ExitStack() as stack:
        yield lambda server: Client(
            stack.enter_context(httpx.Client(base_url=server.url, timeout=60)), project
        )


class Client:
    """Sends runs one at a time and remembers which were acknowledged."""

    def __init__(self, http: httpx.Client, project: str) -> None:
        self.http = http
        self.project = project
        self.acknowledged: set[str] = set()

    def send(self, size: int = 100) -> httpx.Response:
        run = str(uuid.uuid4())
        body = {
            "id": run, "trace_id": run, "dotted_order": f"20260105T100000000000Z{run}", "name": "step",
            "run_type": "chain", "start_time": "2026-01-05T10:00:00Z", "end_time": "2026-01-05T10:00:01Z",
            "session_name": self.project, "inputs": {"text": os.urandom(size // 2).hex()},
        }  # fmt: skip
        answer = self.http.post("/runs/batch", json={"post": [body]})
        if answer.status_code == 202:
            self.acknowledged.add(run)
        return answer

    def send_until(self, done: Callable[[httpx.Response], bool], size: int = 100) -> httpx.Response:
        deadline = time.monotonic() + 60
        while not done(answer := self.send(size)):
            assert time.monotonic() < deadline, answer.text
        return answer

    def seen(self) -> set[str]:
        """What a reader is shown, of the runs that were acknowledged; by page, so that a double would count."""
        [first, *_] = self.acknowledged
        session = self.http.get(f"/runs/{first}").raise_for_status().json()["session_id"]
        wanted: dict[str, Any] = {"session": [session], "limit": 100, "select": ["id"]}
        found: list[str] = []
        while True:
            page = self.http.post("/runs/query", json=wanted).raise_for_status().json()
            found += [run["id"] for run in page["runs"]]
            if not (following := page["cursors"].get("next")):
                break
            wanted["cursor"] = following
        assert len(found) == len(set(found))
        return set(found)


ClientOf = Callable[[Server], Client]


def refused(answer: httpx.Response) -> bool:
    return answer.status_code in (429, 503)


def taken(answer: httpx.Response) -> bool:
    return answer.status_code == 202


def fill(folder: Path, leave: int) -> Path:
    """Take up the disk but for `leave` bytes."""
    disk = os.statvfs(folder)
    ballast = folder / "ballast"
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, disk.f_bavail * disk.f_frsize - leave)
    return ballast


def test_below_the_watermark_writers_are_refused_and_readers_answered(
    small_disk: Server, client_of: ClientOf
) -> None:
    small_disk.environment = {"STENOGRAPH_MIN_FREE_DISK_BYTES": str(WATERMARK)}
    client = client_of(small_disk.start())
    for _ in range(20):
        assert taken(client.send())
    ballast = fill(small_disk.data_dir, leave=WATERMARK - MiB)
    answer = client.send_until(refused)
    assert answer.status_code == 503
    assert "STENOGRAPH_MIN_FREE_DISK_BYTES" in answer.json()["error"]
    assert int(answer.headers["Retry-After"]) >= 1
    assert client.seen() == client.acknowledged

    small_disk.kill()
    small_disk.start()
    assert client.seen() == client.acknowledged
    assert refused(client.send())
    ballast.unlink()
    client.send_until(taken)
    assert client.seen() == client.acknowledged
    assert small_disk.stop() == 0


def test_a_disk_without_a_byte_left_costs_nothing_that_was_acknowledged(
    small_disk: Server, client_of: ClientOf
) -> None:
    """Without a watermark: real ENOSPC, to the inbox, the engine and the metadata alike."""
    small_disk.environment = {"STENOGRAPH_MIN_FREE_DISK_BYTES": "0"}
    client = client_of(small_disk.start())
    assert taken(client.send())
    ballast = fill(small_disk.data_dir, leave=4 * MiB)
    answer = client.send_until(refused, size=200_000)
    assert answer.status_code == 503
    assert "No space left" in answer.json()["error"]
    assert int(answer.headers["Retry-After"]) >= 1
    reading = client.http.post("/runs/query", json={"id": [*client.acknowledged][:1]})
    assert reading.status_code in (200, 503), reading.text  # older data or none, but no crash
    ballast.unlink()
    client.send_until(taken)
    assert len(client.acknowledged) > 2

    fill(small_disk.data_dir, leave=2 * MiB)
    client.send_until(refused, size=200_000)
    small_disk.kill()
    (small_disk.data_dir / "ballast").unlink()
    small_disk.start()
    assert client.seen() == client.acknowledged
    assert taken(client.send())
    assert small_disk.stop() == 0


def test_a_watermark_above_what_is_free(own_server: Server, client_of: ClientOf) -> None:
    """The same refusal where no disk can be filled."""
    client = client_of(own_server.start())
    assert taken(client.send())
    own_server.kill()
    own_server.environment = {"STENOGRAPH_MIN_FREE_DISK_BYTES": str(2**59)}
    own_server.start()
    answer = client.send()
    assert answer.status_code == 503
    assert "STENOGRAPH_MIN_FREE_DISK_BYTES" in answer.json()["error"]
    assert int(answer.headers["Retry-After"]) >= 1
    assert client.seen() == client.acknowledged
    assert own_server.stop() == 0


def test_a_write_that_the_kernel_cuts_short(own_server: Server, client_of: ClientOf) -> None:
    """A limit on the size of files: half of a record is written before the error comes."""
    client = client_of(own_server.start())
    assert taken(client.send())
    assert own_server.process is not None
    resource.prlimit(own_server.process.pid, resource.RLIMIT_FSIZE, (MiB, resource.RLIM_INFINITY))
    answer = client.send(size=3 * MiB)
    assert answer.status_code == 503
    assert "File too large" in answer.json()["error"]
    for _ in range(5):
        assert taken(client.send())
    own_server.kill()
    own_server.start()
    assert client.seen() == client.acknowledged
    assert taken(client.send(size=3 * MiB))
    assert client.seen() == client.acknowledged
    assert own_server.stop() == 0


def test_a_full_inbox_says_so(own_server: Server, client_of: ClientOf) -> None:
    """The run store does not keep up, here because nothing asks it to: 429 until a reader has all of it written."""
    own_server.environment = {
        "STENOGRAPH_INBOX_MAX_BYTES": "1MiB",
        "STENOGRAPH_INBOX_SEGMENT_BYTES": "64KiB",
        "STENOGRAPH_MAX_BODY_BYTES": "512KiB",
        "STENOGRAPH_MAX_INFLATED_BYTES": "1MiB",
        "STENOGRAPH_FLUSH_SECONDS": "3600",
    }
    client = client_of(own_server.start())
    answer = client.send_until(refused, size=100_000)
    assert answer.status_code == 429
    assert "STENOGRAPH_INBOX_MAX_BYTES" in answer.json()["error"]
    assert int(answer.headers["Retry-After"]) >= 1
    assert client.seen() == client.acknowledged
    client.send_until(taken, size=100_000)
    assert client.seen() == client.acknowledged
    assert own_server.stop() == 0

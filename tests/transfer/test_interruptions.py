"""Exports and imports that are ended half-way leave nothing half-done. What they speak to stalls when it is told to."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from stenograph.transfer import progress
from stenograph.transfer.output import _unnamed_file

DATASET = {
    "id": "11111111-1111-4111-8111-111111111111",
    "name": "qa",
    "modified_at": "2026-01-01T00:00:00+00:00",
    "example_count": 3,
}
EXAMPLE = {
    "id": "22222222-2222-4222-8222-222222222222",
    "created_at": "2026-01-01T00:00:00+00:00",
    "inputs": {},
}


class Stalling(ThreadingHTTPServer):
    """Answers what an export or an import asks, until an upload or the second line of a download: then it waits."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.reached = threading.Event()
        self.released = threading.Event()
        self.breaks = False
        self.asked: list[str] = []
        self.deleted = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def stall(self) -> None:
        self.reached.set()
        if not self.breaks:
            self.released.wait(60)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Stalling

    def log_message(self, *_: Any) -> None:
        pass

    def answer(self, document: Any) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.server.asked.append(f"GET {self.path}")
        if "/jsonl" in self.path:
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.wfile.write((json.dumps(EXAMPLE) + "\n").encode() * 150)
            self.wfile.flush()
            self.server.stall()
            self.close_connection = True
        elif "/count" in self.path:
            self.answer(3)
        elif self.path.startswith("/datasets"):
            self.answer([] if "new" in self.path else [DATASET])
        else:
            self.answer([])

    def do_POST(self) -> None:
        self.server.asked.append(f"POST {self.path}")
        self.rfile.read(int(self.headers["Content-Length"]))
        if "/examples" in self.path:
            self.server.stall()
            self.close_connection = True
        else:
            self.answer(DATASET)

    def do_DELETE(self) -> None:
        self.server.asked.append(f"DELETE {self.path}")
        self.answer({})
        self.server.deleted.set()


@pytest.fixture
def stalling() -> Iterator[Stalling]:
    with Stalling() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def start(stalling: Stalling, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a command in a folder of its own, and waits until it has come half-way."""
    folder = tmp_path / "here"
    folder.mkdir()
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "stenograph", *arguments, "--url", stalling.url]
        process = subprocess.Popen(
            command, cwd=folder, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert stalling.reached.wait(60)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
@pytest.mark.parametrize(("number", "status"), SIGNALS)
def test_an_export_that_is_ended_leaves_nothing(
    ending: str, number: int, status: int, start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = start("export", "dataset", "qa", "-o", f"qa.{ending}", "--attachments", "files")
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == status
    assert "Traceback" not in err
    assert os.listdir(tmp_path / "here") == []


def test_an_export_that_is_killed_leaves_no_file_of_that_name(
    start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    (tmp_path / "here" / "qa.csv").write_text("precious")
    process = start("export", "dataset", "qa", "-o", "qa.csv", "--force")
    process.kill()
    process.communicate(timeout=60)
    left = sorted(os.listdir(tmp_path / "here"))
    assert (tmp_path / "here" / "qa.csv").read_text() == "precious"
    if (unnamed := _unnamed_file(tmp_path)) is not None:
        unnamed.close()
        assert left == ["qa.csv"]
    else:  # no system but Linux has files without names
        assert re.fullmatch(r"\.qa\.csv\.[0-9a-f]{8}\.part,qa\.csv", ",".join(left))


def test_an_export_whose_server_goes_away_leaves_nothing(
    start: Callable[..., subprocess.Popen[str]], stalling: Stalling, tmp_path: Path
) -> None:
    stalling.breaks = True
    process = start("export", "dataset", "qa", "-o", "qa.jsonl")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err.startswith(f"stenograph: the connection to {stalling.url} broke: ")
    assert os.listdir(tmp_path / "here") == []


@pytest.mark.parametrize(("number", "status"), SIGNALS)
def test_an_import_that_is_ended_takes_its_new_dataset_away(
    number: int,
    status: int,
    start: Callable[..., subprocess.Popen[str]],
    stalling: Stalling,
    tmp_path: Path,
) -> None:
    (tmp_path / "here" / "new.csv").write_text("inputs.q\nx\n")
    process = start("import", "dataset", "new.csv")
    process.send_signal(number)
    assert stalling.deleted.wait(60)
    _, err = process.communicate(timeout=60)
    assert process.returncode == status
    assert "Traceback" not in err
    assert stalling.asked[-1] == f"DELETE /datasets/{DATASET['id']}"


def test_an_import_that_is_ended_keeps_a_dataset_that_was_there(
    start: Callable[..., subprocess.Popen[str]], stalling: Stalling, tmp_path: Path
) -> None:
    (tmp_path / "here" / "x.csv").write_text("inputs.q\nx\n")
    process = start("import", "dataset", "x.csv", "--name", "qa", "--append")
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 143
    assert not any(asked.startswith("DELETE") for asked in stalling.asked)


def test_a_reader_that_has_seen_enough_ends_an_export(stalling: Stalling) -> None:
    """`stenograph export … -o - | head`."""
    stalling.released.set()
    command = [
        sys.executable,
        "-m",
        "stenograph",
        "export",
        "dataset",
        "qa",
        "-o",
        "-",
        "--url",
        stalling.url,
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == 1
    assert b"Traceback" not in err


# -- progress --------------------------------------------------------------------------------------------


def test_progress_is_shown_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with progress.shown("Exporting qa", 10_000) as advance:
        advance(1_200)
    out, err = capsys.readouterr()
    assert out == ""
    assert "Exporting qa" in err
    assert "1,200 of 10,000 rows" in err


def test_progress_is_not_shown_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.shown("Exporting qa", 10_000) as advance:
        advance(1_200)
    assert capsys.readouterr() == ("", "")

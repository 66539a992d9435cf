"""What the doctor finds on machines that are well and on machines that are not."""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from stenograph import machine
from stenograph.doctor import Finding, look
from stenograph.settings import Settings, read_settings
from stenograph.store.meta.database import open_meta

HOLD_THE_ENGINE = """
import sys
from pathlib import Path
from stenograph.store.runs.chdb import Chdb
engine = Chdb(Path(sys.argv[1]), readers=1, threads=1, memory=500_000_000)
print("open", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    made.mkdir(mode=0o700)
    return made


def at(folder: Path, **given: object) -> Settings:
    return read_settings({"data_dir": folder, "port": 0, **given})


def of(result: str, finding: Finding, words: str) -> None:
    """It has this result and says these words; what is not well comes with advice."""
    assert finding.result == result, finding
    assert words in finding.found, finding
    assert bool(finding.advice) == (result != "ok"), finding


@contextmanager
def answering(status: int) -> Iterator[int]:
    """The port of a server that gives every request this status."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/ok" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# -- the folder and its disk -----------------------------------------------------------------------------


def test_a_folder_that_is_there(folder: Path) -> None:
    of("ok", look("data folder", at(folder)), "is writable")


def test_a_folder_that_is_not_there_yet_is_not_made(tmp_path: Path) -> None:
    settings = at(tmp_path / "a" / "b")
    for check in ("data folder", "file system", "disk space", "disk sync", "clock", "engine", "metadata"):
        assert look(check, settings).result == "ok", check
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_everybody_can_read(folder: Path) -> None:
    folder.chmod(0o755)
    of("warning", look("data folder", at(folder)), "every user of this machine")


def test_a_file_in_the_folders_place(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    of("problem", look("data folder", at(tmp_path / "data")), "is not a folder")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(folder: Path) -> None:
    folder.chmod(0o500)
    of("problem", look("data folder", at(folder)), "may not write")
    of("problem", look("disk sync", at(folder)), "cannot be synced")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_user(folder: Path) -> None:
    os.chown(folder, 12345, 12345)
    of("warning", look("data folder", at(folder)), "belongs to user 12345")


@pytest.mark.parametrize(
    ("kind", "result", "words"),
    [
        ("ext4", "ok", "ext4"),
        ("nfs4", "warning", "network"),
        ("tmpfs", "warning", "in memory"),
        ("overlay", "warning", "container"),
        (None, "ok", "not known"),
    ],
)
def test_file_systems(
    kind: str | None, result: str, words: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "file_system", lambda _: kind)
    of(result, look("file system", at(folder)), words)


def test_the_file_system_is_that_of_the_nearest_mount_point() -> None:
    mounts = [
        (Path("/"), "overlay"),
        (Path("/data"), "tmpfs"),
        (Path("/data"), "ext4"),
        (Path("/data/my share"), "nfs4"),
        (Path("/database"), "xfs"),
    ]
    assert machine.type_of(Path("/data/runs"), mounts) == "ext4"
    assert machine.type_of(Path("/data/my share/x"), mounts) == "nfs4"
    assert machine.type_of(Path("/srv"), mounts) == "overlay"
    assert machine.type_of(Path("/srv"), []) is None


def test_mounts_are_read_as_linux_and_macos_write_them() -> None:
    assert machine.linux_mounts(
        "/dev/sda1 / ext4 rw 0 0\nnas:/x /mnt/my\\040share nfs4 rw 0 0\nbroken\n"
    ) == [(Path("/"), "ext4"), (Path("/mnt/my share"), "nfs4")]
    assert machine.macos_mounts(
        "/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)\n"
        "//me@nas/x on /Volumes/My Share (smbfs, nodev, nosuid)\nmap auto_home on /home (autofs)\n"
    ) == [(Path("/"), "apfs"), (Path("/Volumes/My Share"), "smbfs"), (Path("/home"), "autofs")]


def test_too_little_room(folder: Path) -> None:
    of("problem", look("disk space", at(folder, min_free_disk_bytes="900TiB")), "free")
    of("warning", look("disk space", at(folder, inbox_max_bytes="900TiB")), "free")
    of("ok", look("disk space", at(folder)), "free")


@pytest.mark.parametrize(
    ("seconds", "result"), [(0.000_001, "warning"), (0.000_5, "ok"), (0.02, "ok"), (0.2, "warning")]
)
def test_a_sync_that_is_slow_or_too_fast_to_be_true(
    seconds: float, result: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "sync_seconds", lambda _: seconds)
    of(result, look("disk sync", at(folder)), f"{seconds * 1000:.2f} ms")


def test_a_sync_is_timed_and_leaves_nothing_behind(folder: Path) -> None:
    assert 0 < machine.sync_seconds(folder) < 10
    assert list(folder.iterdir()) == []


def test_files_from_the_future(folder: Path) -> None:
    of("ok", look("clock", at(folder)), "UTC")
    (folder / "inbox").mkdir()
    (folder / "inbox" / "1.journal").write_text("")
    os.utime(folder / "inbox" / "1.journal", (4e9, 4e9))
    of("warning", look("clock", at(folder)), "newer than that")


# -- the process and its address -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("total", "available", "result"), [(8e9, 4e9, "ok"), (8e9, 1e8, "warning"), (1e9, 9e8, "warning")]
)
def test_memory(
    total: float, available: float, result: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "memory", lambda: machine.Memory(int(total), int(available)))
    of(result, look("memory", at(folder)), "available")


def test_memory_of_this_machine_is_known() -> None:
    memory = machine.memory()
    assert memory is not None
    assert 0 <= memory.available <= memory.total


def test_too_few_open_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _: (256, 256))
    of("problem", look("limits", at(folder)), "256 open files")
    monkeypatch.setattr("resource.getrlimit", lambda _: (1024 * 1024, -1))
    of("warning", look("limits", at(folder)), "1MiB of stack")
    monkeypatch.setattr("resource.getrlimit", lambda _: (-1, -1))
    of("ok", look("limits", at(folder)), "unlimited open files, unlimited of stack")


def test_a_free_port(folder: Path) -> None:
    of("ok", look("address", at(folder)), "is free")


def test_a_port_that_a_server_of_ours_has(folder: Path) -> None:
    with answering(200) as port:
        of("ok", look("address", at(folder, port=port)), "a server answers")


def test_a_port_that_something_else_has(folder: Path) -> None:
    with answering(404) as port:
        of("problem", look("address", at(folder, port=port)), "is taken")


def test_a_port_that_answers_nonsense(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"220 mail.example.com ready\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        of("problem", look("address", at(folder, port=listener.getsockname()[1])), "is taken")
        thread.join()


def test_an_address_that_is_not_ours(folder: Path) -> None:
    of("problem", look("address", at(folder, host="203.0.113.7")), "cannot listen at 203.0.113.7")
    of("problem", look("address", at(folder, host="x" * 300)), "cannot listen at x")


# -- the stores ------------------------------------------------------------------------------------------


@contextmanager
def engine_open_in(folder: Path) -> Iterator[None]:
    """Another process has the engine open there."""
    source = str(Path(machine.__file__).parents[1])
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD_THE_ENGINE, str(folder)],
        env={**os.environ, "PYTHONPATH": source},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        yield


def test_an_engine_that_opens(folder: Path) -> None:
    (folder / "runs").mkdir()
    of("ok", look("engine", at(folder)), "opens and answers")


def test_an_engine_in_use_by_the_server_and_by_something_else(folder: Path) -> None:
    with engine_open_in(folder / "runs"):
        of("problem", look("engine", at(folder, port=1)), "in use by another process")
        with answering(200) as port:
            of("ok", look("engine", at(folder, port=port)), "in use by the server")


def test_an_engine_that_cannot_use_its_folder(folder: Path) -> None:
    (folder / "runs").mkdir()
    (folder / "runs" / "store").write_text("this should be a folder")
    (folder / "runs" / "metadata").write_text("and so should this")
    of("problem", look("engine", at(folder)), "cannot be opened")


def test_metadata_that_is_current(folder: Path) -> None:
    of("ok", look("metadata", at(folder)), "nothing stored yet")
    assert list(folder.iterdir()) == []
    made(folder)
    of("ok", look("metadata", at(folder)), "the newest")


def made(folder: Path) -> None:
    async def make() -> None:
        await (await open_meta(at(folder).meta_location)).close()

    asyncio.run(make())


def test_metadata_of_a_newer_version(folder: Path) -> None:
    made(folder)
    written(folder, "UPDATE alembic_version SET version_num = '9999'")
    of("problem", look("metadata", at(folder)), "at revision 9999")
    of("warning", look("keys", at(folder, auth="keys")), "not known")


def written(folder: Path, statement: str) -> None:
    connection = sqlite3.connect(folder / "meta.db")
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_metadata_that_is_no_database(folder: Path) -> None:
    (folder / "meta.db").write_text("this is not a database, and long enough to be looked at as one. " * 20)
    of("problem", look("metadata", at(folder)), "not a database")
    of("problem", look("keys", at(folder, auth="keys")), "cannot be read")


def test_keys(folder: Path) -> None:
    of("ok", look("keys", at(folder)), "no key is needed")
    of("problem", look("keys", at(folder, host="0.0.0.0")), "there is none")
    made(folder)
    of("problem", look("keys", at(folder, host="0.0.0.0")), "there is none")

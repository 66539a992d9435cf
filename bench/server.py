"""The server under test: a process of its own, watched from outside through /proc (Linux only)."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bench.connection import Connection

_TICK: Final = os.sysconf("SC_CLK_TCK")


class Server:
    """`stenograph serve` on a folder of its own, with settings by their variables."""

    def __init__(self, folder: Path, settings: Mapping[str, str] = {}) -> None:
        self.folder = folder
        self._settings = settings
        self.url = ""
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> float:
        """Start and wait until it answers; returns the seconds that took."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("STENOGRAPH_")
        } | dict(self._settings)
        command = [sys.executable, "-m", "stenograph", "serve", "--port", str(port)]
        command += ["--data-dir", str(self.folder), "--log-format", "json", "--log-level", "warning"]
        began = time.monotonic()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        self.url = f"http://127.0.0.1:{port}"
        while time.monotonic() - began < 120:
            if self._process.poll() is not None:
                raise RuntimeError(f"the server did not start:\n{self.log.read_text()[-2000:]}")
            try:
                with Connection(self.url) as connection:
                    if connection.get("/ok")[0] == 200:
                        return time.monotonic() - began
            except OSError:
                pass
            time.sleep(0.02)
        self.stop()
        raise RuntimeError("the server was not ready after 120 s")

    @property
    def log(self) -> Path:
        return self.folder.with_suffix(".log")

    def stop(self) -> float:
        """End it cleanly; returns the seconds that took."""
        began = time.monotonic()
        if self._process is None:
            return 0.0
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(180)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        return time.monotonic() - began

    def cpu(self) -> float:
        """CPU seconds since its start, all threads, user and system."""
        return cpu_of(self.pid)

    def memory(self) -> int:
        """Resident bytes now."""
        return self._status("VmRSS")

    def peak_memory(self) -> int:
        """The most resident bytes since its start."""
        return self._status("VmHWM")

    def _status(self, field: str) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(field):
                return int(line.split()[1]) * 1024
        raise RuntimeError(f"/proc has no {field}")

    def settle(self, seconds: float = 90) -> bool:
        """Wait until it does next to nothing: merges are over. False when it never was that quiet."""
        return wait_until_quiet(self.pid, seconds)

    def disk(self) -> int:
        """Bytes of the data folder's files, as allocated."""
        return disk_of(self.folder)

    def forget_pages(self) -> None:
        """Have the kernel drop the folder's files from the page cache, as far as they are clean."""
        for path in self.folder.rglob("*"):
            if path.is_file():
                fd = os.open(path, os.O_RDONLY)
                try:
                    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
                finally:
                    os.close(fd)


def cpu_of(pid: int) -> float:
    """CPU seconds of a process with all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def wait_until_quiet(pid: int, seconds: float) -> bool:
    """Whether within `seconds` there came three seconds with less than 5 % of one core."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        before = cpu_of(pid)
        time.sleep(3)
        if cpu_of(pid) - before < 0.15:
            return True
    return False


def disk_of(folder: Path) -> int:
    """Allocated bytes of all files below; files that vanish meanwhile count nothing."""
    total = 0
    for path in folder.rglob("*"):
        try:
            found = path.lstat()
        except FileNotFoundError:
            continue
        total += found.st_blocks * 512
    return total

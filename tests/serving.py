"""Server processes that begin with everything imported.

Importing takes most of a start, and tests start a hundred servers: so one process a test run imports the program, runs
nothing, and every server is a fork of it, which goes on as `stenograph serve` with that environment and those options.
The servers that tests share are started by the command itself (`tests/conftest.py`).
"""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Protocol


class Running(Protocol):
    """What tests use of a process; `subprocess.Popen` has it."""

    @property
    def pid(self) -> int: ...

    @property
    def returncode(self) -> int | None: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def send_signal(self, sig: int) -> None: ...

    def kill(self) -> None: ...


def commanded(arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    """`stenograph …` as people start it. What it prints is added to the log."""
    with log.open("ab") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "stenograph", *arguments], stdout=file, stderr=file, env=dict(environment)
        )


def forked(arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> Running:
    """The same from the process that has imported all of it."""
    return _Forked(arguments, environment, log)


@functools.cache
def _ready() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["stenograph.cli", "stenograph.main"])
    return context


class _Forked:
    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._process = _ready().Process(
            target=_become,
            args=(tuple(arguments), dict(environment), str(log)),
            daemon=True,  # ended with the tests, if one leaves it behind
        )
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("stenograph", timeout or 0)
        return self._process.exitcode

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, sig)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _become(arguments: tuple[str, ...], environment: dict[str, str], log: str) -> None:
    """In the fork: what a new process would find, then the command."""
    to = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(to, 1)
    os.dup2(to, 2)
    os.close(to)
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv[:] = ["stenograph", *arguments]
    from stenograph.cli import main

    main()

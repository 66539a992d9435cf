"""One real server on a real port for all tests that speak HTTP, and the clients that speak to it."""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import signal
import socket
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import hypothesis
import pytest

from tests.effort import tries
from tests.keys import issue
from tests.metadata import new_metadata
from tests.serving import Running, commanded, forked

# No test speaks TLS to anybody. Each client of theirs would read a few hundred certificates all the same: 40 ms of CPU,
# thousands of times.
os.environ.pop("SSL_CERT_FILE", None)
os.environ["SSL_CERT_DIR"] = str(Path(__file__).parent)

# Servers and commands are started often: they need not compile everything each time, whatever the environment says. Nor
# need each run of the tests rewrite all of their assertions.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# No random example has to be quick: machines do other things besides.
hypothesis.settings.register_profile("any machine", max_examples=tries(100), deadline=None)
hypothesis.settings.load_profile("any machine")

# A shell that runs this in the background has it ignore Ctrl-C, which every process would inherit that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


LONGEST = ("tests/wire/isolation/", "tests/page/", "tests/demo/", "tests/transfer/", "tests/store/")
"""Rooms with modules that take long: begun first, so that no process is left with one of them at the end."""


def pytest_xdist_auto_num_workers() -> int:
    """Two processes more than cores, since tests wait for servers and browsers; each takes 2 GB with its servers."""
    mine = getattr(os, "sched_getaffinity", None)  # Linux has it
    cores = len(mine(0)) if mine is not None else os.cpu_count() or 1
    return min(cores, 6) + 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        return next((at for at, room in enumerate(LONGEST) if item.nodeid.startswith(room)), len(LONGEST))

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """What was collected stays: the collector need not go through all of it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@dataclass
class Server:
    """A server process of the tests' own. `stop` ends it cleanly, `kill` does not; `start` brings it back.

    `by_command`: as people start it, and not faster (`tests/serving.py`)."""

    data_dir: Path
    environment: dict[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    port: int = 0
    process: Running | None = None
    by_command: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def _log(self) -> Path:
        return self.data_dir.parent / f"{self.data_dir.name}.log"

    def start(self) -> Server:
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        new_metadata(self.data_dir / "meta.db")  # each migration would take its time at each start
        self.port = self.port or free_port()
        arguments = ["serve", "--port", str(self.port), "--data-dir", str(self.data_dir)]
        arguments += ["--log-format", "json", *self.options]
        clean = {key: value for key, value in os.environ.items() if not key.startswith("STENOGRAPH_")}
        begin = commanded if self.by_command else forked
        self.process = begin(arguments, {**clean, **self.environment}, self._log)
        self.wait_until_ready()
        return self

    def wait_until_ready(self, seconds: float = 60) -> None:
        """Poll GET /ok: the promised sign of being ready."""
        assert self.process is not None
        deadline = time.monotonic() + seconds
        with httpx.Client(base_url=self.url, timeout=5) as http:
            while time.monotonic() < deadline:
                if self.process.poll() is not None:
                    raise AssertionError(
                        f"the server ended with {self.process.returncode}:\n{self.log[-4000:]}"
                    )
                with contextlib.suppress(httpx.HTTPError):
                    if http.get("/ok").status_code == 200:
                        return
                time.sleep(0.02)
        raise AssertionError(f"the server is not ready after {seconds} s:\n{self.log[-4000:]}")

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server that tests share; each test keeps to projects of its own."""
    running = Server(tmp_path_factory.mktemp("server") / "data", by_command=True).start()
    yield running
    assert running.stop() == 0, running.log[-4000:]


@pytest.fixture(scope="session")
def locked_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server that tests share who need one that asks for keys; `issue` of `tests.keys` makes them."""
    folder = tmp_path_factory.mktemp("locked-server") / "data"
    issue(folder)
    running = Server(folder, options=("--auth", "keys"), by_command=True).start()
    yield running
    assert running.stop() == 0, running.log[-4000:]


@pytest.fixture(scope="session")
def issue_key(server: Server) -> Callable[..., str]:
    """Keys of the shared server, made once each: by workspace and role."""

    @functools.cache
    def issued(workspace: str = "default", role: str = "write") -> str:
        return issue(server.data_dir, workspace, role)

    return issued


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A server for one test alone, not started yet: the test may set its environment, kill it, start it again."""
    server = Server(tmp_path / "data")
    yield server
    if server.process is not None and server.process.poll() is None:
        server.process.kill()
        server.process.wait()


@pytest.fixture
def http(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60) as client:
        yield client


@pytest.fixture
def project() -> str:
    """A project name that nobody else uses."""
    return f"project-{uuid.uuid4().hex[:12]}"

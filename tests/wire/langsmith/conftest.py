"""LangSmith's own Python client, unmodified."""

from __future__ import annotations

import functools
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator

import pytest
from langsmith import Client

from tests.conftest import Server


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the client announces its own deprecations
        found = Client(api_url=server.url, api_key="any", auto_batch_tracing=True)
        yield found
        found.flush()
        found.close()


@pytest.fixture(scope="session")
def issue_key(server: Server) -> Callable[..., str]:
    """Keys of the shared server, made once each as an operator makes them: by workspace and role."""

    @functools.cache
    def issue(workspace: str = "default", role: str = "write") -> str:
        command = [sys.executable, "-m", "stenograph", "keys", "create", "--new", "--workspace", workspace]
        command += ["--role", role, "--data-dir", str(server.data_dir)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    return issue

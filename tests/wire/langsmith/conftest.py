"""LangSmith's own Python client, unmodified."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

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

"""Julep's own Python client, unmodified."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import httpx
import pytest
from julep import Client

from tests.conftest import Server


@pytest.fixture
def julep(server: Server) -> Iterator[Client]:
    """The client as people make it, but for its six attempts. It takes answers apart strictly: a member that is absent
    or of another type than its own types say is an error."""
    with Client(
        api_key="any",
        base_url=f"{server.url}/julep",
        max_retries=0,
        _strict_response_validation=True,
    ) as client:
        yield client


@pytest.fixture
def raw(server: Server) -> Iterator[httpx.Client]:
    """The same routes without a client in between."""
    with httpx.Client(base_url=f"{server.url}/julep", timeout=60) as client:
        yield client


@pytest.fixture
def tag() -> str:
    """A value for metadata that nobody else uses."""
    return uuid.uuid4().hex

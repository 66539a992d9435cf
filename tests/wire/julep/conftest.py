"""Julep's own Python client, unmodified."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from julep import Client

from tests.conftest import Server
from tests.openai_server import ModelServer, Reply, scripted


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


@pytest.fixture(scope="session")
def answering() -> Iterator[ModelServer]:
    """The model's server that the talking server asks."""
    with scripted() as model:
        yield model


@pytest.fixture(scope="session")
def talking(answering: ModelServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a model, which lets tools call that model's host."""
    environment = {
        "STENOGRAPH_LLM_BASE_URL": answering.url,
        "STENOGRAPH_LLM_API_KEY": "sk-server",
        "STENOGRAPH_LLM_MODEL": "gpt-4o-mini",
        "STENOGRAPH_CHAT_TOOL_ROUNDS": "3",
        "STENOGRAPH_PRIVATE_HOSTS": answering.url.removeprefix("http://").removesuffix("/v1"),
    }
    running = Server(tmp_path_factory.mktemp("talking") / "data", environment).start()
    yield running
    assert running.stop() == 0, running.log[-4000:]


@pytest.fixture
def model(answering: ModelServer) -> ModelServer:
    """The same, with nothing said to it and nothing asked of it yet."""
    answering.script.clear()
    answering.asked.clear()
    answering.answer = lambda asked: Reply()
    return answering


@pytest.fixture
def chatting(talking: Server, model: ModelServer) -> Iterator[Any]:
    """Julep's client of the server with a model."""
    with client_of(talking) as client:
        yield client


def client_of(server: Server) -> Any:
    """Julep's client. By its types a chat's answer is all that it can be, whatever was asked: here none is checked."""
    return Client(
        api_key="any", base_url=f"{server.url}/julep", max_retries=0, _strict_response_validation=True
    )


@pytest.fixture
def talk(talking: Server, model: ModelServer) -> Iterator[httpx.Client]:
    """The same server's routes without a client in between."""
    with httpx.Client(base_url=f"{talking.url}/julep", timeout=60) as client:
        yield client

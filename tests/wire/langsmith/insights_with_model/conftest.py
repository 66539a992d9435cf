"""A server with a model, and the clients of it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import httpx
import pytest
from langsmith import Client

from tests.conftest import Server
from tests.openai_server import ModelServer, scripted
from tests.wire.langsmith.insights_with_model.writer import answering


@pytest.fixture(autouse=True)
def _beta() -> None:
    warnings.filterwarnings("ignore", message=".*(beta|preview).*")


def environment(model: ModelServer, **more: str) -> dict[str, str]:
    return {
        "STENOGRAPH_LLM_BASE_URL": model.url,
        "STENOGRAPH_LLM_API_KEY": "sk-test",
        "STENOGRAPH_LLM_MODEL": "gpt-4o-mini",
        "STENOGRAPH_LLM_TIMEOUT_SECONDS": "3",
        **more,
    }


@pytest.fixture(scope="module")
def asked_server() -> Iterator[ModelServer]:
    with scripted() as found:
        yield found


@pytest.fixture(scope="module")
def writing(tmp_path_factory: pytest.TempPathFactory, asked_server: ModelServer) -> Iterator[Server]:
    found = Server(tmp_path_factory.mktemp("writing") / "data", environment(asked_server)).start()
    yield found
    assert found.stop() == 0, found.log[-4000:]


@pytest.fixture
def model(asked_server: ModelServer) -> ModelServer:
    """With nothing asked of it yet, and sensible answers."""
    asked_server.script.clear()
    asked_server.asked.clear()
    asked_server.answer = answering
    return asked_server


@pytest.fixture
def http(writing: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=writing.url, timeout=60) as client:
        yield client


@pytest.fixture
def client(writing: Server) -> Iterator[Client]:
    made = Client(api_url=writing.url, api_key="any", auto_batch_tracing=False)
    yield made
    made.close()

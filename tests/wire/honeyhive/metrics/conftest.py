"""A server that may run evaluators in Python and asks a scripted model, and HoneyHive's clients for it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from honeyhive import HoneyHive

from tests.conftest import Server
from tests.openai_server import ModelServer, Reply, scripted
from tests.wire.honeyhive.conftest import PREFIX


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    """Rates everything four, unless a test says otherwise."""
    with scripted() as found:
        found.answer = lambda asked: Reply(text="It is good. [[4]]")
        yield found


def environment(model: ModelServer, **more: str) -> dict[str, str]:
    return {
        "STENOGRAPH_LLM_BASE_URL": model.url,
        "STENOGRAPH_LLM_API_KEY": "sk-test",
        "STENOGRAPH_PYTHON_EVALUATORS": "true",
        **more,
    }


@pytest.fixture(scope="module")
def evaluating(tmp_path_factory: pytest.TempPathFactory, model: ModelServer) -> Iterator[Server]:
    found = Server(tmp_path_factory.mktemp("evaluating") / "data", environment(model)).start()
    yield found
    assert found.stop() == 0, found.log[-4000:]


@pytest.fixture
def hive(evaluating: Server) -> HoneyHive:
    """HoneyHive's own Python client."""
    return HoneyHive(api_key="any", base_url=evaluating.url + PREFIX, timeout=60)


@pytest.fixture
def hh(evaluating: Server) -> Iterator[httpx.Client]:
    """The face without a client of its own."""
    with httpx.Client(base_url=evaluating.url + PREFIX, timeout=60) as client:
        yield client

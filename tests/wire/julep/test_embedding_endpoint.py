"""A server whose docs are embedded by an endpoint, through Julep's client: taken while it is away, anew for another
model."""

from __future__ import annotations

import json
import time

import pytest
from julep import Client, InternalServerError

from tests.conftest import Server
from tests.openai_server import Asked, Reply, scripted


def knowing(asked: Asked) -> Reply:
    """Cats and dogs, by a vector of as many dimensions as the model's name says."""
    size = int(asked.body["model"][-1])
    data = [
        {"index": place, "embedding": [float("cat" in text), float("cat" not in text), *[0.0] * (size - 2)]}
        for place, text in enumerate(asked.body["input"])
    ]
    return Reply(raw=json.dumps({"data": data}).encode())


def wait_for_vectors(client: Client, doc: str, model: str, size: int) -> None:
    latest = time.monotonic() + 120
    while True:
        found = client.docs.get(doc)
        if found.embedding_model == model and found.embeddings:
            assert found.embedding_dimensions == size
            return
        assert time.monotonic() < latest, found


def test_docs_through_an_outage_and_a_change_of_the_model(own_server: Server) -> None:
    away = Reply(text="overloaded", status=503, headers={"x-should-retry": "false"})
    with scripted() as model:
        own_server.environment |= {
            "STENOGRAPH_EMBEDDING_BASE_URL": model.url,
            "STENOGRAPH_EMBEDDING_API_KEY": "secret-key",
            "STENOGRAPH_EMBEDDING_MODEL": "small-2",
        }
        model.answer = lambda asked: away
        own_server.start()
        with Client(
            api_key="any", base_url=f"{own_server.url}/julep", max_retries=0, _strict_response_validation=True
        ) as julep:
            agent = julep.agents.create(name="Ada")
            cat = julep.agents.docs.create(agent.id, title="", content="a cat")
            julep.agents.docs.create(agent.id, title="", content="a dog")
            found = julep.agents.docs.search(agent.id, text="cat").docs
            assert [(each.snippet.content, each.snippet.embedding) for each in found] == [("a cat", None)]
            with pytest.raises(InternalServerError, match="overloaded") as caught:
                julep.docs.embed(text="a cat")
            assert caught.value.status_code == 503
            model.answer = knowing
            wait_for_vectors(julep, cat.id, "small-2", 2)
            assert julep.docs.embed(text="my cat").vectors == [[1.0, 0.0]]
            near = julep.agents.docs.search(agent.id, vector=[1.0, 0.0], confidence=0.5).docs
            assert [each.snippet.content for each in near] == ["a cat"]
            assert own_server.stop() == 0

            own_server.environment["STENOGRAPH_EMBEDDING_MODEL"] = "large-3"
            own_server.start()
            wait_for_vectors(julep, cat.id, "large-3", 3)
            near = julep.agents.docs.search(agent.id, vector=[1.0, 0.0, 0.0], confidence=0.5).docs
            assert [each.snippet.content for each in near] == ["a cat"]
        assert own_server.stop() == 0
        assert "docs have their vectors" in own_server.log
        assert "secret-key" not in own_server.log
        assert {asked.headers["authorization"] for asked in model.asked} == {"Bearer secret-key"}

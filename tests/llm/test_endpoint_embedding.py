"""Vectors by an OpenAI-compatible embeddings endpoint, on real HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator

import numpy as np
import pytest

from stenograph.errors import ModelRefused, ModelUnavailable
from stenograph.llm.client import Models
from stenograph.llm.embedding import LocalEmbedder, Vectors
from stenograph.llm.endpoint import Endpoint
from stenograph.llm.endpoint_embedding import EndpointEmbedder, of_settings
from stenograph.settings import Settings, SettingsError, read_settings
from tests.openai_server import Asked, ModelServer, Reply, scripted


def replying(vector: Callable[[str], list[float]]) -> Callable[[Asked], Reply]:
    """A server whose model is this function."""

    def answer(asked: Asked) -> Reply:
        data = [{"index": place, "embedding": vector(text)} for place, text in enumerate(asked.body["input"])]
        return Reply(raw=json.dumps({"data": data[::-1]}).encode())

    return answer


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with scripted() as found:
        found.answer = replying(lambda text: [float(len(text)), 2.0, 2.0])
        yield found


def asking(
    server: ModelServer, work: Callable[[EndpointEmbedder], Awaitable[Vectors]], *, dimensions: int = 0
) -> Vectors:
    async def scenario() -> Vectors:
        models = Models(None, seconds=20)
        where = Endpoint(server.url, "key", trusted=True)
        try:
            return await work(EndpointEmbedder(models, where, "m", dimensions=dimensions))
        finally:
            await models.close()

    return asyncio.run(scenario())


def test_vectors_have_length_one_and_the_order_of_their_texts(server: ModelServer) -> None:
    texts = ["x" * number for number in range(70)]
    found = asking(server, lambda embedder: embedder.embed(texts))
    assert found.shape == (70, 3)
    assert found.dtype == np.float32
    assert np.allclose(np.linalg.norm(found, axis=1), 1)
    assert np.allclose(found[4], [4 / np.sqrt(24), 2 / np.sqrt(24), 2 / np.sqrt(24)])
    assert [len(asked.body["input"]) for asked in server.asked] == [32, 32, 6]
    first = server.asked[0]
    assert (first.path, first.headers["authorization"]) == ("/v1/embeddings", "Bearer key")
    assert (first.body["model"], first.body["input"][0], "dimensions" in first.body) == ("m", " ", False)


def test_no_texts_are_not_asked_for(server: ModelServer) -> None:
    assert asking(server, lambda embedder: embedder.embed([])).shape[0] == 0
    assert server.asked == []


def test_dimensions_are_asked_for_and_cut_where_a_server_does_not_heed_them(server: ModelServer) -> None:
    async def work(embedder: EndpointEmbedder) -> Vectors:
        assert embedder.dimensions == 2
        return await embedder.embed(["abc"])

    found = asking(server, work, dimensions=2)
    assert np.allclose(found, [[3 / np.sqrt(13), 2 / np.sqrt(13)]])
    assert server.asked[0].body["dimensions"] == 2
    with pytest.raises(ModelRefused, match=r"have 3 dimensions.*STENOGRAPH_EMBEDDING_DIMENSIONS"):
        asking(server, lambda embedder: embedder.embed(["abc"]), dimensions=4)


def test_the_models_own_length_is_learnt_and_has_to_stay(server: ModelServer) -> None:
    async def work(embedder: EndpointEmbedder) -> Vectors:
        assert embedder.dimensions == 0
        await embedder.embed(["a"])
        assert embedder.dimensions == 3
        server.answer = replying(lambda text: [1.0, 2.0])
        return await embedder.embed(["a"])

    with pytest.raises(ModelRefused, match="STENOGRAPH_EMBEDDING_REVISION"):
        asking(server, work)


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply(raw=b'{"data":[{"embedding":[]}]}'), "lengths"),
        (Reply(raw=b'{"data":[]}'), "0 vectors for 1"),
        (Reply(raw=b'{"data":[{"embedding":[1e300,1]}]}'), "numbers"),
        (Reply(raw=b'{"data":[{"embedding":[1'), "no answer"),
    ],
)
def test_answers_that_are_no_vectors(server: ModelServer, reply: Reply, message: str) -> None:
    server.script.append(reply)
    with pytest.raises(ModelUnavailable, match=message):
        asking(server, lambda embedder: embedder.embed(["a"]))


def test_a_vector_of_noughts_stays_one(server: ModelServer) -> None:
    server.answer = replying(lambda text: [0.0, 0.0])
    assert asking(server, lambda embedder: embedder.embed(["a"])).tolist() == [[0.0, 0.0]]


def test_the_name_tells_models_apart() -> None:
    models, where = Models(None, seconds=1), Endpoint("http://localhost/v1")
    names = [
        EndpointEmbedder(models, where, "m", dimensions=dimensions, revision=revision).model
        for dimensions, revision in ((0, ""), (256, ""), (0, "2"), (256, "2"))
    ]
    assert names == ["m", "m@256d", "m@2", "m@2-256d"]


def settings(**given: object) -> Settings:
    return read_settings({"llm_base_url": "", "llm_api_key": "", **given})


def test_where_the_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    models = Models(None, seconds=1)

    def asked(**given: object) -> tuple[str, str]:
        found = of_settings(settings(embedding_model="m", **given), models)
        assert isinstance(found, EndpointEmbedder)
        assert found._endpoint.trusted
        return found._endpoint.base_url, found._endpoint.api_key

    assert isinstance(of_settings(settings(), models), LocalEmbedder)
    assert asked(llm_base_url="http://a/v1", llm_api_key="k") == ("http://a/v1", "k")
    assert asked(llm_base_url="http://a/v1", llm_api_key="k", embedding_base_url="http://b/v1") == (
        "http://b/v1",
        "",
    )
    assert asked(embedding_api_key="e", llm_base_url="http://a/v1") == ("https://api.openai.com/v1", "e")
    with pytest.raises(SettingsError, match="EMBEDDING_BASE_URL"):
        settings(embedding_model="m")
    with pytest.raises(SettingsError, match="EMBEDDING_MODEL"):
        settings(embedding_base_url="http://b/v1")
    with pytest.raises(SettingsError, match="word"):
        settings(embedding_revision="two words")

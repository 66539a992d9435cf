"""Docs whose vectors come later: an endpoint that is away, refuses or is slow; another model."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from stenograph.domain.recall.docs import Docs
from stenograph.domain.recall.search import Recall
from stenograph.domain.recall.shelves import Shelves
from stenograph.llm.client import Models
from stenograph.llm.endpoint import Endpoint
from stenograph.llm.endpoint_embedding import EndpointEmbedder
from stenograph.model.access import DEFAULT_WORKSPACE as W
from stenograph.model.docs import Owner, OwnerKind, Search
from stenograph.store.meta.database import Database, open_meta
from tests.domain.recall.owners import owner_in
from tests.openai_server import Asked, ModelServer, Reply, scripted

CAT, DOG = (1.0, 0.0), (0.0, 1.0)


def knowing(asked: Asked) -> Reply:
    """A model that tells cats from everything else."""
    data = [
        {"index": place, "embedding": CAT if "cat" in text else DOG}
        for place, text in enumerate(asked.body["input"])
    ]
    return Reply(raw=json.dumps({"data": data}).encode())


AWAY = Reply(text="overloaded", status=503, headers={"x-should-retry": "false"})


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with scripted() as server:
        server.answer = knowing
        yield server


@dataclass
class Library:
    meta: Database
    owner: Owner
    docs: Docs
    recall: Recall
    embedder: EndpointEmbedder

    async def found(self, **search: object) -> list[str]:
        hits = await self.recall.search(Search(workspace=W, owners=(self.owner,), **search))  # type: ignore[arg-type]
        return sorted(hit.chunk.content for hit in hits)

    async def complete(self) -> None:
        async with asyncio.timeout(30):
            while await self.meta.docs.count_without_vector(self.embedder.model):
                await asyncio.sleep(0)


@asynccontextmanager
async def library(
    folder: Path, model: ModelServer, *names: str, patience: float = 30.0
) -> AsyncIterator[list[Library]]:
    """One store as several models see it, one after the other."""
    meta = await open_meta(f"sqlite:///{folder / 'meta.db'}")
    models = Models(None, seconds=20)
    owner = await owner_in(meta, OwnerKind.AGENT)
    made = []
    for name in names:
        embedder = EndpointEmbedder(models, Endpoint(model.url, trusted=True), name, dimensions=2)
        docs = Docs(meta.docs, embedder, patience=patience, pause=0.01)
        made.append(
            Library(meta, owner, docs, Recall(meta.docs, Shelves(meta.docs, 1 << 20), embedder), embedder)
        )
    try:
        yield made
    finally:
        for each in made:
            await each.docs.stop()
        await models.close()
        await meta.close()


def test_docs_are_taken_while_the_model_is_away_and_get_their_vectors_when_it_is_back(
    tmp_path: Path, model: ModelServer
) -> None:
    async def scenario() -> None:
        model.answer = lambda asked: AWAY
        async with library(tmp_path, model, "m") as (at,):
            await at.docs.start()
            with capture_logs() as logs:
                for text in ("a cat", "a dog"):
                    await at.docs.create(W, at.owner, "", [text], b"{}")
                assert await at.found(text="cat") == ["a cat"]  # by words at once
                assert await at.found(vector=CAT) == []
                model.answer = knowing
                await at.complete()
            assert await at.found(vector=CAT, confidence=0.5) == ["a cat"]
            assert "docs wait for their vectors" in {line["event"] for line in logs}
            after = await at.docs.create(W, at.owner, "", ["a cat again"], b"{}")
            assert after.vectors != (None,)  # it is asked at once again

    asyncio.run(scenario())


def test_a_doc_does_not_wait_longer_than_it_has_patience(tmp_path: Path, model: ModelServer) -> None:
    async def scenario() -> None:
        gate = threading.Event()
        model.script.append(Reply(gate=gate, raw=b"{}"))
        async with library(tmp_path, model, "m", patience=0.05) as (at,):
            made = await at.docs.create(W, at.owner, "", ["a cat"], b"{}")
            assert made.vectors == (None,)
            gate.set()
            await at.docs.start()
            await at.complete()
            assert await at.found(vector=CAT, confidence=0.5) == ["a cat"]

    asyncio.run(scenario())


def test_another_model_embeds_all_anew_and_searches_stay_right_meanwhile(
    tmp_path: Path, model: ModelServer
) -> None:
    async def scenario() -> None:
        async with library(tmp_path, model, "old", "new") as (old, new):
            for number in range(50):
                await old.docs.create(W, old.owner, "", [f"cat {number}"], b"{}")
            gate = threading.Event()
            model.script.extend([knowing_later(32), Reply(gate=gate, text="slow", status=503)])
            before = len(model.asked)
            await new.docs.start()
            async with asyncio.timeout(30):
                while await new.meta.docs.count_without_vector("new@2d") != 18:
                    await asyncio.sleep(0)
                while (
                    len(model.asked) < before + 2
                ):  # the slow answer is for the next of these, not for what follows
                    await asyncio.sleep(0)
            # the first 32 are the new model's: those alone are compared with its vectors, words find all
            assert await new.found(vector=CAT, limit=50) == sorted(f"cat {number}" for number in range(32))
            assert len(await new.found(text="cat", limit=50)) == 50
            assert len(await new.found(text="cat", vector=CAT, limit=50)) == 50
            assert len(await old.found(vector=CAT, limit=50)) == 50 - 32
            late = await new.docs.create(W, new.owner, "", ["cat 50"], b"{}")
            assert late.model == "new@2d"
            hits = await new.recall.search(Search(workspace=W, owners=(new.owner,), text="cat", limit=50))
            assert {hit.chunk.vector is None for hit in hits} == {
                True,
                False,
            }  # none of the old model's is shown
            with capture_logs() as logs:
                gate.set()
                async with asyncio.timeout(30):
                    while not (done := [line for line in logs if line["event"] == "docs have their vectors"]):
                        await asyncio.sleep(0)
            assert len(await new.found(vector=CAT, limit=51)) == 51
            assert (done[-1]["model"], done[-1]["chunks"]) == ("new@2d", 50)

    asyncio.run(scenario())


def knowing_later(count: int) -> Reply:
    data = [{"index": place, "embedding": CAT} for place in range(count)]
    return Reply(raw=json.dumps({"data": data}).encode())


def test_a_text_that_is_refused_holds_up_no_other(tmp_path: Path, model: ModelServer) -> None:
    def picky(asked: Asked) -> Reply:
        refused = any("odd" in text for text in asked.body["input"])
        return Reply(text="this text is too odd", status=400) if refused else knowing(asked)

    async def scenario() -> None:
        model.answer = picky
        async with library(tmp_path, model, "m") as (at,):
            await at.docs.start()
            for text in ("a cat", "an odd cat", "another cat"):
                await at.docs.create(W, at.owner, "", [text], b"{}")
            await at.docs.stop()
            again = Docs(
                at.meta.docs, EndpointEmbedder(at.embedder._models, at.embedder._endpoint, "n", dimensions=2)
            )
            with capture_logs() as logs:
                await again.start()
                async with asyncio.timeout(30):
                    while await at.meta.docs.count_without_vector("n@2d") != 1:
                        await asyncio.sleep(0)
                    while not any(line["event"] == "docs have their vectors" for line in logs):
                        await asyncio.sleep(0)
                await again.stop()
            told = [line for line in logs if line["event"] == "a chunk gets no vector"]
            assert len(told) == 1
            assert "too odd" in told[0]["reason"]
            assert await at.found(text="odd") == ["an odd cat"]

    asyncio.run(scenario())


def test_a_key_that_is_wrong_is_waited_out(tmp_path: Path, model: ModelServer) -> None:
    async def scenario() -> None:
        async with library(tmp_path, model, "m") as (at,):
            model.script.extend([Reply(text="no such key", status=401)] * 4)
            await at.docs.create(W, at.owner, "", ["a cat"], b"{}")
            with capture_logs() as logs:
                await at.docs.start()
                await at.complete()
            assert sum("no such key" in line.get("reason", "") for line in logs) == 3
            assert await at.found(vector=CAT, confidence=0.5) == ["a cat"]

    asyncio.run(scenario())

"""Docs over the real store and the real model: what is written is found, what is gone is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import numpy as np
import pytest

from stenograph.domain.recall.docs import Docs
from stenograph.domain.recall.search import Recall
from stenograph.domain.recall.shelves import Shelves
from stenograph.errors import Conflict, Invalid, NotFound, StoreUnavailable
from stenograph.llm.embedding import LocalEmbedder, Vectors
from stenograph.model import listing
from stenograph.model.access import DEFAULT_WORKSPACE
from stenograph.model.docs import DocQuery, Owner, OwnerKind, Search
from stenograph.store.meta.database import Database, open_meta
from tests.domain.recall.owners import owner_in
from tests.metadata import new_metadata

W = DEFAULT_WORKSPACE


class Broken:
    """An embedder that is away, then back."""

    model = "broken@1"
    dimensions = 2

    def __init__(self) -> None:
        self.away = True

    async def embed(self, texts: Sequence[str]) -> Vectors:
        if self.away:
            raise StoreUnavailable("the model is away")
        return np.array([[1.0, 0.0] if "cat" in text else [0.0, 1.0] for text in texts], np.float32)


@asynccontextmanager
async def library(folder: Path) -> AsyncIterator[tuple[Database, Docs, Recall, Owner]]:
    meta = await open_meta(new_metadata(folder / "meta.db"))
    embedder = LocalEmbedder()
    owner = await owner_in(meta, OwnerKind.AGENT)
    yield meta, Docs(meta.docs, embedder), Recall(meta.docs, Shelves(meta.docs, 1 << 26), embedder), owner
    await meta.close()


def asked(owner: Owner, text: str, **more: object) -> Search:
    return Search(workspace=W, owners=(owner,), text=text, **more)  # type: ignore[arg-type]


def test_what_is_written_is_found_at_once_and_what_is_deleted_is_not(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with library(tmp_path) as (_, docs, recall, owner):
            first = await docs.create(W, owner, "Cats", ["Cats purr when they are content."], b"{}")
            await docs.create(W, owner, "Dogs", ["Dogs wag their tails."], b"{}")
            vector = await recall.vector("a feline is happy")
            by_meaning = Search(workspace=W, owners=(owner,), vector=vector)
            assert (await recall.search(by_meaning))[0].chunk.doc_id == first.id
            assert [hit.chunk.title for hit in await recall.search(asked(owner, "contents"))] == ["Cats"]
            await docs.delete(W, owner, first.id)
            assert [hit.chunk.title for hit in await recall.search(by_meaning)] == ["Dogs"]
            assert await recall.search(asked(owner, "contents")) == []
            with pytest.raises(NotFound):
                await docs.delete(W, owner, first.id)

    asyncio.run(scenario())


def test_titles_count_and_accents_and_forms_do_not_matter(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with library(tmp_path) as (_, docs, recall, owner):
            await docs.create(W, owner, "Café opening hours", ["From nine to five."], b"{}")
            await docs.create(W, owner, "Other", ["Nothing about cafes, but they open."], b"{}")
            hits = await recall.search(asked(owner, "cafe opens"))
            assert [hit.chunk.title for hit in hits] == ["Café opening hours", "Other"]
            assert 0 < hits[0].distance < hits[1].distance < 1

    asyncio.run(scenario())


def test_words_that_are_nearly_right_are_found_when_asked_for(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with library(tmp_path) as (_, docs, recall, owner):
            await docs.create(W, owner, "", ["A warranty covers defects."], b"{}")
            assert await recall.search(asked(owner, "warrenty")) == []
            assert len(await recall.search(asked(owner, "warrenty", fuzziness=0.25))) == 1
            assert await recall.search(asked(owner, "warrenty", fuzziness=0.9)) == []

    asyncio.run(scenario())


def test_metadata_narrows_before_ranking_in_every_mode(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with library(tmp_path) as (_, docs, recall, owner):
            for number in range(30):
                metadata = b'{"n":%d,"deep":{"tags":["x","y"],"even":%s}}' % (
                    number, b"true" if number % 2 == 0 else b"false"
                )  # fmt: skip
                await docs.create(
                    W, owner, f"Note {number}", [f"The weather report number {number}."], metadata
                )
            vector = await recall.vector("weather")
            for wanted, count in (
                (b'{"n":7}', 1), (b'{"n":7.0}', 1), (b'{"n":"7"}', 1), (b'{"deep":{"even":true}}', 10),
                (b'{"deep":{"tags":["y"]}}', 10), (b'{"deep":{"tags":["z"]}}', 0), (b'{"n":null}', 0),
            ):  # fmt: skip
                tests = listing.tests_of_object(msgspec.json.decode(wanted))
                for text, near in (("weather report", None), (None, vector), ("weather report", vector)):
                    search = Search(
                        workspace=W,
                        owners=(owner,),
                        text=text,
                        vector=near,
                        tests=tests,
                        reach=1,
                    )
                    assert len(await recall.search(search)) == count, (wanted, text)

    asyncio.run(scenario())


def test_confidence_is_the_least_cosine(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with library(tmp_path) as (_, docs, recall, owner):
            await docs.create(W, owner, "", ["Refunds are paid within five days."], b"{}")
            await docs.create(W, owner, "", ["The moon is made of rock."], b"{}")
            vector = await recall.vector("when are refunds paid")
            hits = await recall.search(Search(workspace=W, owners=(owner,), vector=vector, confidence=0.5))
            assert len(hits) == 1
            assert hits[0].distance < 0.5

    asyncio.run(scenario())


def test_variety_works_on_what_the_store_holds(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with library(tmp_path) as (_, docs, recall, owner):
            for number in range(4):
                await docs.create(W, owner, "", [f"Refunds take five working days, rule {number}."], b"{}")
            await docs.create(
                W, owner, "", ["Refunds need the original receipt and an unused article."], b"{}"
            )
            vector = await recall.vector("refunds take how many days")
            near = Search(workspace=W, owners=(owner,), vector=vector, limit=2)
            texts = [hit.chunk.content for hit in await recall.search(near)]
            assert all("rule" in text for text in texts)
            varied = Search(workspace=W, owners=(owner,), vector=vector, limit=2, mmr_strength=0.7)
            texts = [hit.chunk.content for hit in await recall.search(varied)]
            assert "rule" in texts[0]
            assert "receipt" in texts[1]

    asyncio.run(scenario())


def test_the_same_doc_twice_is_a_conflict_for_one_owner_only(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with library(tmp_path) as (meta, docs, _, owner):
            await docs.create(W, owner, "T", ["same"], b"{}")
            with pytest.raises(Conflict, match="already"):
                await docs.create(W, owner, "T", ["same"], b'{"other":1}')
            await docs.create(W, owner, "T", ["sa", "me"], b"{}")
            other = await owner_in(meta, OwnerKind.USER)
            await docs.create(W, other, "T", ["same"], b"{}")
            page = await docs.page(DocQuery(workspace=W, owner=owner))
            assert [doc.content for doc in page] == [("sa", "me"), ("same",)]
            assert await docs.delete_matching(W, owner, listing.tests_of_object({"no": 1})) == []
            assert len(await docs.delete_matching(W, owner, ())) == 2
            assert len(await docs.page(DocQuery(workspace=W, owner=other))) == 1

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("title", "content", "message"),
    [("x" * 801, ["a"], "800"), ("", [], "content"), ("", ["", "  "], "content"), ("", ["a\0b"], "NUL")],
)
def test_what_cannot_be_a_doc_is_refused_with_the_reason(
    tmp_path: Path, title: str, content: list[str], message: str
) -> None:
    async def scenario() -> None:
        async with library(tmp_path) as (_, docs, _recall, owner):
            with pytest.raises(Invalid, match=message):
                await docs.create(W, owner, title, content, b"{}")

    asyncio.run(scenario())


def test_a_vector_of_another_model_is_refused_with_both_sizes(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with library(tmp_path) as (_, _docs, recall, owner):
            with pytest.raises(Invalid, match="3 dimensions.*384"):
                await recall.search(Search(workspace=W, owners=(owner,), vector=(1.0, 2.0, 3.0)))
            with pytest.raises(Invalid, match="finite"):
                await recall.search(Search(workspace=W, owners=(owner,), vector=(float("nan"),) * 384))

    asyncio.run(scenario())


def test_docs_wait_for_a_model_that_is_away_and_are_embedded_anew_for_another(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with library(tmp_path) as (meta, first, _, owner):
            await first.create(W, owner, "", ["a cat"], b"{}")  # by the local model
            model = Broken()
            docs = Docs(meta.docs, model)
            await docs.create(W, owner, "", ["a dog", "another cat"], b"{}")
            assert len(await meta.docs.without_vector(model.model, 10)) == 3
            model.away = False
            await docs.start()
            async with asyncio.timeout(20):
                while await meta.docs.without_vector(model.model, 10):
                    await asyncio.sleep(0)
            await docs.stop()
            recall = Recall(meta.docs, Shelves(meta.docs, 1 << 20), model)
            hits = await recall.search(
                Search(workspace=W, owners=(owner,), vector=(1.0, 0.0), confidence=0.5)
            )
            assert sorted(hit.chunk.content for hit in hits) == ["a cat", "another cat"]

    asyncio.run(scenario())


def test_shelves_stay_within_their_budget_and_see_what_another_process_writes(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with library(tmp_path) as (meta, docs, _, owner):
            shelves = Shelves(meta.docs, 384 * 4 * 2)  # room for two vectors
            embedder = LocalEmbedder()
            recall = Recall(meta.docs, shelves, embedder)
            other = await owner_in(meta, OwnerKind.USER)
            vector = await recall.vector("cat")
            for each in (owner, other):
                for number in range(2):
                    await docs.create(W, each, "", [f"cat {number}"], b"{}")
                assert len(await recall.search(Search(workspace=W, owners=(each,), vector=vector))) == 2
            elsewhere = await open_meta(f"sqlite:///{tmp_path / 'meta.db'}")
            late = await Docs(elsewhere.docs, embedder).create(W, owner, "", ["cat 3"], b"{}")
            both = Search(workspace=W, owners=(owner, other), vector=vector)
            assert len(await recall.search(both)) == 5
            await elsewhere.docs.delete(W, owner, [late.id])
            assert len(await recall.search(both)) == 4
            await elsewhere.close()

    asyncio.run(scenario())

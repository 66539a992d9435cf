"""How well docs are found: by words, by meaning, by both. The floors are what plain BM25 and the same embeddings alone
came to on newsgroup posts, where a part of a post was to be found by another: recall at 10 of 0.47 and 0.58, mean
reciprocal rank of 0.34 and 0.41. Half of the questions here share hardly a word with their passage."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from stenograph.domain.recall.docs import Docs
from stenograph.domain.recall.search import Recall
from stenograph.domain.recall.shelves import Shelves
from stenograph.llm.embedding import LocalEmbedder
from stenograph.model.access import DEFAULT_WORKSPACE
from stenograph.model.docs import Owner, OwnerKind, Search
from stenograph.store.meta.database import open_meta
from tests.domain.recall.corpus import PASSAGES
from tests.domain.recall.owners import owner_in
from tests.metadata import new_metadata

MODES = ("words", "meaning", "both")


@asynccontextmanager
async def desk(folder: Path) -> AsyncIterator[tuple[Recall, Owner, dict[UUID, str]]]:
    """The passages as docs of one agent."""
    meta = await open_meta(new_metadata(folder / "meta.db"))
    embedder = LocalEmbedder()
    docs = Docs(meta.docs, embedder)
    owner = await owner_in(meta, OwnerKind.AGENT)
    names = {}
    for name, (passage, _, _) in PASSAGES.items():
        doc = await docs.create(DEFAULT_WORKSPACE, owner, "", [passage], b"{}")
        names[doc.id] = name
    yield Recall(meta.docs, Shelves(meta.docs, 1 << 28), embedder), owner, names
    await meta.close()


async def ranks(recall: Recall, owner: Owner, names: dict[UUID, str], which: int, mode: str) -> list[int]:
    """For each passage the place, from 1, at which its question finds it; 0 when not among the first ten."""
    found = []
    for name, texts in PASSAGES.items():
        question = texts[which]
        search = Search(
            workspace=DEFAULT_WORKSPACE,
            owners=(owner,),
            text=question if mode != "meaning" else None,
            vector=await recall.vector(question) if mode != "words" else None,
        )
        order = [names[hit.chunk.doc_id] for hit in await recall.search(search)]
        found.append(order.index(name) + 1 if name in order else 0)
    return found


def mean_reciprocal_rank(places: list[int]) -> float:
    return sum(1 / place for place in places if place) / len(places)


def recall_at_ten(places: list[int]) -> float:
    return sum(place > 0 for place in places) / len(places)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[float, float, float]]:
    """By mode: mean reciprocal rank in the passage's words, in other words, and recall at 10 of all."""

    async def measure() -> dict[str, tuple[float, float, float]]:
        async with desk(tmp_path_factory.mktemp("desk")) as (recall, owner, names):
            told = {}
            for mode in MODES:
                own = await ranks(recall, owner, names, 1, mode)
                other = await ranks(recall, owner, names, 2, mode)
                told[mode] = (
                    mean_reciprocal_rank(own), mean_reciprocal_rank(other), recall_at_ten(own + other)
                )  # fmt: skip
            return told

    return asyncio.run(measure())


def test_a_question_in_a_passages_own_words_finds_it_first(
    measured: dict[str, tuple[float, float, float]],
) -> None:
    assert all(measured[mode][0] > 0.9 for mode in MODES), measured


def test_meaning_finds_what_was_said_in_other_words(measured: dict[str, tuple[float, float, float]]) -> None:
    assert measured["meaning"][1] > 0.65 > measured["words"][1], measured


def test_both_together_find_what_either_does(measured: dict[str, tuple[float, float, float]]) -> None:
    overall = {mode: (own + other) / 2 for mode, (own, other, _) in measured.items()}
    assert overall["both"] > overall["words"] + 0.1, measured
    assert overall["both"] > 0.7, measured
    assert measured["both"][2] > 0.93 < measured["meaning"][2], measured
    assert measured["words"][2] > 0.58


def test_passages_of_another_owner_are_not_found(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with desk(tmp_path) as (recall, _, _names):
            stranger = Owner(OwnerKind.USER, uuid4())
            vector = await recall.vector("refund")
            search = Search(workspace=DEFAULT_WORKSPACE, owners=(stranger,), text="refund", vector=vector)
            assert await recall.search(search) == []

    asyncio.run(scenario())

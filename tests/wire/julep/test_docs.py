"""Docs and searching them through Julep's own Python client, which takes answers apart strictly."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from julep import (
    APIStatusError,
    BadRequestError,
    Client,
    ConflictError,
    NotFoundError,
    UnprocessableEntityError,
)
from julep.types import Doc

from stenograph.llm.embedding import LOCAL_DIMENSIONS, LOCAL_MODEL
from tests.effort import tries

NOTES = {
    "Refunds": "Refunds are paid within five working days after the parcel is back.",
    "Returns": "Parcels may be sent back within thirty days, in their box.",
    "Opening hours": "The shop opens at nine and closes at six, except on Sundays.",
    "Parking": "Cars can be left behind the house; bicycles at the front door.",
}


class Owner:
    """An agent or a user, and what a client does with its docs."""

    def __init__(self, client: Client, kind: str) -> None:
        self.kind = kind
        own: Any = client.agents.create(name="Ada") if kind == "agent" else client.users.create(name="Bob")
        self.id: str = own.id
        self.docs: Any = (client.agents if kind == "agent" else client.users).docs

    def create(self, title: str, content: str | list[str], **more: Any) -> Doc:
        made: Doc = self.docs.create(self.id, title=title, content=content, **more)
        return made

    def titles(self, **search: Any) -> list[str]:
        return [each.title for each in self.docs.search(self.id, **search).docs]


@pytest.fixture(params=["agent", "user"])
def owner(julep: Client, request: pytest.FixtureRequest) -> Owner:
    return Owner(julep, request.param)


@pytest.fixture
def desk(owner: Owner) -> Owner:
    """With the notes, each with its number and whether that is even."""
    for number, (title, text) in enumerate(NOTES.items()):
        owner.create(title, text, metadata={"n": number, "deep": {"even": number % 2 == 0}})
    return owner


@pytest.fixture
def near(julep: Client) -> Callable[[str], list[float]]:
    return lambda text: julep.docs.embed(text=text).vectors[0]


# -- docs ------------------------------------------------------------------------------------------------


def test_a_doc_comes_back_as_it_was_made(julep: Client, owner: Owner) -> None:
    made = owner.create(
        "T", ["first chunk", "second chunk"], metadata={"a": {"b": 1}}, embed_instruction="Note:"
    )
    assert (made.title, made.content, made.metadata) == (
        "T",
        ["first chunk", "second chunk"],
        {"a": {"b": 1}},
    )
    assert (made.embedding_model, made.embedding_dimensions) == (LOCAL_MODEL, LOCAL_DIMENSIONS)
    assert (made.modality, made.language, made.embeddings) == ("text", "english", None)
    read = julep.docs.get(made.id)
    assert read.embeddings is not None
    assert [len(each) for each in read.embeddings if isinstance(each, list)] == [LOCAL_DIMENSIONS] * 2
    assert read.model_copy(update={"embeddings": None}) == made
    assert julep.docs.get(made.id, include_embeddings=False) == made
    single = owner.create("One", "a text")
    assert single.content == ["a text"]


def test_long_texts_are_cut_between_sentences_and_lose_nothing(owner: Owner) -> None:
    text = " ".join(f"This is sentence number {number} of the text." for number in range(100))
    made = owner.create("Long", text)
    assert len(made.content) > 3
    assert "".join(made.content) == text
    assert all(piece.rstrip().endswith(".") for piece in made.content)


def test_lists_are_pages_newest_first_and_narrowed_by_metadata(desk: Owner) -> None:
    newest = list(NOTES)[::-1]
    assert [
        each.title for each in desk.docs.list(desk.id, limit=3)
    ] == newest  # the client goes on to the end
    assert [each.title for each in desk.docs.list(desk.id, direction="asc")] == newest[::-1]
    assert [each.title for each in desk.docs.list(desk.id, limit=2, offset=1).items] == newest[1:3]
    for wanted, titles in (
        ({"n": 2}, ["Opening hours"]),
        ({"deep": {"even": True}}, ["Opening hours", "Refunds"]),
        ({"n": 1, "deep": {"even": True}}, []),
    ):
        assert [each.title for each in desk.docs.list(desk.id, metadata_filter=wanted)] == titles
    assert all(each.embeddings is None for each in desk.docs.list(desk.id, include_embeddings=False))
    assert all(each.embeddings for each in desk.docs.list(desk.id))


def test_the_same_doc_twice_is_a_conflict_that_is_not_asked_again(
    julep: Client, raw: httpx.Client, owner: Owner
) -> None:
    made = owner.create("T", "a text", metadata={"n": 1})
    with pytest.raises(ConflictError, match=made.id) as caught:
        owner.create("T", "a text", metadata={"n": 2})
    assert caught.value.response.headers["x-should-retry"] == "false"
    owner.create("Other title", "a text")
    Owner(julep, owner.kind).create("T", "a text")  # another owner's
    owner.docs.delete(made.id, **{f"{owner.kind}_id": owner.id})
    assert owner.create("T", "a text").id != made.id


def test_docs_stay_when_their_owner_is_written_again_and_go_with_it(julep: Client, owner: Owner) -> None:
    made = owner.create("T", "a text")
    owners: Any = julep.agents if owner.kind == "agent" else julep.users
    owners.create_or_update(owner.id, name="Cid")
    owners.reset(owner.id, name="Dan")
    assert owner.titles(text="text") == ["T"]
    owners.delete(owner.id)
    with pytest.raises(NotFoundError):
        julep.docs.get(made.id)
    with pytest.raises(NotFoundError):
        owner.create("T", "a text")


def test_one_doc_is_deleted_by_its_owner_only(julep: Client, owner: Owner) -> None:
    made = owner.create("T", "a text")
    other = Owner(julep, owner.kind)
    with pytest.raises(NotFoundError):
        other.docs.delete(made.id, **{f"{owner.kind}_id": other.id})
    gone = owner.docs.delete(made.id, **{f"{owner.kind}_id": owner.id})
    assert (gone.id, gone.jobs) == (made.id, [])
    with pytest.raises(NotFoundError):
        julep.docs.get(made.id)
    assert owner.titles(text="text") == []


def test_many_are_deleted_by_metadata_or_all_when_that_is_said(desk: Owner) -> None:
    assert desk.docs.bulk_delete(desk.id) == []
    assert desk.docs.bulk_delete(desk.id, metadata_filter={}) == []
    assert desk.docs.bulk_delete(desk.id, metadata_filter={"n": 9}) == []
    assert len(desk.docs.bulk_delete(desk.id, metadata_filter={"deep": {"even": False}})) == 2
    assert sorted(desk.titles(text="parcel back days shop cars")) == ["Opening hours", "Refunds"]
    assert len(desk.docs.bulk_delete(desk.id, delete_all=True)) == 2
    assert list(desk.docs.list(desk.id)) == []


# -- searching -------------------------------------------------------------------------------------------


def test_by_words(desk: Owner) -> None:
    found = desk.docs.search(desk.id, text="When are refunds paid?")
    assert found.time > 0
    best = found.docs[0]
    assert (best.title, best.owner.id, best.owner.role) == ("Refunds", desk.id, desk.kind)
    assert (best.snippet.index, best.snippet.content) == (0, NOTES["Refunds"])
    assert best.metadata == {"n": 0, "deep": {"even": True}}
    distances = [each.distance for each in desk.docs.search(desk.id, text="parcels within days").docs]
    assert distances == sorted(distances)
    assert all(0 < distance < 1 for distance in distances)
    assert desk.titles(text="zebra") == []
    assert desk.titles(text="refnds") == []
    assert desk.titles(text="refnds", trigram_similarity_threshold=0.25) == ["Refunds"]
    assert desk.titles(text="", limit=1) == []


def test_by_meaning(desk: Owner, near: Callable[[str], list[float]]) -> None:
    vector = near("when do I get my money")
    found = desk.docs.search(desk.id, vector=vector, mmr_strength=0).docs
    assert found[0].title == "Refunds"
    distances = [each.distance for each in found]
    assert distances == sorted(distances)
    for each in found:
        cosine = sum(a * b for a, b in zip(vector, each.snippet.embedding, strict=True))
        assert each.distance == pytest.approx(1 - cosine, abs=0.002)  # vectors are kept with half the digits
    assert len(found) == len(NOTES)


def test_by_both_alpha_is_the_weight_of_meaning(desk: Owner, near: Callable[[str], list[float]]) -> None:
    vector = near("when do I get my money")
    both = {"text": "where can cars be left", "vector": vector, "mmr_strength": 0}
    assert desk.titles(**both, alpha=0)[0] == "Parking"
    assert desk.titles(**both, alpha=0) == desk.titles(text=both["text"])
    assert desk.titles(**both, alpha=1) == desk.titles(vector=vector, mmr_strength=0)
    assert {*desk.titles(**both)[:2]} == {"Parking", "Refunds"}
    agreeing = desk.docs.search(desk.id, text="refunds paid", vector=vector, mmr_strength=0).docs
    assert agreeing[0].distance == pytest.approx(0, abs=1e-6)  # first by both


def test_confidence_cuts_off_only_where_it_is_stated(desk: Owner, near: Callable[[str], list[float]]) -> None:
    vector = near("when are refunds paid")
    assert len(desk.titles(vector=vector)) == len(NOTES)
    assert desk.titles(vector=vector, confidence=0.6) == ["Refunds"]
    assert desk.titles(vector=vector, confidence=0.999) == []
    assert len(desk.titles(vector=vector, confidence=-1)) == len(NOTES)
    # words are no question of confidence
    assert "Parking" in desk.titles(text="cars", vector=vector, confidence=0.6)


def test_metadata_are_asked_before_the_limit(desk: Owner, near: Callable[[str], list[float]]) -> None:
    vector = near("when are refunds paid")
    modes: list[dict[str, Any]] = [
        {"text": "refunds cars"}, {"vector": vector}, {"text": "refunds cars", "vector": vector}
    ]  # fmt: skip
    for mode in modes:
        assert desk.titles(**mode, metadata_filter={"n": 3}, limit=1) == ["Parking"]
        assert desk.titles(**mode, metadata_filter={"deep": {"even": "x"}}) == []


def test_variety_does_not_depend_on_whether_vectors_are_returned(
    owner: Owner, near: Callable[[str], list[float]]
) -> None:
    for number in range(4):
        owner.create(f"Rule {number}", f"Refunds take five working days, rule {number}.")
    owner.create("Receipt", "Refunds need the original receipt and an unused article.")
    vector = near("refunds take how many days")
    for text in ({}, {"text": "refunds"}):
        near_ones = owner.titles(vector=vector, limit=2, mmr_strength=0, **text)
        assert all(title.startswith("Rule") for title in near_ones)
        varied: dict[str, Any] = {"vector": vector, "limit": 2, "mmr_strength": 0.8, **text}
        with_vectors = owner.docs.search(owner.id, **varied).docs
        without = owner.docs.search(owner.id, **varied, include_embeddings=False).docs
        assert [each.title for each in with_vectors] == [each.title for each in without]
        assert with_vectors[1].title == "Receipt"
        assert all(len(each.snippet.embedding) == LOCAL_DIMENSIONS for each in with_vectors)
        assert all(each.snippet.embedding is None for each in without)


def test_each_chunk_is_found_by_itself(owner: Owner) -> None:
    owner.create("Animals", ["Cats purr.", "Dogs bark.", "Cows moo."])
    found = owner.docs.search(owner.id, text="dogs bark").docs
    assert [(each.snippet.index, each.snippet.content) for each in found] == [(1, "Dogs bark.")]


def test_nobody_finds_what_another_owns(
    julep: Client, desk: Owner, near: Callable[[str], list[float]]
) -> None:
    for kind in ("agent", "user"):
        other = Owner(julep, kind)
        assert other.titles(text="refunds", vector=near("refunds")) == []


def test_texts_are_embedded_one_vector_each(julep: Client) -> None:
    found = julep.docs.embed(text=["a cat", "a dog", "a cat"]).vectors
    assert [len(each) for each in found] == [LOCAL_DIMENSIONS] * 3
    assert found[0] == found[2] != found[1]
    assert math.fsum(each * each for each in found[0]) == pytest.approx(1, abs=1e-5)
    told = julep.docs.embed(text="a cat", embed_instruction="Represent this animal:").vectors
    assert len(told) == 1
    assert told[0] != found[0]


# -- mistakes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"title": "t"}, 422),
        ({"content": "c"}, 422),
        ({"title": "t", "content": 5}, 422),
        ({"title": "t", "content": ""}, 422),
        ({"title": "t", "content": []}, 422),
        ({"title": "t", "content": [None]}, 422),
        ({"title": "x" * 801, "content": "c"}, 422),
        ({"title": "t", "content": "a\0b"}, 400),
        ({"title": "t", "content": "c", "metadata": 5}, 422),
    ],
)
def test_what_cannot_be_a_doc_is_refused(
    raw: httpx.Client, owner: Owner, body: dict[str, Any], status: int
) -> None:
    answer = raw.post(f"/{owner.kind}s/{owner.id}/docs", json=body)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["message"]
    assert list(owner.docs.list(owner.id)) == []


@pytest.mark.parametrize(
    "search",
    [
        {},
        {"text": None, "vector": None},
        {"vector": [1.0, 2.0]},
        {"vector": []},
        {"vector": ["x"] * LOCAL_DIMENSIONS},
        {"vector": [1e300] * LOCAL_DIMENSIONS},
        {"text": "a", "limit": 0},
        {"text": "a", "limit": 51},
        {"text": "a", "limit": 2**70},
        {"text": "a", "lang": "no language"},
        {"text": "a", "metadata_filter": [1]},
        {"text": "x" * 100_001},
        {"vector": [0.5] * LOCAL_DIMENSIONS, "confidence": 1.5},
        {"vector": [0.5] * LOCAL_DIMENSIONS, "mmr_strength": 1},
        {"text": "a", "vector": [0.5] * LOCAL_DIMENSIONS, "alpha": 2},
        {"text": "a", "trigram_similarity_threshold": -1},
    ],
)
def test_what_cannot_be_searched_for_is_refused(
    raw: httpx.Client, owner: Owner, search: dict[str, Any]
) -> None:
    answer = raw.post(f"/{owner.kind}s/{owner.id}/search", json=search)
    assert answer.status_code == 422, answer.text
    error = answer.json()["error"]
    assert error["code"] == "validation_error"
    assert len(answer.content) < 5_000


def test_odd_but_possible_searches_find_nothing_or_something(raw: httpx.Client, owner: Owner) -> None:
    owner.create("T", "a text")
    path = f"/{owner.kind}s/{owner.id}/search"
    for text in ('" OR 1', "NEAR(", "*", "-", "\0", "ä" * 1_000, "a:b", "🙂", "'; --"):
        answer = raw.post(path, json={"text": text})
        assert answer.status_code == 200, (text, answer.text)
    assert raw.post(path, json={"vector": [0.0] * LOCAL_DIMENSIONS}).status_code == 200


def test_truncated_bodies_and_wrong_ids(julep: Client, raw: httpx.Client, owner: Owner) -> None:
    for path in (f"/{owner.kind}s/{owner.id}/docs", f"/{owner.kind}s/{owner.id}/search", "/embed"):
        assert raw.post(path, content=b'{"text": "a').status_code == 422
        assert raw.post(path, content=b'{"text": "\xff"}').status_code == 422
        lone = raw.post(path, content=rb'{"title":"t","content":"\ud800","text":"\ud800"}')
        assert lone.status_code < 500, lone.text
    assert raw.get("/docs/no-uuid").status_code == 422
    assert raw.post(f"/{owner.kind}s/{uuid.uuid4()}/search", json={"text": "a"}).json()["docs"] == []
    with pytest.raises(NotFoundError):
        julep.docs.get(str(uuid.uuid4()))
    with pytest.raises(UnprocessableEntityError):
        julep.docs.embed(text=[])
    with pytest.raises(UnprocessableEntityError):
        julep.docs.embed(text=["a"] * 101)
    with pytest.raises((BadRequestError, UnprocessableEntityError)) as caught:
        owner.create("t", "c", metadata=list(range(3)))
    assert isinstance(caught.value, APIStatusError)


_fields = ("text", "vector", "limit", "lang", "metadata_filter", "confidence", "alpha", "mmr_strength", "k_multiplier",
           "trigram_similarity_threshold", "include_embeddings")  # fmt: skip
_odd = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=6)
    | st.lists(st.floats() | st.text(max_size=2), max_size=3)
    | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)
    | st.just([0.5] * LOCAL_DIMENSIONS)
)  # fmt: skip


@given(sent=st.dictionaries(st.sampled_from(_fields), _odd, max_size=4))
@settings(max_examples=tries(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_searched_for_is_no_fault_of_the_server(
    raw: httpx.Client, julep: Client, sent: dict[str, Any]
) -> None:
    answer = raw.post(f"/agents/{uuid.uuid4()}/search", content=json.dumps(sent).encode())
    assert answer.status_code < 500, answer.text

"""What HoneyHive's clients say of an event's worth, as feedback of its run."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stenograph.domain.feedback.judgements import Judged, judgements, may_be_key, of_event
from stenograph.errors import Invalid, TooLarge
from stenograph.model.feedback import Feedback, Shelf, shelf

RUN = Judged(
    workspace=UUID(int=1), id=UUID(int=2), trace_id=UUID(int=3), project_id=UUID(int=4), start_time=5
)


def said(members: Any, on: Shelf = Shelf.METRICS, run: Judged = RUN) -> dict[str, Feedback]:
    document = members if isinstance(members, bytes) else json.dumps(members).encode()
    found = judgements(run, on, document, 100)
    assert len({item.key for item in found}) == len(found)
    return {item.key: item for item in found}


@pytest.mark.parametrize(
    ("value", "score"),
    [
        (b"0.5", 0.5), (b"-3", -3.0), (b"1E2", 100.0), (b"true", 1.0), (b"false", 0.0),
        (b"12345678901234567890123", 1.2345678901234568e22),
    ],
)  # fmt: skip
def test_numbers_and_truth_are_scores(value: bytes, score: float) -> None:
    item = said(b'{"k":' + value + b"}")["k"]
    assert (item.score, item.raw_score, item.value) == (score, value, None)


@pytest.mark.parametrize("value", [b'"good"', b'"0.5"', b"[1]", b'{"a":1}', b'""', b"1e400", b"-1e999"])
def test_everything_else_is_a_value(value: bytes) -> None:
    item = said(b'{"k":' + value + b"}")["k"]
    assert (item.score, item.raw_score, item.value) == (None, None, value)


def test_what_is_known_of_the_run_goes_along() -> None:
    item = said({"k": 1})["k"]
    assert (item.workspace, item.run_id, item.trace_id, item.project_id, item.start_time) == (
        RUN.workspace, RUN.id, RUN.trace_id, RUN.project_id, RUN.start_time,
    )  # fmt: skip
    assert (item.created_at, item.modified_at) == (100, 100)
    bare = said({"k": 1}, run=Judged(workspace=UUID(int=1), id=UUID(int=2)))["k"]
    assert (bare.trace_id, bare.project_id, bare.start_time) == (None, None, None)
    assert bare.id == item.id


def test_each_finds_its_shelf_again_and_takes_the_place_of_what_was_said_before() -> None:
    ids = set()
    for on in Shelf:
        item = said({"k": 1}, on)["k"]
        assert shelf(item) is on
        assert said({"k": 2, "l": 3}, on)["k"].id == item.id
        ids |= {
            item.id,
            said({"l": 1}, on)["l"].id,
            said({"k": 1}, on, Judged(workspace=UUID(int=1), id=uuid4()))["k"].id,
        }
    assert len(ids) == 6


def test_null_says_nothing() -> None:
    assert said({"k": None, "l": 1}).keys() == {"l"}
    assert said({}) == {}
    assert list(of_event(RUN, None, None, 1)) == []


def test_explanations() -> None:
    found = said({"k": 1, "k_explanation": "why", "alone_explanation": "x", "n": 1, "n_explanation": 5})
    assert found["k"].comment == "why"
    assert found.keys() == {"k", "alone_explanation", "n", "n_explanation"}
    assert found["alone_explanation"].value == b'"x"'
    assert found["n_explanation"].score == 5
    assert said({"k": None, "k_explanation": "why"}).keys() == {"k_explanation"}
    assert (
        said({"k_explanation": "why", "k_explanation_explanation": "because"})["k_explanation"].comment
        == "because"
    )


names = st.builds(
    "".join,
    st.tuples(st.sampled_from("ab"), st.sampled_from(["", "_explanation", "_explanation_explanation"])),
)
values = st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.text("xy", max_size=2))


@given(st.dictionaries(names, values, max_size=6))
def test_nothing_that_is_said_is_lost(members: dict[str, Any]) -> None:
    stated = {key: value for key, value in members.items() if value is not None}
    found = said(members)
    told: dict[str, Any] = {}
    for key, item in found.items():
        raw = item.raw_score or item.value
        assert raw is not None
        told[key] = json.loads(raw)
        if item.comment is not None:
            told[key + "_explanation"] = item.comment
    assert told == stated


@pytest.mark.parametrize("key", ["", "x" * 181, "a\0b"])
def test_names_that_feedback_cannot_have(key: str) -> None:
    assert not may_be_key(key)
    with pytest.raises(Invalid) as refusal:
        said({key: 1})
    assert refusal.value.where == ("metrics",)
    assert refusal.value.message.startswith("metrics.")
    assert may_be_key("x" * 180)


def test_more_than_one_piece_may_hold() -> None:
    with pytest.raises(TooLarge, match=r"feedback\.k"):
        said({"k": "x" * 9_000_000}, Shelf.FEEDBACK)

"""Bad feedback is refused with what is wrong, or stored whole where it is only awkward."""

from __future__ import annotations

import json
import uuid
from typing import Any

import httpx
import pytest
from langsmith import Client

from tests.wire.langsmith.feedback.giving import give, key_name, listed, send_run, stats_of


@pytest.fixture
def key() -> str:
    return key_name()


@pytest.fixture
def run(client: Client, project: str) -> Any:
    return send_run(client, project)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"score": "abc"}, ["body", "score"]),
        ({"score": [1]}, ["body", "score"]),
        ({"score": {"a": 1}}, ["body", "score"]),
        ({"key": ""}, ["body", "key"]),
        ({"key": "k" * 181}, ["body", "key"]),
        ({"key": "a\0b"}, ["body", "key"]),
        ({"key": None}, ["body", "key"]),
        ({"comment": 5}, ["body", "comment"]),
        ({"correction": [1]}, ["body", "correction"]),
        ({"extra": 1}, ["body", "extra"]),
        ({"run_id": "x"}, ["body", "run_id"]),
        ({"run_id": None}, ["body", "run_id"]),
        ({"id": "x"}, ["body", "id"]),
        ({"created_at": "yesterday"}, ["body", "created_at"]),
        ({"created_at": 10**18}, ["body", "created_at"]),
        ({"feedback_source": {"type": "t" * 101}}, ["body", "feedback_source"]),
        ({"feedback_source": {"metadata": []}}, ["body", "feedback_source.metadata"]),
        ({"feedback_config": {"type": "stars"}}, ["body", "feedback_config", "type"]),
        ({"feedback_config": []}, ["body", "feedback_config"]),
    ],
)
def test_bad_feedback_is_named(http: httpx.Client, change: dict[str, Any], where: list[str]) -> None:
    body = {"key": key_name(), "run_id": str(uuid.uuid4()), "score": 1, **change}
    answer = http.post("/feedback", content=json.dumps(body))
    assert answer.status_code == 422, answer.text
    assert answer.json()["detail"][0]["loc"] == where
    if body["key"]:
        assert listed(http, key=body["key"]) == []


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"x", b"\xff", b'{"key": "k", "run_id"', b"[" * 5000])
def test_bodies_that_are_no_feedback(http: httpx.Client, body: bytes) -> None:
    assert 400 <= http.post("/feedback", content=body).status_code < 500
    assert 400 <= http.patch(f"/feedback/{uuid.uuid4()}", content=body).status_code < 500


@pytest.mark.parametrize("score", ["1e400", "-1e400", "9" * 400])
def test_scores_beyond_a_number_are_refused_or_left_out(http: httpx.Client, score: str, key: str) -> None:
    body = f'{{"key": "{key}", "run_id": "{uuid.uuid4()}", "score": {score}}}'
    answer = http.post("/feedback", content=body)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "score"]


def test_what_is_awkward_is_stored_whole(http: httpx.Client, client: Client, run: Any, key: str) -> None:
    comment = 'nul \0, tab\t, quote ", ' + "\u2028 \U0001f600 " + "x" * 300_000
    given = give(http, key=key, run_id=str(run.id), comment=comment, value={"\0": "\0"}, correction="\0")
    found = http.get(f"/feedback/{given['id']}").json()
    assert (found["comment"], found["value"], found["correction"]) == (comment, {"\0": "\0"}, "\0")
    assert stats_of(http, run.id)[key]["comments"] == [comment]
    assert client.read_feedback(given["id"]).comment == comment


def test_lone_surrogates_become_replacement_characters(http: httpx.Client, key: str) -> None:
    body = f'{{"key": "{key}", "run_id": "{uuid.uuid4()}", "comment": "a\\ud800b", "value": "\\udc00"}}'
    answer = http.post("/feedback", content=body)
    assert answer.status_code == 200
    found = http.get(f"/feedback/{answer.json()['id']}").json()
    assert (found["comment"], found["value"]) == ("a\ufffdb", "\ufffd")


def test_too_much_feedback_is_refused_by_size(http: httpx.Client, key: str) -> None:
    body = {"key": key, "run_id": str(uuid.uuid4()), "comment": "x" * (9 << 20)}
    answer = http.post("/feedback", json=body)
    assert answer.status_code == 413
    assert "at most 8388608" in answer.json()["detail"]
    assert listed(http, key=key) == []


def test_a_bad_change_leaves_feedback_alone(http: httpx.Client, given: dict[str, Any]) -> None:
    path = f"/feedback/{given['id']}"
    changes: list[dict[str, Any]] = [{"score": "abc"}, {"correction": 7}, {"comment": {}}]
    for change in (*changes, {"feedback_config": {"type": "x"}}):
        assert http.patch(path, json=change).status_code == 422
    assert http.get(path).json() == given
    assert http.patch("/feedback/not-a-uuid", json={}).status_code == 422


def test_one_bad_part_spoils_no_other(http: httpx.Client, key: str) -> None:
    good, bad = uuid.uuid4(), uuid.uuid4()
    run_id = str(uuid.uuid4())

    def part(made: uuid.UUID, **fields: Any) -> tuple[None, str, str]:
        body = {"id": str(made), "key": key, "run_id": run_id, **fields}
        return None, json.dumps(body), "application/json"

    answer = http.post(
        "/runs/multipart",
        files={
            f"feedback.{bad}": part(bad, score=1, feedback_config={"type": "stars"}),
            f"feedback.{good}": part(good, score=1),
        },
    )
    assert answer.status_code == 422
    assert answer.json()["details"][0]["id"] == str(bad)
    assert "feedback_config.type" in answer.json()["details"][0]["reason"]
    assert [item["id"] for item in listed(http, key=key)] == [str(good)]

"""A reviewer's answers over the page's API: given once, changed in place, refused whole when they make no sense."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.wire.langsmith.recorded import Trace, record


@pytest.fixture
def item(http: httpx.Client, project: str) -> str:
    """The address of an item of a queue without a rubric."""
    (run,) = record(http, project, Trace())
    queue = http.post("/ui/api/queues", json={"name": project}).json()["id"]
    (added,) = http.post(f"/annotation-queues/{queue}/runs", json=[str(run)]).json()
    return f"/ui/api/queues/{queue}/items/{added['id']}"


def feedback(http: httpx.Client, item: str) -> dict[str, tuple[Any, Any, Any]]:
    """What stands under each key, by whoever."""
    (run,) = http.get(item).json()["runs"]
    found = http.get("/feedback", params={"run": run}).json()
    return {each["key"]: (each["score"], each["value"], each["comment"]) for each in found}


def done(http: httpx.Client, item: str, *answers: dict[str, Any], **more: Any) -> httpx.Response:
    return http.post(f"{item}/done", json={"answers": list(answers)}, **more)


def test_answers_are_there_once_and_change_in_place(http: httpx.Client, item: str) -> None:
    (run,) = http.get(item).json()["runs"]
    http.post("/feedback", json={"run_id": run, "key": "by a program", "score": 0})
    said = {"key": "tone", "score": 1, "value": "kind", "comment": "warm"}
    for _ in range(2):
        assert done(http, item, said, {"key": "length", "score": 0.5}).json() == {"archived": True}
    assert len(http.get("/feedback", params={"run": run}).json()) == 3
    assert [each["key"] for each in http.get(item).json()["given"]].count("tone") == 1
    assert done(http, item, said | {"score": 0, "value": "rude"}).status_code == 200
    assert feedback(http, item) == {"tone": (0, "rude", "warm"), "by a program": (0, None, None)}
    (mine,) = http.get(item).json()["given"]
    assert (mine["key"], mine["source"]) == ("tone", "app")
    assert done(http, item, said).status_code == 200, "what was withdrawn may be said again"
    assert feedback(http, item)["tone"] == (1, "kind", "warm")


def test_each_reviewer_has_their_own(http: httpx.Client, item: str, issue_key: Callable[..., str]) -> None:
    """What a second reviewer says is beside what the first said; what they open and leave is nobody else's."""
    other = {"x-api-key": issue_key("default", "admin")}
    assert done(http, item, {"key": "tone", "score": 1}).status_code == 200
    assert done(http, item, {"key": "tone", "score": 0}, headers=other).status_code == 200
    (run,) = http.get(item).json()["runs"]
    assert sorted(each["score"] for each in http.get("/feedback", params={"run": run}).json()) == [0, 1]
    assert [each["score"] for each in http.get(item, headers=other).json()["given"]] == [0]


@pytest.mark.parametrize(
    "answer",
    [
        {"key": ""},
        {"key": "x" * 181},
        {"key": "x\0"},
        {"key": "x", "score": "many"},
        {"key": "x", "score": 10**400},
        {"key": "x", "correction": 5},
        {"key": "x", "correction": [1]},
        {"key": "x", "preference": "a"},
        {"key": "x", "preference": "c"},
        {"score": 1},
    ],
)
def test_what_is_no_feedback_is_refused_whole(http: httpx.Client, item: str, answer: dict[str, Any]) -> None:
    refused = done(http, item, {"key": "good", "score": 1}, answer)
    assert refused.status_code == 400, refused.text
    assert refused.json()["message"]
    assert feedback(http, item) == {}
    assert http.get(item).json()["section"] == "mine"


def test_one_key_has_one_answer(http: httpx.Client, item: str) -> None:
    assert done(http, item, {"key": "x", "score": 1}, {"key": "x", "score": 0}).status_code == 400
    assert done(http, item, *({"key": f"k{at}"} for at in range(301))).status_code == 400
    assert feedback(http, item) == {}


def test_strange_texts_are_kept_or_refused(http: httpx.Client, item: str) -> None:
    raw = b'{"answers": [{"key": "odd", "value": "\\ud800 \\u0000", "comment": "\\udfff", "score": NaN}]}'
    answer = http.post(f"{item}/done", content=raw)
    assert answer.status_code in (200, 400), answer.text
    assert http.post(f"{item}/done", content=raw[:40]).status_code == 400
    assert http.get(item).status_code == 200


def test_skipped_goes_behind_all_others(http: httpx.Client, project: str) -> None:
    runs = record(http, project, Trace(), Trace(), Trace())
    queue = http.post("/ui/api/queues", json={"name": project}).json()["id"]
    http.post(f"/annotation-queues/{queue}/runs", json=[str(run) for run in runs])
    items = f"/ui/api/queues/{queue}/items"

    def order() -> list[str]:
        return [each["id"] for each in http.get(items).json()["items"]]

    first, second, third = order()
    assert http.post(f"{items}/{first}/status", json={"status": "skipped"}).status_code == 200
    assert order() == [second, third, first]
    found = http.get(f"{items}/{third}").json()
    assert (found["before"], found["after"], found["position"], found["of"]) == (second, first, 1, 3)
    assert http.post(f"{items}/{third}/status", json={"status": "asleep"}).status_code == 400
    assert http.post(f"{items}/{uuid.uuid4()}/status", json={"status": "viewed"}).status_code == 404
    assert http.get(items, params={"section": "theirs"}).status_code == 400
    assert http.get(f"{items}/nothing").status_code == 400
    assert done(http, f"{items}/{second}").json() == {"archived": True}
    assert order() == [third, first]
    assert http.delete(f"{items}/{third}").status_code == 200
    assert order() == [first]
    counts = http.get(f"/ui/api/queues/{queue}").json()["counts"]
    assert counts == {"mine": 1, "others": 0, "done": 1}


@pytest.mark.parametrize(
    "body",
    [
        {"name": ""},
        {"name": " "},
        {"name": "x\0"},
        {"name": "x", "reviewers": 0},
        {"name": "x", "rubric": [{"key": ""}]},
        {"name": "x", "rubric": [{"key": "a"}, {"key": "a"}]},
        {"name": "x", "rubric": [{"key": "a", "config": {"type": "categorical"}}]},
        {"name": "x", "rubric": [{"key": "a", "config": {"type": "continuous", "min": 2, "max": 1}}]},
        {"name": "x", "rubric": [{"key": "a", "config": {"type": "stars"}}]},
    ],
)
def test_a_queue_that_cannot_be(http: httpx.Client, body: dict[str, Any]) -> None:
    assert http.post("/ui/api/queues", json=body).status_code == 400


def test_a_changed_rubric_keeps_what_the_page_does_not_ask_for(http: httpx.Client, project: str) -> None:
    rule = {"join": "all", "rules": [{"key": "a", "op": "is", "values": [0]}]}
    rubric = [
        {"feedback_key": "a", "score_descriptions": {"0": "no"}},
        {"feedback_key": "b", "visible_if": rule},
    ]
    queue = http.post("/annotation-queues", json={"name": project, "rubric_items": rubric}).json()["id"]
    sent = {"rubric": [{"key": "a", "description": "first", "required": True}, {"key": "b"}]}
    changed = http.patch(f"/ui/api/queues/{queue}", json=sent).json()
    first, second = changed["rubric"]
    assert (first["description"], first["required"], first["scoreDescriptions"]) == (
        "first",
        True,
        {"0": "no"},
    )
    assert second["visibleIf"] == rule
    assert changed["name"] == project

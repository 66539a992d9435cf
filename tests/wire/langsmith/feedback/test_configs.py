"""Feedback configs through LangSmith's routes and its own client."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import httpx
import pytest
from langsmith import Client
from langsmith.schemas import FeedbackConfig
from langsmith.utils import LangSmithError, LangSmithNotFoundError

from tests.conftest import Server

STARS = FeedbackConfig(type="continuous", min=0, max=5)
TOPICS = cast(
    FeedbackConfig,
    {
        "type": "categorical",
        "categories": [{"value": 0, "label": "billing"}, {"value": 1, "label": "shipping"}],
    },
)


@pytest.fixture
def key() -> str:
    return f"key-{uuid.uuid4().hex[:12]}"


def labels(config: Any) -> list[tuple[Any, Any]]:
    return [(one["value"], one["label"]) for one in config.feedback_config["categories"]]


def of_key(client: Client, key: str) -> list[Any]:
    return list(client.list_feedback_configs(feedback_key=[key]))


def test_a_config_lives_and_goes(client: Client, http: httpx.Client, key: str) -> None:
    made = client.create_feedback_config(key, feedback_config=STARS)
    assert made.feedback_key == key
    assert made.feedback_config == {"type": "continuous", "min": 0, "max": 5, "categories": None,
                                    "allows_multiple_categories": False}  # fmt: skip
    assert str(made.tenant_id) == http.get("/settings").json()["id"]
    assert (made.is_lower_score_better, made.is_enforced, made.is_first, made.is_deleted) == (
        False, False, True, False,
    )  # fmt: skip
    assert made.id is not None
    assert of_key(client, key) == [made]

    changed = client.update_feedback_config(key, is_lower_score_better=True)
    assert changed.is_lower_score_better is True
    assert changed.feedback_config == made.feedback_config
    assert changed.modified_at > made.modified_at
    changed = client.update_feedback_config(key, feedback_config=FeedbackConfig(type="freeform"))
    assert (changed.feedback_config["type"], changed.is_lower_score_better) == ("freeform", True)
    assert changed.id == made.id
    assert of_key(client, key) == [changed]

    client.delete_feedback_config(key)
    assert of_key(client, key) == []
    with pytest.raises(LangSmithNotFoundError, match="not found"):
        client.delete_feedback_config(key)
    assert client.create_feedback_config(key, feedback_config=STARS).feedback_config == made.feedback_config


def test_deleted_configs_are_listed_when_asked_for(client: Client, key: str) -> None:
    def every(**more: Any) -> list[Any]:
        return list(client.list_feedback_configs(feedback_key=[key], include_all_configs=True, **more))

    made = client.create_feedback_config(key, feedback_config=STARS)
    assert every() == [made]
    client.delete_feedback_config(key)
    (gone,) = every()
    assert (gone.is_deleted, gone.id, gone.feedback_config) == (True, made.id, made.feedback_config)
    assert of_key(client, key) == []
    assert (every(is_enforced=True), every(is_enforced=False)) == ([], [gone])
    with pytest.raises(LangSmithNotFoundError):
        client.update_feedback_config(key, is_lower_score_better=True)
    again = client.create_feedback_config(key, feedback_config=FeedbackConfig(type="freeform"))
    assert every() == of_key(client, key) == [again]
    assert not again.is_deleted


def test_deletion_answers_204(client: Client, http: httpx.Client, key: str) -> None:
    made = client.create_feedback_config(key, feedback_config=STARS)
    answer = http.delete("/feedback-configs", params={"id": str(made.id)})
    assert (answer.status_code, answer.content) == (204, b"")
    assert of_key(client, key) == []
    client.create_feedback_config(key, feedback_config=STARS)
    client.delete_feedback_config(config_id=made.id)
    assert of_key(client, key) == []
    assert http.delete("/feedback-configs", params={"id": str(made.id)}).status_code == 404
    assert http.delete("/feedback-configs").status_code == 422
    both = {"id": str(made.id), "feedback_key": key}
    assert http.delete("/feedback-configs", params=both).status_code == 422


def test_the_same_again_gives_the_one_that_is_there(client: Client, key: str) -> None:
    made = client.create_feedback_config(key, feedback_config=STARS)
    same = FeedbackConfig(type="continuous", min=0.0, max=5.0)
    assert client.create_feedback_config(key, feedback_config=same, is_lower_score_better=True) == made
    with pytest.raises(LangSmithError, match="already exists") as refused:
        client.create_feedback_config(key, feedback_config=FeedbackConfig(type="continuous", min=0, max=4))
    assert "400" in str(refused.value)
    assert of_key(client, key) == [made]


def test_creators_at_once_get_one_config(http: httpx.Client, key: str) -> None:
    bodies = [{"feedback_key": key, "feedback_config": {**STARS, "max": top}} for top in (1, 1, 2, 2)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda body: http.post("/feedback-configs", json=body), bodies))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 400, 400]
    assert len(http.get("/feedback-configs", params={"key": key}).json()) == 1


def test_categories_come_and_go(client: Client, key: str) -> None:
    made = client.create_feedback_config(key, feedback_config=TOPICS)
    assert labels(made) == [(0, "billing"), (1, "shipping")]
    more = client.add_feedback_categories(key, [{"value": 2, "label": "returns"}])
    assert labels(more) == [(0, "billing"), (1, "shipping"), (2, "returns")]
    less = client.remove_feedback_categories(key, [0, 99])
    assert labels(less) == [(1, "shipping"), (2, "returns")]
    for bad in (
        [{"value": 1, "label": "new"}],
        [{"value": 3, "label": "returns"}],
        [{"value": 4, "label": ""}],
    ):
        with pytest.raises(LangSmithError, match="add_categories"):
            client.add_feedback_categories(key, bad)  # type: ignore[arg-type]
    with pytest.raises(LangSmithError, match="fewer than two"):
        client.remove_feedback_categories(key, [1])
    assert of_key(client, key) == [less]


def test_only_categorical_keys_have_categories(client: Client, key: str) -> None:
    client.create_feedback_config(key, feedback_config=STARS)
    with pytest.raises(LangSmithError, match="continuous, so it has no categories"):
        client.add_feedback_categories(key, [{"value": 2, "label": "returns"}])
    with pytest.raises(LangSmithNotFoundError):
        client.add_feedback_categories(f"{key}-2", [{"value": 2, "label": "returns"}])


def test_changes_at_once_all_count(client: Client, http: httpx.Client, key: str) -> None:
    client.create_feedback_config(key, feedback_config=TOPICS)
    bodies = [{"feedback_key": key, "add_categories": [{"value": value}]} for value in range(10, 18)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda body: http.patch("/feedback-configs", json=body), bodies))
    assert {answer.status_code for answer in answers} == {200}
    assert {value for value, _ in labels(of_key(client, key)[0])} == {0, 1, *range(10, 18)}


def test_a_config_is_changed_by_its_id(client: Client, key: str) -> None:
    made = client.create_feedback_config(key, feedback_config=STARS)
    assert made.id is not None
    changed = client.update_feedback_config(key, config_id=made.id, is_lower_score_better=True)
    assert changed.is_lower_score_better is True
    with pytest.raises(LangSmithNotFoundError):
        client.update_feedback_config(key, config_id=uuid.uuid4(), is_lower_score_better=True)


def test_pages_and_filters(client: Client, http: httpx.Client) -> None:
    stem = uuid.uuid4().hex[:8]
    keys = [f"{stem}-{index:03}" for index in range(103)]
    for key in keys:
        client.create_feedback_config(key, feedback_config=STARS)
    assert [config.feedback_key for config in client.list_feedback_configs(name_contains=stem.upper())] == [
        *reversed(keys)
    ]
    assert len(list(client.list_feedback_configs(name_contains=stem, limit=7))) == 7
    rising: dict[str, str | int] = {
        "name_contains": stem,
        "sort_by_desc": "false",
        "limit": 2,
        "offset": 3,
        "read_after_write": True,
    }
    found = http.get("/feedback-configs", params=rising).json()
    assert [config["feedback_key"] for config in found] == keys[3:5]
    assert http.get("/feedback-configs", params={"name_contains": stem, "offset": 103}).json() == []
    assert len(http.get("/feedback-configs", params={"name_contains": stem}).json()) == 103
    some = list(client.list_feedback_configs(feedback_key=[keys[0], keys[9], "nobody's"]))
    assert {config.feedback_key for config in some} == {keys[0], keys[9]}
    with_all = client.list_feedback_configs(name_contains=stem, include_all_configs=True)
    assert len(list(with_all)) == 103
    assert list(client.list_feedback_configs(name_contains=f"{stem}%")) == []


def test_enforced_configs_are_for_admins(
    client: Client, http: httpx.Client, server: Server, issue_key: Callable[..., str], key: str
) -> None:
    writer = Client(api_url=server.url, api_key=issue_key(role="write"), auto_batch_tracing=False)
    with pytest.raises(LangSmithError, match="403"):
        writer.create_feedback_config(key, feedback_config=STARS, is_enforced=True)
    assert writer.create_feedback_config(key, feedback_config=STARS).is_enforced is False
    made = client.create_feedback_config(key, feedback_config=STARS, is_enforced=True)
    assert made.is_enforced is True
    again = {"feedback_key": key, "feedback_config": TOPICS, "is_enforced": True}
    assert http.post("/feedback-configs", json=again).status_code == 409
    assert [c.feedback_key for c in client.list_feedback_configs(name_contains=key, is_enforced=True)] == [
        key
    ]
    assert list(client.list_feedback_configs(name_contains=key, is_enforced=False)) == []
    writer.close()


def test_giving_feedback_describes_a_new_key(client: Client, http: httpx.Client, key: str) -> None:
    body = {"key": key, "run_id": str(uuid.uuid4()), "score": 3, "feedback_config": STARS}
    assert http.post("/feedback", json=body).status_code == 200
    (made,) = of_key(client, key)
    assert (made.feedback_config["min"], made.feedback_config["max"]) == (0, 5)
    # one that is there stays, and the feedback is taken
    assert http.post("/feedback", json={**body, "feedback_config": TOPICS}).status_code == 200
    assert of_key(client, key) == [made]
    # JavaScript's client calls it feedbackConfig: not a field
    other = {"key": f"{key}-js", "run_id": body["run_id"], "score": 1, "feedbackConfig": STARS}
    assert http.post("/feedback", json=other).status_code == 200
    assert of_key(client, f"{key}-js") == []


def test_changing_feedback_describes_a_new_key(client: Client, http: httpx.Client, key: str) -> None:
    given = http.post("/feedback", json={"key": key, "run_id": str(uuid.uuid4()), "score": 3}).json()
    assert http.patch(f"/feedback/{given['id']}", json={"feedback_config": STARS}).json() == given
    assert [config.feedback_config["max"] for config in of_key(client, key)] == [5]


def test_another_workspace_has_its_own(
    client: Client, server: Server, issue_key: Callable[..., str], key: str
) -> None:
    secret = issue_key(workspace="neighbour", role="admin")
    neighbour = Client(api_url=server.url, api_key=secret, auto_batch_tracing=False)
    mine = client.create_feedback_config(key, feedback_config=STARS)
    assert of_key(neighbour, key) == []
    with pytest.raises(LangSmithNotFoundError):
        neighbour.delete_feedback_config(config_id=mine.id)
    theirs = neighbour.create_feedback_config(key, feedback_config=TOPICS)
    assert theirs.id != mine.id
    neighbour.delete_feedback_config(key)
    assert of_key(client, key) == [mine]
    neighbour.close()


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, ["body"]),
        ({"feedback_config": None}, ["body", "feedback_config"]),
        ({"feedback_config": {}}, ["body", "feedback_config"]),
        ({"feedback_config": {"type": "stars"}}, ["body", "feedback_config", "type"]),
        ({"feedback_config": {"type": "continuous", "min": 2, "max": 1}}, ["body", "feedback_config", "min"]),
        ({"feedback_config": {"type": "continuous", "min": "low"}}, ["body", "feedback_config", "min"]),
        ({"feedback_config": {"type": "categorical"}}, ["body", "feedback_config", "categories"]),
        (
            {"feedback_config": {"type": "categorical", "categories": [{"value": 1}, {"value": 1.0}]}},
            ["body", "feedback_config", "categories", 1],
        ),
        (
            {"feedback_config": {"type": "categorical", "categories": [{"label": "x"}]}},
            ["body", "feedback_config", "categories", "[0]"],
        ),
        ({"feedback_key": "", "feedback_config": {"type": "freeform"}}, ["body", "feedback_key"]),
        ({"feedback_key": "x" * 181, "feedback_config": {"type": "freeform"}}, ["body", "feedback_key"]),
        ({"feedback_key": "\0", "feedback_config": {"type": "freeform"}}, ["body", "feedback_key"]),
    ],
)
def test_bad_configs_are_named(http: httpx.Client, key: str, body: dict[str, Any], where: list[Any]) -> None:
    answer = http.post("/feedback-configs", content=json.dumps({"feedback_key": key, **body}))
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == where
    assert http.get("/feedback-configs", params={"key": key}).json() == []


def test_bad_requests(http: httpx.Client, key: str) -> None:
    assert http.patch("/feedback-configs", json={}).status_code == 422
    assert http.patch("/feedback-configs", json={"feedback_key": key}).status_code == 404
    assert http.get("/feedback-configs", params={"limit": 0}).status_code == 422
    assert http.get("/feedback-configs", params={"key": [str(i) for i in range(51)]}).status_code == 422
    assert http.get("/feedback-configs", params={"key": "a\0b"}).status_code < 500
    assert http.get("/feedback-configs", params={"name_contains": "a\0b"}).status_code < 500
    assert http.delete("/feedback-configs", params={"feedback_key": "a\0b"}).status_code in (400, 404)


def test_labels_are_kept_as_they_are(client: Client, http: httpx.Client, key: str) -> None:
    categories = [
        {"value": 1, "label": "nul \0 \U0001f600"},
        {"value": -0.5, "label": "\u00e9"},
        {"value": 3},
    ]
    body = {"feedback_key": key, "feedback_config": {"type": "categorical", "categories": categories,
                                                     "allows_multiple_categories": True}}  # fmt: skip
    assert http.post("/feedback-configs", json=body).status_code == 200
    (made,) = of_key(client, key)
    assert labels(made) == [(1, "nul \0 \U0001f600"), (-0.5, "\u00e9"), (3, None)]
    assert made.feedback_config["allows_multiple_categories"] is True

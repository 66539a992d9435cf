"""Presigned feedback links: made with a key by LangSmith's own client, used without one."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from langsmith import Client
from langsmith.schemas import FeedbackConfig
from langsmith.utils import LangSmithError, LangSmithNotFoundError

from tests.conftest import Server
from tests.keys import issue


@pytest.fixture
def run_id() -> uuid.UUID:
    """Of a run that nobody has sent: links may be made before it is."""
    return uuid.uuid4()


@pytest.fixture
def key() -> str:
    return f"key-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def link(client: Client, run_id: uuid.UUID, key: str) -> str:
    return client.create_presigned_feedback_token(run_id, key).url


def given(http: httpx.Client, key: str) -> list[dict[str, Any]]:
    """The feedback under a key, oldest first."""
    found: list[dict[str, Any]] = http.get("/feedback", params={"key": key}).json()
    return found[::-1]


def utc() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


# -- making ----------------------------------------------------------------------------------------------


def test_a_link_leads_back_to_the_server(client: Client, server: Server, run_id: uuid.UUID, key: str) -> None:
    before = utc()
    made = client.create_presigned_feedback_token(run_id, key)
    assert made.url == f"{server.url}/feedback/tokens/{made.id}"
    assert dt.timedelta(hours=3) <= made.expires_at - before < dt.timedelta(hours=3, minutes=1)


@pytest.mark.parametrize("suffix", ["", "/api", "/api/v1", "/langsmith/api/v1"])
def test_links_work_for_clients_of_every_endpoint(
    server: Server, http: httpx.Client, suffix: str, run_id: uuid.UUID, key: str
) -> None:
    client = Client(api_url=server.url + suffix, api_key="any", auto_batch_tracing=False)
    made = client.create_presigned_feedback_token(run_id, key)
    client.create_feedback_from_token(made.url, score=1)
    client.create_feedback_from_token(made.id, score=2)
    assert httpx.get(made.url, params={"score": 3}).status_code == 200
    assert [item["score"] for item in given(http, key)] == [1, 2, 3]
    client.close()


def test_life_in_days_hours_and_minutes_or_until_a_moment(
    client: Client, run_id: uuid.UUID, key: str
) -> None:
    before = utc()
    day = client.create_presigned_feedback_token(
        run_id, key, expiration=dt.timedelta(days=2, hours=1, minutes=1)
    )
    assert dt.timedelta(days=2, minutes=61) <= day.expires_at - before < dt.timedelta(days=2, minutes=62)
    moment = dt.datetime(2031, 1, 2, 3, 4, 5, tzinfo=dt.timezone(dt.timedelta(hours=1)))
    assert client.create_presigned_feedback_token(run_id, key, expiration=moment).expires_at == dt.datetime(
        2031, 1, 2, 2, 4, 5, tzinfo=dt.UTC
    )


def test_several_at_once_and_their_list(
    client: Client, http: httpx.Client, run_id: uuid.UUID, key: str
) -> None:
    keys = [f"{key}-{index:03}" for index in range(105)]
    made = client.create_presigned_feedback_tokens(run_id, keys)
    assert len({token.id for token in made}) == 105
    listed = list(client.list_presigned_feedback_tokens(run_id))
    assert {token.id: token.url for token in listed} == {token.id: token.url for token in made}
    assert len(listed) == 105
    assert len(list(client.list_presigned_feedback_tokens(run_id, limit=3))) == 3
    pages = [
        http.get("/feedback/tokens", params={"run_id": str(run_id), "limit": 50, "offset": offset}).json()
        for offset in (0, 50, 100, 150)
    ]
    assert [len(page) for page in pages] == [50, 50, 5, 0]
    assert {token["feedback_key"] for page in pages for token in page} == set(keys)
    assert set(pages[0][0]) == {"id", "url", "expires_at", "feedback_key"}
    assert http.get("/feedback/tokens", params={"run_id": str(uuid.uuid4())}).json() == []
    assert http.get("/feedback/tokens").status_code == 422


def test_the_answer_has_the_form_of_the_question(http: httpx.Client, run_id: uuid.UUID, key: str) -> None:
    one = {"run_id": str(run_id), "feedback_key": key}
    assert http.post("/feedback/tokens", json=one).json()["feedback_key"] == key
    assert [token["feedback_key"] for token in http.post("/feedback/tokens", json=[one]).json()] == [key]
    assert http.post("/feedback/tokens", json=[]).json() == []


def test_a_key_is_described_by_its_first_link(client: Client, run_id: uuid.UUID, key: str) -> None:
    client.create_presigned_feedback_token(
        run_id, key, feedback_config=FeedbackConfig(type="continuous", min=0, max=10)
    )
    (config,) = client.list_feedback_configs(feedback_key=[key])
    assert config.feedback_config["max"] == 10


def test_an_id_may_be_chosen_if_nobody_can_guess_it(
    client: Client, http: httpx.Client, run_id: uuid.UUID, key: str
) -> None:
    chosen = uuid.uuid4()
    made = client.create_presigned_feedback_token(run_id, key, feedback_id=chosen)
    assert made.id == chosen
    again = client.create_presigned_feedback_token(run_id, key, feedback_id=chosen)  # a retry
    assert again.url == made.url
    assert len(list(client.list_presigned_feedback_tokens(run_id))) == 1
    taken = {"id": str(chosen), "run_id": str(uuid.uuid4()), "feedback_key": key}
    assert http.post("/feedback/tokens", json=taken).status_code == 409
    for guessable in (uuid.UUID(int=0), uuid.uuid1()):
        answer = http.post("/feedback/tokens", json={**taken, "id": str(guessable)})
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"] == ["body", "id"]


# -- using -----------------------------------------------------------------------------------------------


def test_each_use_is_a_new_piece(
    client: Client, http: httpx.Client, link: str, run_id: uuid.UUID, key: str
) -> None:
    client.create_feedback_from_token(
        link, score=True, value="up", comment="nice", correction={"a": 1}, metadata={"page": "/x"}
    )
    client.create_feedback_from_token(link, score=False)
    first, second = given(http, key)
    assert (first["score"], first["value"], first["comment"]) == (True, "up", "nice")
    assert (first["correction"], first["extra"]) == ({"a": 1}, {"page": "/x"})
    assert first["run_id"] == second["run_id"] == str(run_id)
    assert second["score"] is False
    assert first["id"] != second["id"]
    assert first["feedback_source"]["type"] == "api"


@pytest.mark.parametrize(
    ("sent", "stored"),
    [("true", True), ("False", False), ("1", 1), ("1.0", 1.0), ("-2.5e1", -25.0), (".5", 0.5), ("+1", 1.0)],
)
def test_a_link_alone_gives_feedback(link: str, http: httpx.Client, key: str, sent: str, stored: Any) -> None:
    params = {"score": sent, "value": "5", "comment": "caf\u00e9 & more", "correction": "other"}
    assert httpx.get(link, params=params).status_code == 200
    (found,) = given(http, key)
    assert (found["score"], type(found["score"])) == (stored, type(stored))
    assert (found["value"], found["comment"], found["correction"]) == ("5", "caf\u00e9 & more", "other")


def test_no_key_and_a_wrong_key_do_as_well(locked_server: Server, run_id: uuid.UUID, key: str) -> None:
    api = {"x-api-key": issue(locked_server.data_dir)}
    with httpx.Client(base_url=locked_server.url, timeout=60) as http:
        body = {"run_id": str(run_id), "feedback_key": key}
        assert http.post("/feedback/tokens", json=body).status_code == 401
        made = http.post("/feedback/tokens", json=body, headers=api).json()
        for headers in ({}, {"x-api-key": "wrong"}, {"authorization": "Bearer wrong"}):
            assert http.get(made["url"], params={"score": 1}, headers=headers).status_code == 200
            assert http.post(made["url"], json={"score": 0}, headers=headers).status_code == 200
        origin = {"origin": "https://shop.example"}  # a page of the user's own
        asked = http.options(made["url"], headers={**origin, "access-control-request-method": "POST"})
        assert asked.status_code == 204
        used = http.post(made["url"], json={"score": 1}, headers=origin)
        assert used.headers["access-control-allow-origin"] == "*"
        found = http.get("/feedback", params={"key": key}, headers=api).json()
        assert len(found) == 7


def test_public_url_wins(own_server: Server, run_id: uuid.UUID, key: str) -> None:
    own_server.environment["STENOGRAPH_PUBLIC_URL"] = "https://steno.example/base/"
    own_server.start()
    body = {"run_id": str(run_id), "feedback_key": key}
    made = httpx.post(f"{own_server.url}/feedback/tokens", json=body, timeout=60).json()
    assert made["url"] == f"https://steno.example/base/feedback/tokens/{made['id']}"
    assert own_server.stop() == 0


def test_a_look_is_no_feedback(link: str, http: httpx.Client, key: str) -> None:
    assert httpx.head(link, params={"score": 1}).status_code == 200
    for answer in (
        httpx.get(link),
        httpx.post(link, json={}),
        httpx.post(link),
        httpx.get(link, params={"score": ""}),
    ):
        assert answer.status_code == 422
        assert "give a score" in answer.json()["detail"][0]["msg"]
    assert given(http, key) == []


def test_feedback_by_link_counts_for_the_run(
    http: httpx.Client, link: str, project: str, run_id: uuid.UUID, key: str
) -> None:
    httpx.get(link, params={"score": 1})
    run = {"id": str(run_id), "name": "late", "run_type": "chain", "session_name": project}
    assert http.post("/runs", json=run).status_code == 202
    body = {"id": [str(run_id)], "select": ["feedback_stats"]}
    assert http.post("/runs/query", json=body).json()["runs"][0]["feedback_stats"][key]["avg"] == 1


def test_unknown_links(client: Client, server: Server) -> None:
    unknown = uuid.uuid4()
    with pytest.raises(LangSmithNotFoundError, match="not found"):
        client.create_feedback_from_token(unknown, score=1)
    assert httpx.get(f"{server.url}/feedback/tokens/{unknown}", params={"score": 1}).status_code == 404
    assert httpx.get(f"{server.url}/feedback/tokens/nonsense").status_code == 422


@pytest.mark.parametrize(
    "change",
    [
        {"expires_at": "2020-01-01T00:00:00Z"},
        {"expires_at": "soon"},
        {"expires_at": "2200-01-01T00:00:00Z"},
        {"expires_in": {"minutes": 0}},
        {"expires_in": {"hours": -1}},
        {"expires_in": {"days": 10**18}},
        {"expires_in": {"days": 1.7e308}},
        {"expires_in": {"days": 1}, "expires_at": "2030-01-01T00:00:00Z"},
        {"expires_in": 5},
        {"run_id": "x"},
        {"run_id": None},
        {"feedback_key": ""},
        {"feedback_key": "k" * 181},
        {"feedback_config": {"type": "x"}},
        {"feedback_config": {"type": "categorical"}},
    ],
)
def test_bad_requests_are_refused(
    http: httpx.Client, run_id: uuid.UUID, key: str, change: dict[str, Any]
) -> None:
    good = {"run_id": str(run_id), "feedback_key": key}
    answer = http.post("/feedback/tokens", json=[good, {**good, **change}])
    assert answer.status_code == 422, answer.text
    assert answer.json()["detail"][0]["loc"][0] == "body"
    assert http.get("/feedback/tokens", params={"run_id": str(run_id)}).json() == []


def test_too_short_a_life_is_named_by_the_client(client: Client, run_id: uuid.UUID, key: str) -> None:
    with pytest.raises(LangSmithError, match="expired already"):
        client.create_presigned_feedback_token(run_id, key, expiration=dt.timedelta(seconds=30))


@pytest.mark.parametrize(
    "body",
    [
        {"score": "abc"}, {"score": [1]}, {"correction": [1]}, {"comment": 1}, {"score": 1, "metadata": 1},
        {"comment": "x" * (2 << 20)}, [], "x",
    ],
)  # fmt: skip
def test_bad_feedback_by_link(link: str, http: httpx.Client, key: str, body: Any) -> None:
    assert httpx.post(link, content=json.dumps(body)).status_code in (413, 422)
    assert given(http, key) == []


@pytest.mark.parametrize("score", ["abc", "nan", "inf", "1e999", "1_0", "0x1"])
def test_bad_scores_in_links(link: str, http: httpx.Client, key: str, score: str) -> None:
    answer = httpx.get(link, params={"score": score})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", "score"]
    assert given(http, key) == []


def test_links_are_the_workspaces_own(
    client: Client, server: Server, issue_key: Callable[..., str], link: str, run_id: uuid.UUID, key: str
) -> None:
    headers = {"x-api-key": issue_key(workspace="neighbour", role="admin")}
    with httpx.Client(base_url=server.url, headers=headers, timeout=60) as neighbour:
        assert neighbour.get("/feedback/tokens", params={"run_id": str(run_id)}).json() == []
        assert neighbour.post(link, json={"score": 1}).status_code == 200  # the link is the permission
        assert given(neighbour, key) == []
    assert len(list(client.list_feedback(run_ids=[run_id]))) == 1


def test_readers_do_not_see_links(server: Server, issue_key: Callable[..., str], run_id: uuid.UUID) -> None:
    for role, status in (("read", 403), ("ingest", 403), ("write", 200)):
        headers = {"x-api-key": issue_key(role=role)}
        answer = httpx.get(f"{server.url}/feedback/tokens", params={"run_id": str(run_id)}, headers=headers)
        assert answer.status_code == status

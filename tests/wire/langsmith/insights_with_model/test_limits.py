"""Where a model is not asked, or not to the end: budgets, failures, kills; and what is told of that beforehand."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator

import httpx
import pytest

from tests.conftest import Server
from tests.openai_server import Asked, ModelServer, Reply, scripted
from tests.wire.langsmith.insights_with_model.conftest import environment
from tests.wire.langsmith.insights_with_model.writer import USAGE, answer_of, answering, kind, kinds
from tests.wire.langsmith.test_insights import asked, done, report, sent


@pytest.fixture
def plain(server: Server) -> Iterator[httpx.Client]:
    """The server that has no model."""
    with httpx.Client(base_url=server.url, timeout=60) as client:
        yield client


def test_the_cost_is_told_before(http: httpx.Client, model: ModelServer) -> None:
    project = sent(http, 50, intents=4)
    insights = f"/sessions/{project}/insights"
    plan = http.post(f"{insights}/estimate", json={}).json()
    assert (plan["traces"], plan["note"]) == (50, None)
    assert (plan["summary_model"], plan["cluster_model"], plan["host"]) == (
        "gpt-4o-mini",
        "gpt-4o-mini",
        "127.0.0.1",
    )
    assert plan["token_budget"] == 2_000_000
    assert plan["calls"] > 0
    assert 0 < plan["cost"] < 0.1
    every = http.post(f"{insights}/estimate", json={"summaries": "all", "sample": 0.5}).json()
    assert every["traces"] == 25
    assert every["calls"] > 25
    small = http.post(f"{insights}/estimate", json={"token_budget": 1000}).json()
    assert small["prompt_tokens"] + small["completion_tokens"] <= 1000
    own = http.post(f"{insights}/estimate", json={"cluster_model": "nobody-sells-this"}).json()
    assert (own["cluster_model"], own["summary_model"]) == ("nobody-sells-this", "nobody-sells-this")
    assert own["cost"] is None
    mixed = http.post(
        f"{insights}/estimate", json={"cluster_model": "gpt-4o", "summary_model": "gpt-4o-mini"}
    )
    assert mixed.json()["cost"] > plan["cost"]
    saved = http.post(f"{insights}/configs", json={"name": "c", "config": {"token_budget": 0}}).json()
    assert saved["config"]["token_budget"] == 0
    nothing = http.post(f"{insights}/estimate", json={"config_id": saved["id"]}).json()
    assert (nothing["calls"], nothing["note"]) == (0, "the budget of this report is 0 tokens")
    for wrong in (
        {"token_budget": 10**9},
        {"token_budget": -1},
        {"summaries": "some"},
        {"token_budget": "x"},
    ):
        for path in (insights, f"{insights}/estimate"):
            answer = http.post(path, json=wrong)
            assert answer.status_code in (400, 422), answer.text
            assert next(iter(wrong)) in answer.text
    assert http.get(insights).json() == {"clustering_jobs": []}
    assert model.asked == []


def test_a_report_goes_on_when_the_budget_is_used_up(http: httpx.Client, model: ModelServer) -> None:
    project = sent(http, 60, intents=4)
    found = report(http, project, hierarchy=[4, 2], token_budget=3_000)
    use = found["metadata"]["model"]
    assert 0 < use["budget_used"] <= 3_000
    assert use["token_budget"] == 3_000
    assert use["unanswered"] > 0
    assert "3,000 tokens" in found["metadata"]["model_note"]
    assert [sum(each["level"] == level for each in found["clusters"]) for level in (0, 1)] == [4, 2]
    assert found["report"]["key_points"]
    model.asked.clear()
    without = report(http, project, hierarchy=[4, 2], token_budget=0)
    assert without["metadata"]["model"] is None
    assert without["metadata"]["model_note"] == "the budget of this report is 0 tokens"
    assert model.asked == []


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=500, text="it broke", headers={"retry-after-ms": "5"}),
        Reply(text="I would rather not.", usage=USAGE),
    ],
    ids=["failing", "babbling"],
)
def test_a_report_is_made_without_a_model_that_fails(
    http: httpx.Client, model: ModelServer, reply: Reply
) -> None:
    project = sent(http, 40, intents=3)
    without = report(http, project, hierarchy=[3], token_budget=0)
    model.answer = lambda asked: reply
    found = report(http, project, hierarchy=[3])
    assert [each["name"] for each in found["clusters"]] == [each["name"] for each in without["clusters"]]
    assert found["report"]["key_points"] == without["report"]["key_points"]
    assert found["report"]["title"] == without["report"]["title"]
    said = found["metadata"]["model_note"]
    assert "it broke" in said or "could not be read" in said
    assert found["metadata"]["model"]["unanswered"] > 0
    assert "sk-test" not in json.dumps(found)


def test_a_workspace_asks_its_own_server(plain: httpx.Client, model: ModelServer) -> None:
    """On a server without a model: by a secret whose address is not public, which is not asked."""
    name = "STENOGRAPH_LLM_BASE_URL"
    project = sent(plain, 10, intents=1)
    secrets = "/workspaces/current/secrets"
    try:
        assert plain.post(secrets, json=[{"key": name, "value": model.url}]).status_code == 200
        unnamed = plain.post(f"/sessions/{project}/insights/estimate", json={}).json()
        assert "no model is named" in unnamed["note"]
        found = report(plain, project, hierarchy=[1], summary_model="mine")
        assert "public" in found["metadata"]["model_note"]
        assert found["metadata"]["model"]["unanswered"] > 0
        plain.post(secrets, json=[{"key": name, "value": "no address"}])
        found = report(plain, project, hierarchy=[1], summary_model="mine")
        assert "not the address" in found["metadata"]["model_note"]
    finally:
        plain.post(secrets, json=[{"key": name, "value": None}])
    assert model.asked == []


def test_without_a_model_it_is_said_and_nothing_is_drafted(plain: httpx.Client) -> None:
    project = sent(plain, 6, intents=1)
    found = report(plain, project)
    assert found["metadata"]["model"] is None
    assert "STENOGRAPH_LLM_BASE_URL" in found["metadata"]["model_note"]
    answer = plain.post(
        f"/sessions/{project}/insights/configs/generate", json={"user_context": {"what": "all"}}
    )
    assert 400 <= answer.status_code < 500
    assert "STENOGRAPH_LLM_BASE_URL" in answer.text


def test_a_killed_server_asks_nothing_twice(own_server: Server) -> None:
    with scripted() as model:
        gate, reached = threading.Event(), threading.Event()

        def until_the_overview(asked: Asked) -> Reply:
            if kind(asked) == "overview" and not gate.is_set():
                reached.set()
                return Reply(text=json.dumps(answer_of(asked)), usage=USAGE, gate=gate)
            return answering(asked)

        model.answer = until_the_overview
        own_server.environment = environment(model, STENOGRAPH_LLM_TIMEOUT_SECONDS="60")
        with httpx.Client(base_url=own_server.start().url, timeout=60) as http:
            project = sent(http, 60, intents=4)
            schemas = {"mood": {"type": "string"}}
            job = asked(http, project, hierarchy=[4, 2], attribute_schemas=schemas)
            assert reached.wait(60)
            folder = own_server.data_dir / "insights" / job
            before = (folder / "read").stat().st_mtime_ns
            first = kinds(model.asked)
            assert first["overview"] == 1
            own_server.kill()
            gate.set()
            own_server.start()
            found = done(http, project, job)
            assert found["status"] == "success", found["error"]
            assert kinds(model.asked) == first | {"overview": 2}  # its answer had nobody to come to
            assert not folder.exists()
            assert before
            use = found["metadata"]["model"]
            # What was read before the kill is not asked for again, whoever counts it.
            assert use["calls"] + use["cached"] <= len(model.asked)
            assert use["cached"] == 0
            assert found["report"]["title"] == "What people ask"
            assert found["clusters"][0]["name"].startswith("Asks about")
            assert http.delete(f"/sessions/{project}").status_code in (200, 202)
            name = str(uuid.uuid4())
            assert http.post("/sessions", json={"name": name}).status_code == 200

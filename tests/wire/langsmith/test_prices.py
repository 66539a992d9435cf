"""The workspace's own model prices, and what runs cost by them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from langsmith import Client

from tests.conftest import Server

PATH = "/model-price-map"


@pytest.fixture
def model() -> str:
    """A model name that no price knows yet."""
    return f"model-{uuid.uuid4().hex[:12]}"


def price(model: str, **fields: Any) -> dict[str, Any]:
    return {
        "name": model,
        "match_pattern": f"^{model}$",
        "prompt_cost": "0.5",
        "completion_cost": 1.25,
        **fields,
    }


def add(http: httpx.Client, model: str, **fields: Any) -> dict[str, Any]:
    answer = http.post(PATH, json=price(model, **fields))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def named(http: httpx.Client, model: str) -> list[dict[str, Any]]:
    return [row for row in http.get(PATH).json() if row["name"] == model]


def spend(client: Client, project: str, model: str, tokens: tuple[int, int] = (10, 4), **fields: Any) -> Any:
    """An llm run of this model, read back."""
    run_id = uuid.uuid4()
    usage = {"input_tokens": tokens[0], "output_tokens": tokens[1], "total_tokens": sum(tokens)}
    client.create_run(
        "call",
        {},
        "llm",
        id=run_id,
        project_name=project,
        outputs={"usage_metadata": {**usage, **fields.pop("details", {})}},
        extra={"metadata": {"ls_model_name": model, "ls_provider": "acme"}},
        start_time=fields.pop("start_time", "2025-06-01T00:00:00Z"),
        end_time="2025-06-01T00:00:01Z",
    )
    client.flush()
    return client.read_run(run_id)


def test_a_price_lives_and_goes(http: httpx.Client, model: str) -> None:
    made = add(
        http,
        model,
        prompt_cost=0.0000025,
        completion_cost="0.00001",
        prompt_cost_details={"cache_read": 1.25e-6},
        provider="acme",
        start_time="2025-01-01T00:00:00Z",
    )
    assert made == {
        "id": made["id"],
        "tenant_id": http.get("/settings").json()["id"],
        "name": model,
        "start_time": "2025-01-01T00:00:00.000000",
        "match_path": ["model", "model_name", "model_id", "model_path", "endpoint_name"],
        "match_pattern": f"^{model}$",
        "prompt_cost": "0.0000025",
        "completion_cost": "0.00001",
        "prompt_cost_details": {"cache_read": "0.00000125"},
        "completion_cost_details": None,
        "provider": "acme",
    }
    assert named(http, model) == [made]

    changed = http.put(f"{PATH}/{made['id']}", json=price(model, match_path=["deployment"]))
    assert changed.status_code == 200
    assert named(http, model) == [changed.json()]
    assert (changed.json()["prompt_cost"], changed.json()["completion_cost"]) == ("0.5", "1.25")
    assert (changed.json()["provider"], changed.json()["match_path"]) == (None, ["deployment"])

    assert http.delete(f"{PATH}/{made['id']}").status_code == 200
    assert named(http, model) == []
    assert http.delete(f"{PATH}/{made['id']}").status_code == 404
    assert http.put(f"{PATH}/{made['id']}", json=price(model)).status_code == 404


def test_runs_cost_what_the_price_says_from_then_on(
    http: httpx.Client, client: Client, project: str, model: str
) -> None:
    before = spend(client, project, model)
    assert before.total_tokens == 14
    assert before.total_cost is None
    made = add(http, model)
    after = spend(client, project, model)
    assert (str(after.prompt_cost), str(after.completion_cost), str(after.total_cost)) == ("5", "5", "10")
    assert http.put(f"{PATH}/{made['id']}", json=price(model, prompt_cost="1")).status_code == 200
    assert str(spend(client, project, model).total_cost) == "15"
    assert http.delete(f"{PATH}/{made['id']}").status_code == 200
    assert spend(client, project, model).total_cost is None
    # what runs cost before stays
    assert str(client.read_run(after.id).total_cost) == "10"
    assert client.read_run(before.id).total_cost is None


def test_details_provider_and_time_choose_the_price(
    http: httpx.Client, client: Client, project: str, model: str
) -> None:
    add(http, model, prompt_cost_details={"cache_read": "0.05"}, start_time="2025-01-01T00:00:00Z")
    add(http, model, prompt_cost="7", start_time="2026-01-01T00:00:00Z")
    add(http, model, prompt_cost="9", provider="somebody-else")
    run = spend(client, project, model, details={"input_token_details": {"cache_read": 6}})
    assert str(run.prompt_cost) == "2.3"  # 6 at 0.05 and 4 at 0.5
    assert spend(client, project, model, start_time="2024-06-01T00:00:00Z").total_cost is None


def test_a_replaced_price_keeps_its_age(http: httpx.Client, client: Client, project: str, model: str) -> None:
    older = add(http, model, prompt_cost="1")
    add(http, model, prompt_cost="2")
    assert str(spend(client, project, model).prompt_cost) == "20"
    http.put(f"{PATH}/{older['id']}", json=price(model, prompt_cost="3")).raise_for_status()
    assert str(spend(client, project, model).prompt_cost) == "20"


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"match_pattern": "("}, ["body", "match_pattern"]),
        ({"match_pattern": "(a+)+$"}, ["body", "match_pattern"]),
        ({"match_pattern": "x" * 2000}, ["body", "match_pattern"]),
        ({"match_pattern": "a\0"}, ["body", "match_pattern"]),
        ({"match_pattern": None}, ["body", "match_pattern"]),
        ({"name": " "}, ["body", "name"]),
        ({"name": "n" * 256}, ["body", "name"]),
        ({"provider": "\0"}, ["body", "provider"]),
        ({"match_path": ["k" * 300]}, ["body", "match_path"]),
        ({"match_path": ["k"] * 17}, ["body", "match_path"]),
        ({"prompt_cost": -1}, ["body", "prompt_cost"]),
        ({"prompt_cost": "dear"}, ["body", "prompt_cost"]),
        ({"prompt_cost": "NaN"}, ["body", "prompt_cost"]),
        ({"prompt_cost": "Infinity"}, ["body", "prompt_cost"]),
        ({"prompt_cost": "1e999999"}, ["body", "prompt_cost"]),
        ({"completion_cost": "1e-99999999"}, ["body", "completion_cost"]),
        ({"completion_cost": "0." + "1" * 65}, ["body", "completion_cost"]),
        ({"completion_cost_details": {"audio": -1}}, ["body", "completion_cost_details", "audio"]),
        ({"start_time": "never"}, ["body", "start_time"]),
    ],
)
def test_bad_prices_are_named(
    http: httpx.Client, model: str, change: dict[str, Any], where: list[str]
) -> None:
    made = add(http, model)
    for answer in (
        http.post(PATH, json={**price(model), **change}),
        http.put(f"{PATH}/{made['id']}", json={**price(model), **change}),
    ):
        assert answer.status_code == 422, answer.text
        assert answer.json()["detail"][0]["loc"] == where
    assert named(http, model) == [made]


@pytest.mark.parametrize("body", ["", "[]", "{}", "x", json.dumps({"name": "n"})])
def test_bodies_that_are_no_price(http: httpx.Client, body: str) -> None:
    assert http.post(PATH, content=body).status_code == 422
    assert http.put(f"{PATH}/not-a-uuid", content=body).status_code == 422


def test_prices_are_the_workspaces_own(
    http: httpx.Client,
    client: Client,
    server: Server,
    issue_key: Callable[..., str],
    project: str,
    model: str,
) -> None:
    secret = issue_key(workspace="neighbour", role="admin")
    with httpx.Client(base_url=server.url, headers={"x-api-key": secret}, timeout=60) as neighbour:
        made = add(neighbour, model)
        assert named(http, model) == []
        assert http.put(f"{PATH}/{made['id']}", json=price(model)).status_code == 404
        assert http.delete(f"{PATH}/{made['id']}").status_code == 404
        assert spend(client, project, model).total_cost is None
        assert named(neighbour, model) == [made]


def test_readers_change_no_prices(server: Server, issue_key: Callable[..., str], model: str) -> None:
    with httpx.Client(
        base_url=server.url, headers={"x-api-key": issue_key(role="read")}, timeout=60
    ) as reader:
        assert reader.get(PATH).status_code == 200
        assert reader.post(PATH, json=price(model)).status_code == 403
        assert reader.delete(f"{PATH}/{uuid.uuid4()}").status_code == 403

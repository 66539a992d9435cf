"""Metrics through HoneyHive's own Python client, and by hand where it does not go."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any
from unittest.mock import ANY

import httpx
import pytest
from honeyhive import HoneyHive
from honeyhive._generated.models import LegacyRunMetricRequest, MetricVersionContentRequest, RunMetricRequest
from honeyhive._generated.services import Metrics_service as service
from honeyhive.models import (
    CreateMetricRequest,
    CreateMetricVersionRequest,
    UpdateMetricRequest,
)

from tests.conftest import Server
from tests.openai_server import ModelServer, Reply
from tests.wire.honeyhive.conftest import PREFIX

MANY = "9" * 5000


def name() -> str:
    return f"metric {uuid.uuid4().hex[:10]}"


def judge(**more: Any) -> dict[str, Any]:
    plain = {
        "name": name(),
        "type": "LLM",
        "criteria": "Rate {{outputs.content}} [[n]]",
        "model_provider": "openai",
        "model_name": "gpt",
        "scale": 5,
    }
    return {key: value for key, value in {**plain, **more}.items() if value is not ...}


def script(**more: Any) -> dict[str, Any]:
    return {"name": name(), "type": "PYTHON", "criteria": "return len(event['outputs'])", **more}


# -- the client ----------------------------------------------------------------------------------------------


def test_the_life_of_a_metric(hive: HoneyHive) -> None:
    wanted = CreateMetricRequest(
        name=name(),
        type="LLM",
        criteria="Rate {{outputs.content}}",
        description="how good",
        return_type="float",
        model_provider="openai",
        model_name="gpt",
        scale=5,
        threshold={"min": 3, "max": 5},
        sampling_percentage=25.5,
        filters={
            "filterArray": [{"field": "event_type", "operator": "is", "value": "model", "type": "string"}]
        },
    )
    made = hive.metrics.create(wanted)
    assert made.inserted
    (found,) = hive.metrics.get_metric(made.metric_id)
    for field in (
        "name",
        "type",
        "criteria",
        "description",
        "return_type",
        "model_name",
        "scale",
        "threshold",
    ):
        assert getattr(found, field) == getattr(wanted, field), field
    assert (found.enabled_in_prod, found.needs_ground_truth, found.sampling_percentage) == (
        False,
        False,
        25.5,
    )
    assert wanted.filters is not None
    assert found.filters.filterArray == wanted.filters.filterArray
    assert found.updated_at is None
    assert hive.metrics.update(UpdateMetricRequest(id=made.metric_id, description="better")).updated
    (changed,) = hive.metrics.get_metric(made.metric_id)
    assert (changed.description, changed.criteria, changed.updated_at is None) == (
        "better",
        wanted.criteria,
        False,
    )
    assert made.metric_id in {each.id for each in hive.metrics.list()}
    assert made.metric_id in {each.id for each in hive.metrics.list(type="LLM")}
    assert made.metric_id not in {each.id for each in hive.metrics.list(type="HUMAN")}
    assert hive.metrics.delete(made.metric_id).deleted
    assert hive.metrics.get_metric(made.metric_id) == []
    with pytest.raises(Exception, match="not found"):
        hive.metrics.delete(made.metric_id)
    with pytest.raises(Exception, match="not found"):
        hive.metrics.update(UpdateMetricRequest(id=made.metric_id, description="x"))


def test_the_client_without_waiting(hive: HoneyHive) -> None:
    async def work() -> None:
        made = await hive.metrics.create_async(
            CreateMetricRequest(name=name(), type="HUMAN", criteria="x", scale=5)
        )
        found = {each.id: each for each in await hive.metrics.list_async()}
        assert found[made.metric_id].enabled_in_prod, "people's metrics are enabled by default"
        assert (await hive.metrics.delete_async(made.metric_id)).deleted

    asyncio.run(work())


def test_versions(hive: HoneyHive) -> None:
    first = CreateMetricRequest(**script())
    metric = hive.metrics.create(first).metric_id
    content = {"name": first.name, "type": "PYTHON", "criteria": "return 2"}
    draft = hive.metric_versions.create(
        metric, CreateMetricVersionRequest(message="try two", content=MetricVersionContentRequest(**content))
    ).data
    assert (draft.name, draft.deployed, draft.message, draft.content.criteria) == (
        "v2",
        False,
        "try two",
        "return 2",
    )
    assert (draft.content.description, draft.content.return_type) == ("", "float")
    assert len(draft.full_sha) == 64
    assert hive.metrics.get_metric(metric)[0].criteria == first.criteria
    live = hive.metric_versions.create(
        metric,
        CreateMetricVersionRequest(
            message="",
            content=MetricVersionContentRequest(**{**content, "criteria": "return 3"}),
            deploy_immediately=True,
        ),
    ).data
    assert (live.name, live.deployed) == ("v3", True)
    assert hive.metrics.get_metric(metric)[0].criteria == "return 3"
    assert hive.metric_versions.deploy(metric, "v1").data.deployed
    listed = hive.metric_versions.list(metric).data
    assert [(each.name, each.deployed) for each in listed] == [("v1", True), ("v2", False), ("v3", False)]
    assert hive.metrics.get_metric(metric)[0].criteria == first.criteria
    for unknown in ("v9", "main", "v"):
        with pytest.raises(Exception, match="version"):
            hive.metric_versions.deploy(metric, unknown)
    with pytest.raises(Exception, match="not found"):
        hive.metric_versions.list(str(uuid.uuid4()))


def test_running_a_metric(hive: HoneyHive, model: ModelServer) -> None:
    config = hive.metrics._api_config
    event = {"event_name": "x", "outputs": {"content": "hello"}, "metrics": {"a": 1, "b": True}}

    def run(**metric: Any) -> tuple[bool, object, str | None]:
        found = service.runMetric(config, data=RunMetricRequest(metric=metric, event=event))
        older = service.runMetricLegacy(config, data=LegacyRunMetricRequest(metric=metric, event=event))
        assert found == older
        assert not found.loading
        return found.success, found.result, found.explanation

    assert run(**judge()) == (True, 4.0, "It is good.")
    assert model.asked[-1].prompt == "Rate hello [[n]]"
    assert run(**script()) == (True, 1.0, None)
    assert run(**script(return_type="boolean")) == (True, True, None)
    assert run(**script(criteria="return 'x', 'why'", return_type="string")) == (True, "x", "why")
    assert run(**script(criteria="return 1/0")) == (
        False,
        None,
        "ZeroDivisionError: division by zero (line 1)",
    )
    assert run(**script(criteria="return 'x'")) == (
        False,
        None,
        "it returned 'x', and its return type is float",
    )
    parts = [{"name": "a", "weight": 1}, {"name": "b", "weight": 1}]
    assert run(name="c", type="COMPOSITE", criteria="sum", child_metrics=parts) == (True, 2.0, None)
    model.script += [Reply(text="who knows")] * 2
    success, result, explanation = run(**judge())
    assert (success, result) == (False, None)
    assert "who knows" in (explanation or "")


def test_a_model_that_cannot_be_asked_is_an_error(hh: httpx.Client, model: ModelServer) -> None:
    model.script.append(Reply(status=400, text="no such model"))
    found = hh.post("/v1/metrics/run", json={"metric": judge(), "event": {"outputs": {"content": "x"}}})
    assert found.status_code == 400
    assert "no such model" in found.json()["message"]
    model.script += [Reply(status=503, headers={"retry-after-ms": "1"})] * 3
    found = hh.post("/v1/metrics/run", json={"metric": judge(), "event": {"outputs": {"content": "x"}}})
    assert (found.status_code, found.headers["retry-after"]) == (503, "1")


def test_without_the_settings_the_setting_is_named(own_server: Server) -> None:
    own_server.environment = {"OPENAI_API_KEY": "", "OPENAI_BASE_URL": ""}
    own_server.start()
    with httpx.Client(base_url=own_server.url + PREFIX, timeout=60) as hh:
        event = {"outputs": {"content": "x"}}
        asked = hh.post("/v1/metrics/run", json={"metric": judge(), "event": event})
        assert asked.status_code == 400
        assert "STENOGRAPH_LLM_BASE_URL" in asked.json()["message"]
        run = hh.post("/v1/metrics/run", json={"metric": script(), "event": event})
        assert run.status_code == 501
        assert "STENOGRAPH_PYTHON_EVALUATORS" in run.json()["message"]
        on = hh.post("/v1/metrics", json=script(enabled_in_prod=True))
        assert on.status_code == 501
        assert "STENOGRAPH_PYTHON_EVALUATORS" in on.json()["message"]
        made = hh.post("/v1/metrics", json=script())
        assert made.status_code == 200, "kept for when it is turned on"
        metric = made.json()["metric_id"]
        assert hh.put(f"/v1/metrics/{metric}", json={"enabled_in_prod": True}).status_code == 501
        judged = hh.post("/v1/metrics", json=judge(enabled_in_prod=True)).json()["metric_id"]
        assert "STENOGRAPH_LLM_BASE_URL" in hh.get(f"/v1/metrics/{judged}/evaluations").json()["problem"]


# -- by hand -------------------------------------------------------------------------------------------------


def test_both_ways_to_name_a_metric(hh: httpx.Client) -> None:
    one, two = (hh.post("/v1/metrics", json=script()).json()["metric_id"] for _ in range(2))
    assert hh.put(f"/v1/metrics/{one}", json={"description": "x"}).json() == {"updated": True}
    assert hh.delete(f"/v1/metrics/{one}").json() == {"deleted": True}
    assert hh.put("/v1/metrics", json={"id": two, "description": "x"}).json() == {"updated": True}
    assert hh.delete("/v1/metrics", params={"metric_id": two}).json() == {"deleted": True}


def test_names_are_taken_once(hh: httpx.Client) -> None:
    first = script()
    metric = hh.post("/v1/metrics", json=first).json()["metric_id"]
    again = hh.post("/v1/metrics", json=first)
    assert again.status_code == 409
    assert first["name"] in again.json()["message"]
    other = hh.post("/v1/metrics", json=script()).json()["metric_id"]
    assert hh.put(f"/v1/metrics/{other}", json={"name": first["name"]}).status_code == 409
    content = {"message": "x", "content": script(name=first["name"]), "deploy_immediately": True}
    assert hh.post(f"/v1/metrics/{other}/versions", json=content).status_code == 409
    assert hh.delete(f"/v1/metrics/{metric}").status_code == 200
    assert hh.put(f"/v1/metrics/{other}", json={"name": first["name"]}).status_code == 200


def test_an_update_states_a_part(hh: httpx.Client) -> None:
    metric = hh.post("/v1/metrics", json=judge(threshold={"min": 1}, description="d")).json()["metric_id"]

    def found() -> dict[str, Any]:
        items: list[dict[str, Any]] = hh.get("/v1/metrics", params={"id": metric}).json()["metrics"]
        return items[0]

    before = found()
    assert hh.put(f"/v1/metrics/{metric}", json={}).status_code == 200
    assert found() == before, "nothing said, nothing changed: no version either"
    assert len(hh.get(f"/v1/metrics/{metric}/versions").json()["data"]) == 1
    changes: list[dict[str, Any]] = [
        {"threshold": {"pass_when": True}},
        {"threshold": None, "description": None},
        {"return_type": "categorical", "categories": [{"category": "a", "score": None}]},
        {"sampling_percentage": 0},
        {"filters": {"filterArray": []}},
    ]
    expected = before
    for change in changes:
        assert hh.put(f"/v1/metrics/{metric}", json=change).status_code == 200, change
        expected = {**expected, **change, "updated_at": ANY}
        assert found() == expected
    assert len(hh.get(f"/v1/metrics/{metric}/versions").json()["data"]) == 5


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"name": ...}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"name": 7}, "name"),
        ({"type": ...}, "type"),
        ({"type": "custom"}, "custom"),
        ({"type": "COMPOSITE"}, "child_metrics"),
        ({"criteria": ""}, "criteria"),
        ({"criteria": "{{ x | y }}"}, "criteria"),
        ({"return_type": "int"}, "return_type"),
        ({"return_type": "categorical"}, "categories"),
        ({"scale": ...}, "scale"),
        ({"scale": 0}, "scale"),
        ({"scale": 2.5}, "scale"),
        ({"scale": 10**30}, "scale"),
        ({"model_provider": ...}, "model_provider"),
        ({"model_name": None}, "model_name"),
        ({"sampling_percentage": -1}, "sampling_percentage"),
        ({"sampling_percentage": 100.5}, "sampling_percentage"),
        ({"enabled_in_prod": None}, "enabled_in_prod"),
        ({"threshold": {"min": 2, "max": 1}}, "threshold"),
        ({"threshold": {"other": 1}}, "other"),
        ({"threshold": {"passing_categories": []}}, "passing_categories"),
        ({"categories": []}, "categories"),
        ({"categories": [{"category": "a"}]}, "score"),
        ({"child_metrics": [{"name": "a"}]}, "weight"),
        ({"filters": {}}, "filterArray"),
        ({"filters": {"filterArray": [{"field": "nope", "operator": "is", "value": 1}]}}, "nope"),
        ({"filters": {"filterArray": {"field": "x"}}}, "filterArray"),
        ({"filters": []}, "filters"),
        ({"unknown": 1}, "unknown"),
        ({"id": "x"}, "id"),
    ],
)
def test_what_is_no_metric(hh: httpx.Client, change: dict[str, Any], where: str) -> None:
    found = hh.post("/v1/metrics", json=judge(**change))
    assert found.status_code == 400, found.text
    assert where in found.json()["message"]
    versioned = hh.post("/v1/metrics", json=judge()).json()["metric_id"]
    draft = hh.post(f"/v1/metrics/{versioned}/versions", json={"message": "x", "content": judge(**change)})
    assert draft.status_code == 400
    assert "content" in draft.json()["message"]
    run = hh.post("/v1/metrics/run", json={"metric": judge(**change), "event": {}})
    assert run.status_code == 400 or "filters" in change


@pytest.mark.parametrize("path", ["/v1/metrics", "/v1/metrics/run", "/v1/metrics/run_metric", "/metrics"])
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b"[" * 10_000, b'{"name":'])
def test_what_is_no_body(hh: httpx.Client, path: str, body: bytes) -> None:
    found = hh.post(path, content=body, headers={"content-type": "application/json"})
    assert (found.status_code, "message" in found.json()) == (400, True), found.text


def test_a_name_with_half_a_character(hh: httpx.Client) -> None:
    unique = uuid.uuid4().hex
    body = b'{"name":"\\ud800%s","type":"PYTHON","criteria":"x"}' % unique.encode()
    metric = hh.post("/v1/metrics", content=body).json()["metric_id"]
    assert hh.get("/v1/metrics", params={"id": metric}).json()["metrics"][0]["name"] == f"\ufffd{unique}"


@pytest.mark.parametrize("event", [[], "x", 7, None, {"outputs": int(MANY[:400])}])
def test_what_is_no_event(hh: httpx.Client, event: Any) -> None:
    metric = {"name": "x", "type": "PYTHON", "criteria": "return 1"}
    found = hh.post("/v1/metrics/run", content=json.dumps({"metric": metric, "event": event}))
    assert found.status_code == (200 if event is None or isinstance(event, dict) else 400), found.text


@pytest.mark.parametrize("which", ["nope", "%00", "00000000-0000-0000-0000-000000000000", "x" * 3000])
def test_metrics_that_are_not_there(hh: httpx.Client, which: str) -> None:
    for method, path, body in (
        ("PUT", f"/v1/metrics/{which}", {}),
        ("DELETE", f"/v1/metrics/{which}", None),
        ("GET", f"/v1/metrics/{which}/versions", None),
        ("POST", f"/v1/metrics/{which}/versions", {"message": "", "content": judge()}),
        ("POST", f"/v1/metrics/{which}/versions/v1/deploy", None),
        ("GET", f"/v1/metrics/{which}/evaluations", None),
        ("POST", f"/v1/metrics/{which}/evaluations/retry", None),
    ):
        found = hh.request(method, path, json=body)
        assert (found.status_code, "message" in found.json()) == (404, True), path
    assert hh.get("/v1/metrics", params={"id": which}).json() == {"metrics": []}
    assert hh.delete("/metrics", params={"metric_id": which}).status_code == 404


def test_queries_that_say_nothing_useful(hh: httpx.Client) -> None:
    assert hh.get("/v1/metrics", params={"type": "nope"}).status_code == 400
    assert hh.delete("/v1/metrics").status_code == 400
    assert hh.put("/v1/metrics", json={"description": "x"}).status_code == 400
    assert hh.put("/metrics", json={"description": "x"}).status_code == 400
    metric = hh.post("/v1/metrics", json=judge()).json()["metric_id"]
    for params in ({"status": "nope"}, {"limit": "0"}, {"page": "x"}, {"limit": "1001"}):
        assert hh.get(f"/v1/metrics/{metric}/evaluations", params=params).status_code == 400
    assert hh.post(f"/v1/metrics/{metric}/evaluations/retry").json() == {"retried": 0}


# -- the older ones ------------------------------------------------------------------------------------------


def test_an_older_metric(hh: httpx.Client) -> None:
    project = f"project {uuid.uuid4().hex[:8]}"
    wanted = {
        "name": name(),
        "task": project,
        "type": "model",
        "prompt": "Rate {{outputs.content}}",
        "description": "d",
        "return_type": "boolean",
        "threshold": {"min": 1},
        "pass_when": True,
        "event_type": "model",
        "event_name": "chat",
        "something": "unknown",
    }
    metric = hh.post("/metrics", json=wanted).json()["metric_id"]
    listed = {each["_id"]: each for each in hh.get("/metrics", params={"project_name": project}).json()}
    found = listed[metric]
    assert {key: found.get(key) for key in wanted if key != "something"} == {
        key: value for key, value in wanted.items() if key != "something"
    }
    assert None not in found.values()
    (today,) = hh.get("/v1/metrics", params={"id": metric}).json()["metrics"]
    assert (today["type"], today["criteria"], today["sampling_percentage"]) == (
        "LLM",
        wanted["prompt"],
        100.0,
    )
    assert today["threshold"] == {"min": 1.0, "pass_when": True}
    assert [each["value"] for each in today["filters"]["filterArray"]] == ["model", "chat"]
    change = {
        "metric_id": metric,
        "event_name": "else",
        "prompt": "Why?",
        "threshold": {"max": 2},
        "name": None,
    }
    assert hh.put("/metrics", json={key: value for key, value in change.items() if value}).status_code == 200
    (today,) = hh.get("/v1/metrics", params={"id": metric}).json()["metrics"]
    assert today["threshold"] == {"max": 2.0, "pass_when": True}
    assert sorted(each["value"] for each in today["filters"]["filterArray"]) == ["else", "model"]
    assert metric not in {
        each["_id"] for each in hh.get("/metrics", params={"project_name": "another"}).json()
    }
    assert metric in {each["_id"] for each in hh.get("/metrics").json()}
    assert hh.delete("/metrics", params={"metric_id": metric}).status_code == 200


@pytest.mark.parametrize(
    ("kind", "field"),
    [("custom", "code_snippet"), ("model", "prompt"), ("human", "criteria"), ("composite", "criteria")],
)
def test_the_older_types(hh: httpx.Client, kind: str, field: str) -> None:
    parts = [{"name": "x"}] if kind == "composite" else None
    wanted = {"name": name(), "task": "p", "type": kind, field: "what counts", "child_metrics": parts}
    wanted |= {"description": "d", "return_type": "float"}
    metric = hh.post("/metrics", json=wanted).json()["metric_id"]
    found = {each["_id"]: each for each in hh.get("/metrics").json()}[metric]
    assert (found["type"], found[field]) == (kind, "what counts")
    assert hh.get("/v1/metrics", params={"type": kind}).json()["metrics"]


@pytest.mark.parametrize(
    "change",
    [
        {"type": "nope"},
        {"code_snippet": None},
        {"task": "a\0"},
        {"child_metrics": [{"weight": 1}], "type": "composite"},
        {"child_metrics": [{"name": "a", "weight": "x"}], "type": "composite"},
        {"child_metrics": [{"name": "a", "scale": 1.5}], "type": "composite"},
        {"event_name": "a\0"},
        {"name": "x" * 201},
    ],
)
def test_what_is_no_older_metric(hh: httpx.Client, change: dict[str, Any]) -> None:
    plain = {"name": name(), "task": "p", "type": "custom", "code_snippet": "return 1"}
    plain |= {"description": "d", "return_type": "float"}
    found = hh.post("/metrics", json={**plain, **change})
    assert (found.status_code, "message" in found.json()) in ((400, True), (200, False)), found.text
    assert found.status_code == 400 or "event_name" in change

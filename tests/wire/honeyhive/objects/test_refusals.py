"""What configurations, tools, projects and charts cannot be: refused with a sentence, and never a failure of ours."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

CONFIGURATION: dict[str, Any] = {
    "name": "n",
    "provider": "p",
    "parameters": {"call_type": "chat", "model": "m"},
}
TOOL: dict[str, Any] = {"name": "n", "task": "t", "parameters": {}, "type": "function"}
CHART: dict[str, Any] = {"name": "n", "metric": "duration"}


def configured(**parameters: Any) -> dict[str, Any]:
    return {**CONFIGURATION, "parameters": {**CONFIGURATION["parameters"], **parameters}}


BOTH: list[tuple[dict[str, Any], str]] = [
    ({}, "name"),
    ({**CONFIGURATION, "name": None}, "name"),
    ({**CONFIGURATION, "name": ""}, "name"),
    ({**CONFIGURATION, "name": "x" * 201}, "name"),
    ({**CONFIGURATION, "name": "\0"}, "NUL"),
    ({**CONFIGURATION, "provider": ""}, "provider"),
    ({**CONFIGURATION, "type": "llm"}, "type"),
    ({**CONFIGURATION, "env": ["qa"]}, "env.[0]"),
    ({**CONFIGURATION, "env": "dev"}, "env"),
    ({**CONFIGURATION, "tags": [1]}, "tags.[0]"),
    ({**CONFIGURATION, "tags": ["x"] * 1001}, "tags"),
    ({**CONFIGURATION, "user_properties": []}, "user_properties"),
    ({**CONFIGURATION, "parameters": None}, "parameters"),
    ({**CONFIGURATION, "parameters": []}, "parameters"),
    ({**CONFIGURATION, "parameters": {}}, "call_type"),
    (configured(model=""), "parameters.model"),
    (configured(call_type="talk"), "parameters.call_type"),
    (configured(hyperparameters=[]), "parameters.hyperparameters"),
    (configured(responseFormat={"type": "xml"}), "parameters.responseFormat.type"),
    (configured(selectedFunctions=[{"id": "f"}]), "name"),
    (configured(template={"role": "user"}), "parameters.template"),
    (configured(template=[{"role": "user"}]), "content"),
    (configured(forceFunction="f"), "parameters.forceFunction"),
]


@pytest.mark.parametrize("path", ["/v1/configurations", "/configurations"])
@pytest.mark.parametrize(("body", "said"), BOTH)
def test_configurations(hh: httpx.Client, path: str, body: dict[str, Any], said: str) -> None:
    answer = hh.post(path, json=body)
    assert answer.status_code == 400, answer.text
    assert said in answer.json()["message"]


def test_newer_bodies_are_strict_and_older_ones_are_not(hh: httpx.Client, project: str) -> None:
    body = {**CONFIGURATION, "name": project, "more": 1}
    answer = hh.post("/v1/configurations", json=body)
    assert answer.status_code == 400
    assert "more" in answer.json()["message"]
    made = hh.post("/configurations", json=body)
    assert made.status_code == 200
    which = made.json()["insertedId"]
    assert hh.put(f"/v1/configurations/{which}", json={"name": "n", "more": 1}).status_code == 400
    assert hh.put(f"/configurations/{which}", json={"name": "n", "more": 1}).status_code == 200
    for path in ("/v1/charts", "/v1/charts/x"):
        method = "POST" if path == "/v1/charts" else "PUT"
        answer = hh.request(method, path.replace("x", which), json={**CHART, "more": 1})
        assert (answer.status_code, "more" in answer.json()["message"]) == (400, True)


@pytest.mark.parametrize("text", ['{"name":', "[]", "null", '"configuration"', "\xff"])
@pytest.mark.parametrize(
    "path", ["/v1/configurations", "/configurations", "/tools", "/projects", "/v1/projects", "/v1/charts"]
)
def test_bodies_that_are_none(hh: httpx.Client, path: str, text: str) -> None:
    assert hh.post(path, content=text.encode("latin-1")).status_code == 400


def test_a_document_can_be_too_large(hh: httpx.Client) -> None:
    body = configured(hyperparameters={"x": "x" * (1 << 20)})
    answer = hh.post("/v1/configurations", json=body)
    assert answer.status_code == 413
    assert "parameters" in answer.json()["message"]


def test_numbers_and_texts_of_parameters_stay_as_they_were_sent(hh: httpx.Client, project: str) -> None:
    raw = (
        '{"call_type":"chat","model":"m","hyperparameters":{"seed":123456789012345678901234567890,"t":1.50}}'
    )
    body = f'{{"name":"{project}","provider":"p","parameters":{raw}}}'
    assert hh.post("/v1/configurations", content=body).status_code == 200
    assert raw in hh.get("/v1/configurations", params={"name": project}).text


def test_half_characters_do_no_harm(hh: httpx.Client, project: str) -> None:
    body = f'{{"name":"{project}","provider":"\\ud800","parameters":{{"call_type":"chat","model":"m"}}}}'
    assert hh.post("/v1/configurations", content=body).status_code == 200
    (found,) = hh.get("/v1/configurations", params={"name": project}).json()["configurations"]
    assert found["provider"] == "\ufffd"


def test_filters_of_configurations(hh: httpx.Client, project: str) -> None:
    for params in ({"name": "x" * 201}, {"name": "\0"}, {"env": "\0"}):
        assert hh.get("/v1/configurations", params=params).status_code == 400
    assert hh.get("/configurations", params={"project": project}).json() == []
    body = {**CONFIGURATION, "name": project, "tags": ["a", "b,c"]}
    hh.post("/v1/configurations", json=body)
    asked: list[tuple[dict[str, Any], int]] = [
        ({"tags": "a"}, 1),
        ({"tags": "b,c"}, 1),
        ({"tags[]": ["a", "b,c"]}, 1),
        ({"tags[]": ["a", "d"]}, 0),
        ({"tags": "b"}, 0),
    ]
    for tags, count in asked:
        found = hh.get("/v1/configurations", params={"name": project, **tags}).json()["configurations"]
        assert len(found) == count, tags


@pytest.mark.parametrize("which", [str(uuid.uuid4()), "6638187d505c6812e4043f24", "x%00y"])
def test_what_is_not_there(hh: httpx.Client, which: str) -> None:
    for path in ("/v1/configurations", "/configurations", "/v1/charts"):
        assert hh.delete(f"{path}/{which}").status_code == 404
        assert hh.put(f"{path}/{which}", json={"name": "n"}).status_code == 404
    assert hh.get(f"/v1/charts/{which}").status_code == 404
    assert hh.delete("/tools", params={"function_id": which}).status_code == 404
    assert hh.put("/tools", json={"id": which, "name": "n", "parameters": {}}).status_code == 404
    assert hh.put("/projects", json={"project_id": which}).status_code == 404
    for path in (f"/v1/projects/{which}/charts", f"/v1/projects/{which}/charts/{uuid.uuid4()}"):
        assert hh.get(path).status_code == 404


TOOLS: list[tuple[dict[str, Any], str]] = [
    ({}, "name"),
    ({**TOOL, "name": ""}, "name"),
    ({**TOOL, "name": "\0"}, "NUL"),
    ({**TOOL, "type": "plugin"}, "type"),
    ({**TOOL, "parameters": []}, "parameters"),
    ({**TOOL, "parameters": None}, "parameters"),
    ({"name": "n"}, "parameters"),
    ({**TOOL, "task": 1}, "task"),
    ({**TOOL, "description": "x" * 10_001}, "description"),
]


@pytest.mark.parametrize(("body", "said"), TOOLS)
def test_tools(hh: httpx.Client, body: dict[str, Any], said: str) -> None:
    answer = hh.post("/tools", json=body)
    assert answer.status_code == 400, answer.text
    assert said in answer.json()["message"]


def test_tools_that_are_not_named(hh: httpx.Client) -> None:
    assert hh.delete("/tools").status_code == 400
    assert hh.put("/tools", json={"name": "n", "parameters": {}}).status_code == 400


@pytest.mark.parametrize("path", ["/projects", "/v1/projects"])
def test_projects(hh: httpx.Client, project: str, path: str) -> None:
    for body in ({}, {"name": ""}, {"name": "\0"}, {"name": "n", "type": "other"}, {"name": 1}):
        assert hh.post(path, json=body).status_code == 400, body
    assert hh.delete(path).status_code == 400
    assert hh.put(path, json={}).status_code == 400
    assert hh.put(path, json={"name": project}).status_code == 404
    assert hh.delete(path, params={"name": project}).status_code == 404
    assert hh.delete(path, params={"name": "\0"}).status_code == 400
    made = hh.post(path, json={"name": project, "type": "evaluation"}).json()
    assert (made["type"], made["description"]) == ("evaluation", "")
    changed = hh.put(path, json={"name": project, "new_name": f"{project}!", "type": "completion"}).json()
    assert (changed["id"], changed["name"], changed["type"]) == (made["id"], f"{project}!", "completion")
    assert hh.put(path, json={"name": f"{project}!", "new_name": "default"}).status_code == 409
    assert hh.get(path, params={"name": project}).json() == []
    assert hh.get(path, params={"name": f"{project}!"}).json() == [changed]
    assert hh.delete(path, params={"name": f"{project}!"}).json()["success"] is True


def test_what_langsmith_says_of_a_project_stays(hh: httpx.Client, server: Any, project: str) -> None:
    extra = {"metadata": {"a": 1}, "honeyhive": {"more": 1}}
    made = httpx.post(f"{server.url}/sessions", json={"name": project, "extra": extra}).json()
    hh.put("/projects", json={"name": project, "type": "evaluation"})
    found = httpx.get(f"{server.url}/sessions/{made['id']}").json()["extra"]
    assert found == {"metadata": {"a": 1}, "honeyhive": {"more": 1, "type": "evaluation"}}


def test_experiments_are_no_projects_here(hh: httpx.Client, server: Any, project: str) -> None:
    dataset = httpx.post(f"{server.url}/datasets", json={"name": project}).json()["id"]
    body = {"name": project, "reference_dataset_id": dataset}
    assert httpx.post(f"{server.url}/sessions", json=body).status_code == 200
    assert hh.get("/projects", params={"name": project}).json() == []
    assert hh.delete("/projects", params={"name": project}).status_code == 404


CHARTS: list[tuple[dict[str, Any], str]] = [
    ({}, "name"),
    ({**CHART, "name": ""}, "name"),
    ({**CHART, "name": "x" * 201}, "name"),
    ({**CHART, "metric": ""}, "metric"),
    ({**CHART, "metric": "\0"}, "NUL"),
    ({**CHART, "bucketing": "year"}, "bucketing"),
    ({**CHART, "owner_id": ""}, "owner_id"),
    ({**CHART, "dateRange": "7d"}, "dateRange"),
    ({**CHART, "dateRange": {}}, "dateRange"),
    ({**CHART, "dateRange": {"$gte": "2026-01-01"}}, "$lte"),
    ({**CHART, "dateRange": {"$gte": "2026-01-01", "$lte": "later"}}, "$lte"),
    ({**CHART, "dateRange": {"relative": "7d", "$gte": 0, "$lte": 1}}, "dateRange"),
    ({**CHART, "dateRange": {"relative": "7d", "more": 1}}, "more"),
    ({**CHART, "query": {}}, "query"),
    ({**CHART, "query": [{"field": "x"}]}, "query.[0]"),
    (
        {**CHART, "query": [{"field": "x", "operator": "is", "type": "string", "more": 1}]},
        "more",
    ),
    ({**CHART, "query": [{"field": "x", "operator": "is", "type": "string"}] * 101}, "100"),
]


@pytest.mark.parametrize(("body", "said"), CHARTS)
def test_charts(hh: httpx.Client, body: dict[str, Any], said: str) -> None:
    answer = hh.post("/v1/charts", json=body)
    assert answer.status_code == 400, answer.text
    assert said in answer.json()["message"]


def test_only_what_can_be_nothing_becomes_nothing(hh: httpx.Client) -> None:
    made = hh.post("/v1/charts", json={**CHART, "groupBy": "event_name", "description": "d"}).json()["data"]
    path = f"/v1/charts/{made['id']}"
    for body in ({"name": None}, {"description": None}, {"dateRange": None}, {"query": None}):
        assert hh.put(path, json=body).status_code == 400
    changed = hh.put(path, json={"groupBy": None}).json()["data"]
    assert changed == {**made, "groupBy": None, "updated_at": changed["updated_at"]}
    assert hh.put(path, json={}).status_code == 200
    hh.delete(path)

"""Composite scores through LangSmith's routes: formulas, and where what they compute is seen."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from langsmith import Client
from langsmith.evaluation import evaluate
from langsmith.schemas import FeedbackFormula

from tests.conftest import Server
from tests.wire.langsmith.feedback.giving import give, key_name, send_run, stats_of


def part(key: str, weight: float = 1) -> dict[str, Any]:
    return {"part_type": "weighted_key", "weight": weight, "key": key}


def make(http: httpx.Client, *parts: dict[str, Any], **fields: Any) -> dict[str, Any]:
    body = {"feedback_key": key_name(), "aggregation_type": "avg", "formula_parts": list(parts), **fields}
    answer = http.post("/feedback/formulas", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def formulas_of(http: httpx.Client, **params: Any) -> list[dict[str, Any]]:
    answer = http.get("/feedback/formulas", params=params)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


@pytest.fixture
def run(client: Client, project: str) -> Any:
    return send_run(client, project)


@pytest.fixture
def session(run: Any) -> str:
    return str(run.session_id)


# -- formulas ----------------------------------------------------------------------------------------------


def test_a_formula_lives_and_goes(http: httpx.Client, session: str) -> None:
    a, b = key_name(), key_name()
    made = make(http, part(a, 2), part(b, -0.5), session_id=session, aggregation_type="sum")
    assert set(made) == set(FeedbackFormula.model_fields)
    known = FeedbackFormula(**made)
    assert (str(known.session_id), known.dataset_id, known.aggregation_type) == (session, None, "sum")
    assert made["formula_parts"] == [part(a, 2), part(b, -0.5)]
    assert known.created_at == known.modified_at
    path = f"/feedback/formulas/{made['id']}"
    assert http.get(path).json() == made
    assert formulas_of(http, session_id=session) == [made]

    change = {"feedback_key": a, "aggregation_type": "avg", "formula_parts": [part(b)]}
    answer = http.put(path, json=change)
    assert answer.status_code == 200, answer.text
    changed = answer.json()
    assert {**made, **change, "modified_at": changed["modified_at"]} == changed
    assert FeedbackFormula(**changed).modified_at > known.modified_at
    assert http.get(path).json() == changed

    assert http.delete(path).status_code == 200
    for method, body in (("GET", None), ("PUT", change), ("DELETE", None)):
        answer = http.request(method, path, json=body)
        assert answer.status_code == 404
        assert "not found" in answer.json()["detail"]
    assert formulas_of(http, session_id=session) == []


def test_pages(http: httpx.Client, session: str, client: Client) -> None:
    dataset = str(client.create_dataset(f"d-{uuid.uuid4().hex}").id)
    made = [make(http, part("x"), session_id=session)["id"] for _ in range(23)]
    of_dataset = make(http, part("x"), dataset_id=dataset)
    assert [one["id"] for one in formulas_of(http, session_id=session)] == made[:20]
    assert [one["id"] for one in formulas_of(http, session_id=session, offset=20)] == made[20:]
    assert [one["id"] for one in formulas_of(http, session_id=session, limit=2, offset=1)] == made[1:3]
    assert formulas_of(http, session_id=session, offset=23) == []
    assert formulas_of(http, dataset_id=dataset) == [of_dataset]
    assert formulas_of(http, dataset_id=dataset, session_id=session) == []
    assert formulas_of(http, session_id=str(uuid.uuid4())) == []
    assert {*made, of_dataset["id"]} <= {one["id"] for one in formulas_of(http, limit=1000)}


BAD: list[tuple[dict[str, Any], list[Any]]] = [
    ({"feedback_key": ""}, ["feedback_key"]),
    ({"feedback_key": "x" * 181}, ["feedback_key"]),
    ({"feedback_key": "a\0b"}, ["feedback_key"]),
    ({"feedback_key": None}, ["feedback_key"]),
    ({"feedback_key": "part"}, ["formula_parts", 0, "key"]),
    ({"aggregation_type": "max"}, ["aggregation_type"]),
    ({"formula_parts": []}, ["formula_parts"]),
    ({"formula_parts": [part("part")] * 51}, ["formula_parts"]),
    ({"formula_parts": [part("part"), part("")]}, ["formula_parts", 1, "key"]),
    ({"formula_parts": [part("x" * 181)]}, ["formula_parts", 0, "key"]),
    ({"formula_parts": [part("\0")]}, ["formula_parts", 0, "key"]),
    ({"formula_parts": [part("part", 2e12)]}, ["formula_parts", 0, "weight"]),
    ({"formula_parts": [part("part", 1), part("b", -1)]}, ["formula_parts"]),
    ({"formula_parts": [{**part("part"), "weight": True}]}, ["formula_parts", 0, "weight"]),
    ({"formula_parts": [{**part("part"), "part_type": "key"}]}, ["formula_parts", 0, "part_type"]),
    ({"formula_parts": {}}, ["formula_parts"]),
    ({"session_id": "x"}, ["session_id"]),
]


@pytest.mark.parametrize(("change", "where"), BAD)
def test_bad_formulas_are_named(
    http: httpx.Client, session: str, change: dict[str, Any], where: list[Any]
) -> None:
    body = {"feedback_key": "k", "aggregation_type": "avg", "formula_parts": [part("part")]}
    answer = http.post("/feedback/formulas", json={**body, "session_id": session, **change})
    assert answer.status_code == 422, answer.text
    loc = [str(step).strip("[]") for step in answer.json()["detail"][0]["loc"]]
    assert loc[: len(where) + 1] == ["body", *map(str, where)]
    assert formulas_of(http, session_id=session) == []
    made = make(http, part("part"), session_id=session)
    if "session_id" not in change:
        put = http.put(f"/feedback/formulas/{made['id']}", json={**body, **change})
        assert put.status_code == 422
        assert formulas_of(http, session_id=session) == [made]


def test_bad_requests(http: httpx.Client, session: str, client: Client) -> None:
    body = {"feedback_key": "k", "aggregation_type": "avg", "formula_parts": [part("part")]}
    dataset = str(client.create_dataset(f"d-{uuid.uuid4().hex}").id)
    for owner in ({}, {"session_id": session, "dataset_id": dataset}, {"session_id": None}):
        assert http.post("/feedback/formulas", json={**body, **owner}).status_code == 422
    for unknown in ("session_id", "dataset_id"):
        answer = http.post("/feedback/formulas", json={**body, unknown: str(uuid.uuid4())})
        assert answer.status_code == 404
        assert "not found" in answer.json()["detail"]
    for raw in (
        b"",
        b"[]",
        b"{",
        b'{"feedback_key": "k"',
        b"\xff",
        b'{"formula_parts": [{"weight": 1e999}]}',
    ):
        assert http.post("/feedback/formulas", content=raw).status_code == 422
    weightless = b'{"feedback_key":"k","aggregation_type":"sum","session_id":"%s",' % session.encode()
    for weight in (b"1e999", b"-" + b"9" * 400, b'"1"', b"null", b"NaN"):
        raw = weightless + b'"formula_parts":[{"part_type":"weighted_key","key":"p","weight":%s}]}' % weight
        assert http.post("/feedback/formulas", content=raw).status_code == 422, weight
    assert http.get("/feedback/formulas/x").status_code == 422
    for params in ({"limit": 0}, {"limit": "x"}, {"offset": -1}, {"session_id": "x"}, {"dataset_id": "x"}):
        assert http.get("/feedback/formulas", params=params).status_code == 422
    # What the body says of a formula's owner does not move it.
    made = make(http, part("p"), session_id=session)
    moved = http.put(f"/feedback/formulas/{made['id']}", json={**body, "dataset_id": dataset})
    assert (moved.json()["session_id"], moved.json()["dataset_id"]) == (session, None)


def test_a_key_is_computed_once_and_parts_are_given(http: httpx.Client, session: str) -> None:
    first = make(http, part("part"), session_id=session)
    body = {"aggregation_type": "sum", "session_id": session}
    again = {**body, "feedback_key": first["feedback_key"], "formula_parts": [part("other")]}
    answer = http.post("/feedback/formulas", json=again)
    assert answer.status_code == 409
    assert "already exists" in answer.json()["detail"]
    nested = {**body, "feedback_key": "k", "formula_parts": [part("x"), part(first["feedback_key"])]}
    answer = http.post("/feedback/formulas", json=nested)
    assert (answer.status_code, answer.json()["detail"][0]["loc"][-2:]) == (422, [1, "key"])
    around = {**body, "feedback_key": "part", "formula_parts": [part("x")]}
    assert http.post("/feedback/formulas", json=around).status_code == 422
    second = make(http, part("part"), session_id=session)
    taken = {**again, "formula_parts": [part("part")]}
    assert http.put(f"/feedback/formulas/{second['id']}", json=taken).status_code == 409
    assert http.put(f"/feedback/formulas/{first['id']}", json=taken).status_code == 200
    for _ in range(48):
        make(http, part("part"), session_id=session)
    one_more = {**body, "feedback_key": "51st", "formula_parts": [part("part")]}
    answer = http.post("/feedback/formulas", json=one_more)
    assert (answer.status_code, "at most 50" in answer.text) == (400, True)


def test_a_formula_goes_with_its_project(http: httpx.Client, session: str) -> None:
    made = make(http, part("part"), session_id=session)
    assert http.delete(f"/sessions/{session}").status_code in (200, 202)
    assert http.get(f"/feedback/formulas/{made['id']}").status_code == 404


def test_a_formula_goes_with_its_dataset(http: httpx.Client, client: Client) -> None:
    dataset = client.create_dataset(f"d-{uuid.uuid4().hex}")
    made = make(http, part("part"), dataset_id=str(dataset.id))
    client.delete_dataset(dataset_id=dataset.id)
    assert http.get(f"/feedback/formulas/{made['id']}").status_code == 404


# -- what they compute -------------------------------------------------------------------------------------


@pytest.fixture
def judged(http: httpx.Client, client: Client, project: str) -> dict[str, Any]:
    """Three runs: one with both parts of a formula, one with two of a part, one that lacks a part."""
    runs = [send_run(client, project) for _ in range(3)]
    a, b = key_name(), key_name()
    given = [
        give(http, key=key, run_id=str(runs[number].id), score=score, session_id=str(runs[0].session_id))
        for number, key, score in ((0, a, 1), (0, b, 0), (1, a, 0), (1, a, True), (1, b, 1), (2, a, 1))
    ]
    return {"runs": runs, "a": a, "b": b, "given": given, "session": str(runs[0].session_id)}


def test_the_composite_is_feedback_wherever_statistics_are(
    http: httpx.Client, client: Client, project: str, judged: dict[str, Any]
) -> None:
    key = make(http, part(judged["a"], 3), part(judged["b"]), session_id=judged["session"])["feedback_key"]
    first, second, third = (stats_of(http, run.id) for run in judged["runs"])
    assert (first[key]["n"], first[key]["avg"]) == (1, 0.75)
    assert (second[key]["n"], second[key]["avg"]) == (1, 0.625)
    assert key not in third
    assert set(first[key]) == set(first[judged["a"]])
    assert (first[key]["comments"], first[key]["sources"], first[key]["values"]) == ([], [], {})

    whole = {"n": 2, "avg": 0.6875, "session_min_score": 0.625, "session_max_score": 0.75, "stdev": 0.0625}
    read = client.read_project(project_name=project, include_stats=True)
    assert read.feedback_stats is not None
    everywhere: list[dict[str, Any]] = [
        read.feedback_stats,
        http.get("/sessions", params={"id": judged["session"], "include_stats": "true"}).json()[0][
            "feedback_stats"
        ],
        http.post("/runs/stats", json={"session": [judged["session"]]}).json()["feedback_stats"],
    ]
    for stats in everywhere:
        assert {name: stats[key][name] for name in whole} == whole
    facets = http.get(f"/sessions/{judged['session']}", params={"include_stats": "true"}).json()["run_facets"]
    assert {"key": "feedback_key", "value": key, "count": 2} in [
        {name: facet[name] for name in ("key", "value", "count")} for facet in facets
    ]
    page = http.post(f"/sessions/{judged['session']}/dashboard", json={}).json()
    lines = [series for chart in page["charts"] for series in chart["series"]]
    assert any(line["feedback_key"] == key for line in lines)
    shared = client.share_run(judged["runs"][0].id)
    token = shared.removesuffix("/r").rsplit("/", 1)[-1]
    public = http.post(f"/public/{token}/runs/query", json={}).json()["runs"][0]
    assert public["feedback_stats"][key]["avg"] == 0.75


def test_runs_are_found_by_their_composite(client: Client, project: str, judged: dict[str, Any]) -> None:
    runs = [run.id for run in judged["runs"]]
    made = client.request_with_retries(
        "POST",
        "/feedback/formulas",
        json={
            "feedback_key": key_name(),
            "aggregation_type": "sum",
            "formula_parts": [part(judged["a"]), part(judged["b"], 2)],
            "session_id": judged["session"],
        },
    ).json()
    key = made["feedback_key"]

    def found(text: str) -> set[Any]:
        return {run.id for run in client.list_runs(project_name=project, filter=text)}

    assert found(f'eq(feedback_key, "{key}")') == {runs[0], runs[1]}
    assert found(f'and(eq(feedback_key, "{key}"), gt(feedback_score, 2))') == {runs[1]}
    assert found(f'and(eq(feedback_key, "{key}"), lte(feedback_score, 1))') == {runs[0]}
    assert found(f'neq(feedback_key, "{key}")') == {runs[2]}
    assert found(f'has(feedback_key, "{key}")') == {runs[0], runs[1]}


def test_changes_count_at_once(http: httpx.Client, judged: dict[str, Any]) -> None:
    """Of a part, of the formula, and of the run's feedback as a whole."""
    run = judged["runs"][0].id
    made = make(http, part(judged["a"]), part(judged["b"]), session_id=judged["session"])
    key, path = made["feedback_key"], f"/feedback/formulas/{made['id']}"

    def composite() -> float | None:
        found: float | None = stats_of(http, run).get(key, {}).get("avg")
        return found

    assert composite() == 0.5
    http.patch(f"/feedback/{judged['given'][1]['id']}", json={"score": 1}).raise_for_status()
    assert composite() == 1
    more = give(http, key=judged["b"], run_id=str(run), score=0)
    assert composite() == 0.75
    again = {**more, "score": 1, "run_id": str(run)}
    give(http, **{name: again[name] for name in ("id", "key", "score", "run_id")})
    assert composite() == 1
    http.delete(f"/feedback/{more['id']}").raise_for_status()
    changed = {"feedback_key": key, "aggregation_type": "sum", "formula_parts": made["formula_parts"]}
    http.put(path, json=changed).raise_for_status()
    assert composite() == 2
    http.patch(f"/feedback/{judged['given'][1]['id']}", json={"score": None}).raise_for_status()
    assert composite() is None
    http.patch(f"/feedback/{judged['given'][1]['id']}", json={"score": 0.25}).raise_for_status()
    assert composite() == 1.25
    http.delete(path).raise_for_status()
    assert composite() is None


def test_what_is_listed_is_what_was_given(http: httpx.Client, judged: dict[str, Any]) -> None:
    """A composite has no id, no source and nobody who gave it."""
    key = make(http, part(judged["a"]), session_id=judged["session"])["feedback_key"]
    listed = http.get("/feedback", params={"session": judged["session"]}).json()
    assert {item["id"] for item in listed} == {item["id"] for item in judged["given"]}
    assert http.get("/feedback", params={"key": key}).json() == []


def test_projects_are_sorted_by_their_composite(http: httpx.Client, client: Client) -> None:
    key, a = key_name(), key_name()
    sessions = []
    for score in (0.5, 1, 0):
        run = send_run(client, f"p-{uuid.uuid4().hex}")
        give(http, key=a, run_id=str(run.id), score=score)
        sessions.append(str(run.session_id))
        # the lower the score, the higher the composite
        make(http, part(a, -1), session_id=sessions[-1], feedback_key=key, aggregation_type="sum")
    params = {"id": sessions, "sort_by": "feedback", "sort_by_feedback_key": key}
    for descending, order in ((True, [2, 0, 1]), (False, [1, 0, 2])):
        found = http.get("/sessions", params={**params, "sort_by_desc": descending}).json()
        assert [one["id"] for one in found] == [sessions[number] for number in order]


def test_the_formula_of_a_dataset_is_that_of_all_its_experiments(http: httpx.Client, client: Client) -> None:
    """Those that were there, and those made later; an experiment's own formula of the key comes first."""
    name = f"d-{uuid.uuid4().hex}"
    dataset = client.create_dataset(name)
    client.create_examples(
        dataset_id=dataset.id, examples=[{"inputs": {"x": n}, "outputs": {"y": n}} for n in range(3)]
    )
    a, b, key = key_name(), key_name(), key_name()

    def right(run: Any, example: Any) -> dict[str, Any]:
        return {"key": a, "score": float(run.outputs["y"] == example.outputs["y"])}

    def short(run: Any, example: Any) -> dict[str, Any]:
        return {"key": b, "score": 0.5}

    def experiment(answer: Callable[[int], int]) -> Any:
        results = evaluate(
            lambda inputs: {"y": answer(inputs["x"])},
            data=name,
            evaluators=[right, short],
            client=client,
            upload_results=True,
            experiment_prefix="composite",
        )
        results.wait()
        client.flush()
        return results.experiment_name

    def composite(name: str) -> Any:
        stats = client.read_project(project_name=name, include_stats=True).feedback_stats
        assert stats is not None
        return (stats[key]["n"], stats[key]["avg"])

    first = experiment(lambda x: x)
    made = make(
        http, part(a, 2), part(b, 1), dataset_id=str(dataset.id), feedback_key=key, aggregation_type="sum"
    )
    second = experiment(lambda x: 0)
    assert composite(first) == (3, 2.5)
    assert composite(second) == (3, pytest.approx(0.5 + 2 / 3))
    results = client.get_experiment_results(name=first)
    assert results["feedback_stats"][key]["avg"] == 2.5
    by_example = [row.runs[0].feedback_stats or {} for row in results["examples_with_runs"]]
    assert [stats[key]["avg"] for stats in by_example] == [2.5] * 3

    session = str(client.read_project(project_name=second).id)
    make(http, part(a, 10), session_id=session, feedback_key=key, aggregation_type="sum")
    assert composite(second) == (3, pytest.approx(10 / 3))
    assert composite(first) == (3, 2.5)
    http.delete(f"/feedback/formulas/{made['id']}").raise_for_status()
    stats = client.read_project(project_name=first, include_stats=True).feedback_stats
    assert stats is not None
    assert key not in stats


def test_another_workspace_computes_nothing(
    server: Server, http: httpx.Client, issue_key: Callable[..., str], judged: dict[str, Any]
) -> None:
    stranger = {"x-api-key": issue_key("stranger")}
    body = {"feedback_key": "k", "aggregation_type": "sum", "formula_parts": [part(judged["a"])]}
    answer = http.post("/feedback/formulas", json={**body, "session_id": judged["session"]}, headers=stranger)
    assert answer.status_code == 404
    made = make(http, part(judged["a"]), session_id=judged["session"])
    assert http.get(f"/feedback/formulas/{made['id']}", headers=stranger).status_code == 404
    assert http.get("/feedback/formulas", headers=stranger).json() == []

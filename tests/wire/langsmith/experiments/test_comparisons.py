"""Experiments against each other: groups, deltas, comparative experiments, and how their columns are shown."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

from tests.wire.langsmith.experiments.experimenting import bench, events, ok
from tests.wire.langsmith.feedback.giving import key_name

# -- groups of examples ----------------------------------------------------------------------------------


def test_groups_by_metadata_of_examples(http: httpx.Client) -> None:
    on = bench(http, 5)
    first, second = on.experiment(times=2), on.experiment(0, 1, 2, seconds=3)
    on.judge(first, "correct", {0: 1, 2: 0})
    on.judge(second, "correct", {0: 1})
    body = {"session_ids": [first, second], "group_by": "example_metadata", "metadata_key": "parity"}
    even, odd = on.post("/group/runs", body)["groups"]
    assert (even["group_key"], odd["group_key"]) == ("even", "odd")
    assert (even["count"], even["example_count"]) == (8, 2)  # example 4 is in the first experiment only
    assert [row["inputs"]["q"] for row in even["examples"]] == [0, 2]
    assert [run["session_id"] for run in even["examples"][0]["runs"]] == [first, first, second]
    assert (even["total_tokens"], even["error_rate"]) == (120, 0)
    assert even["latency_p50"] == 1
    assert even["feedback_stats"]["correct"]["avg"] == pytest.approx(2 / 3)
    by_id = {session["id"]: session for session in even["sessions"]}
    assert (by_id[first]["run_count"], by_id[first]["example_count"]) == (6, 3)
    assert (by_id[second]["run_count"], by_id[second]["latency_p50"]) == (2, 3)
    assert by_id[second]["feedback_stats"]["correct"]["n"] == 1
    # the filter selects the group's runs again
    again = on.results(first, limit=100, filters={first: [even["filter"]]})
    assert [row["inputs"]["q"] for row in again] == [0, 2, 4]


def test_groups_by_metadata_of_runs(http: httpx.Client) -> None:
    on = bench(http, 3)
    first, second = on.experiment(0), on.experiment(0)
    on.answer(first, 1, 2, extra={"metadata": {"model": 'a"\\'}})
    on.answer(second, 2, extra={"metadata": {"model": "b"}})
    body = {"session_ids": [first, second], "group_by": "run_metadata", "metadata_key": "model"}
    groups = on.post("/group/runs", body)["groups"]
    assert [(group["group_key"], group["example_count"]) for group in groups] == [('a"\\', 2), ("b", 1)]
    sessions = {session["id"]: session["run_count"] for session in groups[1]["sessions"]}
    assert sessions == {first: 0, second: 1}
    assert on.shown(first, filters={first: [groups[0]["filter"]]}) == [1, 2]
    few = on.post("/group/runs", {**body, "per_group_limit": 1, "offset": 0, "limit": 1})["groups"]
    assert [len(group["examples"]) for group in few] == [1]
    assert few[0]["example_count"] == 2
    assert on.post("/group/runs", {**body, "offset": 2})["groups"] == []
    assert on.post("/group/runs", {**body, "metadata_key": "nothing"})["groups"] == []
    previewed = on.post("/group/runs", {**body, "preview": True})["groups"]
    assert "inputs_preview" in previewed[0]["examples"][0]["runs"][0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"group_by": "mood"}, {"per_group_limit": 11}, {"per_group_limit": 0}, {"limit": 0}, {"limit": 101},
        {"offset": -1}, {"metadata_key": None}, {"session_ids": []},
    ],
)  # fmt: skip
def test_groups_that_cannot_be(http: httpx.Client, wrong: dict[str, Any]) -> None:
    on = bench(http, 1)
    body = {"session_ids": [on.experiment()], "group_by": "run_metadata", "metadata_key": "x", **wrong}
    on.post("/group/runs", body, 422)


# -- groups of experiments -------------------------------------------------------------------------------


def test_experiments_by_their_metadata(http: httpx.Client) -> None:
    on = bench(http, 2)

    def made(start: int, seconds: int, **metadata: Any) -> str:
        extra = {"metadata": metadata}
        return on.experiment(seconds=seconds, extra=extra, start_time=f"2026-01-0{start}T00:00:00Z")

    old, new, plain = made(1, 1, model="a", k=1), made(3, 3, model="a", k=1), made(2, 1, model="b")
    on.judge(old, "correct", {0: 1, 1: 1})
    on.judge(new, "correct", {0: 0, 1: 0})
    ok(http.post("/feedback", json={"session_id": old, "key": "overall", "score": 1}))
    path = f"/datasets/{on.dataset}/experiments/grouped"
    both, single, end = events(http.post(path, json={"metadata_keys": ["model", "k"]}))
    assert end == ("end", None)
    assert both[0] == single[0] == "data"
    assert both[1]["group_key"] == {"model": "a", "k": 1}
    assert single[1]["group_key"] == {"model": "b", "k": None}
    assert [each["id"] for each in both[1]["experiments"]] == [new, old]
    assert [each["id"] for each in single[1]["experiments"]] == [plain]
    assert (both[1]["run_count"], both[1]["latency_p50"]) == (4, 2)
    assert both[1]["feedback_stats"]["correct"]["avg"] == 0.5
    assert both[1]["session_feedback_stats"]["overall"]["avg"] == 1
    assert both[1]["experiments"][1]["feedback_stats"]["correct"]["avg"] == 1

    def counts(**body: Any) -> list[int]:
        found = events(http.post(path, json={"metadata_keys": ["model"], **body}))
        return [data["experiment_count"] for event, data in found if event == "data"]

    assert counts() == [2, 1]
    assert counts(experiment_limit=2) == [1, 1]
    assert counts(name_contains=old) == [1]
    assert counts(dataset_version="2026") == []
    assert counts(tag_value_id=[str(uuid.uuid4())]) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"metadata_keys": []}, {"metadata_keys": list("abcde")}, {"experiment_limit": 0},
        {"experiment_limit": 1001}, {"filter": "eq(x, 1)"}, {"stats_start_time": "soon"},
        {"name_contains": "x" * 1001},
    ],
)  # fmt: skip
def test_groups_of_experiments_that_cannot_be(http: httpx.Client, wrong: dict[str, Any]) -> None:
    on = bench(http, 0)
    on.post("/experiments/grouped", {"metadata_keys": ["x"], **wrong}, 422)


# -- deltas ----------------------------------------------------------------------------------------------


def test_what_got_better_and_what_got_worse(http: httpx.Client) -> None:
    on, key = bench(http, 5), key_name()
    base, better, partial = on.experiment(), on.experiment(), on.experiment(1, 2)
    on.judge(base, key, {0: 0.5, 1: 0.5, 2: 0.5, 3: 0.5})
    on.judge(better, key, {0: 1, 1: 0.25, 2: 0.5, 4: 1})  # 3 and 4 have a score on one side only
    on.judge(partial, key, {1: 0.75, 2: None})
    body = {"baseline_session_id": base, "comparison_session_ids": [better, partial], "feedback_key": key}
    deltas = on.post("/runs/delta", body)["feedback_deltas"]
    names = on.examples
    assert deltas == {
        better: {"improved_examples": [names[0]], "regressed_examples": [names[1]]},
        partial: {"improved_examples": [names[1]], "regressed_examples": []},
    }
    # where less is better, it is the other way round
    config = {"feedback_key": key, "feedback_config": {"type": "continuous"}, "is_lower_score_better": True}
    ok(http.post("/feedback-configs", json=config))
    deltas = on.post("/runs/delta", body)["feedback_deltas"]
    assert deltas[better] == {"improved_examples": [names[1]], "regressed_examples": [names[0]]}
    assert on.post("/runs/delta", {**body, "feedback_key": "other"})["feedback_deltas"] == {
        better: {"improved_examples": [], "regressed_examples": []},
        partial: {"improved_examples": [], "regressed_examples": []},
    }


def test_pages_of_deltas_are_pages_of_each_list(http: httpx.Client) -> None:
    on, key = bench(http, 6), key_name()
    base, other = on.experiment(), on.experiment()
    on.judge(base, key, dict.fromkeys(range(6), 0.5))
    on.judge(other, key, {0: 1, 1: 0, 2: 1, 3: 0, 4: 1, 5: 0})
    body = {"baseline_session_id": base, "comparison_session_ids": [other], "feedback_key": key}
    page = on.post("/runs/delta", {**body, "offset": 1, "limit": 1})["feedback_deltas"][other]
    assert page == {"improved_examples": [on.examples[2]], "regressed_examples": [on.examples[3]]}


def test_repetitions_count_by_their_mean_and_filters_choose_runs(http: httpx.Client) -> None:
    on, key = bench(http, 1), key_name()
    base, other = on.experiment(), on.experiment(times=2)
    on.judge(base, key, {0: 0.3})
    first, second = on.runs[other, on.examples[0]]
    for run, score in ((first, 0.1), (second, 0.5)):
        ok(http.post("/feedback", json={"run_id": run, "key": key, "score": score}))
    body = {"baseline_session_id": base, "comparison_session_ids": [other], "feedback_key": key}
    nothing: dict[str, list[str]] = {"improved_examples": [], "regressed_examples": []}
    assert on.post("/runs/delta", body)["feedback_deltas"] == {other: nothing}  # 0.3 is 0.3
    filtered = {**body, "filters": {other: [f'eq(id, "{second}")']}}
    deltas = on.post("/runs/delta", filtered)["feedback_deltas"]
    assert deltas == {other: {**nothing, "improved_examples": on.examples}}
    filtered = {**body, "filters": {base: ['eq(name, "nobody")']}}
    assert on.post("/runs/delta", filtered)["feedback_deltas"] == {other: nothing}


def test_the_baseline_of_the_dataset(http: httpx.Client) -> None:
    on, key = bench(http, 1), key_name()
    base, other = on.experiment(), on.experiment()
    on.judge(base, key, {0: 0})
    on.judge(other, key, {0: 1})
    body = {"comparison_session_ids": [other], "feedback_key": key}
    assert "baseline" in str(on.post("/runs/delta", body, 422))
    ok(http.patch(f"/datasets/{on.dataset}", json={"baseline_experiment_id": base}))
    deltas = on.post("/runs/delta", body)["feedback_deltas"]
    assert deltas[other]["improved_examples"] == on.examples


def test_deltas_of_a_comparison(http: httpx.Client) -> None:
    on = bench(http, 1)
    base, other = on.experiment(), on.experiment()
    compared = ok(http.post("/datasets/comparative", json={"experiment_ids": [base, other]}))["id"]
    on.judge(base, "ranked", {0: 1}, comparative_experiment_id=compared)
    on.judge(other, "ranked", {0: 0}, comparative_experiment_id=compared)
    on.judge(other, "ranked", {0: 1})
    body = {
        "baseline_session_id": base,
        "comparison_session_ids": [other],
        "feedback_key": "ranked",
        "comparative_experiment_id": compared,
    }
    assert on.post("/runs/delta", body)["feedback_deltas"][other]["regressed_examples"] == on.examples


def test_deltas_as_a_stream(http: httpx.Client) -> None:
    on, one, two = bench(http, 2), key_name(), key_name()
    base, other = on.experiment(), on.experiment()
    for key, score in ((one, 1), (two, 0)):
        on.judge(base, key, {0: 0.5})
        on.judge(other, key, {0: score})
    body = {"baseline_session_id": base, "comparison_session_ids": [other], "feedback_keys": [one, two, one]}
    path = f"/datasets/{on.dataset}/runs/delta/stream"
    improved = {other: {"improved_examples": [on.examples[0]], "regressed_examples": []}}
    regressed = {other: {"improved_examples": [], "regressed_examples": [on.examples[0]]}}
    assert events(http.post(path, json=body)) == [
        ("data", {"feedback_deltas": {one: improved}, "errors": None}),
        ("data", {"feedback_deltas": {two: regressed}, "errors": None}),
        ("end", None),
    ]


STREAM_WRONG = [
    {"feedback_keys": []}, {"feedback_keys": ["x"] * 101}, {"feedback_keys": [""]},
    {"comparison_session_ids": []}, {"filters": {str(uuid.uuid4()): ["eq(name, 'x')"]}},
]  # fmt: skip


@pytest.mark.parametrize("wrong", STREAM_WRONG)
def test_streams_that_cannot_be(http: httpx.Client, wrong: dict[str, Any]) -> None:
    on = bench(http, 1)
    both = {"baseline_session_id": on.experiment(), "comparison_session_ids": [on.experiment()]}
    on.post("/runs/delta/stream", {**both, "feedback_keys": ["x"], **wrong}, 422)


def test_more_experiments_than_a_stream_takes(http: httpx.Client) -> None:
    on = bench(http, 0)
    many = [on.experiment() for _ in range(11)]
    body = {"baseline_session_id": many[0], "comparison_session_ids": many, "feedback_keys": ["x"]}
    on.post("/runs/delta/stream", body, 422)
    one = {"comparison_session_ids": many, "baseline_session_id": many[0], "feedback_key": "x"}
    assert len(on.post("/runs/delta", one)["feedback_deltas"]) == 11
    for wrong in ({"limit": 101}, {"limit": 0}, {"offset": -1}, {"feedback_key": ""}):
        on.post("/runs/delta", {**one, **wrong}, 422)
    unknown = str(uuid.uuid4())
    on.post("/runs/delta", {**one, "baseline_session_id": unknown}, 404)
    on.post("/runs/delta", {**one, "comparison_session_ids": [unknown]}, 404)


# -- comparative experiments -----------------------------------------------------------------------------


def test_a_comparison_tells_of_its_experiments_and_what_was_said_in_it(http: httpx.Client) -> None:
    on = bench(http, 1)
    first, second = on.experiment(), on.experiment()
    sent = {
        "id": str(uuid.uuid4()),
        "name": "A or B",
        "description": "which one",
        "experiment_ids": [second, first],
        "reference_dataset_id": on.dataset,
        "created_at": "2026-01-02T03:04:05Z",
        "extra": {"metadata": {"x": [1]}},
    }
    made = ok(http.post("/datasets/comparative", json=sent))
    assert made["id"] == sent["id"]
    assert made["created_at"].startswith("2026-01-02T03:04:05")
    assert (made["reference_dataset_id"], made["extra"]) == (on.dataset, sent["extra"])
    on.judge(first, "ranked", {0: 1}, comparative_experiment_id=made["id"])
    on.judge(second, "ranked", {0: 0}, comparative_experiment_id=made["id"])
    on.judge(second, "correct", {0: 0})
    path = f"/datasets/{on.dataset}/comparative"
    (found,) = ok(http.get(path))
    assert {name: found[name] for name in made} == made
    assert [each["id"] for each in found["experiments_info"]] == [second, first]
    assert found["experiments_info"][1]["name"] == f"experiment {first}"
    assert {key: stat["avg"] for key, stat in found["feedback_stats"].items()} == {"ranked": 0.5}
    assert http.post("/datasets/comparative", json=sent).status_code == 409
    http.delete(f"/sessions/{first}")
    assert [each["id"] for each in ok(http.get(path))[0]["experiments_info"]] == [second]
    ok(http.delete(f"/datasets/comparative/{made['id']}"))
    assert ok(http.get(path)) == []
    assert http.delete(f"/datasets/comparative/{made['id']}").status_code == 404


def test_lists_of_comparisons(http: httpx.Client) -> None:
    on = bench(http, 0)
    experiment = on.experiment()
    ids = {}
    for day, name in ((2, "Beta"), (1, "alpha"), (3, None)):
        body = {"experiment_ids": [experiment], "name": name, "created_at": f"2026-01-0{day}T00:00:00Z"}
        ids[name] = ok(http.post("/datasets/comparative", json=body))["id"]

    def names(**params: Any) -> list[str | None]:
        return [each["name"] for each in ok(http.get(f"/datasets/{on.dataset}/comparative", params=params))]

    assert names() == [None, "Beta", "alpha"]
    assert names(sort_by_desc="False") == ["alpha", "Beta", None]
    assert names(sort_by="name") == ["alpha", "Beta", None]
    assert names(sort_by="name", sort_by_desc="false") == ["Beta", "alpha", None]
    assert names(name="alpha") == ["alpha"]
    assert names(name="Alpha") == []
    assert names(name_contains="BET") == ["Beta"]
    assert names(id=[ids["Beta"], ids[None]]) == [None, "Beta"]
    assert names(offset=1, limit=1) == ["Beta"]
    for wrong in ({"sort_by": "id"}, {"limit": 0}, {"limit": 101}, {"offset": -1}, {"id": "x"}):
        params: Any = wrong
        assert http.get(f"/datasets/{on.dataset}/comparative", params=params).status_code == 422
    assert http.get(f"/datasets/{uuid.uuid4()}/comparative").status_code == 404
    # they go with their dataset
    ok(http.delete(f"/datasets/{on.dataset}"))
    assert http.delete(f"/datasets/comparative/{ids['Beta']}").status_code == 404


def test_comparisons_that_cannot_be(http: httpx.Client) -> None:
    on, other = bench(http, 0), bench(http, 0)
    mine, foreign = on.experiment(), other.experiment()

    def status(**body: Any) -> int:
        return http.post("/datasets/comparative", json=body).status_code

    assert status() == 422
    assert status(experiment_ids=[]) == 422
    assert status(experiment_ids=["x"]) == 422
    assert status(experiment_ids=[str(uuid.uuid4())]) == 404
    assert status(experiment_ids=[mine, foreign]) == 422
    assert status(experiment_ids=[mine], reference_dataset_id=other.dataset) == 422
    assert status(experiment_ids=[mine], name="x\0") == 422
    assert status(experiment_ids=[mine], name="x" * 1001) == 422
    assert status(experiment_ids=[mine], extra=[]) == 422
    assert status(experiment_ids=[mine], created_at="soon") == 422
    plain = ok(http.post("/sessions", json={"name": f"plain-{uuid.uuid4()}"}))["id"]
    assert status(experiment_ids=[plain]) == 422
    assert status(experiment_ids=[mine] * 2) == 200


# -- how columns are shown -------------------------------------------------------------------------------


def test_column_overrides(http: httpx.Client) -> None:
    on = bench(http, 0)
    path = f"/datasets/{on.dataset}/experiment-view-overrides"
    columns = [
        {"column": "outputs.accuracy", "color_gradient": [[0.0, "#f00"], [1, "#0f0"]], "precision": 3},
        {"column": "feedback.tone", "hide": True, "disable_colors": False, "color_map": {"a": "red"}},
    ]
    assert ok(http.get(path)) == []
    made = ok(http.post(path, json={"column_overrides": columns}), 201)
    assert made["column_overrides"] == columns
    assert made["dataset_id"] == on.dataset
    again = http.post(path, json={"column_overrides": columns})
    assert again.status_code == 409
    assert "error" in again.json()
    assert ok(http.get(path)) == [made]
    one = f"{path}/{made['id']}"
    assert ok(http.get(one)) == made
    changed = ok(http.patch(one, json={"column_overrides": columns[1:]}))
    assert changed["column_overrides"] == columns[1:]
    assert changed["modified_at"] > made["modified_at"]
    assert ok(http.get(one)) == changed
    for method in ("GET", "DELETE", "PATCH"):
        unknown = http.request(method, f"{path}/{uuid.uuid4()}", json={"column_overrides": columns})
        assert unknown.status_code == 404
    assert http.delete(one).status_code == 204
    assert ok(http.get(path)) == []
    gone = f"/datasets/{uuid.uuid4()}/experiment-view-overrides"
    assert (
        http.get(gone).status_code == http.post(gone, json={"column_overrides": columns}).status_code == 404
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {}, {"column_overrides": []}, {"column_overrides": [{"hide": True}]},
        {"column_overrides": [{"column": "inputs.x"}] * 51},
        *(
            {"column_overrides": [{"column": "inputs.x", **column}]}
            for column in (
                {"column": "mood.x"}, {"column": "inputs." + "x" * 200}, {"column": "inputs.\0"},
                {"precision": 0}, {"precision": 7}, {"color_gradient": [[0, "#000"]] * 21},
                {"color_gradient": [["#000", 0]]}, {"color_gradient": [[0]]}, {"color_map": {"a": "\0"}},
            )
        ),
    ],
)  # fmt: skip
def test_overrides_that_cannot_be(http: httpx.Client, wrong: dict[str, Any]) -> None:
    on = bench(http, 0)
    answer = http.post(f"/datasets/{on.dataset}/experiment-view-overrides", json=wrong)
    assert answer.status_code == 422, answer.text
    assert set(answer.json()) == {"error", "details"}

"""What runs came to, by hand: thresholds, filters, sessions that come in other ways, and bad questions."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest
from honeyhive import HoneyHive
from langsmith import Client

from tests.wire.honeyhive.experiments.experimenting import begin, event, get, measured, session


def test_ranges_of_the_run_decide(hh: httpx.Client) -> None:
    made = measured(hh, {"a": 0.5, "b": 0.2, "c": True}, passing_ranges={"x": {"min": 0.5, "max": 1}})
    found = get(hh, f"/v1/runs/{made['run_id']}/summary")
    assert (found["success"], found["passed"], found["failed"]) == (False, ["a", "c"], ["b"])
    (row,) = found["metrics"]["details"]
    assert row["passing_range"] == {"min": 0.5, "max": 1}
    assert row["datapoints"] == {"passed": ["a", "c"], "failed": ["b"]}
    assert row["values"] == [0.5, 0.2, True]
    assert row["aggregate"] == pytest.approx(1.7 / 3)
    assert [(point["datapoint_id"], point["passed"]) for point in found["datapoints"]] == [
        ("a", True), ("b", False), ("c", True),
    ]  # fmt: skip
    hh.put(f"/v1/runs/{made['run_id']}", json={"passing_ranges": {"x": {"max": 0.4}}})
    assert get(hh, f"/v1/runs/{made['run_id']}/result")["failed"] == ["a", "c"]


def test_thresholds_of_evaluators_decide_where_the_run_has_no_range(hh: httpx.Client) -> None:
    name = f"m_{uuid.uuid4().hex[:8]}"
    metric = {
        "name": name, "type": "PYTHON", "criteria": "def evaluator(event):\n    return 1", "return_type": "float",
        "scale": 1, "threshold": {"min": 0.75},
    }  # fmt: skip
    made = hh.post("/v1/metrics", json=metric)
    assert made.status_code == 200, made.text
    run = begin(hh)
    for datapoint, value in (("a", 0.8), ("b", 0.7)):
        event(hh, session(hh, run["run_id"], datapoint), metrics={name: value})
    found = get(hh, f"/v1/runs/{run['run_id']}/result")
    assert (found["passed"], found["failed"]) == (["a"], ["b"])
    (row,) = found["metrics"]["details"]
    assert (row["metric_type"], row["passing_range"]) == ("PYTHON", {"min": 0.75})
    hh.put(f"/v1/runs/{run['run_id']}", json={"passing_ranges": {name: {"min": 0}}})
    assert get(hh, f"/v1/runs/{run['run_id']}/result")["failed"] == []


def test_a_result_is_of_what_was_acknowledged_before(hh: httpx.Client) -> None:
    made = begin(hh)
    for number in range(5):
        said = session(hh, made["run_id"], str(number))
        updated = hh.put("/events", json={"event_id": said, "metrics": {"x": number}})
        assert updated.status_code == 200
        (row,) = get(hh, f"/v1/runs/{made['run_id']}/result", aggregate_function="max")["metrics"]["details"]
        assert (row["aggregate"], row["event_type"], len(row["values"])) == (number, "session", number + 1)


def test_metrics_said_again_count_once(hh: httpx.Client) -> None:
    made = begin(hh)
    said = session(hh, made["run_id"], "a")
    for value in (0.1, 0.9):
        hh.put("/events", json={"event_id": said, "metrics": {"x": value, "x_explanation": "so"}})
    (row,) = get(hh, f"/v1/runs/{made['run_id']}/result")["metrics"]["details"]
    assert (row["metric_name"], row["values"]) == ("x", [0.9])


def test_filters_choose_events(hh: httpx.Client) -> None:
    made = begin(hh)
    for datapoint, plan in (("a", "free"), ("b", "paid")):
        said = session(hh, made["run_id"], datapoint)
        event(hh, said, metrics={"x": 1}, metadata={"plan": plan})
    paid = '[{"field":"metadata.plan","operator":"is","value":"paid","type":"string"}]'
    found = get(hh, f"/v1/runs/{made['run_id']}/result", filters=paid)
    assert (found["passed"], [row["values"] for row in found["metrics"]["details"]]) == (["b"], [[1]])
    listed = get(hh, f"/v1/runs/{made['run_id']}/metrics", filters=paid)
    assert [each["metadata"]["datapoint_id"] for each in listed["events"]] == ["b"]
    later = get(hh, f"/v1/runs/{made['run_id']}/metrics", dateRange='{"$gte":"2100-01-01T00:00:00Z"}')
    assert later == {"events": [], "totalEvents": 0}


def test_filters_as_the_client_writes_them(hh: httpx.Client, honeyhive: HoneyHive) -> None:
    made = measured(hh, {"a": 1, "b": 0})
    wanted = {"field": "metrics.x", "operator": "is", "value": None, "type": "number"}
    found = honeyhive.experiments.get_result(made["run_id"], filters=[{**wanted, "value": 1}])
    assert found["passed"] == ["a"]
    both = honeyhive.experiments.compare_runs(
        made["run_id"], made["run_id"], filters=[{**wanted, "value": 0}]
    )
    assert both["commonDatapoints"] == ["b"]


def test_metrics_event_by_event(hh: httpx.Client) -> None:
    made = begin(hh)
    said = session(hh, made["run_id"], "a")
    child = event(hh, said, metrics={"x": 0.5, "ok": True, "word": "w", "x_explanation": "so"})
    event(hh, said, "silent")
    assert get(hh, f"/v1/runs/{made['run_id']}/metrics") == {
        "events": [
            {
                "event_id": child,
                "event_name": "answer",
                "event_type": "chain",
                "session_id": said,
                "metadata": {"datapoint_id": "a"},
                "metrics": {"x": 0.5, "ok": True},
            }
        ],
        "totalEvents": 1,
    }


def test_sessions_are_counted_in_by_their_ids_too(hh: httpx.Client, client: Client) -> None:
    """They stay in the project that they were recorded in: they were made for something else."""
    outside = session(hh, None, "a", project="elsewhere")
    event(hh, outside, metrics={"x": 1}, project="elsewhere")
    made = begin(hh, event_ids=[outside])
    found = get(hh, f"/v1/runs/{made['run_id']}/result")
    assert (found["passed"], found["metrics"]["details"][0]["values"]) == (["a"], [1])
    assert get(hh, f"/v1/runs/{made['run_id']}/metrics")["totalEvents"] == 1
    assert list(client.list_runs(project_id=made["run_id"])) == []
    pairs = get(hh, "/v1/runs/compare/events", run_id_1=made["run_id"], run_id_2=made["run_id"])
    assert pairs["totalEvents"] == 2


def test_an_event_follows_its_session_into_the_run(hh: httpx.Client, client: Client) -> None:
    """Whatever project it names, and whether or not it says which run it is of."""
    made = begin(hh)
    said = session(hh, made["run_id"], "a", project="one")
    child = event(hh, said, project="two", metrics={"x": 1})
    batch = hh.post(
        "/events/batch",
        json={
            "events": [
                {"session_id": said, "event_type": "tool", "event_name": "t", "inputs": {}, "project": "two"}
            ]
        },
    )
    assert batch.status_code == 200, batch.text
    assert str(client.read_run(child).session_id) == made["run_id"]
    assert len(list(client.list_runs(project_id=made["run_id"]))) == 3


def test_a_session_joins_a_run_when_an_event_of_it_says_so(hh: httpx.Client, client: Client) -> None:
    made = begin(hh)
    said = session(hh, None, project="elsewhere")
    first = event(hh, said, project="elsewhere")
    event(hh, said, "second", metadata={"run_id": made["run_id"], "datapoint_id": "a"}, metrics={"x": 1})
    third = event(hh, said, "third", project="elsewhere")
    for each in (said, first, third):
        assert str(client.read_run(each).session_id) == made["run_id"]
    assert get(hh, f"/v1/runs/{made['run_id']}/result")["passed"] == ["a"]


def test_a_session_joins_a_run_when_that_is_said_later(hh: httpx.Client, client: Client) -> None:
    """As HoneyHive's TypeScript client says it, at the end of each datapoint."""
    dataset = client.create_dataset(f"later {uuid.uuid4().hex[:8]}")
    example = client.create_example(inputs={"q": 1}, outputs={"a": 1}, dataset_id=dataset.id)
    made = begin(hh, dataset_id=str(dataset.id))
    said = session(hh, None, project="elsewhere")
    child = event(hh, said, project="elsewhere")
    more = {"metadata": {"run_id": made["run_id"], "datapoint_id": str(example.id)}, "metrics": {"x": 1}}
    assert hh.put("/events", json={"event_id": said, **more}).status_code == 200
    run = client.read_run(said)
    assert (str(run.session_id), run.reference_example_id) == (made["run_id"], example.id)
    assert str(client.read_run(child).session_id) == made["run_id"]
    assert get(hh, f"/v1/runs/{made['run_id']}/result")["passed"] == [str(example.id)]


def test_a_session_may_come_before_its_run(hh: httpx.Client, client: Client) -> None:
    run_id = str(uuid.uuid4())
    said = session(hh, run_id, "a")
    child = event(hh, said, metrics={"x": 1})
    made = begin(hh, run_id=run_id)
    assert get(hh, f"/v1/runs/{run_id}/result")["passed"] == []
    changed = hh.put(f"/v1/runs/{run_id}", json={"event_ids": [said], "status": "completed"})
    assert "warning" not in changed.json()
    assert get(hh, f"/v1/runs/{run_id}/result")["passed"] == ["a"]
    assert {str(run.id) for run in client.list_runs(project_id=made["run_id"])} == {said, child}


def test_spans_follow_their_session(hh: httpx.Client, client: Client, http: httpx.Client) -> None:
    made = begin(hh)
    said = session(hh, made["run_id"], "a")
    loose = str(uuid.uuid4())
    trace = uuid.uuid4().hex

    def span(span_id: str, **stated: str) -> dict[str, Any]:
        attributes = [{"key": key, "value": {"stringValue": value}} for key, value in stated.items()]
        times = {"startTimeUnixNano": "1767225600000000000", "endTimeUnixNano": "1767225601000000000"}
        return {
            "traceId": trace,
            "spanId": span_id,
            "name": f"span {span_id[0]}",
            "attributes": attributes,
            **times,
        }

    spans = [
        span("1" * 16, **{"honeyhive.session_id": said, "honeyhive.project": "elsewhere"}),
        span("2" * 16, **{"honeyhive.session_id": loose, "honeyhive.project": "elsewhere"}),
        span(
            "3" * 16,
            **{
                "honeyhive.session_id": loose,
                "honeyhive_metadata.run_id": made["run_id"],
                "honeyhive_metadata.datapoint_id": "b",
            },
        ),
    ]
    body = {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}
    sent = http.post("/v1/traces", json=body)
    assert (sent.status_code, sent.json()) == (200, {})
    runs = list(client.list_runs(project_id=made["run_id"]))
    assert {run.name for run in runs} == {"mine", "span 1", "span 2", "span 3", "session"}
    assert get(hh, f"/v1/runs/{made['run_id']}/result")["passed"] in (["a", "b"], ["b", "a"])


def test_the_project_that_a_run_was_made_for_has_its_sessions(hh: httpx.Client) -> None:
    project = f"p {uuid.uuid4().hex}"
    made = begin(hh, project=project)
    said = session(hh, made["run_id"], "a", project=project)
    body = {"project": project, "filters": []}
    found = hh.post("/events/export", json=body).json()
    assert [each["event_id"] for each in found["events"]] == [said]
    unnamed = session(hh, begin(hh)["run_id"], "a")
    of_default = hh.post("/events/export", json={"project": "default", "filters": []}).json()
    assert unnamed in {each["event_id"] for each in of_default["events"]}


# -- comparisons -----------------------------------------------------------------------------------------


def test_a_comparison_row_has_all_that_clients_read(hh: httpx.Client) -> None:
    old = measured(hh, {"a": 0.5, "b": 0.5, "c": 0.25, "d": 1})
    new = measured(hh, {"a": 1, "b": 0, "c": 0.25, "e": 1})
    found = get(hh, f"/v1/runs/{new['run_id']}/compare-with/{old['run_id']}", aggregate_function="sum")
    assert found["metrics"] == [
        {
            "metric_name": "x", "event_name": "answer", "metric_type": "CLIENT_SIDE", "event_type": "chain",
            "found_count": 3, "improved_count": 1, "degraded_count": 1, "same_count": 1,
            "improved": ["a"], "degraded": ["b"], "same": ["c"],
            "old_values": [0.5, 0.5, 0.25, 1], "new_values": [1, 0, 0.25, 1],
            "old_aggregate": 2.25, "new_aggregate": 2.25, "difference": 0, "percentage_change": 0,
        }
    ]  # fmt: skip
    assert found["commonDatapoints"] == ["a", "b", "c"]
    assert (found["old_run"]["run_id"], found["new_run"]["run_id"]) == (old["run_id"], new["run_id"])
    assert found["event_details"] == [
        {"event_name": "mine", "event_type": "session", "presence": "both"},
        {"event_name": "answer", "event_type": "chain", "presence": "both"},
    ]
    assert get(hh, f"/v1/runs/{new['run_id']}/compare/{old['run_id']}", aggregate_function="sum") == found


def test_less_is_better_where_langsmith_was_told_so(hh: httpx.Client, http: httpx.Client) -> None:
    key = f"latency_{uuid.uuid4().hex[:8]}"
    config = {"feedback_key": key, "feedback_config": {"type": "continuous"}, "is_lower_score_better": True}
    assert http.post("/feedback-configs", json=config).status_code == 200
    runs = []
    for value in (3, 2):
        made = begin(hh)
        event(hh, session(hh, made["run_id"], "a"), metrics={key: value})
        runs.append(made["run_id"])
    (row,) = get(hh, f"/v1/runs/{runs[1]}/compare/{runs[0]}")["metrics"]
    assert (row["improved"], row["difference"]) == (["a"], -1)


def test_a_metric_on_several_events_has_its_topmost_row_last(hh: httpx.Client) -> None:
    made = begin(hh)
    said = session(hh, made["run_id"], "a", metrics={"x": 1})
    top = event(hh, said, "top", metrics={"x": 2})
    event(hh, said, "deep", parent_id=top, metrics={"x": 3})
    rows = get(hh, f"/v1/runs/{made['run_id']}/compare/{made['run_id']}")["metrics"]
    assert [row["event_name"] for row in rows] == ["deep", "top", "mine"]
    details = get(hh, f"/v1/runs/{made['run_id']}/result")["metrics"]["details"]
    assert [row["event_name"] for row in details] == ["mine", "top", "deep"]


def test_pairs_of_events(hh: httpx.Client) -> None:
    old, new = measured(hh, {"a": 0, "b": 1}), measured(hh, {"a": 1, "b": 1, "c": 1})
    path = f"/v1/runs/{new['run_id']}/compare/{old['run_id']}/events"
    found = get(hh, path, event_type="chain")
    assert [pair["datapoint_id"] for pair in found["events"]] == ["a", "b"]
    assert [pair["event_1"]["metrics"]["x"] for pair in found["events"]] == [1, 1]
    assert [pair["event_2"]["metrics"]["x"] for pair in found["events"]] == [0, 1]
    assert get(hh, path, event_type="chain", limit=1, page=2)["events"] == found["events"][1:]
    assert get(hh, path, event_name="nobody") == {"events": [], "totalEvents": 0}
    sessions = get(hh, path, event_type="session")["events"]
    assert [pair["event_1"]["metadata"]["num_events"] for pair in sessions] == [1, 1]


# -- schemas ---------------------------------------------------------------------------------------------


def test_schemas_tell_which_fields_there_are(hh: httpx.Client, honeyhive: HoneyHive) -> None:
    made = begin(hh)
    said = session(hh, made["run_id"], "a")
    event(hh, said, outputs={"answer": "x"}, metrics={"accuracy": 1})
    found = get(hh, f"/v1/runs/{made['run_id']}/schema")
    fields = {(each["name"], each["event_type"]) for each in found["fields"]}
    assert ("outputs.answer", "chain") in fields
    assert ("metrics.accuracy", "chain") in fields
    assert isinstance(found["datasets"], list)
    assert isinstance(found["mappings"], dict)
    every = get(hh, "/v1/runs/schema")
    assert {(each["name"], each["event_type"]) for each in every["fields"]} >= fields
    by_client = honeyhive.experiments.get_schema(evaluation_id=made["run_id"])
    assert {(each.name, each.event_type) for each in by_client.fields} == fields


# -- bad questions ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/v1/runs/{run}/result", {"aggregate_function": "mean"}),
        ("/v1/runs/{run}/result", {"filters": "["}),
        ("/v1/runs/{run}/result", {"filters": "[{'a'"}),
        ("/v1/runs/{run}/result", {"filters": '[{"field":"x"}]'}),
        ("/v1/runs/{run}/metrics", {"dateRange": "{'$gte': []}"}),
        ("/v1/runs/{run}/compare/x", {}),
        ("/v1/runs/{run}/compare/{run}/events", {"limit": 1001}),
        ("/v1/runs/{run}/compare/{run}/events", {"page": 0}),
        ("/v1/runs/compare/events", {}),
        ("/v1/runs/compare/events", {"run_id_1": "x", "run_id_2": "y"}),
        ("/runs/{run}/result", {"aggregate_function": "\0"}),
    ],
    ids=str,
)
def test_what_is_no_question_is_refused(hh: httpx.Client, path: str, params: dict[str, Any]) -> None:
    made = begin(hh)
    answer = hh.get(path.replace("{run}", made["run_id"]), params=params)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "Invalid"), answer.text


def test_the_other_run_has_to_be_there(hh: httpx.Client) -> None:
    made, unknown = begin(hh), uuid.uuid4()
    for path in (
        f"/v1/runs/{made['run_id']}/compare/{unknown}",
        f"/v1/runs/{unknown}/compare-with/{made['run_id']}",
    ):
        assert hh.get(path).status_code == 404
    params = {"run_id_1": made["run_id"], "run_id_2": str(unknown)}
    assert hh.get("/v1/runs/compare/events", params=params).status_code == 404


def test_a_run_without_sessions_has_an_empty_result(hh: httpx.Client) -> None:
    made = begin(hh)
    found = get(hh, f"/v1/runs/{made['run_id']}/result")
    assert (found["status"], found["success"], found["datapoints"]) == ("pending", True, [])
    assert found["metrics"] == {"aggregation_function": "average", "details": []}
    assert found["run_object"]["run_id"] == made["run_id"]

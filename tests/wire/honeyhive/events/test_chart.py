"""Charts over events, and which fields there are: figures by hand over the events that every client wrote."""

from __future__ import annotations

import json
import statistics
from typing import Any

import httpx
import pytest

from tests.wire.honeyhive.events.corpus import NOON, Corpus

DAY = 86_400_000
DURATIONS = [9000, 2500, 250, 0]
"""Of the events of the first day, in milliseconds."""

FIRST_DAY = {"dateRange": json.dumps({"$gte": NOON, "$lte": NOON + 60_000})}
TWO_DAYS = {"dateRange": json.dumps({"$gte": NOON, "$lte": NOON + 2 * DAY})}


def charted(to: Corpus, path: str = "/v1/events/chart", **params: Any) -> dict[str, Any]:
    answer = to.hh.get(path, params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def by_group(found: dict[str, Any]) -> dict[Any, Any]:
    return {row["group"]: row["value"] for row in found["events"]}


def test_the_mean_duration_by_the_hour_is_what_is_not_said(written: Corpus) -> None:
    found = charted(written, **FIRST_DAY)
    assert found == {
        "events": [
            {
                "bucket": "2026-01-20T12:00:00.000Z",
                "timestamp": NOON,
                "value": statistics.fmean(DURATIONS),
                "count": 4,
            }
        ],
        "totalEvents": 4,
    }
    assert charted(written, "/events/chart", **FIRST_DAY) == found


@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [
        *((name, statistics.fmean(DURATIONS)) for name in ("avg", "average", "mean")),
        *((name, statistics.median(DURATIONS)) for name in ("p50", "median")),
        ("p75", statistics.quantiles(DURATIONS, n=4, method="inclusive")[2]),
        ("p90", statistics.quantiles(DURATIONS, n=10, method="inclusive")[8]),
        ("p95", statistics.quantiles(DURATIONS, n=20, method="inclusive")[18]),
        ("p99", statistics.quantiles(DURATIONS, n=100, method="inclusive")[98]),
        ("count", 4),
        ("sum", sum(DURATIONS)),
        ("min", 0),
        ("max", 9000),
    ],
)
def test_every_aggregation(written: Corpus, aggregation: str, expected: float) -> None:
    (row,) = charted(written, **FIRST_DAY, aggregation=aggregation, metric="duration")["events"]
    assert row["value"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("buckets", "starts"),
    [
        (
            ("minute", "minutes", "1m", "hour", "hours", "1h"),
            ["2026-01-20T12:00:00.000Z", "2026-01-21T12:00:00.000Z"],
        ),
        (("day", "days", "1d"), ["2026-01-20T00:00:00.000Z", "2026-01-21T00:00:00.000Z"]),
        (("week", "weeks", "1w"), ["2026-01-19T00:00:00.000Z"]),
        (("month", "months", "1M"), ["2026-01-01T00:00:00.000Z"]),
    ],
)
def test_every_bucket(written: Corpus, buckets: tuple[str, ...], starts: list[str]) -> None:
    for bucket in buckets:
        found = charted(written, **TWO_DAYS, bucket=bucket, aggregation="count")
        assert [row["bucket"] for row in found["events"]] == starts
        assert sum(row["value"] for row in found["events"]) == found["totalEvents"] == 7


@pytest.mark.parametrize(
    ("metric", "aggregation", "value", "count"),
    [
        ("metadata.cost", "sum", 1.5, 4),  # two calls, and the two sessions that they are in
        ("metadata.total_tokens", "max", 30, 4),
        ("metadata.num_events", "sum", 5, 2),
        ("metadata.attempt", "avg", 2.5, 2),
        ("metadata.plan.seats", "min", 3, 1),
        ("metadata.has_feedback", "avg", 1, 2),
        ("metrics.accuracy", "avg", 0.5, 3),
        ("metrics.passed", "avg", 0.5, 2),
        ("feedback.rating", "max", 4, 1),
        ("inputs.q", "sum", 5, 1),
        ("config.hyperparameters.top_p", "sum", 0.5, 1),
        ("outputs.usage_metadata.total_tokens", "p50", 10, 1),
    ],
)
def test_metrics_of_all_kinds(
    written: Corpus, metric: str, aggregation: str, value: float, count: int
) -> None:
    found = charted(written, **TWO_DAYS, bucket="month", metric=metric, aggregation=aggregation)
    (row,) = found["events"]
    assert (row["value"], row["count"], found["totalEvents"]) == (pytest.approx(value), count, 7)


def test_a_metric_that_no_event_has_is_no_row(written: Corpus) -> None:
    for metric in ("metrics.nothing", "metadata.env", "inputs.question"):
        assert charted(written, metric=metric, **TWO_DAYS) == {"events": [], "totalEvents": 7}


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ("event_type", {"session": 2, "model": 2, "tool": 2, "chain": 1}),
        ("source", {"test": 4, None: 3}),
        ("metadata.run_id", {"run-1": 2, "run-2": 1, None: 4}),
        ("metadata.num_model_events", {"1": 2, None: 5}),
        ("metadata.has_feedback", {"true": 2, None: 5}),
        ("metrics.label", {"good": 1, None: 6}),
        ("feedback.stars", {"5": 1, None: 6}),
        ("user_properties.plan", {"free": 1, "paid": 1, None: 5}),
        ("config.model", {"m-1": 1, "m-2": 1, None: 5}),
        ("error", {"Timeout: late": 1, "boom": 1, None: 5}),
        ("inputs.chat_history.0.role", {"user": 1, None: 6}),
    ],
)
def test_groups_of_all_kinds(written: Corpus, group: str, expected: dict[Any, int]) -> None:
    found = charted(written, **TWO_DAYS, bucket="month", aggregation="count", groupBy=group)
    assert by_group(found) == expected
    counts = [row["count"] for row in found["events"]]
    assert counts == sorted(counts, reverse=True)


def test_the_other_ids_and_names_group_too(written: Corpus) -> None:
    for group, groups in (
        ("event_name", 7),
        ("event_id", 7),
        ("session_id", 2),
        ("project_id", 2),
        ("parent_id", 4),
    ):
        found = charted(written, **TWO_DAYS, bucket="month", aggregation="count", groupBy=group)
        assert len(by_group(found)) == groups


def test_filters_experiments_and_projects(written: Corpus) -> None:
    filters = json.dumps([{"field": "event_type", "operator": "is", "value": "tool", "type": "string"}])
    common: dict[str, Any] = {"aggregation": "count", "bucket": "month", **TWO_DAYS}
    assert charted(written, **common, filters=filters)["totalEvents"] == 2
    assert charted(written, **common, evaluation_id="run-1")["totalEvents"] == 2
    assert charted(written, **common, only_experiments="true")["totalEvents"] == 3
    assert charted(written, **common, only_experiments="false")["totalEvents"] == 7
    assert charted(written, **common, project="corpus support")["totalEvents"] == 3
    assert charted(written, **common, project="no such project") == {"events": [], "totalEvents": 0}


def test_a_duration_that_was_stated_is_the_one_that_counts(hh: httpx.Client, project: str) -> None:
    event = {"project": project, "event_type": "tool", "event_name": "timed", "inputs": {}, "duration": 12.5}
    event |= {"start_time": NOON, "end_time": NOON + 1000}
    assert hh.post("/events", json={"event": event}).status_code == 200
    params = {
        "project": project,
        "filters": json.dumps([{"field": "event_type", "operator": "is", "value": "tool"}]),
    }
    (row,) = hh.get("/v1/events/chart", params=params).json()["events"]
    assert (row["value"], row["count"]) == (12.5, 1)
    one = {"field": "duration", "operator": "is", "value": 12.5}
    for filters, count in (
        ([one], 1),
        ([{**one, "value": 1000}], 0),
        ([{**one, "operator": "greater than"}], 0),
    ):
        answer = hh.post("/v1/events/export", json={"project": project, "filters": filters})
        assert answer.json()["count"] == count, answer.text


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"aggregation": "mode"}, "query.aggregation: 'mode' is none of avg, average, mean, "),
        ({"bucket": "year"}, "query.bucket: 'year' is none of minute, minutes, 1m, "),
        ({"metric": "colour"}, "query.metric: 'colour' is not a field of events"),
        ({"metric": "event_name"}, "query.metric: event_name is not measured: choose duration, or a path"),
        ({"metric": "metadata"}, "query.metric: metadata is not measured"),
        ({"groupBy": "colour"}, "query.groupBy: 'colour' is not a field of events"),
        ({"groupBy": "start_time"}, "query.groupBy: events are not grouped by start_time"),
        ({"groupBy": "metadata"}, "query.groupBy: events are not grouped by metadata"),
        ({"only_experiments": "perhaps"}, "query.only_experiments: 'perhaps' is not true or false"),
        ({"dateRange": "soon"}, "query.dateRange: 'soon' is not a time"),
        ({"filters": "[{}]"}, "query.filters.0.field: is missing"),
    ],
)
def test_what_cannot_be_charted(hh: httpx.Client, params: dict[str, str], message: str) -> None:
    answer = hh.get("/v1/events/chart", params=params)
    assert (answer.status_code, answer.json()["message"][: len(message)]) == (400, message)


# -- the schema ------------------------------------------------------------------------------------------


def fields(found: dict[str, Any]) -> set[tuple[str, str]]:
    return {(one["name"], one["event_type"]) for one in found["fields"]}


def test_the_schema_of_all_events(written: Corpus) -> None:
    answer = written.hh.get("/v1/events/schema")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found.keys() == {"fields", "datasets", "mappings"}
    assert fields(found) >= {
        ("inputs.question", "session"), ("inputs.question", "chain"), ("inputs.chat_history", "model"),
        ("outputs.usage_metadata", "model"), ("metadata.run_id", "tool"), ("metadata.plan.name", "session"),
        ("config.model", "session"), ("user_properties.plan", "chain"), ("metrics.accuracy", "model"),
        ("metrics.accuracy", "tool"), ("feedback.rating", "model"), ("feedback.stars", "session"),
    }  # fmt: skip
    assert not any("ls_run_depth" in name for name, _ in fields(found))
    assert {"field_name": "metrics.accuracy", "event_type": "tool"} in found["mappings"]["accuracy"]
    assert {one["field_name"] for one in found["mappings"]["rating"]} == {"metrics.rating", "feedback.rating"}


def test_the_real_client_reads_the_schema(written: Corpus) -> None:
    found = written.hh.get(
        "/events/schema", params={"dateRange": json.dumps({"$gte": NOON, "$lte": NOON + 1200})}
    )
    assert {kind for _, kind in fields(found.json())} == {"session", "model"}


def test_the_schema_of_an_experiment_run(written: Corpus) -> None:
    for path, params in (("/v1/runs/run-2/schema", {}), ("/v1/events/schema", {"evaluation_id": "run-2"})):
        found = written.hh.get(path, params=params).json()
        assert {kind for _, kind in fields(found)} == {"tool"}
        assert ("metadata.attempt", "tool") in fields(found)
    assert fields(written.hh.get("/v1/runs/schema").json()) == fields(
        written.hh.get("/v1/events/schema").json()
    )
    nothing = {"fields": [], "datasets": [], "mappings": {}}
    assert written.hh.get("/v1/runs/no-such-run/schema").json() == nothing
    assert written.hh.get("/v1/events/schema", params={"project": "no such project"}).json() == nothing


def test_the_schema_names_datasets(hh: httpx.Client, project: str) -> None:
    for dataset in ("EXT-1", "EXT-1", "EXT-2"):
        event = {"project": project, "event_type": "tool", "event_name": "x", "inputs": {}}
        hh.post("/events", json={"event": {**event, "metadata": {"dataset_id": dataset}}})
    assert hh.get("/v1/events/schema", params={"project": project}).json()["datasets"] == ["EXT-1", "EXT-2"]

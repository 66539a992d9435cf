"""The dashboard of a project: charts over time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.wire.langsmith.recorded import START, Trace, record

WINDOW = {
    "start_time": (START - timedelta(hours=1)).isoformat(),
    "end_time": (START + timedelta(days=2)).isoformat(),
}
HOUR = {"hours": 1}


def ask(http: httpx.Client, project: str, **body: Any) -> dict[str, dict[str, Any]]:
    """The charts by id."""
    session = http.get("/sessions", params={"name": project}).json()[0]["id"]
    answer = http.post(f"/sessions/{session}/dashboard", json={**WINDOW, **body})
    assert answer.status_code == 200, answer.text
    section = answer.json()
    assert (section["title"], section["session_id"]) == (project, session)
    return {chart["id"]: chart for chart in section["charts"]}


def points(chart: dict[str, Any], name: str, metric: str | None = None) -> dict[str, Any]:
    """Hour and minute to value, of the series of this name."""
    (series,) = [
        series["id"]
        for series in chart["series"]
        if series["name"] == name and metric in (None, series["metric"])
    ]
    return {
        point["timestamp"][11:16]: point["value"] for point in chart["data"] if point["series_id"] == series
    }


@pytest.fixture
def recorded(http: httpx.Client, project: str) -> list[str]:
    """Two traces in the hour of 05:00, one of 07:00 that failed. Returns the roots' ids."""
    later = START + timedelta(hours=2)
    roots = record(
        http,
        project,
        Trace(seconds=2, first_token=0.25),
        Trace(name="other", seconds=4, first_token=0.75),
        Trace(seconds=8, start=later, error="no", cost=None),
    )
    return [str(root) for root in roots]


def test_charts_say_what_happened_when(http: httpx.Client, project: str, recorded: list[str]) -> None:
    bodies: list[dict[str, Any]] = [{"score": 1}, {"score": 0}, {"value": "bad"}]
    for root, body in zip(recorded, bodies, strict=True):
        sent: dict[str, Any] = {"run_id": root, "key": "taste", **body}
        assert http.post("/feedback", json=sent).status_code == 200
    charts = ask(http, project, stride=HOUR)

    assert points(charts["trace_count"], "Success") == {"05:00": 2}
    assert points(charts["trace_count"], "Error") == {"07:00": 1}
    assert points(charts["trace_latency"], "P50") == {"05:00": 3, "07:00": 8}
    assert points(charts["trace_latency"], "P99") == {"05:00": pytest.approx(3.98), "07:00": 8}
    assert points(charts["trace_error_rate"], "Error Rate") == {"05:00": 0, "07:00": 1}
    assert points(charts["llm_count"], "Success") == {"05:00": 2}
    assert points(charts["llm_latency"], "P50") == {"05:00": 1, "07:00": 1}
    assert points(charts["first_token"], "P50") == {"05:00": 0.5, "07:00": None}
    assert points(charts["tokens"], "Total") == {"05:00": 30, "07:00": 15}
    assert points(charts["tokens"], "Prompt") == {"05:00": 20, "07:00": 10}
    assert points(charts["tokens"], "Completion") == {"05:00": 10, "07:00": 5}
    assert points(charts["cost"], "Total") == {"05:00": 1.5, "07:00": None}
    assert points(charts["feedback"], "taste", "feedback_score_avg") == {"05:00": 0.5}
    assert points(charts["feedback"], "taste", "feedback_values") == {"07:00": {"bad": 1}}


def test_the_shape_is_that_of_custom_charts(http: httpx.Client, project: str, recorded: list[str]) -> None:
    charts = ask(http, project)
    assert [chart["index"] for chart in charts.values()] == list(range(len(charts)))
    for chart in charts.values():
        assert set(chart) == {
            "id", "title", "description", "metadata", "index", "chart_type", "series", "data", "common_filters",
        }  # fmt: skip
        assert chart["chart_type"] in ("line", "bar")
        known = {series["id"] for series in chart["series"]}
        assert len(known) == len(chart["series"])
        for series in chart["series"]:
            assert set(series) == {
                "id", "name", "metric", "filters", "feedback_key", "workspace_id", "project_metric", "group_by",
            }  # fmt: skip
        for point in chart["data"]:
            assert set(point) == {"series_id", "timestamp", "value", "group"}
            assert point["series_id"] in known
    quarter = {point["timestamp"] for point in charts["trace_latency"]["data"]}
    assert quarter == {"2026-03-04T05:00:00.000000", "2026-03-04T07:00:00.000000"}


def test_the_window_bounds_what_is_shown(http: httpx.Client, project: str, recorded: list[str]) -> None:
    early = ask(http, project, stride=HOUR, end_time=(START + timedelta(hours=1)).isoformat())
    assert points(early["trace_latency"], "P50") == {"05:00": 3}
    assert all(not chart["data"] for chart in ask(http, project, omit_data=True).values())


def test_without_a_window_the_last_week_is_shown(http: httpx.Client, project: str) -> None:
    recent = datetime.now(UTC) - timedelta(hours=3)
    record(http, project, Trace(start=recent), Trace(start=recent - timedelta(days=8)))
    charts = ask(http, project, start_time=None, end_time=None, stride={"days": 1})
    assert sum(point["value"] for point in charts["trace_count"]["data"]) == 1


def test_groups(http: httpx.Client, project: str, recorded: list[str]) -> None:
    charts = ask(http, project, stride=HOUR, group_by={"attribute": "name"})
    found = {
        (point["timestamp"][11:16], point["group"]): point["value"]
        for point in charts["trace_latency"]["data"]
        if point["series_id"].endswith("P50")
    }
    assert found == {("05:00", "chain"): 2, ("05:00", "other"): 4, ("07:00", "chain"): 8}
    assert charts["trace_latency"]["series"][0]["group_by"] == {
        "attribute": "name", "path": None, "max_groups": 5, "set_by": "section",
    }  # fmt: skip
    largest = ask(http, project, stride=HOUR, group_by={"attribute": "name", "max_groups": 1})
    assert {point["group"] for point in largest["trace_latency"]["data"]} == {"chain"}


def test_groups_of_metadata(http: httpx.Client, project: str) -> None:
    record(http, project, Trace(metadata={"env": "a"}), Trace(metadata={"env": "b"}), Trace())
    charts = ask(http, project, group_by={"attribute": "metadata", "path": "env"})
    assert {point["group"] for point in charts["trace_count"]["data"]} == {"a", "b"}


def test_days_begin_at_midnight_of_the_timezone(http: httpx.Client, project: str) -> None:
    """21:30 in New York is the next day in UTC."""
    evening = datetime(2026, 3, 5, 2, 30, tzinfo=UTC)
    record(http, project, Trace(start=evening), Trace(start=evening - timedelta(hours=10)))
    day = {"stride": {"days": 1}}
    utc = {point["timestamp"] for point in ask(http, project, **day)["trace_latency"]["data"]}
    assert utc == {"2026-03-04T00:00:00.000000", "2026-03-05T00:00:00.000000"}
    local = ask(http, project, **day, timezone="America/New_York")
    assert {point["timestamp"] for point in local["trace_latency"]["data"]} == {"2026-03-04T05:00:00.000000"}


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"stride": {"minutes": 0}}, ["body", "stride"]),
        ({"stride": {"days": -1}}, ["body", "stride"]),
        ({"stride": {"minutes": 1}, "start_time": "2020-01-01T00:00:00Z"}, ["body", "stride"]),
        ({"stride": "1h"}, ["body", "stride"]),
        ({"timezone": "Mars/Olympus"}, ["body", "timezone"]),
        ({"timezone": "../../etc/passwd"}, ["body", "timezone"]),
        ({"start_time": "soon"}, ["body", "start_time"]),
        ({"start_time": "2027-01-01T00:00:00Z"}, ["body", "start_time"]),
        ({"group_by": {"attribute": "colour"}}, ["body", "group_by", "attribute"]),
        ({"group_by": {"attribute": "metadata"}}, ["body", "group_by", "path"]),
    ],
)
def test_bad_requests_are_named(
    http: httpx.Client, project: str, body: dict[str, Any], where: list[str]
) -> None:
    session = http.post("/sessions", json={"name": project}).json()["id"]
    answer = http.post(f"/sessions/{session}/dashboard", json={**WINDOW, **body})
    assert answer.status_code == 422, answer.text
    assert answer.json()["detail"][0]["loc"] == where

"""What charts show: figures of recorded events, over time, by category and as single numbers."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

HOUR = 3_600_000
NOON = 1_768_910_400_000  # 2026-01-20 12:00 UTC, a Tuesday
DAY = {"start": "2026-01-20T00:00:00Z", "end": "2026-01-21T00:00:00Z"}


@pytest.fixture
def project_id(hh: httpx.Client, project: str) -> str:
    """A project with six events: an answer each hour from noon on, of 1, 2, 3, 4 seconds; and two searches at one."""
    events = [
        {
            "event_type": "model", "event_name": "answer", "inputs": {}, "start_time": NOON + n * HOUR,
            "end_time": NOON + n * HOUR + (n + 1) * 1000, "metrics": {"accuracy": n / 10},
        }
        for n in range(4)
    ] + [
        {
            "event_type": "tool", "event_name": "search", "inputs": {}, "start_time": NOON + HOUR,
            "end_time": NOON + HOUR + 500,
        }
        for _ in range(2)
    ]  # fmt: skip
    session = {"session_id": str(uuid.uuid4()), "project": project, "session_name": "s", "start_time": NOON}
    started = hh.post("/session/start", json={"session": session})
    assert started.status_code == 200, started.text
    for each in events:
        each |= {"session_id": session["session_id"], "project": project}
        assert hh.post("/events", json={"event": each}).status_code == 200
    found: str = hh.get("/projects", params={"name": project}).json()[0]["id"]
    return found


MODELS = [{"field": "event_type", "operator": "is not", "value": "session", "type": "string"}]


def ask(hh: httpx.Client, project_id: str, query: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = {"query": query, "filters": MODELS, "date_range": DAY, **more}
    answer = hh.post(f"/v1/projects/{project_id}/charts/query", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


COUNT: dict[str, Any] = {"name": "n"}
SLOW: dict[str, Any] = {"name": "slow", "metric": "duration", "aggregation": "max"}


def test_numbers(hh: httpx.Client, project_id: str) -> None:
    measures = [COUNT, SLOW, {"metric": "metrics.accuracy", "func": "avg"}, {"metric": "metadata.nothing"}]
    found = ask(hh, project_id, {"kind": "scalar", "measures": measures})
    assert found["buckets"] == found["warnings"] == []
    assert found["matched_event_count"] == 6
    assert [(each["measure"], each["split"], each["count"]) for each in found["series"]] == [
        ("n", None, 6), ("slow", None, 6), ("avg metrics.accuracy", None, 4), ("metadata.nothing", None, 0),
    ]  # fmt: skip
    assert [each["values"] for each in found["series"]] == [[6], [4000], [pytest.approx(0.15)], [None]]


def test_a_time_series_has_every_bucket(hh: httpx.Client, project_id: str) -> None:
    found = ask(
        hh, project_id, {"kind": "time_series", "measures": [COUNT, SLOW], "bucket": {"unit": "hour"}}
    )
    assert len(found["buckets"]) == 24
    assert found["buckets"][0] == {"start": "2026-01-20T00:00:00.000Z", "end": "2026-01-20T01:00:00.000Z"}
    assert found["buckets"][-1]["end"] == "2026-01-21T00:00:00.000Z"
    count, slow = (each["values"] for each in found["series"])
    assert count == [None] * 12 + [1, 3, 1, 1] + [None] * 8
    assert slow == [None] * 12 + [1000, 2000, 3000, 4000] + [None] * 8


def test_the_end_is_not_in_it(hh: httpx.Client, project_id: str) -> None:
    dates = {"start": NOON, "end": NOON + HOUR}
    query = {"kind": "time_series", "measures": [COUNT], "bucket": {"unit": "hour"}}
    found = ask(hh, project_id, query, date_range=dates)
    assert (len(found["buckets"]), found["matched_event_count"]) == (1, 1)
    dates["end"] += 1
    found = ask(hh, project_id, query, date_range=dates)
    assert (len(found["buckets"]), found["matched_event_count"]) == (2, 4)


def test_days_begin_where_people_are(hh: httpx.Client, project_id: str) -> None:
    """In Auckland it is one o'clock of the next day at noon in Greenwich."""
    dates: dict[str, Any] = {"start": NOON, "end": NOON + 24 * HOUR, "time_zone": "Pacific/Auckland"}
    query = {"kind": "time_series", "measures": [COUNT], "bucket": {"unit": "1d"}}
    found = ask(hh, project_id, query, date_range=dates)
    assert [each["start"] for each in found["buckets"]] == [
        "2026-01-20T11:00:00.000Z",
        "2026-01-21T11:00:00.000Z",
    ]
    assert found["series"][0]["values"] == [6, None]


def test_buckets_are_no_more_than_wanted(hh: httpx.Client, project_id: str) -> None:
    query: dict[str, Any] = {"kind": "time_series", "measures": [COUNT], "bucket": {"max_points": 23}}
    found = ask(hh, project_id, query)
    assert (found["bucket_unit"], len(found["buckets"]), found["warnings"]) == ("day", 1, [])
    query["bucket"] = {"max_points": 24}
    assert ask(hh, project_id, query)["bucket_unit"] == "hour"
    query["bucket"] = {"max_points": 2, "unit": "minute"}
    found = ask(hh, project_id, query)
    assert found["bucket_unit"] == "day"
    assert "minute" in found["warnings"][0]


def test_categories_in_their_order(hh: httpx.Client, project_id: str) -> None:
    query: dict[str, Any] = {"kind": "categorical", "measures": [COUNT, SLOW], "split_by": "event_name"}
    found = ask(hh, project_id, query)
    assert found["buckets"] == [{"value": "answer"}, {"value": "search"}]
    assert [each["values"] for each in found["series"]] == [[4, 2], [4000, 500]]
    query["split_ranking"] = {"by": "slow", "order": "asc", "limit": 1}
    found = ask(hh, project_id, query)
    assert found["buckets"] == [{"value": "search"}]
    assert [(each["values"], each["count"]) for each in found["series"]] == [([2], 2), ([500], 2)]
    assert "1 more" in found["warnings"][0]


def test_a_split_over_time(hh: httpx.Client, project_id: str) -> None:
    query: dict[str, Any] = {
        "kind": "time_series", "measures": [COUNT], "split_by": "event_type", "bucket": {"unit": "day"},
        "split_ranking": {"limit": 1},
    }  # fmt: skip
    found = ask(hh, project_id, query)
    assert [(each["split"], each["values"]) for each in found["series"]] == [("model", [4])]
    assert found["matched_event_count"] == 6
    query["split_ranking"] = {"by": "n", "order": "asc"}
    found = ask(hh, project_id, query)
    assert [(each["split"], each["values"]) for each in found["series"]] == [("tool", [2]), ("model", [4])]
    assert found["warnings"] == []


def test_a_split_of_numbers(hh: httpx.Client, project_id: str) -> None:
    found = ask(hh, project_id, {"kind": "scalar", "measures": [COUNT], "split_by": "event_name"})
    assert [(each["split"], each["values"]) for each in found["series"]] == [("answer", [4]), ("search", [2])]


def test_filters_projects_and_experiments(hh: httpx.Client, project_id: str, project: str) -> None:
    query = {"kind": "scalar", "measures": [COUNT]}
    named = [{"field": "event_name", "operator": "is", "value": "search", "type": "string"}]
    assert ask(hh, project_id, query, filters=named)["matched_event_count"] == 2
    assert ask(hh, project_id, query, product_filters={"only_experiments": True})["matched_event_count"] == 0
    run = str(uuid.uuid4())
    assert ask(hh, project_id, query, product_filters={"experiment_run_id": run})["matched_event_count"] == 0
    event: dict[str, Any] = {"event_type": "tool", "event_name": "search", "inputs": {}, "project": project}
    event |= {"start_time": NOON, "metadata": {"run_id": run}}
    assert hh.post("/events", json={"event": event}).status_code == 200
    for product in ({"experiment_run_id": run}, {"only_experiments": True}):
        assert ask(hh, project_id, query, product_filters=product)["matched_event_count"] == 1
    other = hh.post("/projects", json={"name": f"{project}, other"}).json()["id"]
    assert ask(hh, other, query)["matched_event_count"] == 0
    everywhere = hh.post(
        "/v1/charts/query", json={"query": query, "filters": MODELS, "date_range": DAY}
    ).json()
    assert everywhere["matched_event_count"] >= 7


def test_a_relative_time_ends_now(hh: httpx.Client, project_id: str) -> None:
    query = {"kind": "time_series", "measures": [COUNT], "bucket": {"unit": "day"}}
    found = ask(hh, project_id, query, date_range={"relative": "7d"})
    assert len(found["buckets"]) == 8


ONE = {"kind": "scalar", "measures": [{}]}
SERIES = {"kind": "time_series", "measures": [{}]}
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({}, "query"),
    ({"query": {"kind": "pie", "measures": [{}]}}, "kind"),
    ({"query": {"kind": "scalar"}}, "measures"),
    ({"query": {"kind": "scalar", "measures": []}}, "measures"),
    ({"query": {"kind": "scalar", "measures": [{}] * 11}}, "measures"),
    ({"query": {"kind": "scalar", "measures": [{"name": "a"}, {"name": "a"}]}}, "measures.1.name"),
    ({"query": {"kind": "scalar", "measures": [{"metric": "nothing"}]}}, "measures.0.metric"),
    ({"query": {"kind": "scalar", "measures": [{"aggregation": "p95"}]}}, "measures.0.metric"),
    ({"query": {"kind": "scalar", "measures": [{"aggregation": "most"}]}}, "aggregation"),
    ({"query": {"kind": "scalar", "measures": [{"aggregation": "count", "func": "sum"}]}}, "func"),
    ({"query": {"kind": "categorical", "measures": [{}]}}, "split_by"),
    ({"query": {**ONE, "split_by": "inputs"}}, "split_by"),
    ({"query": {**ONE, "split_ranking": {"by": "x"}}}, "split_ranking.by"),
    ({"query": {**ONE, "split_ranking": {"limit": 0}}}, "limit"),
    ({"query": {**ONE, "split_ranking": {"limit": 101}}}, "limit"),
    ({"query": {**ONE, "more": 1}}, "more"),
    ({"query": ONE, "more": 1}, "more"),
    ({"query": SERIES}, "date_range"),
    ({"query": SERIES, "date_range": {"start": NOON}}, "date_range"),
    ({"query": SERIES, "date_range": {**DAY, "time_zone": "Mars"}}, "time_zone"),
    ({"query": SERIES, "date_range": {"start": "soon"}}, "date_range.start"),
    ({"query": SERIES, "date_range": {"start": NOON, "end": NOON}}, "date_range.end"),
    ({"query": SERIES, "date_range": {"relative": "7d", "start": NOON}}, "relative"),
    ({"query": SERIES, "date_range": {"relative": "lately"}}, "relative"),
    ({"query": {**SERIES, "bucket": {"unit": "year"}}, "date_range": DAY}, "bucket.unit"),
    ({"query": {**SERIES, "bucket": {"max_points": 5001}}, "date_range": DAY}, "max_points"),
    ({"query": ONE, "filters": [{"field": "x"}]}, "filters.0"),
    ({"query": ONE, "filters": {}}, "filters"),
    ({"query": ONE, "date_range": {"start": 10**400}}, "date_range"),
]


@pytest.mark.parametrize(("body", "said"), REFUSED)
def test_what_cannot_be_shown_is_refused(hh: httpx.Client, body: dict[str, Any], said: str) -> None:
    answer = hh.post("/v1/charts/query", json=body)
    assert answer.status_code == 400, answer.text
    assert said in answer.json()["message"]


def test_centuries_in_few_buckets(hh: httpx.Client, project_id: str) -> None:
    dates = {"start": 0, "end": "2299-01-01"}
    query = {"kind": "time_series", "measures": [COUNT], "bucket": {"max_points": 10}}
    found = ask(hh, project_id, query, date_range=dates)
    assert found["bucket_unit"] == "month"
    assert 3900 < len(found["buckets"]) < 4000
    assert "month" in found["warnings"][0]
    assert found["series"][0]["count"] == 6

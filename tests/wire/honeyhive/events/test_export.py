"""Events read as pages: by the real clients, in every shape of the question, field by field, and what it costs."""

from __future__ import annotations

import asyncio
import json
import uuid
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import Server
from tests.javascript import report_of
from tests.wire.honeyhive.conftest import PREFIX
from tests.wire.honeyhive.events.corpus import HELLO, NOON, SUPPORT, Corpus, ident, wanted
from tests.wire.honeyhive.events.test_filters import ALL, HH, LS
from tests.wire.otlp.sending import Span, send, span_id

EXPORTS = ("/v1/events/export", "/events/export")
SCRIPT = Path(__file__).with_name("reading.mjs")
NAMED = {"field": "event_type", "operator": "is", "value": "tool", "type": "string"}


def exported(to: Corpus, path: str = "/v1/events/export", **body: Any) -> dict[str, Any]:
    answer = to.hh.post(path, json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def names(found: dict[str, Any]) -> list[str]:
    return [event["event_name"] for event in found["events"]]


# -- the real clients ------------------------------------------------------------------------------------


def test_the_python_client_reads_in_all_its_ways(written: Corpus) -> None:
    events = written.honeyhive.events
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        session = events.get_by_session_id(HELLO)
        listed = events.list({"filters": [wanted("session_id", "is", SUPPORT).to_dict()], "limit": 2})
        whole = asyncio.run(events.export_async(limit=5, page=1))
        dated = events.export(date_range={"$gte": "2026-01-20T12:00:01Z", "$lte": "2026-01-20T12:00:02Z"})
        projected = events.export(filters=[wanted("event_name", "is", "ask")], projections=["metadata.cost"])
    assert [event.event_name for event in session.events] == ["hello", "ask", "look up", "wrap"]
    assert session.total_events == 4
    assert (listed.totalEvents, len(listed.events)) == (3, 2)
    assert (whole.total_events, len(whole.events)) == (len(ALL), 5)
    assert {event.event_name for event in dated.events} == {"ask", "look up", "wrap"}
    assert [event.metadata for event in projected.events] == [{"cost": 0.25}]
    assert projected.events[0].event_name is None


def test_the_typescript_client(written: Corpus) -> None:
    found = report_of(SCRIPT, written.url + PREFIX, written.key)
    assert {event["eventName"] for event in found["all"]["events"]} == HH
    assert found["all"]["totalEvents"] == 4
    ask = next(event for event in found["all"]["events"] if event["eventName"] == "ask")
    assert (ask["metrics"]["accuracy"], ask["feedback"]["rating"], ask["duration"]) == (0.75, 4, 2500)
    assert {event["eventName"] for event in found["legacy"]["events"]} == {"hello", "ask"}
    assert {event["eventName"] for event in found["untyped"]["events"]} == {"look up"}
    assert (len(found["paged"]["events"]), found["paged"]["totalEvents"]) == (1, 4)
    assert found["projected"]["events"] == [{"eventName": "ask", "config": {"model": "m-2"}}]
    assert (found["elsewhere"]["events"], found["elsewhere"]["totalEvents"]) == ([], 0)


# -- pages -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", EXPORTS)
def test_both_counts_are_of_all_that_match(written: Corpus, path: str) -> None:
    found = exported(written, path, filters=[NAMED], limit=2)
    assert (found["count"], found["totalEvents"], len(found["events"])) == (3, 3, 2)
    assert found.keys() == {"events", "count", "totalEvents"}
    beyond = exported(written, path, filters=[NAMED], limit=2, page=9)
    assert (beyond["count"], beyond["events"]) == (3, [])


@pytest.mark.parametrize("limit", [1, 2, 4, 9, 10])
def test_pages_follow_each_other_newest_first(written: Corpus, limit: int) -> None:
    pages = [exported(written, limit=limit, page=page)["events"] for page in range(1, 11)]
    events = [event for page in pages for event in page]
    assert {event["event_name"] for event in events} == ALL
    assert len(events) == len(ALL)
    starts = [event["start_time"] for event in events]
    assert starts == sorted(starts, reverse=True)


def test_any_order_is_an_order(written: Corpus) -> None:
    assert sorted(names(exported(written, ignore_order=True))) == sorted(ALL)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, ALL),
        ({"filters": None, "limit": None, "projections": None, "project": None}, ALL),
        ({"filters": [], "limit": 7500.0, "page": "1", "unknown": {"x": 1}}, ALL),
        ({"dateRange": {"$gte": NOON, "$lte": NOON + 1000}}, {"hello", "ask"}),
        ({"dateRange": {"$gte": "2026-01-21T13:00:01+01:00", "$lte": "2026-01-22"}}, {"chat", "fetch"}),
        ({"dateRange": json.dumps({"$lte": f"{NOON}"})}, {"hello"}),
        ({"dateRange": "2026-01-21T00:00:00Z"}, LS | {"spans", "step"}),
        ({"dateRange": {"relative": "1h"}}, {"spans", "step"}),
        ({"evaluation_id": "run-1"}, {"hello", "support"}),
        ({"project": "corpus support"}, LS),
        ({"project": "no such project"}, set()),
        ({"project": "no\u0000such"}, set()),
    ],
)
def test_what_may_be_asked(written: Corpus, body: dict[str, Any], expected: set[str]) -> None:
    found = exported(written, **body)
    assert set(names(found)) == expected
    assert found["count"] == len(expected)


def test_a_project_by_its_id(written: Corpus) -> None:
    assert set(names(exported(written, project=written.one("chat")["project_id"]))) == LS


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"limit": 0}, "limit: 0 is not within 1 and 7500"),
        ({"limit": 7501}, "limit: 7501 is not within 1 and 7500"),
        ({"limit": 1.5}, "limit: '1.5' is not a whole number"),
        ({"limit": "many"}, "limit: 'many' is not a whole number"),
        ({"page": 0}, "page: 0 is not within 1 and"),
        ({"page": 10**30}, "page: 1000000000000000019884624838656 is not within"),
        ({"limit": []}, "limit: Expected"),
        ({"projections": ["colour"]}, "projections: 'colour' is not a field of events"),
        ({"projections": ["event_name.x"]}, "projections: 'event_name.x' is not a field of events"),
        ({"dateRange": {"$gte": "soon"}}, "dateRange.$gte: 'soon' is not a time"),
        ({"dateRange": {"$gte": True}}, "dateRange.$gte: must be a text or a number"),
        ({"dateRange": {"$gt": 1}}, "dateRange: '$gt' is none of $gte, $lte and relative"),
        ({"dateRange": {"relative": "a while"}}, "dateRange.relative: 'a while' is not a time ago"),
        ({"dateRange": {"relative": 7}}, "dateRange.relative: must be a text"),
        ({"dateRange": "{"}, "dateRange: '{' is not valid JSON"),
        ({"dateRange": [1]}, "dateRange: must be an object"),
    ],
)
def test_what_may_not(hh: httpx.Client, body: dict[str, Any], message: str) -> None:
    answer = hh.post("/v1/events/export", json=body)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith(message)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b'{"filters": [', b'{"limit": \x00}']
)
def test_bodies_that_are_none(hh: httpx.Client, body: bytes) -> None:
    for path in (*EXPORTS, "/v1/events/search"):
        answer = hh.post(path, content=body)
        assert answer.status_code == (200 if body == b"" else 400), answer.text


# -- what of them ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted_", "expected"),
    [
        (["event_name", "duration"], {"event_name": "ask", "duration": 2500}),
        (["event_type", "source"], {"event_type": "model", "source": "test"}),
        (["parent_id", "session_id"], {"parent_id": HELLO, "session_id": HELLO}),
        (["metrics.accuracy", "metrics.label"], {"metrics": {"accuracy": 0.75, "label": "good"}}),
        (["feedback.ground_truth.answer"], {"feedback": {"ground_truth": {"answer": "here"}}}),
        (["config.hyperparameters"], {"config": {"hyperparameters": {"top_p": 0.5}}}),
        (["config.hyperparameters.top_p", "config.model"],
            {"config": {"hyperparameters": {"top_p": 0.5}, "model": "m-2"}}),
        (["config", "config.model"], {"config": {"model": "m-2", "hyperparameters": {"top_p": 0.5}}}),
        (["inputs.chat_history.0"], {"inputs": {"chat_history": [{"role": "user", "content": "hi"}, {"role": "bot"}]}}),
        (["metadata.total_tokens", "metadata.nothing.x"], {"metadata": {"total_tokens": 30}}),
        (["user_properties.x"], {"user_properties": {}}),
        (["error", "children_ids"], {"error": None, "children_ids": []}),
        (["start_time", "end_time"], {"start_time": NOON + 1000, "end_time": NOON + 3500}),
    ],
)  # fmt: skip
def test_projections(written: Corpus, wanted_: list[str], expected: dict[str, Any]) -> None:
    one = {"field": "event_id", "operator": "is", "value": ident("ask")}
    assert exported(written, filters=[one], projections=wanted_)["events"] == [expected]


def test_projections_of_roll_ups_and_names_with_dots(written: Corpus) -> None:
    one = {"field": "event_id", "operator": "is", "value": HELLO}
    (found,) = exported(written, filters=[one], projections=["metadata.num_events", "metadata.plan.name"])[
        "events"
    ]
    assert found == {"metadata": {"num_events": 3, "plan.name": "flat", "plan": {"name": "pro"}}}


# -- search and the list ---------------------------------------------------------------------------------


def test_search_is_strict_and_newest_first(written: Corpus) -> None:
    range_ = {"start_time": "2026-01-20T00:00:00Z", "end_time": "2026-01-20T12:00:01.5Z"}
    answer = written.hh.post(
        "/v1/events/search", json={"dateRange": range_, "ignore_order": True, "limit": 2}
    )
    assert answer.status_code == 200, answer.text
    assert names(answer.json()) == ["look up", "ask"]
    assert answer.json()["count"] == 3
    untyped = {"field": "metadata.run_id", "operator": "is", "value": "run-2"}
    answer = written.hh.post("/v1/events/search", json={"filters": [untyped], "evaluation_id": "run-2"})
    assert set(names(answer.json())) == {"look up", "step"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"projections": ["event_name"]}, "Object contains unknown field `projections`"),
        ({"project": "x"}, "Object contains unknown field `project`"),
        ({"limit": 1001}, "limit: 1001 is not within 1 and 1000"),
        ({"limit": 10.5}, "limit: Expected `int"),
        ({"limit": "10"}, "limit: Expected `int"),
        (
            {"dateRange": {"$gte": "2026-01-01", "$lte": "2026-01-02"}},
            "dateRange: Object contains unknown field `$gte`",
        ),
        ({"dateRange": {"start_time": "2026-01-01"}}, "dateRange: Object missing required field `end_time`"),
        (
            {"dateRange": {"start_time": "soon", "end_time": "2026-01-02"}},
            "dateRange.start_time: 'soon' is not a time",
        ),
        (
            {"filters": [{**NAMED, "extra": 1}]},
            "filters.0: 'extra' is none of field, operator, value and type",
        ),
        ({"filters": [{"field": "error", "operator": "exists"}]}, "filters.0.value: is missing"),
    ],
)
def test_search_refuses_what_it_does_not_know(hh: httpx.Client, body: dict[str, Any], message: str) -> None:
    answer = hh.post("/v1/events/search", json=body)
    assert (answer.status_code, answer.json()["message"][: len(message)]) == (400, message)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, ALL),
        ({"filters": json.dumps([NAMED])}, {"look up", "fetch", "step"}),
        ({"filters": json.dumps(NAMED)}, {"look up", "fetch", "step"}),
        ({"filters[]": [json.dumps(NAMED), json.dumps({"field": "error", "operator": "is", "value": "boom"})]},
            {"fetch"}),
        ({"filters[0][field]": "event_name", "filters[0][operator]": "is", "filters[0][value]": "ask"}, {"ask"}),
        ({"dateRange": json.dumps({"$gte": NOON, "$lte": NOON + 1000})}, {"hello", "ask"}),
        ({"dateRange[$gte]": f"{NOON}", "dateRange[$lte]": f"{NOON + 1000}"}, {"hello", "ask"}),
        ({"dateRange": "2026-01-21T00:00:00Z", "project": "corpus support"}, LS),
        ({"evaluation_id": "run-2", "ignore_order": "true"}, {"look up", "step"}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/events", "/v1/events"])
def test_the_list(written: Corpus, path: str, params: dict[str, Any], expected: set[str]) -> None:
    answer = written.hh.get(path, params=params)
    assert answer.status_code == 200, answer.text
    assert set(names(answer.json())) == expected
    assert answer.json()["totalEvents"] == answer.json()["count"] == len(expected)


@pytest.mark.parametrize(
    "projections", [{"projections": '["event_name"]'}, {"projections[]": ["event_name"]}]
)
def test_pages_and_projections_of_the_list(written: Corpus, projections: dict[str, Any]) -> None:
    answer = written.hh.get("/events", params={"limit": 1, "page": 9, **projections})
    assert answer.json() == {"events": [{"event_name": "hello"}], "count": 9, "totalEvents": 9}


@pytest.mark.parametrize(
    "params",
    [
        {"filters": "["}, {"filters": "5"}, {"filters": '[{"field":"x"}]'}, {"limit": "x"}, {"page": "0"},
        {"dateRange": "{"}, {"dateRange": "soon"}, {"ignore_order": "perhaps"}, {"projections": "[1]"},
        {"projections": "x"}, {"filters": "[" * 5000},
    ],
)  # fmt: skip
def test_bad_queries(hh: httpx.Client, params: dict[str, str]) -> None:
    answer = hh.get("/events", params=params)
    assert answer.status_code == 400, answer.text
    assert answer.json()["message"]


# -- one event, whole ------------------------------------------------------------------------------------


def test_every_field_of_an_event(written: Corpus) -> None:
    found = written.one("look up")
    ids = {name: found.pop(name) for name in ("project_id", "org_id", "workspace_id", "tenant")}
    assert ids["org_id"] == ids["workspace_id"] == ids["tenant"] != ids["project_id"]
    assert found == {
        "event_id": ident("look up"), "session_id": HELLO, "parent_id": ident("ask"), "event_type": "tool",
        "event_name": "look up", "source": "test", "config": {}, "children_ids": [ident("ask"), "other"],
        "inputs": {"q": 5}, "outputs": {"hits": [1, 2]}, "error": "Timeout: late", "start_time": NOON + 1500,
        "end_time": NOON + 1750, "duration": 250, "feedback": {}, "user_properties": {},
        "metadata": {"run_id": "run-2", "attempt": "2", "when": "2026-01-20T12:30:00Z", "empty": ""},
        "metrics": {"accuracy": 0.25, "passed": False},
    }  # fmt: skip
    found.update(ids)


def test_what_is_unknown_is_left_out(written: Corpus) -> None:
    """The TypeScript client takes null for nothing but these two."""
    for event in written.events:
        assert {name for name, value in event.items() if value is None} <= {"parent_id", "error"}
    assert {"end_time", "duration", "source"}.isdisjoint(written.one("fetch"))
    assert all(type(event["end_time"]) is int for event in written.events if "end_time" in event)


def test_payloads_come_back_as_they_were_sent(hh: httpx.Client, project: str) -> None:
    session = str(uuid.uuid4())
    inputs = '{"é":"\\u0000\\"","big":123456789012345678901234567890,"n":1.50,"e":1e5,"list":[[],{}]}'
    body = (
        f'{{"event":{{"project":"{project}","session_id":"{session}","event_type":"tool","event_name":"raw",'
        f'"inputs":{inputs},"metadata":{inputs},"config":{inputs},"start_time":{NOON},"end_time":{NOON}}}}}'
    )
    assert hh.post("/events", content=body.encode()).status_code == 200
    filters = [{"field": "event_name", "operator": "is", "value": "raw"}]
    answer = hh.post("/events/export", json={"project": project, "filters": filters})
    assert answer.json()["count"] == 1
    assert answer.text.count(inputs.replace("\\u0000", "\\u0000")) == 3


# -- how much that costs ---------------------------------------------------------------------------------


def test_a_thousand_events_are_few_queries(own_server: Server) -> None:
    own_server.start()
    with httpx.Client(base_url=own_server.url + PREFIX, timeout=60) as hh:
        session = str(uuid.uuid4())
        start = round(datetime.now(UTC).timestamp() * 1000)
        assert hh.post("/session/start", json={"session": {"session_id": session}}).status_code == 200
        events = [
            {"session_id": session, "event_type": "model", "event_name": f"{n}", "inputs": {"n": n},
             "start_time": start + n, "end_time": start + n + 1, "metrics": {"n": n}}
            for n in range(999)
        ]  # fmt: skip
        answer = hh.post("/events/batch", json={"events": events, "is_single_session": False})
        assert answer.status_code == 200, answer.text
        before = _queries(own_server)
        found = hh.post("/v1/events/export", json={"filters": [], "limit": 2000}).json()
        assert found["count"] == len(found["events"]) == 1000
        assert {event["metrics"]["n"] for event in found["events"] if event["metrics"]} == set(range(999))
        after = _queries(own_server)
        asked = {
            name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)
        }
        assert asked == {"page": 1, "feedback": 1, "trace_figures": 1}


def _queries(server: Server) -> dict[str, float]:
    """How often each kind of question was put to the run store."""
    found: dict[str, float] = {}
    for line in httpx.get(server.url + "/metrics").text.splitlines():
        if line.startswith("stenograph_query_duration_seconds_count{"):
            name = line.partition('"')[2].partition('"')[0]
            found[name] = float(line.rpartition(" ")[2])
    return found


def test_nothing_is_there_at_first(hh: httpx.Client, project: str) -> None:
    hh.post(
        "/events", json={"event": {"project": project, "event_type": "tool", "event_name": "x", "inputs": {}}}
    )
    answer = hh.post("/events/export", json={"project": project, "filters": [{**NAMED, "value": "generic"}]})
    assert answer.json() == {"events": [], "count": 0, "totalEvents": 0}


def test_what_does_not_survive_as_a_run_type(http: httpx.Client, hh: httpx.Client) -> None:
    """A generic event is a chain to LangSmith, and so is a session within a session."""
    session, trace = str(uuid.uuid4()), uuid.uuid4().hex
    common = {"session_id": session, "parent_id": session, "inputs": {}}
    for kind in ("model", "session"):
        event = {**common, "event_id": str(uuid.uuid4()), "event_type": kind, "event_name": f"a {kind}"}
        assert hh.post("/events", json={"event": event}).status_code == 200
    attributes = {"honeyhive_event_type": "generic", "honeyhive.session_id": session}
    send(http, [Span(trace, span_id(), name="vague", attributes=attributes)])
    one = {"field": "session_id", "operator": "is", "value": session}
    kinds = {}
    for kind in ("model", "tool", "chain", "session", "generic"):
        filters = [one, {"field": "event_type", "operator": "is", "value": kind}]
        found = hh.post("/v1/events/export", json={"filters": filters}).json()["events"]
        assert {event["event_type"] for event in found} <= {kind}
        kinds[kind] = {event["event_name"] for event in found if event["event_id"] != session}
    expected = {"model": {"a model"}, "tool": set(), "chain": set(), "session": {"a session"}}
    assert kinds == {**expected, "generic": {"vague"}}

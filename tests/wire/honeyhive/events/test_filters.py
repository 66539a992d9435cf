"""HoneyHive's filters: which events each finds, asked through its real Python client; and what is refused.

What a filter means is checked a second time, by a few lines of Python over the events as they are exported.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.effort import tries
from tests.wire.honeyhive.events.corpus import HELLO, NOON, OTLP, SUPPORT, Corpus, ident, wanted

SESSIONS = {"hello", "support", "spans"}
ALL = {"ask", "look up", "wrap", "chat", "fetch", "step"} | SESSIONS
HH, LS = {"hello", "ask", "look up", "wrap"}, {"support", "chat", "fetch"}

CASES: list[tuple[str, str, str, Any, set[str]]] = [
    # ids
    ("event_id", "is", "string", ident("ask"), {"ask"}),
    ("event_id", "is", "id", ident("ask").upper(), {"ask"}),
    ("event_id", "contains", "string", ident("ask")[:13], {"ask"}),
    ("event_id", "is", "string", "no uuid", set()),
    ("session_id", "is", "string", HELLO, HH),
    ("session_id", "is not", "id", HELLO, ALL - HH),
    ("session_id", "not contains", "string", SUPPORT[9:], ALL - LS),
    ("parent_id", "exists", "string", "", ALL - SESSIONS),
    ("parent_id", "not exists", "string", "", SESSIONS),
    ("parent_id", "is", "string", ident("ask"), {"look up"}),
    ("project_id", "is", "string", "00000000-0000-4000-8000-000000000000", set()),
    # types and names
    ("event_type", "is", "string", "model", {"ask", "chat"}),
    ("event_type", "is", "string", "tool", {"look up", "fetch", "step"}),
    ("event_type", "is", "string", "chain", {"wrap"}),
    ("event_type", "is", "string", "session", SESSIONS),
    ("event_type", "is", "string", "generic", set()),
    ("event_type", "is not", "string", "session", ALL - SESSIONS),
    ("event_type", "contains", "string", "O", ALL - {"wrap"}),
    ("event_type", "not contains", "string", "o", {"wrap"}),
    ("event_type", "exists", "string", "", ALL),
    ("event_name", "is", "string", "ask", {"ask"}),
    ("event_name", "contains", "string", "S", {"ask", "support", "spans", "step"}),
    ("event_name", "not exists", "string", "", set()),
    ("source", "is", "string", "test", HH),
    ("source", "is not", "string", "test", ALL - HH),
    ("source", "contains", "string", "TL", {"spans", "step"}),
    ("source", "not exists", "string", "", LS),
    ("error", "exists", "string", "", {"look up", "fetch"}),
    ("error", "contains", "string", "timeout", {"look up"}),
    ("error", "is", "string", "boom", {"fetch"}),
    ("error", "not contains", "string", "boom", ALL - {"fetch"}),
    # times
    ("start_time", "after", "datetime", "2026-01-20T12:00:02Z", LS | {"spans", "step"}),
    ("start_time", "before", "datetime", "2026-01-20T13:00:01.500+01:00", {"hello", "ask"}),
    ("start_time", "is", "datetime", NOON + 1500, {"look up"}),
    ("start_time", "greater than", "number", NOON + 1500, {"wrap", "spans", "step"} | LS),
    ("end_time", "not exists", "datetime", "", {"fetch", "spans"}),
    ("end_time", "before", "datetime", str(NOON + 2001), {"look up", "wrap"}),
    ("end_time", "is not", "datetime", "2026-01-20T12:00:09Z", ALL - {"hello"}),
    ("duration", "is", "number", "2500", {"ask"}),
    ("duration", "greater than", "number", "2500", {"hello", "support", "chat"}),
    ("duration", "less than", "number", "0.001", {"wrap"}),
    ("duration", "not exists", "number", "", {"fetch", "spans"}),
    ("duration", "is not", "number", "8000", ALL - {"support"}),
    ("duration", "is", "number", "250.00001", set()),
    # metadata: nested, flat, by index
    ("metadata.run_id", "is", "string", "run-1", {"hello", "support"}),
    ("metadata.run_id", "is", "id", "run-2", {"look up", "step"}),
    ("metadata.run_id", "exists", "string", "", {"hello", "support", "look up", "step"}),
    ("metadata.run_id", "is not", "string", "run-1", ALL - {"hello", "support"}),
    ("metadata.datapoint_id", "is", "string", "d1", {"ask"}),
    ("metadata.plan.seats", "is", "number", "3", {"hello"}),
    ("metadata.plan.seats", "greater than", "number", "3", set()),
    ("metadata.plan.name", "is", "string", "pro", {"hello"}),
    ("metadata.plan.name", "is", "string", "flat", {"hello"}),
    ("metadata.plan", "contains", "string", "SEATS", {"hello"}),
    ("metadata.test.unique_id", "is", "string", "u-1", {"step"}),
    ("metadata.a.b.c", "is", "number", "1", {"support"}),
    ("metadata.beta", "is", "boolean", "true", {"hello"}),
    ("metadata.beta", "is", "boolean", "False", set()),
    ("metadata.beta", "is not", "boolean", "true", ALL - {"hello"}),
    ("metadata.attempt", "is", "number", "2", {"look up"}),
    ("metadata.attempt", "greater than", "number", "1.5", {"look up", "wrap"}),
    ("metadata.attempt", "less than", "number", "3", {"look up"}),
    ("metadata.attempt", "is", "string", "3", {"wrap"}),
    ("metadata.attempt", "not exists", "number", "", ALL - {"look up", "wrap"}),
    ("metadata.list.1.a", "is", "number", "2", {"wrap"}),
    ("metadata.empty", "exists", "string", "", {"look up"}),
    ("metadata.empty", "is", "string", "", {"look up"}),
    ("metadata.when", "after", "datetime", "2026-01-20T12:29:59Z", {"look up"}),
    ("metadata.when", "before", "datetime", "2026-01-20T13:30:00+01:00", set()),
    ("metadata.when", "is", "datetime", NOON + 1_800_000, {"look up"}),
    ("metadata", "contains", "string", "prod", {"support"}),
    # metadata that was not sent: a model call's own figures, and what sessions come to
    ("metadata.cost", "greater than", "number", "0.3", {"chat", "support"}),
    ("metadata.cost", "is", "number", "0.25", {"ask", "hello"}),
    ("metadata.cost", "is", "string", "0.25", {"ask", "hello"}),
    ("metadata.cost", "less than", "number", "0.1", {"spans"}),
    ("metadata.cost", "exists", "number", "", SESSIONS | {"ask", "chat"}),
    ("metadata.total_tokens", "greater than", "number", "9", {"ask", "hello", "chat", "support"}),
    ("metadata.total_tokens", "is", "number", "0", {"spans"}),
    ("metadata.prompt_tokens", "is", "number", "7", {"chat", "support"}),
    ("metadata.completion_tokens", "less than", "number", "20", {"chat", "support", "spans"}),
    ("metadata.num_events", "is", "number", "3", {"hello"}),
    ("metadata.num_events", "greater than", "number", "1", {"hello", "support"}),
    ("metadata.num_model_events", "is", "number", "0", {"spans"}),
    ("metadata.has_feedback", "is", "boolean", "true", {"hello", "support"}),
    ("metadata.has_feedback", "is", "boolean", "false", {"spans"}),
    ("metadata.has_feedback", "is", "string", "true", {"hello", "support"}),
    # payloads and what stands aside
    ("inputs.question", "contains", "string", "zebra", {"hello", "support"}),
    ("inputs.question", "is", "string", "nothing", {"wrap"}),
    ("inputs.chat_history.0.content", "is", "string", "hi", {"ask"}),
    ("inputs.chat_history.1.role", "is", "string", "bot", {"ask"}),
    ("inputs.q", "is", "number", "5", {"look up"}),
    ("inputs.q.deep.1", "is", "number", "2", {"step"}),
    ("inputs", "contains", "string", "zebra", {"hello", "support", "fetch"}),
    ("inputs", "not exists", "string", "", {"spans"}),
    ("outputs.usage_metadata.total_tokens", "is", "number", "10", {"chat"}),
    ("outputs.hits", "contains", "string", "1", {"look up"}),
    ("outputs", "not exists", "string", "", {"wrap", "fetch", "spans"}),
    ("config.model", "is", "string", "m-4", {"step"}),
    ("config.model", "contains", "string", "m-", {"hello", "ask", "step"}),
    ("config.hyperparameters.top_p", "less than", "number", "1", {"ask"}),
    ("config", "exists", "string", "", {"hello", "ask", "step"}),
    ("user_properties.plan", "is", "string", "paid", {"wrap"}),
    ("user_properties.plan", "is not", "string", "paid", ALL - {"wrap"}),
    ("user_properties", "not exists", "string", "", ALL - {"hello", "wrap"}),
    ("children_ids", "exists", "string", "", {"look up"}),
    ("children_ids", "is", "string", "other", {"look up"}),
    ("children_ids", "contains", "string", ident("ask")[4:12], {"look up"}),
    # what was measured, and what was said
    ("metrics.accuracy", "greater than", "number", "0.4", {"ask", "chat", "step"}),
    ("metrics.accuracy", "is", "number", "0.5", {"chat"}),
    ("metrics.accuracy", "not exists", "number", "", ALL - {"ask", "look up", "chat", "step"}),
    ("metrics.accuracy_explanation", "contains", "string", "SO", {"chat"}),
    ("metrics.accuracy_explanation", "is", "string", "mostly", {"ask"}),
    ("metrics.passed", "is", "boolean", "true", {"ask"}),
    ("metrics.passed", "is", "boolean", "false", {"look up"}),
    ("metrics.label", "is", "string", "good", {"ask"}),
    ("metrics.label", "not contains", "string", "oo", ALL - {"ask"}),
    ("metrics.rating", "is", "number", "1", {"chat"}),
    ("metrics", "exists", "string", "", {"ask", "look up", "chat", "step"}),
    ("feedback.rating", "is", "number", "4", {"ask"}),
    ("feedback.ground_truth.answer", "is", "string", "here", {"ask"}),
    ("feedback.stars", "greater than", "number", "4", {"support"}),
    ("feedback", "not exists", "string", "", ALL - {"ask", "support"}),
]


@pytest.mark.parametrize(("field", "operator", "kind", "value", "expected"), CASES)
def test_each_filter_through_the_real_client(
    written: Corpus, field: str, operator: str, kind: str, value: Any, expected: set[str]
) -> None:
    assert written.names(wanted(field, operator, value, kind)) == expected


def test_every_operator_of_every_type_is_among_the_cases() -> None:
    """Those of HoneyHive's description; what it has changed since, and what it had before, is in them too."""
    described = {
        "string": ("exists", "not exists", "is", "is not", "contains", "not contains"),
        "number": ("exists", "not exists", "is", "is not", "greater than", "less than"),
        "boolean": ("is",),
        "datetime": ("not exists", "is", "is not", "after", "before"),
    }
    assert {(kind, one) for kind, operators in described.items() for one in operators} <= {
        (kind, operator) for _, operator, kind, _, _ in CASES
    }


def test_all_filters_of_a_list_have_to_hold(written: Corpus) -> None:
    filters = [wanted("event_type", "is", "tool"), wanted("metadata.run_id", "is", "run-2")]
    assert written.names(*filters) == {"look up", "step"}
    assert written.names(*filters, wanted("error", "not exists")) == {"step"}
    assert written.names() == ALL
    assert written.names(*[wanted("event_type", "is", "tool")] * 50) == {"look up", "fetch", "step"}


@pytest.mark.parametrize(
    "field", ["metadata.cost", "metrics.a.b.c_explanation", "metadata.a.b.c.d.e", "duration"]
)
def test_the_longest_lists_are_answered(written: Corpus, field: str) -> None:
    filters = [wanted(field, "is not", f"{number}", "number") for number in range(1000, 1050)]
    assert written.names(*filters) == ALL


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        ({"field": "metadata.plan.seats", "operator": "is", "value": 3}, {"hello"}),
        ({"field": "metadata.plan.seats", "operator": "greater than", "value": "2.5"}, {"hello"}),
        ({"field": "metadata.beta", "operator": "is", "value": True}, {"hello"}),
        ({"field": "metadata.run_id", "operator": "is", "value": "run-2"}, {"look up", "step"}),
        ({"field": "metadata.when", "operator": "after", "value": "2026-01-01"}, {"look up"}),
        ({"field": "metadata.when", "operator": "greater than", "value": "2026-01-01"}, {"look up"}),
        ({"field": "error", "operator": "is", "value": None}, ALL - {"look up", "fetch"}),
        ({"field": "error", "operator": "is not", "value": None, "type": "string"}, {"look up", "fetch"}),
        ({"field": "error", "operator": "exists"}, {"look up", "fetch"}),
        ({"field": "duration", "operator": "greater than", "value": "2600", "type": "string"},
            {"hello", "support", "chat"}),
        ({"field": "event_name", "operator": "is", "value": "ask", "type": "number"}, {"ask"}),
    ],
)  # fmt: skip
def test_what_is_not_said_is_inferred(written: Corpus, filter_: dict[str, Any], expected: set[str]) -> None:
    assert written.names(filter_) == expected


REFUSED: list[tuple[Any, str]] = [
    (
        {"field": "colour", "operator": "is", "value": "x"},
        "0.field: 'colour' is not a field of events: there are ",
    ),
    ({"field": "event_name.x", "operator": "is", "value": "x"}, "is not a field of events"),
    ({"field": "", "operator": "is", "value": "x"}, "is not a field of events"),
    ({"field": "event_name", "operator": "like", "value": "x"}, "0.operator: 'like' is none of 'exists', "),
    (
        {"field": "event_name", "operator": "greater than", "value": "x"},
        "cannot be asked 'greater than': 'exists', ",
    ),
    ({"field": "duration", "operator": "contains", "value": "x"}, "cannot be asked 'contains': 'exists', "),
    (
        {"field": "metrics", "operator": "contains", "value": "x"},
        "cannot be asked 'contains': 'exists', 'not exists'",
    ),
    (
        {"field": "metadata.x", "operator": "contains", "value": "x", "type": "number"},
        "is not for type number, which",
    ),
    (
        {"field": "metadata.x", "operator": "after", "value": 1, "type": "string"},
        "is not for type string, which",
    ),
    (
        {"field": "metadata.x", "operator": "is", "value": 1, "type": "float"},
        "0.type: 'float' is none of 'string', ",
    ),
    ({"field": "metadata.x", "operator": "is", "value": 1, "type": 5}, "0.type: '5' is none of"),
    (
        {"field": "metadata.x", "operator": "is", "value": "five", "type": "number"},
        "0.value: 'five' is not a number",
    ),
    ({"field": "metadata.x", "operator": "is", "value": "nan", "type": "number"}, "'nan' is not a number"),
    (
        {"field": "metadata.x", "operator": "is", "value": "1e999", "type": "number"},
        "'1e999' is not a number",
    ),
    (
        {"field": "metadata.x", "operator": "is", "value": "yes", "type": "boolean"},
        "'yes' is neither true nor false",
    ),
    ({"field": "metadata.x", "operator": "after", "value": "soon"}, "0.value: 'soon' is not a time"),
    (
        {"field": "metadata.x", "operator": "is", "value": ["a"]},
        "0.value: must be a text, a number, true or false",
    ),
    ({"field": "metadata.x", "operator": "contains", "value": ""}, "0.value: is empty"),
    ({"field": "metadata.x", "operator": "contains"}, "0.value: must be a text"),
    ({"field": "start_time", "operator": "is", "value": "yesterday", "type": "datetime"}, "is not a time"),
    ({"field": "metadata." + "a." * 30, "operator": "exists"}, "has more than"),
    ({"operator": "is", "value": "x"}, "0.field: is missing"),
    ({"field": 5, "operator": "is", "value": "x"}, "0.field: must be a text"),
    ({"field": "error", "value": "x"}, "0.operator: is missing"),
    ("error", "0: must be an object"),
]


@pytest.mark.parametrize(("filter_", "message"), REFUSED)
def test_what_is_not_understood_is_refused_with_what_is_allowed(
    hh: httpx.Client, filter_: Any, message: str
) -> None:
    answer = hh.post("/v1/events/export", json={"filters": [filter_]})
    assert answer.status_code == 400, answer.text
    assert answer.json()["errorCode"] == "Invalid"
    assert answer.json()["message"].startswith("filters.0")
    assert message in answer.json()["message"]


@pytest.mark.parametrize("filters", [{"field": "error"}, "error", 5, [[]]])
def test_filters_of_another_shape_are_refused(hh: httpx.Client, filters: Any) -> None:
    assert hh.post("/v1/events/export", json={"filters": filters}).status_code == 400


def test_too_many_filters_are_refused(hh: httpx.Client) -> None:
    one = {"field": "error", "operator": "exists"}
    answer = hh.post("/v1/events/export", json={"filters": [one] * 51})
    assert (answer.status_code, answer.json()["message"]) == (
        400,
        "filters: there are 51 filters; at most 50 are taken",
    )


@pytest.mark.parametrize(
    "value", ["\x00", "\ud800", "'; DROP TABLE runs --", "{p0:String}", "\\", "%", '"', "é" * 10_000, "\n\t"]
)
@pytest.mark.parametrize("operator", ["is", "contains"])
def test_no_value_is_more_than_a_value(written: Corpus, operator: str, value: str) -> None:
    for field in (
        "metadata.x",
        "inputs.x",
        "config.x",
        "metrics.x",
        "event_name",
        "metadata",
        "event_id",
        "source",
    ):
        if field == "metadata" and operator == "is":
            continue
        body = json.dumps({"filters": [{"field": field, "operator": operator, "value": value}]})
        answer = written.hh.post("/events/export", content=body)
        assert answer.status_code == 200, answer.text
        if field.endswith(".x"):
            assert answer.json()["events"] == []


@pytest.mark.parametrize(
    "name", ["\x00", "\ud800", "'", "{p0:String}", "\\", '"', "a\nb", "é", "0", "-1", "%"]
)
def test_no_name_is_more_than_a_name(written: Corpus, name: str) -> None:
    for place in ("metadata", "inputs", "config", "metrics", "feedback"):
        filters = [{"field": f"{place}.{name}.{name}", "operator": "is", "value": "x"}]
        answer = written.hh.post("/events/export", content=json.dumps({"filters": filters}))
        assert (answer.status_code, answer.json()["count"]) == (200, 0)


# -- the same, by Python over what is exported -----------------------------------------------------------


def values(event: Any, steps: list[str]) -> Iterator[Any]:
    if not steps:
        if event is not None:
            yield event
    elif isinstance(event, dict):
        for upto in range(1, len(steps) + 1):
            if (name := ".".join(steps[:upto])) in event:
                yield from values(event[name], steps[upto:])
    elif isinstance(event, list) and steps[0].isdecimal() and int(steps[0]) < len(event):
        yield from values(event[int(steps[0])], steps[1:])


def text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def as_moment(value: Any) -> float | None:
    try:
        return float(text(value))
    except ValueError:
        pass
    try:
        return dt.datetime.fromisoformat(text(value)).timestamp() * 1000
    except ValueError:
        return None


def as_number(value: Any) -> float | None:
    try:
        return None if isinstance(value, bool) else float(text(value))
    except ValueError:
        return None


READ: dict[str, Callable[[Any], Any]] = {
    "string": text,
    "number": as_number,
    "boolean": lambda value: text(value).lower(),
    "datetime": as_moment,
}
OBJECTS = {
    "inputs",
    "outputs",
    "config",
    "metadata",
    "user_properties",
    "metrics",
    "feedback",
    "children_ids",
}


def passes(event: dict[str, Any], field: str, operator: str, value: str, kind: str) -> bool:
    if operator.startswith("not ") or operator == "is not":
        return not passes(
            event, field, {"is not": "is"}.get(operator, operator.removeprefix("not ")), value, kind
        )
    found = [one for one in values(event, field.split(".")) if not (field in OBJECTS and not one)]
    if operator == "exists":
        return bool(found)
    if operator == "contains":
        return any(value.lower() in text(one).lower() for one in found)
    read = READ[kind]
    wanted_, seen = read(value), [read(one) for one in found]
    if operator == "is":
        return wanted_ in seen
    above = operator in ("greater than", "after")
    return any((one > wanted_ if above else one < wanted_) for one in seen if one is not None)


PLAIN = ["event_id", "session_id", "parent_id", "event_type", "event_name", "source", "error"]
PATHS = [
    "metadata.run_id", "metadata.plan.seats", "metadata.plan.name", "metadata.beta", "metadata.attempt",
    "metadata.when", "metadata.list.0.a", "metadata.list.1", "metadata.a.b.c", "metadata.env",
    "metadata.test.unique_id", "metadata.empty", "inputs.question", "inputs.chat_history.0.content",
    "inputs.q", "inputs.q.deep.0", "outputs.answer", "outputs.result", "outputs.hits.1", "config.model",
    "config.hyperparameters.top_p", "user_properties.plan", "metrics.accuracy",
    "metrics.accuracy_explanation", "metrics.passed", "metrics.label", "metrics.rating", "feedback.rating",
    "feedback.stars", "feedback.ground_truth.answer", "metadata.nowhere", "metadata.cost",
    "metadata.total_tokens", "metadata.prompt_tokens", "metadata.completion_tokens", "metadata.num_events",
    "metadata.num_model_events",
]  # fmt: skip
TEXTS = st.sampled_from(
    [
        "run-1",
        "pro",
        "flat",
        "true",
        "hi",
        "model",
        "s",
        "m-",
        "zebra",
        "2",
        "good",
        "here",
        "x",
        "test",
        "o",
        "ask",
    ]
)
NUMBERS = st.sampled_from(["0", "0.25", "0.5", "1", "2", "3", "4", "5", "7", "10", "30", "-1", "1e3"])
TIMES = st.sampled_from(
    ["2026-01-20T12:00:01.500Z", "2026-01-20T13:30:00+01:00", "2026-01-21", f"{NOON}", f"{NOON + 2000}"]
)
FILTERS = st.one_of(
    st.tuples(
        st.sampled_from(PLAIN),
        st.sampled_from(["is", "is not", "contains", "not contains", "exists", "not exists"]),
        TEXTS,
        st.just("string"),
    ),
    st.tuples(
        st.sampled_from(PATHS[:31]),
        st.sampled_from(["is", "is not", "contains", "not contains", "exists", "not exists"]),
        TEXTS,
        st.just("string"),
    ),
    st.tuples(
        st.sampled_from([*PATHS, "duration"]),
        st.sampled_from(["is", "is not", "greater than", "less than", "exists", "not exists"]),
        NUMBERS,
        st.just("number"),
    ),
    st.tuples(
        st.sampled_from(PATHS),
        st.sampled_from(["is", "is not"]),
        st.sampled_from(["true", "false"]),
        st.just("boolean"),
    ),
    st.tuples(
        st.sampled_from(["start_time", "metadata.when"]),
        st.sampled_from(["is", "is not", "after", "before", "exists"]),
        TIMES,
        st.just("datetime"),
    ),
    st.tuples(
        st.sampled_from(sorted(OBJECTS)),
        st.sampled_from(["exists", "not exists"]),
        st.just(""),
        st.just("string"),
    ),
)


@settings(max_examples=tries(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@example([("session_id", "is", OTLP, "string"), ("metadata.cost", "is not", "0", "number")])
@given(st.lists(FILTERS, min_size=1, max_size=3))
def test_a_filter_finds_what_passes_it(written: Corpus, asked: list[tuple[str, str, str, str]]) -> None:
    expected = {event["event_name"] for event in written.events if all(passes(event, *one) for one in asked)}
    filters = [wanted(field, operator, value, kind) for field, operator, value, kind in asked]
    assert written.names(*filters) == expected

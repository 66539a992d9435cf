"""Bodies that nobody should send: never a bare 500, always a message in HoneyHive's shape, and nothing broken after."""

from __future__ import annotations

import json
import uuid
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.effort import tries

IDS = st.sampled_from(
    [str(uuid.UUID(int=number)) for number in range(1, 6)] + ["", "x", "\0", "é" * 300, "5"]
)
TIMES: st.SearchStrategy[Any] = st.sampled_from(
    [0, 1, -1, 1.5, 1_750_000_000_000, 1e15, 1e18, 1e300, 10**30, "2026-01-01", True, None, []]
)
SMALL = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5))
JSON = st.recursive(
    SMALL,
    lambda below: st.one_of(
        st.lists(below, max_size=3), st.dictionaries(st.text(max_size=4), below, max_size=3)
    ),
    max_leaves=5,
)
MAPS = st.dictionaries(
    st.sampled_from(["a", "a_explanation", "cost", "total_tokens", "", "k" * 200, "\0"]), JSON
)
KINDS = st.sampled_from(["model", "tool", "chain", "session", "generic", "llm", "", 5, None])
PLAIN: dict[str, st.SearchStrategy[Any]] = {
    "event_id": IDS, "session_id": IDS, "parent_id": IDS, "event_type": KINDS, "start_time": TIMES, "end_time": TIMES,
    "duration": TIMES, "inputs": JSON, "outputs": JSON, "config": st.one_of(MAPS, JSON), "error": JSON,
    "metadata": st.one_of(MAPS, JSON), "metrics": st.one_of(MAPS, JSON), "feedback": st.one_of(MAPS, JSON),
    "user_properties": JSON,
    "children_ids": JSON, "event_name": JSON, "source": JSON, "project_id": IDS, "model": JSON, "usage": JSON,
    "cost": JSON, "response": JSON, "session_name": JSON, "children": st.lists(JSON, max_size=2),
}  # fmt: skip
EVENTS = st.one_of(st.fixed_dictionaries({}, optional=PLAIN), JSON)
MANY = st.one_of(st.lists(EVENTS, max_size=3), JSON)
BODIES = st.one_of(
    EVENTS,
    st.fixed_dictionaries(
        {},
        optional={
            "event": EVENTS, "session": EVENTS, "model_event": EVENTS, "events": MANY, "model_events": MANY,
            "logs": MANY, "single_session": st.booleans(), "is_single_session": SMALL, "session_properties": EVENTS,
        },
    ),
)  # fmt: skip
ANYONE = str(uuid.UUID(int=1))
PATHS = [
    ("POST", "/session/start"), ("POST", "/v1/sessions"), ("POST", "/events"), ("POST", "/v1/events"),
    ("PUT", "/events"), ("PUT", f"/v1/events/{ANYONE}"), ("POST", "/events/batch"), ("POST", "/v1/events/batch"),
    ("POST", "/events/model"), ("POST", "/events/model/batch"), ("POST", f"/v1/sessions/{ANYONE}/events/batch"),
    ("POST", f"/session/{ANYONE}/traces"), ("POST", "/session/%00/traces"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), PATHS)
@given(body=BODIES)
@settings(
    max_examples=tries(40),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_json(hh: httpx.Client, method: str, path: str, body: Any) -> None:
    answer = hh.request(method, path, content=json.dumps(body))
    found = answer.json()
    assert isinstance(found, dict)
    if answer.status_code == 500:  # HoneyHive's own answer to a batch of which a part was taken
        assert found["event_ids"]
        assert found["errors"]
    elif answer.status_code != 200:
        assert answer.status_code in (400, 413), answer.text
        assert found["message"]


def test_what_was_taken_of_all_that_can_be_read(hh: httpx.Client) -> None:
    for number in range(1, 6):
        for path in ("/session/{}", "/v1/sessions/{}", "/v1/events/{}"):
            answer = hh.get(path.format(uuid.UUID(int=number)))
            assert answer.status_code in (200, 404), answer.text
            answer.json()


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_bytes_that_are_no_json(hh: httpx.Client, method: str, path: str) -> None:
    whole = json.dumps({"event": {"event_type": "tool", "inputs": {}}, "events": []}).encode()
    for body in (
        whole[:-1],
        whole[: len(whole) // 2],
        b"\x00",
        b"\x1f\x8b",
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ):
        answer = hh.request(method, path, content=body)
        assert answer.status_code in (400, 413), answer.text
        assert answer.json()["message"]
    answer = hh.request(method, path, content=whole, headers={"content-encoding": "gzip"})
    assert answer.status_code == 400

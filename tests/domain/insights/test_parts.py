"""Texts of payloads, tests of differences, schedules: the parts of the method one by one."""

from __future__ import annotations

import datetime as dt
import uuid

import msgspec
import numpy as np
import pytest

from stenograph.domain.insights import cron, naming, texts
from stenograph.domain.insights.selecting import attributes
from stenograph.domain.insights.statistics import Columns, differences
from stenograph.errors import Invalid
from stenograph.model.insights import AttributeSchema


def text(inputs: object, outputs: object = None, error: str | None = None) -> texts.TraceText:
    return texts.of_trace(msgspec.json.encode(inputs), msgspec.json.encode(outputs), error)


@pytest.mark.parametrize(
    ("inputs", "asked"),
    [
        ({"messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"}]}, "hi"),
        ({"messages": [[{"id": ["langchain", "HumanMessage"], "kwargs": {"content": "hi"}}]]}, "hi"),
        ({"messages": [{"type": "human", "data": {"content": "hi"}}]}, "hi"),
        ({"messages": [["human", "hi"]]}, "hi"),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}, {"type": "image"}]}]},
            "hi",
        ),
        ({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}, "hi"),
        ({"question": "hi", "context": "a long one that nobody asked"}, "hi"),
        ({"input": {"query": "hi"}}, "hi"),
        ("hi", "hi"),
        ({"a": 1, "b": [2, {"c": 3}]}, "1 2 3"),
        ([], ""),
        (None, ""),
        (True, ""),
    ],
)
def test_what_was_asked(inputs: object, asked: str) -> None:
    assert text(inputs).asked == asked


def test_what_was_answered_and_what_failed() -> None:
    found = text(
        {"messages": [{"role": "user", "content": "one"}]},
        {"messages": [{"role": "user", "content": "one"}, {"role": "assistant", "content": "two"}]},
        "ValueError: three\nTraceback",
    )
    assert found == texts.TraceText("one", "two", "ValueError: three")
    assert text({}, {"choices": [{"message": {"role": "assistant", "content": "two"}}]}).answered == "two"


@pytest.mark.parametrize(
    "payload", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'"\\ud800"', b"1e999", b'{"a":"\\u0000"}']
)
def test_payloads_that_are_no_text(payload: bytes) -> None:
    texts.of_trace(payload, payload, "\0").whole.encode()


def test_a_template_says_what_to_look_at() -> None:
    inputs = msgspec.json.encode({"foo": {"bar": "this"}, "other": "not this"})
    assert texts.of_template("What is {{run.inputs.foo.bar}}?", inputs, None, None).asked == "this"
    assert texts.of_template("{{ run.inputs.nothing }}", inputs, None, None).asked


def test_what_differs_in_every_trace_is_no_subject() -> None:
    scrubbed = texts.scrubbed(
        "order #4711 of a.b@c.de at https://x.y/z, 3f0d8c1e-0000-4000-8000-000000000000, HH-48213 hh-48213 J672570487"
    )
    assert scrubbed == "order of at ,"


def columns(failed: np.ndarray, latency: np.ndarray) -> Columns:
    nothing = np.full(len(failed), np.nan)
    return Columns(failed, latency, nothing, nothing, nothing, {})


def test_false_discoveries_are_rare_and_true_ones_found() -> None:
    draw = np.random.default_rng(1)
    false = 0
    for _ in range(20):
        clusters = [draw.integers(0, 20, 2000) == number for number in range(20)]
        measured = columns(draw.random(2000) < 0.1, draw.lognormal(0, 0.5, 2000))
        false += bool(differences(measured, clusters))
    assert false <= 3
    inside = np.arange(2000) < 200
    failing = columns(draw.random(2000) < np.where(inside, 0.3, 0.05), draw.lognormal(0, 0.5, 2000))
    found = differences(failing, [inside, ~inside])
    assert [(each.cluster, each.measure) for each in found if each.here > each.rest] == [(0, "error_rate")]


def test_ties_and_constants_are_no_difference() -> None:
    same = columns(np.zeros(100, bool), np.ones(100))
    assert differences(same, [np.arange(100) < 50]) == []


def seconds(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp())


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        ("0 8 * * *", "2026-01-31T08:00", "2026-02-01T08:00"),
        ("30 8 * * mon", "2026-01-01T00:00", "2026-01-05T08:30"),
        ("0 0 29 2 *", "2026-01-01T00:00", "2028-02-29T00:00"),
        ("0 0 13 * 5", "2026-02-07T00:00", "2026-02-13T00:00"),
        ("15 */6 * * *", "2026-01-01T06:16", "2026-01-01T12:15"),
        ("@weekly", "2026-01-01T00:00", "2026-01-04T00:00"),
        ("0 0 * * 7", "2026-01-01T00:00", "2026-01-04T00:00"),
        ("5 4-6,20 1-7/2 jan *", "2026-01-03T06:05", "2026-01-03T20:05"),
    ],
)
def test_schedules(text: str, after: str, expected: str) -> None:
    assert cron.parse(text).next(seconds(after)) == seconds(expected)


@pytest.mark.parametrize(
    "text",
    ["", "* * * *", "60 * * * *", "* * * * *", "*/30 * * * *", "0 0 30 2 *", "0 5-1 * * *", "0 0 * * ٣", "a b c d e",
     "0 0 0 * *", "0 */0 * * *", "0 0 * * * *", "0," * 200],
)  # fmt: skip
def test_what_is_no_schedule(text: str) -> None:
    with pytest.raises(Invalid):
        cron.parse(text)


def test_names_are_never_alike() -> None:
    names = naming.Names()
    assert [names.unique("A", ["b"]), names.unique("a", ["b"]), names.unique("A", ["b"])] == [
        "A",
        "a (b)",
        "A (2)",
    ]


def test_attributes_are_of_their_type() -> None:
    wanted = {
        "n": AttributeSchema("number"), "b": AttributeSchema("boolean"), "s": AttributeSchema(),
        "bad": AttributeSchema("number"), "absent": AttributeSchema(),
    }  # fmt: skip
    metadata = {"n": "1.5", "b": "True", "s": "x", "bad": "many", "other": "y"}
    assert attributes(metadata, wanted) == {"n": 1.5, "b": True, "s": "x"}
    assert attributes({"n": str(uuid.uuid4())}, wanted) == {}

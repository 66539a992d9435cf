"""Texts of payloads, tests of differences, schedules: the parts of the method one by one."""

from __future__ import annotations

import datetime as dt
import uuid

import msgspec
import numpy as np
import pytest

from stenograph.domain.insights import cron, keeping, naming, texts
from stenograph.domain.insights.bags import unit
from stenograph.domain.insights.selecting import attributes
from stenograph.domain.insights.statistics import Columns, differences
from stenograph.domain.insights.threads import Thread, TurnKey, portions
from stenograph.errors import Invalid, Unsupported
from stenograph.model.insights import NOWHERE, AttributeSchema


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


# -- threads and what comes later --------------------------------------------------------------------------


def turn(*said: str, answer: str | None = None, error: str | None = None) -> texts.Payloads:
    messages = [{"role": "user", "content": text} for text in said]
    outputs = None if answer is None else msgspec.json.encode({"answer": answer})
    return msgspec.json.encode({"messages": messages}), outputs, error


def test_a_thread_is_told_by_what_was_asked_in_each_turn_and_answered_last() -> None:
    told = texts.of_thread(
        [
            turn("first", answer="one"),
            turn("first", "second", answer="two", error="Boom\nat line 3"),
            turn("first", "second", "second"),
            (None, None, None),
            (b"\xff{", b"[1,", ""),
        ]
    )
    assert (told.asked, told.answered, told.failed) == ("first second", "two", "Boom")
    assert texts.of_thread([]) == texts.TraceText()
    many = texts.of_thread([turn("word " * 100 + str(number)) for number in range(50)])
    assert len(many.asked) <= texts.ASKED


def test_a_template_points_at_a_threads_last_turn_or_at_all() -> None:
    turns = [turn("first", answer="one"), turn("other", answer="two")]
    assert texts.of_thread_template("{{run.outputs.answer}}", turns).asked == "two"
    whole = texts.of_thread_template("{{all_thread_messages}}", turns).asked
    assert all(word in whole for word in ("first", "one", "other", "two"))
    assert "one" in texts.of_template("{{all_thread_messages}}", *turns[0]).asked


def test_long_threads_are_portions_of_their_own() -> None:
    threads = [
        Thread(uuid.UUID(int=1), str(count), tuple(TurnKey(at, uuid.UUID(int=at)) for at in range(count)))
        for count in (2, 3, 9, 1, 4)
    ]
    assert [[each.name for each in some] for some in portions(threads, 5)] == [["2", "3"], ["9"], ["1", "4"]]
    assert [each.int for each in threads[2].told] == [0, 1, 2, 3, 8]
    assert [each.int for each in threads[0].told] == [0, 1]


def test_what_is_near_to_no_cluster_is_nowhere() -> None:
    centers = np.eye(3, 4, dtype=np.float32)
    vectors = unit(np.array([[1, 0.1, 0, 0], [0, 0, 0.3, 1], [0, 1, 1, 0]], np.float32))
    numbers, closeness = keeping.nearest(centers, vectors, 0.5)
    assert numbers.tolist() == [0, NOWHERE, 1]
    assert closeness[1] == pytest.approx(0.287, abs=1e-3)
    nothing, _ = keeping.nearest(keeping.middles([]), vectors, 0.5)
    assert nothing.tolist() == [NOWHERE] * 3
    with pytest.raises(Unsupported):
        keeping.nearest(np.eye(3, dtype=np.float32), vectors, 0.5)
    assert keeping.reach(centers, vectors) == pytest.approx(0.3037, abs=1e-2)
    assert keeping.reach(centers, centers) == 0.5
    assert keeping.reach(centers, unit(np.array([[0, 0, 0.01, 1]], np.float32))) == 0.2

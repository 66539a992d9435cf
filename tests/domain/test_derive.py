"""What we work out of what clients said: place, times, metadata, status. Never an error, whatever they sent."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stenograph.domain.recording.derive import NO_PROJECT, derive, micros, moment, stamp
from stenograph.model.runs import NO_USAGE, Run, RunPatch, Usage, merge
from stenograph.store.runs import rows

RUN, PARENT, ROOT = UUID(int=3), UUID(int=2), UUID(int=1)
HEARD = 1_750_000_000_000_000
T0, T1, T2 = "20240101T000000000000Z", "20240101T000001000000Z", "20240101T000002500000Z"
NEW_YEAR = 1_704_067_200_000_000


def row(usage: Any = lambda *_: NO_USAGE, **stated: Any) -> Run:
    patch = RunPatch(workspace=UUID(int=9), id=RUN, create=True, received_at=HEARD, **stated)
    return derive(merge(None, [patch]), 7, usage)


def extra(metadata: object) -> bytes:
    return json.dumps({"metadata": metadata, "runtime": {}}).encode()


# ---- place -----------------------------------------------------------------------------------------------


def test_a_run_of_which_nothing_is_known_is_a_root_that_started_when_we_heard_of_it() -> None:
    found = row()
    assert (found.trace_id, found.parent_run_id, found.is_root) == (RUN, None, True)
    assert (found.start_time, found.project_id, found.version) == (HEARD, NO_PROJECT, 7)
    assert found.dotted_order == stamp(HEARD) + str(RUN)
    assert found.stated == 0


def test_dotted_order_gives_trace_parent_and_start() -> None:
    found = row(dotted_order=f"{T0}{ROOT}.{T1}{PARENT}.{T2}{RUN}")
    assert (found.trace_id, found.parent_run_id, found.is_root) == (ROOT, PARENT, False)
    assert found.start_time == NEW_YEAR + 2_500_000
    assert found.metadata["ls_run_depth"] == "2"


def test_what_is_stated_comes_before_what_dotted_order_says() -> None:
    found = row(dotted_order=f"{T0}{ROOT}.{T2}{RUN}", parent_run_id=PARENT, start_time=5, trace_id=PARENT)
    assert (found.trace_id, found.parent_run_id, found.start_time) == (PARENT, PARENT, 5)


def test_a_parent_we_know_nothing_of_is_taken_for_the_root() -> None:
    found = row(parent_run_id=PARENT, start_time=NEW_YEAR)
    assert (found.trace_id, found.is_root) == (PARENT, False)
    assert found.dotted_order == f"{T0}{PARENT}.{T0}{RUN}"


@pytest.mark.parametrize("text", ["", "nonsense", "20240101Z", "....", f"Z{RUN}"])
def test_a_dotted_order_that_cannot_be_read_does_no_harm(text: str) -> None:
    found = row(dotted_order=text)
    assert found.trace_id == RUN
    assert found.start_time == HEARD


# ---- times -----------------------------------------------------------------------------------------------


@given(st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(2299, 12, 31)))
def test_a_time_is_the_same_in_dotted_order_and_as_text(when: dt.datetime) -> None:
    at = micros(when)
    assert moment(when.isoformat()) == moment(when) == at
    assert row(dotted_order=f"{stamp(at)}{RUN}").start_time == at


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024-01-01T00:00:00Z", NEW_YEAR),
        ("2024-01-01T02:00:00+02:00", NEW_YEAR),
        ("2024-01-01T00:00:00", NEW_YEAR),
        (" 2024-01-01 ", NEW_YEAR),
        (1_704_067_200, NEW_YEAR),
        (1_704_067_200.5, NEW_YEAR + 500_000),
        (1_704_067_200_000, NEW_YEAR),
        ("yesterday", None),
        ("", None),
        (-1, None),
        ("1969-12-31T23:59:59Z", None),
        ("2300-01-01", None),
        (float("nan"), None),
        (float("inf"), None),
        (1e300, None),
        ("0001-01-01T00:00:00+14:00", None),
    ],
)
def test_moments(value: Any, expected: int | None) -> None:
    assert moment(value) == expected


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([{"name": "new_token", "time": "2024-01-01T00:00:01Z"}], NEW_YEAR + 1_000_000),
        ([{"name": "start"}, {"name": "new_token", "time": 1_704_067_201}, {"name": "new_token", "time": 1}],
         NEW_YEAR + 1_000_000),
        ([{"name": "new_token"}], None),
        ([{"name": "new_token", "time": "soon"}], None),
        ([{"name": "start", "time": "2024-01-01T00:00:01Z"}], None),
        ({"name": "new_token"}, None),
        ([{"name": "new_token", "time": {"odd": 1}}], None),
        (["new_token"], None),
    ],
)  # fmt: skip
def test_the_first_token(events: object, expected: int | None) -> None:
    assert row(events=json.dumps(events).encode()).first_token_time == expected


# ---- metadata --------------------------------------------------------------------------------------------


def test_metadata_is_flattened_to_text() -> None:
    found = row(extra=extra({"s": "text", "n": 1.5, "yes": True, "none": None, "deep": {"a": [1]}}))
    assert found.metadata == {
        "s": "text", "n": "1.5", "yes": "true", "deep": '{"a":[1]}', "ls_run_depth": "0"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("metadata", "thread"),
    [
        ({"session_id": "s", "thread_id": "t", "conversation_id": "c"}, "s"),
        ({"thread_id": "t", "conversation_id": "c"}, "t"),
        ({"conversation_id": 5}, "5"),
        ({"session_id": "", "thread_id": None, "conversation_id": "c"}, "c"),
        ({"other": "x"}, None),
    ],
)
def test_the_thread(metadata: dict[str, object], thread: str | None) -> None:
    assert row(extra=extra(metadata)).thread_id == thread


@pytest.mark.parametrize(
    "raw",
    [
        b"{}", b"[]", b"null", b'{"metadata":null}', b'{"metadata":[1]}', b'{"metadata":"x"}', b'{"metadata"',
        b'{"metadata":{"k":' + b"[" * 100_000 + b"]" * 100_000 + b"}}", b'"metadata"', b'{"metadata":{"k":}}',
    ],
)  # fmt: skip
def test_metadata_that_is_none_does_no_harm(raw: bytes) -> None:
    found = row(extra=raw)
    assert set(found.metadata) <= {"ls_run_depth", "k"}
    assert found.extra == raw


@pytest.mark.parametrize("value", [b'"\\ud800"', b'"\\udc00 text"', b'"\\ud800\\ud800"', b'"\xff\xfe"'])
def test_text_that_is_no_text_does_no_harm(value: bytes) -> None:
    found = row(extra=b'{"metadata":{"good":"1","bad":' + value + b"}}")
    assert found.metadata.get("good", "1") == "1"  # its neighbours may be lost to filters, never changed
    rows.runs_block([found])


def test_long_values_are_cut_for_filters_and_kept_in_extra() -> None:
    document = extra({"long": "x" * 100_000})
    found = row(extra=document)
    assert len(found.metadata["long"]) == 64 * 1024
    assert found.extra == document


# ---- status and the rest ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stated", "status"),
    [
        ({}, "pending"),
        ({"end_time": 5}, "success"),
        ({"error": "x"}, "error"),
        ({"error": "", "end_time": 5}, "error"),
    ],
)
def test_status(stated: dict[str, Any], status: str) -> None:
    assert row(**stated).status == status


def test_usage_is_asked_of_what_was_merged() -> None:
    asked: list[object] = []

    def usage(*arguments: object) -> Usage:
        asked.append(arguments)
        return Usage(total_tokens=3)

    found = row(usage, run_type="llm", outputs=b"{}", extra=b"{}", start_time=NEW_YEAR)
    assert asked == [("llm", b"{}", b"{}", NEW_YEAR)]
    assert found.usage.total_tokens == 3


@given(
    st.dictionaries(st.text(max_size=5), st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=5,
    ), max_size=5),
    st.text(max_size=60),
    st.integers(0, 10_413_791_999_999_999) | st.none(),
)  # fmt: skip
def test_any_document_gives_a_row_that_can_be_stored(
    metadata: dict[str, object], order: str, start: int | None
) -> None:
    found = row(extra=msgspec.json.encode({"metadata": metadata}), dotted_order=order, start_time=start)
    assert set(found.metadata) - {"ls_run_depth"} == {
        key for key, value in metadata.items() if value is not None and key != "ls_run_depth"
    }
    rows.runs_block([found])

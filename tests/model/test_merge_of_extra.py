"""`extra` that is stated in parts: what creates and updates come to, whatever comes first."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stenograph.domain.recording.derive import derive
from stenograph.model.carried_metadata import carried
from stenograph.model.json_members import MAX_DEPTH, merged
from stenograph.model.runs import EXTRA_IS_OPEN, NO_USAGE, Facts, Run, RunPatch, merge

WORKSPACE, RUN, EXAMPLE = UUID(int=1), UUID(int=0xABC), UUID(int=9)


def patch(extra: Any, *, create: bool = False, merges: bool = True, **stated: Any) -> RunPatch:
    document = extra if extra is None or isinstance(extra, bytes) else json.dumps(extra).encode()
    return RunPatch(
        workspace=WORKSPACE, id=RUN, create=create, received_at=1, extra=document, merges=merges, **stated
    )


def extra_of(*patches: RunPatch, stored_after: int | None = None) -> Any:
    """What these come to; with a row stored after so many of them, as the run store gives it back."""
    base: Run | None = None
    rest = list(patches)
    if stored_after:
        row = derive(merge(None, rest[:stored_after]), 1, lambda *_: NO_USAGE)
        base, rest = msgspec.structs.replace(row, tags=row.tags or []), rest[stored_after:]
    found = merge(base, rest).extra
    return None if found is None else json.loads(found)


# Members that are objects in one document are objects in all: a, b. The others are plain: x, y, z.
plain = st.dictionaries(st.sampled_from("xyz"), st.one_of(st.integers(), st.text(max_size=3), st.none()))
documents = st.recursive(
    plain,
    lambda below: st.tuples(plain, st.dictionaries(st.sampled_from("ab"), below, max_size=2)).map(
        lambda both: both[0] | both[1]
    ),
    max_leaves=6,
)
parts = st.builds(patch, st.one_of(st.none(), documents))
wholes = st.builds(lambda extra: patch(extra, merges=False), st.one_of(st.none(), documents))
creates = st.builds(lambda extra, merges: patch(extra, create=True, merges=merges), documents, st.booleans())


@given(creates, st.lists(st.one_of(parts, wholes), max_size=4), st.integers(0, 5), st.integers(0, 5))
def test_it_does_not_matter_where_the_create_comes(
    create: RunPatch, updates: list[RunPatch], at: int, stored_after: int
) -> None:
    moved = [*updates[:at], create, *updates[at:]]
    expected = extra_of(create, *updates)
    assert extra_of(*moved) == expected
    assert extra_of(*moved, stored_after=min(stored_after, len(moved))) == expected


@given(creates, st.lists(st.one_of(parts, wholes), max_size=3), st.integers(0, 3))
def test_saying_it_twice_changes_nothing(create: RunPatch, updates: list[RunPatch], at: int) -> None:
    sent = [*updates[:at], create, *updates[at:]]
    assert extra_of(*sent, create) == extra_of(*sent)
    if updates:
        assert extra_of(*sent, sent[-1]) == extra_of(*sent)


@given(documents, documents)
def test_the_newer_members_win(under: Any, over: Any) -> None:
    def joined(one: Any, other: Any) -> Any:
        if not (isinstance(one, dict) and isinstance(other, dict)):
            return other
        return one | {key: joined(one[key], value) if key in one else value for key, value in other.items()}

    found = merged(json.dumps(under).encode(), json.dumps(over).encode())
    assert json.loads(found) == joined(under, over)


@given(st.booleans(), st.booleans())
def test_whoever_states_the_whole_is_added_to_by_updates_alone(create: bool, stored: bool) -> None:
    """As LangSmith's clients do: a repeated create says nothing new."""
    first = patch({"x": 1}, create=create, merges=False)
    late = patch({"x": 2, "y": 2}, create=True)
    after = 1 if stored else None
    assert extra_of(first, late, stored_after=after) == {"x": 1}
    assert extra_of(first, patch({"y": 2}), stored_after=after) == {"x": 1, "y": 2}
    assert extra_of(first, patch({"y": 2}, merges=False), stored_after=after) == {"y": 2}


def test_the_later_one_replaces_what_is_no_object() -> None:
    assert extra_of(patch({"a": {"x": 1}}), patch({"a": None})) == {"a": None}
    assert extra_of(patch({"a": [1]}), patch({"a": {"x": 1}})) == {"a": {"x": 1}}
    assert extra_of(patch({"a": [1, 2]}), patch({"a": [3]})) == {"a": [3]}


@pytest.mark.parametrize(
    ("under", "over", "expected"),
    [
        (b'{"a":1e400,"m":{"x":1}}', b'{"m":{"y":1E999}}', b'{"a":1e400,"m":{"x":1,"y":1E999}}'),
        (b'{"n":123456789012345678901234567890}', b'{"m":0.1000}', b'{"n":123456789012345678901234567890,"m":0.1000}'),
        (b'{"k":{"a":1,"a":2}}', b'{"l":{"b":1,"b":2}}', b'{"k":{"a":1,"a":2},"l":{"b":1,"b":2}}'),
        (b'{"k":{"a":1,"a":2}}', b'{"k":{"b":1}}', b'{"k":{"a":2,"b":1}}'),
        (b'{"a":1}', b'{"a":1}', b'{"a":1}'),
        (b'{"a": 1}', b"{}", b'{"a": 1}'),
        (b"[1]", b'{"a":1}', b'{"a":1}'),
        (b'{"a":1}', b"[1]", b"[1]"),
        (b'{"a":', b'{"b":1}', b'{"b":1}'),
        (b'{"a":{"\\u0000":1}}', b'{"a":{"\xc3\xa9":2}}', b'{"a":{"\\u0000":1,"\xc3\xa9":2}}'),
    ],
)  # fmt: skip
def test_what_does_not_meet_stays_as_it_was_written(under: bytes, over: bytes, expected: bytes) -> None:
    assert merged(under, over) == expected


def test_nesting_without_an_end_costs_no_more_than_so_much() -> None:
    deep = b'{"a":' * 10_000 + b"1" + b"}" * 10_000
    other = b'{"a":' * 10_000 + b"2" + b"}" * 10_000
    assert merged(deep, other) in (other, deep)  # the decoder may give up before the bound is reached
    levels = MAX_DEPTH + 5
    deep, other = ((b'{"%c":1,"a":' % mark) * levels + b"1" + b"}" * levels for mark in (120, 121))
    found = merged(deep, other)
    assert found.count(b'"x":1') == MAX_DEPTH
    assert found.count(b'"y":1') == levels


def test_an_examples_metadata_is_nobodys_word() -> None:
    """All of extra is ours until somebody states a part; then a create's part still goes beneath it."""
    members = carried(b'{"split":["train"]}')
    made = derive(merge(None, [patch(None, reference_example_id=EXAMPLE)]), 1, lambda *_: NO_USAGE, members)
    assert made.extra == b'{"metadata":{"ls_example_split":["train"]}}'
    facts = Facts(made)
    assert facts.extra is None
    assert facts.extra_is_open
    for said in (patch({"metadata": {"a": 1}}), patch({"metadata": {"a": 1}}, create=True)):
        row = derive(merge(made, [said]), 2, lambda *_: NO_USAGE, members)
        assert row.stated & EXTRA_IS_OPEN
        assert json.loads(row.extra or b"")["metadata"] == {"a": 1, "ls_example_split": ["train"]}
        late = merge(row, [patch({"metadata": {"a": 2, "b": 3}}, create=True)])
        assert json.loads(late.extra or b"")["metadata"] == {"a": 1, "ls_example_split": ["train"], "b": 3}

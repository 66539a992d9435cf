"""An example's metadata among its run's: what is put in, what stays, and what a later word of the client does."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from stenograph.domain.recording.derive import derive
from stenograph.model.carried_metadata import carried, carry
from stenograph.model.runs import EXTRA_IS_OURS, NO_USAGE, Facts, Run, RunPatch, merge

EXAMPLE = carried(b'{"topic":"tea","dataset_split":["base","hard"],"n":1.50}')


def extra(document: Any) -> bytes:
    return json.dumps(document).encode()


def row(facts: Facts, version: int = 1, example: Any = EXAMPLE) -> Run:
    return derive(facts, version, lambda *_: NO_USAGE, example)


def test_members_get_a_prefix_and_stay_as_they_were_written() -> None:
    assert carry(None, EXAMPLE) == (
        b'{"metadata":{"ls_example_topic":"tea","ls_example_dataset_split":["base","hard"],"ls_example_n":1.50}}'
    )


def test_what_the_client_says_wins() -> None:
    said = {"metadata": {"ls_example_topic": "coffee", "a": 1}, "runtime": {"x": [1.0]}}
    found = carry(extra(said), EXAMPLE)
    assert found is not None
    assert json.loads(found) == {
        "metadata": {
            "ls_example_topic": "coffee", "a": 1, "ls_example_dataset_split": ["base", "hard"], "ls_example_n": 1.5
        },
        "runtime": {"x": [1.0]},
    }  # fmt: skip
    everything = carry(None, EXAMPLE)
    assert carry(everything, EXAMPLE) is everything


@pytest.mark.parametrize("said", [{}, {"metadata": None}, {"metadata": {}}])
def test_without_metadata_of_its_own(said: dict[str, Any]) -> None:
    found = carry(extra(said), EXAMPLE)
    assert found is not None
    assert json.loads(found)["metadata"]["ls_example_topic"] == "tea"


@pytest.mark.parametrize("said", [b'{"metadata":[1]}', b'{"metadata":"x"}', b"[]", b"{"])
def test_what_is_no_object_is_left_alone(said: bytes) -> None:
    assert carry(said, EXAMPLE) is said


def test_a_row_has_it_where_filters_and_readers_look() -> None:
    patch = RunPatch(
        workspace=uuid4(), id=uuid4(), create=True, received_at=1, extra=extra({"metadata": {"a": "b"}})
    )
    found = row(merge(None, [patch]))
    assert found.metadata == {
        "a": "b", "ls_example_topic": "tea", "ls_example_dataset_split": '["base","hard"]', "ls_example_n": "1.5",
        "ls_run_depth": "0",
    }  # fmt: skip
    assert found.extra is not None
    assert b'"ls_example_n":1.50' in found.extra
    assert not found.stated & EXTRA_IS_OURS
    assert row(merge(None, [patch]), example=None).extra == patch.extra


def test_a_late_create_still_fills_in_its_extra() -> None:
    """The update came first, without extra: what stands there is ours, and gives way."""
    workspace, run = uuid4(), uuid4()
    update = RunPatch(workspace=workspace, id=run, create=False, received_at=1, reference_example_id=uuid4())
    first = row(merge(None, [update]))
    assert first.stated & EXTRA_IS_OURS
    create = RunPatch(
        workspace=workspace, id=run, create=True, received_at=2, extra=extra({"metadata": {"mine": 1}})
    )
    second = row(merge(first, [create]), 2)
    assert second.extra is not None
    assert msgspec.json.decode(second.extra)["metadata"]["mine"] == 1
    assert second.metadata["ls_example_topic"] == "tea"
    assert not second.stated & EXTRA_IS_OURS
    # and without any word of the client it stays ours, whatever the example says by then
    again = row(merge(first, [update]), 3, carried(b'{"topic":"milk"}'))
    assert again.metadata["ls_example_topic"] == "milk"
    assert again.stated & EXTRA_IS_OURS


def test_an_update_that_replaces_the_extra() -> None:
    workspace, run = uuid4(), uuid4()
    create = RunPatch(
        workspace=workspace, id=run, create=True, received_at=1, extra=extra({"metadata": {"a": 1}})
    )
    first = row(merge(None, [create]))
    update = RunPatch(
        workspace=workspace, id=run, create=False, received_at=2, extra=extra({"metadata": {"b": 1}})
    )
    second = row(merge(first, [update]), 2)
    assert set(second.metadata) == {
        "b", "ls_example_topic", "ls_example_dataset_split", "ls_example_n", "ls_run_depth"
    }  # fmt: skip

"""A run's patches come to the same facts, whatever their order and however often each arrives."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from stenograph.domain.recording.derive import derive
from stenograph.model.runs import NO_USAGE, PLACE, Attachment, Facts, Run, RunPatch, merge

WORKSPACE = UUID(int=1)
RUN = UUID(int=0xABC)
ROOT = UUID(int=0xDEF)
ORDER = f"20240101T000000000000Z{ROOT}.20240101T000001000000Z{RUN}"

VALUES: dict[str, Any] = {
    "trace_id": ROOT,
    "parent_run_id": ROOT,
    "dotted_order": ORDER,
    "project_id": UUID(int=7),
    "name": "step",
    "run_type": "llm",
    "start_time": 1_704_067_201_000_000,
    "end_time": 1_704_067_202_000_000,
    "error": "",
    "inputs": b'{"a":1}',
    "outputs": b'{"b":2}',
    "events": b'[{"name":"new_token","time":"2024-01-01T00:00:01.5"}]',
    "extra": b'{"metadata":{"k":"v"}}',
    "serialized": b"{}",
    "tags": ["one", "two"],
    "reference_example_id": UUID(int=9),
}
FILES = [Attachment("a.png", "image/png", 3), Attachment("b.txt", "text/plain", 5)]

some_fields = st.sets(st.sampled_from(sorted(VALUES)))
some_files = st.lists(st.sampled_from(FILES), max_size=3)


def patch(fields: set[str], *, create: bool = False, at: int = 100, **values: Any) -> RunPatch:
    stated = {field: VALUES[field] for field in fields} | values
    return RunPatch(workspace=WORKSPACE, id=RUN, create=create, received_at=at, **stated)


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[RunPatch], list[RunPatch]]:
    """Patches that agree with each other, and the same in another order, some of them again."""
    created = draw(some_fields)
    patches = [patch(created, create=True, at=draw(st.integers(1, 99)), attachments=draw(some_files) or None)]
    for _ in range(draw(st.integers(0, 3))):
        fields, at = draw(some_fields), draw(st.integers(1, 99))
        patches.append(patch(fields, at=at, attachments=draw(some_files) or None))
    again = draw(st.lists(st.sampled_from(patches), max_size=4))
    return patches, draw(st.permutations(patches + again))


def comes_to(facts: Facts) -> dict[str, Any]:
    found: dict[str, Any] = {field: getattr(facts, field) for field in Facts.__slots__}
    found["attachments"] = {file.name: file for file in found["attachments"] or ()}
    return found


def as_stored(facts: Facts, version: int) -> Run:
    """The row that a merge becomes, as the run store gives it back: it knows no absent list."""
    row = derive(facts, version, lambda *_: NO_USAGE)
    return msgspec.structs.replace(row, tags=row.tags or [])


@given(deliveries())
def test_order_and_repetition_do_not_matter(sent: tuple[list[RunPatch], list[RunPatch]]) -> None:
    patches, shuffled = sent
    assert comes_to(merge(None, patches)) == comes_to(merge(None, shuffled))


@given(deliveries(), st.lists(st.booleans(), min_size=8, max_size=8))
def test_what_was_stored_in_between_does_not_matter(
    sent: tuple[list[RunPatch], list[RunPatch]], stores: list[bool]
) -> None:
    patches, shuffled = sent
    base: Run | None = None
    waiting: list[RunPatch] = []
    for at, each in enumerate(shuffled):
        waiting.append(each)
        if stores[at % len(stores)]:
            base, waiting = as_stored(merge(base, waiting), at + 1), []
    assert comes_to(merge(base, waiting)) == comes_to(merge(None, patches))


@given(
    st.permutations(["create", "update", "create", "update"]),
    st.sampled_from(sorted(set(VALUES) - {"tags", "dotted_order", "trace_id", "parent_run_id"})),
    st.integers(0, 4),
)
def test_an_update_wins_over_the_create_on_either_side_of_it(order: list[str], field: str, cut: int) -> None:
    value = VALUES[field]
    other: dict[str, Any] = {field: type(value)(int=99) if isinstance(value, UUID) else value * 2 or "other"}
    made = {"create": patch(set(), create=True, **other), "update": patch({field})}
    patches = [made[kind] for kind in order]
    base = as_stored(merge(None, patches[:cut]), cut) if cut else None
    assert getattr(merge(base, patches[cut:]), field) == value


@given(some_fields, st.booleans(), st.booleans())
def test_nothing_said_changes_nothing(fields: set[str], create: bool, stored: bool) -> None:
    facts = merge(None, [patch(fields, attachments=FILES)])
    if stored:
        facts = Facts(as_stored(facts, 1))
    before = comes_to(facts)
    facts.apply(patch(set(), create=create))
    assert comes_to(facts) == before
    assert {field for field in VALUES if getattr(facts, field) is not None} == fields


@given(st.permutations([[FILES[0]], [FILES[1]], FILES, [FILES[1], FILES[1]]]))
def test_attachments_add_up_by_name(each: list[list[Attachment]]) -> None:
    facts = merge(None, [patch(set(), create=at == 0, attachments=files) for at, files in enumerate(each)])
    assert sorted(facts.attachments or [], key=lambda file: file.name) == FILES


def test_a_later_file_of_the_same_name_takes_its_place() -> None:
    newer = Attachment("a.png", "image/png", 4)
    facts = merge(None, [patch(set(), create=True, attachments=FILES), patch(set(), attachments=[newer])])
    assert facts.attachments == [newer, FILES[1]]


@given(some_fields)
def test_what_we_derived_is_not_taken_for_the_clients_word(fields: set[str]) -> None:
    facts = merge(None, [patch(fields)])
    row = as_stored(facts, 1)
    assert row.trace_id is not None
    assert row.dotted_order is not None
    assert Facts(row).stated == facts.stated == row.stated
    for field in PLACE:
        assert getattr(Facts(row), field) == (VALUES[field] if field in fields else None), field


def test_an_emptied_list_of_tags_stays_empty_when_the_create_comes_last() -> None:
    row = as_stored(merge(None, [patch(set(), tags=[])]), 1)
    assert merge(row, [patch({"tags"}, create=True)]).tags == []

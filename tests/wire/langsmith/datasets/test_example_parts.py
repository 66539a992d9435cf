"""Multipart bodies of examples taken apart: order, names, laziness, and mistakes."""

from __future__ import annotations

import json
import mmap
import re
import tempfile
import tracemalloc
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stenograph.domain.examples.drafts import ExampleDraft, ExampleEdit
from stenograph.errors import Conflict, Invalid, TooLarge
from stenograph.model.examples import FileOperations
from stenograph.wire.langsmith.examples.parts import CHANGED_FIELDS, NEW_FIELDS, drafts, edits, home, sort
from stenograph.wire.multipart import Part, parts
from stenograph.wire.payloads import Payloads

ONE, TWO = (uuid.UUID(f"00000000-0000-4000-8000-00000000000{number}") for number in (1, 2))
PAYLOADS = Payloads(500)


def part(name: Any, data: bytes = b"{}", mime_type: str = "application/json") -> Part:
    return Part(str(name), mime_type, memoryview(data))


def added(*sent: Part, limit: int = 1000) -> list[ExampleDraft]:
    return list(drafts(sort(sent, NEW_FIELDS, limit), PAYLOADS))


def changed(*sent: Part) -> list[ExampleEdit]:
    return list(edits(sort(sent, CHANGED_FIELDS, 1000), PAYLOADS))


def refused(*sent: Part, changing: bool = False) -> str:
    """The message. No place is given: such a mistake is a 400."""
    with pytest.raises(Invalid) as found:
        changed(*sent) if changing else added(*sent)
    assert found.value.where == ()
    return found.value.message


# -- what is read ----------------------------------------------------------------------------------------


def test_everything_an_example_can_state() -> None:
    main = {
        "created_at": "2026-01-02T03:04:05.678901+00:00",
        "metadata": {"k": [1, None]},
        "split": ["a", "b"],
        "source_run_id": str(TWO),
        "use_source_run_io": True,
        "use_source_run_attachments": ["file"],
        "modified_at": "ignored",
    }
    (draft,) = added(
        part(ONE, json.dumps(main).encode()),
        part(f"{ONE}.outputs", b"null"),
        part(f"{ONE}.attachment.a.b", b"\0\1", "image/png"),
        part(f"{ONE}.attachments.c", b"", "text/plain"),
    )
    assert draft == ExampleDraft(
        id=ONE,
        metadata=b'{"k": [1, null]}',
        splits=("a", "b"),
        created_at=1767323045678901,
        source_run_id=TWO,
        use_source_run_io=True,
        source_run_files=("file",),
        files=draft.files,
        where=(str(ONE),),
    )
    assert [(file.name, file.mime_type, bytes(file.data)) for file in draft.files] == [
        ("a.b", "image/png", b"\0\1"),
        ("c", "text/plain", b""),
    ]


def test_everything_a_change_can_state() -> None:
    (edit,) = changed(
        part(f"{ONE}.attachments_operations", b'{"rename":{"a":"b"},"retain":["c"]}'),
        part(f"{ONE}.inputs", b'{"q":1}'),
        part(ONE, b'{"split":"x","dataset_id":"00000000-0000-4000-8000-000000000009"}'),
    )
    operations = FileOperations((("a", "b"),), ("c",))
    where = (str(ONE),)
    assert edit == ExampleEdit(id=ONE, inputs=b'{"q":1}', splits=("x",), operations=operations, where=where)


def test_what_is_absent_or_null_stays() -> None:
    empty = ExampleEdit(id=ONE, where=(str(ONE),))
    assert changed(part(ONE)) == changed(part(ONE, b"")) == [empty]
    nothing = b'{"metadata":null,"split":null}'
    assert changed(part(ONE, nothing), part(f"{ONE}.outputs", b"null")) == [empty]
    (edit,) = changed(part(ONE), part(f"{ONE}.attachments_operations", b"{}"))
    assert edit.operations == FileOperations(), "no operations keep the files; an empty one keeps none"


def test_an_id_in_any_spelling() -> None:
    sent = part(ONE.hex), part(f"{str(ONE).upper()}.inputs", b'{"q":1}')
    assert [(draft.id, draft.inputs) for draft in added(*sent)] == [(ONE, b'{"q":1}')]


@given(st.permutations(range(8)))
def test_parts_in_any_order(order: list[int]) -> None:
    """The examples are the same; they come in the order of their first parts."""
    sent = [
        part(each + rest, data)
        for each in (str(ONE), str(TWO))
        for rest, data in (
            ("", b'{"split":"s"}'),
            (".inputs", b'{"q":1}'),
            (".outputs", b'{"a":1}'),
            (".attachment.f", b"file"),
        )
    ]
    found = added(*(sent[place] for place in order))
    assert [draft.id for draft in found] == ([ONE, TWO] if order[0] < 4 else [TWO, ONE])
    for draft in found:
        assert (draft.inputs, draft.outputs, draft.splits) == (b'{"q":1}', b'{"a":1}', ("s",))
        assert [bytes(file.data) for file in draft.files] == [b"file"]


def test_the_dataset_of_an_upsert() -> None:
    def sent(*datasets: uuid.UUID | None) -> Any:
        mains = [json.dumps({"dataset_id": dataset}, default=str).encode() for dataset in datasets]
        return sort([part(uuid.uuid4(), main) for main in mains], NEW_FIELDS, 0)

    assert home(sent(ONE, ONE)) == ONE
    for wrong in ((), (ONE, TWO), (ONE, None)):
        with pytest.raises(Invalid, match="dataset"):
            home(sent(*wrong))


# -- mistakes --------------------------------------------------------------------------------------------

INPUTS = part(f"{ONE}.inputs", b'{"q":1}')


@pytest.mark.parametrize("name", ["x", "", ".inputs", f"{ONE}x", "post.1", "1.attachment.a", "\ufffd"])
def test_a_name_that_begins_with_no_id(name: str) -> None:
    assert repr(name) in refused(part(name))


@pytest.mark.parametrize(
    "name", [f"{ONE}.", f"{ONE}.input", f"{ONE}.inputs.q", f"{ONE}.attachment", f"{ONE}.{TWO}"]
)
def test_a_field_that_nobody_knows(name: str) -> None:
    assert repr(name) in refused(part(ONE), INPUTS, part(name))
    assert repr(name) in refused(part(ONE), INPUTS, part(name), changing=True)


def test_operations_on_attachments_belong_to_changes() -> None:
    name = f"{ONE}.attachments_operations"
    assert repr(name) in refused(part(ONE), INPUTS, part(name))


@pytest.mark.parametrize("rest", [".inputs", ".outputs", ".attachment.f"])
def test_parts_without_their_example(rest: str) -> None:
    assert str(TWO) in refused(part(ONE), INPUTS, part(f"{TWO}{rest}"))
    assert str(TWO) in refused(part(ONE), part(f"{TWO}{rest}"), changing=True)


@pytest.mark.parametrize("rest", [".inputs", ".outputs", ".attachment.f", ".attachments_operations"])
def test_a_part_that_is_there_twice(rest: str) -> None:
    twice = part(f"{ONE}{rest}")
    assert repr(twice.name) in refused(part(ONE), twice, twice, changing=True)


def test_an_example_that_is_there_twice() -> None:
    with pytest.raises(Conflict, match=str(ONE)):
        added(part(ONE), INPUTS, part(TWO), part(ONE))


def test_both_spellings_of_attachment_are_one_name() -> None:
    again = part(f"{ONE}.attachments.f")
    assert repr(again.name) in refused(part(ONE), INPUTS, part(f"{ONE}.attachment.f"), again)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"{", "JSON"),
        (b"[]", "object"),
        (b'{"split":1}', "split"),
        (b'{"split":["a",null]}', "split"),
        (b'{"metadata":[]}', "metadata"),
        (b'{"metadata":"x"}', "metadata"),
        (b'{"created_at":"yesterday"}', "created_at"),
        (b'{"created_at":{}}', "created_at"),
        (b'{"created_at":1e400}', ""),
        (b'{"created_at":123456789012345678901234567890}', "created_at"),
        (b'{"source_run_id":"x"}', "source_run_id"),
        (b'{"use_source_run_io":true}', "source_run_id"),
        (b'{"use_source_run_attachments":"f"}', "use_source_run_attachments"),
        (b"\xff", ""),
        (b"[" * 100_000, ""),
    ],
)
def test_a_main_part_that_cannot_be_read(data: bytes, why: str) -> None:
    message = refused(part(ONE, data), INPUTS)
    assert str(ONE) in message
    assert why in message


@pytest.mark.parametrize("data", [b"{", b"[]", b"1", b'"x"', b'{"q":', b"\xff", b"{'q':1}"])
@pytest.mark.parametrize("name", ["inputs", "outputs"])
def test_a_payload_that_cannot_be_read(name: str, data: bytes) -> None:
    sent = {"inputs": INPUTS, name: part(f"{ONE}.{name}", data)}
    assert f"{ONE}.{name}" in refused(part(ONE), *sent.values())
    assert f"{ONE}.{name}" in refused(part(ONE), *sent.values(), changing=True)


def test_a_payload_that_is_nested_too_deeply() -> None:
    deep = b'{"q":' + b"[" * 501 + b"]" * 501 + b"}"
    with pytest.raises(TooLarge, match="STENOGRAPH_MAX_JSON_DEPTH"):
        added(part(ONE), part(f"{ONE}.inputs", deep))


@pytest.mark.parametrize("inputs", [(), (part(f"{ONE}.inputs", b"null"),), (part(f"{ONE}.inputs", b""),)])
def test_inputs_are_needed(inputs: tuple[Part, ...]) -> None:
    assert f"{ONE}.inputs" in refused(part(ONE), *inputs)


@pytest.mark.parametrize(
    "data", [b"[]", b'{"rename":[]}', b'{"rename":{"a":1}}', b'{"retain":"a"}', b'{"rename":{"a":""}}', b"{"]
)
def test_operations_that_cannot_be_read(data: bytes) -> None:
    name = f"{ONE}.attachments_operations"
    assert name in refused(part(ONE), part(name, data), changing=True)


def test_names_and_sizes_of_files() -> None:
    def name(text: str) -> str:
        return f"{ONE}.attachment.{text}"

    assert added(part(ONE), INPUTS, part(name("n" * 255)))
    for wrong in ("", "n" * 256, "a\0b"):
        assert repr(name(wrong))[:100] in refused(part(ONE), INPUTS, part(name(wrong)))
    assert added(part(ONE), INPUTS, part(name("f"), bytes(10)), limit=10)
    with pytest.raises(TooLarge, match=f"{re.escape(name('f'))}.*STENOGRAPH_MAX_ATTACHMENT_BYTES"):
        added(part(ONE), INPUTS, part(name("f"), bytes(11)), limit=10)


# -- laziness --------------------------------------------------------------------------------------------


def test_a_body_on_disk_is_read_example_by_example() -> None:
    """What is in memory is one example, whatever the size of the body."""
    each, count = 1 << 20, 64
    with tempfile.TemporaryFile() as file:
        for _ in range(count):
            example = uuid.uuid4()
            for name, data in ((example, b"{}"), (f"{example}.inputs", b'{"q":"%s"}' % (b"x" * each))):
                head = f'--mark\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
                file.write(head.encode() + data + b"\r\n")
        file.write(b"--mark--\r\n")
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as body:
            peak = tracemalloc_peak(body)
            assert peak < 6 * each, peak


def tracemalloc_peak(body: mmap.mmap) -> int:
    tracemalloc.start()
    try:
        found = sort(parts(body, b"mark", max_parts=1000, max_header=1000), NEW_FIELDS, 0)
        assert sum(len(draft.inputs or b"") for draft in drafts(found, PAYLOADS)) > 64 << 20
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_mistake_at_the_end_is_found_when_its_turn_comes() -> None:
    found = sort([part(ONE), INPUTS, part(TWO), part(f"{TWO}.inputs", b"[]")], NEW_FIELDS, 0)
    coming = drafts(found, PAYLOADS)
    assert next(coming).id == ONE
    with pytest.raises(Invalid, match=f"{TWO}.inputs"):
        next(coming)

"""Multipart bodies of examples, taken apart. Pure: no store, no clock.

Parts are named `<uuid>`, `<uuid>.inputs`, `<uuid>.outputs`, `<uuid>.attachment.<name>` and, where examples are
changed, `<uuid>.attachments_operations`. They come in any order, so all of a body are sorted by example first,
as views of it; what is in them is read one example at a time, when it is wanted. A body is taken whole or not
at all: the first mistake is Invalid without a place, which answers 400, and names the part.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, TypeVar
from uuid import UUID

from msgspec import Raw, Struct

from stenograph.domain.attachments import check_file, check_file_name
from stenograph.domain.examples.drafts import ExampleDraft, ExampleEdit, NewFile
from stenograph.errors import Conflict, Invalid, TooLarge
from stenograph.model.examples import FileOperations
from stenograph.wire.http import decode
from stenograph.wire.langsmith.runs.convert import micros
from stenograph.wire.langsmith.runs.schemas import ABSENT, Moment
from stenograph.wire.multipart import Part
from stenograph.wire.payloads import Payloads

Shape = TypeVar("Shape", bound=Struct)


class ExamplePartIn(Struct, gc=False):
    """The part `<uuid>`. `dataset_id` counts in the old upsert alone, where the address does not say it."""

    dataset_id: UUID | None = None
    created_at: Moment = None
    metadata: Raw = ABSENT
    split: str | list[str] | None = None
    source_run_id: UUID | None = None
    use_source_run_io: bool | None = None
    use_source_run_attachments: list[str] | None = None


class OperationsIn(Struct, gc=False):
    """The part `<uuid>.attachments_operations`."""

    rename: dict[str, str] | None = None
    retain: list[str] | None = None


@dataclass(slots=True)
class SentExample:
    """The parts of one example, still unread. `text` is its id as it was written."""

    id: UUID
    text: str
    main: memoryview | None = None
    fields: dict[str, memoryview] = field(default_factory=dict)
    files: dict[str, NewFile] = field(default_factory=dict)


NEW_FIELDS: Final = ("inputs", "outputs")
CHANGED_FIELDS: Final = ("inputs", "outputs", "attachments_operations")


# -- sorting ---------------------------------------------------------------------------------------------


def sort(parts: Iterable[Part], fields: Collection[str], max_attachment: int) -> list[SentExample]:
    """The examples of a body, in the order in which they are first mentioned.

    Conflict for an example that is there twice, TooLarge for a file over `max_attachment` bytes.
    """
    found: dict[UUID, SentExample] = {}
    latest, sent = None, None
    for part in parts:
        text, dot, name = part.name.partition(".")
        if sent is None or text != latest:
            latest, sent = text, _example(found, text, part.name)
        if not dot:
            if sent.main is not None:
                raise Conflict(f"example {sent.id} occurs twice in one request")
            sent.main = part.data
        elif name in fields:
            if name in sent.fields:
                raise Invalid(f"part {_shown(part.name)} occurs twice")
            sent.fields[name] = part.data
        elif name.startswith(("attachment.", "attachments.")):
            _add_file(sent, NewFile(name.partition(".")[2], part.mime_type, part.data), part, max_attachment)
        else:
            known = ", ".join((*fields, "attachment.<name>"))
            raise Invalid(f"part {_shown(part.name)}: after the id of an example comes one of {known}")
    for sent in found.values():
        if sent.main is None:
            raise Invalid(f"there are parts of example {sent.text} without the part '{sent.text}' itself")
    return list(found.values())


def _example(found: dict[UUID, SentExample], text: str, part_name: str) -> SentExample:
    try:
        example_id = UUID(text)
    except ValueError:
        raise Invalid(
            f"part {_shown(part_name)}: names of parts begin with a uuid, the example's id"
        ) from None
    return found.setdefault(example_id, SentExample(example_id, text))


def _add_file(sent: SentExample, file: NewFile, part: Part, limit: int) -> None:
    try:
        check_file(file.name, len(file.data), limit)
    except (Invalid, TooLarge) as error:
        raise type(error)(f"part {_shown(part.name)}: {error.message}") from None
    if file.name in sent.files:
        raise Invalid(f"part {_shown(part.name)} occurs twice")
    sent.files[file.name] = file


def _shown(name: str) -> str:
    return repr(name if len(name) <= 200 else f"{name[:200]}…")


# -- reading ---------------------------------------------------------------------------------------------


def drafts(sent: Iterable[SentExample], payloads: Payloads) -> Iterator[ExampleDraft]:
    """Examples to be added, each read when it is asked for."""
    return (_draft(each, payloads) for each in sent)


def edits(sent: Iterable[SentExample], payloads: Payloads) -> Iterator[ExampleEdit]:
    """Changes to examples, each read when it is asked for. What has no part, or null in it, stays as it is."""
    return (_edit(each, payloads) for each in sent)


def home(sent: Iterable[SentExample]) -> UUID:
    """The dataset that all of these name; Invalid when there is not one."""
    homes: set[UUID] = set()
    for each in sent:
        stated = _main(each).dataset_id
        if stated is None:
            raise Invalid(f"part '{each.text}': dataset_id is needed")
        homes.add(stated)
    if len(homes) != 1:
        raise Invalid(f"the examples of one request belong to one dataset, not to {len(homes)}")
    return next(iter(homes))


def _draft(sent: SentExample, payloads: Payloads) -> ExampleDraft:
    main = _main(sent)
    if main.use_source_run_io and main.source_run_id is None:
        raise Invalid(f"part '{sent.text}': use_source_run_io needs a source_run_id")
    inputs = _payload(sent, "inputs", payloads)
    if inputs is None and not main.use_source_run_io:
        raise Invalid(
            f"part '{sent.text}.inputs' is missing or null, and there is no run to take inputs from"
        )
    return ExampleDraft(
        id=sent.id,
        inputs=inputs,
        outputs=_payload(sent, "outputs", payloads),
        metadata=_metadata(main.metadata, sent, payloads),
        splits=_splits(main),
        created_at=_created_at(sent, main),
        source_run_id=main.source_run_id,
        use_source_run_io=bool(main.use_source_run_io),
        source_run_files=tuple(main.use_source_run_attachments or ()),
        files=tuple(sent.files.values()),
        where=(sent.text,),
    )


def _edit(sent: SentExample, payloads: Payloads) -> ExampleEdit:
    main = _main(sent)
    return ExampleEdit(
        id=sent.id,
        inputs=_payload(sent, "inputs", payloads),
        outputs=_payload(sent, "outputs", payloads),
        metadata=_metadata(main.metadata, sent, payloads),
        splits=_splits(main),
        files=tuple(sent.files.values()),
        operations=_operations(sent),
        where=(sent.text,),
    )


def _main(sent: SentExample) -> ExamplePartIn:
    return _decoded(sent.main, f"part '{sent.text}'", ExamplePartIn)


def _payload(sent: SentExample, name: str, payloads: Payloads) -> bytes | None:
    document = sent.fields.get(name)
    if document is None:
        return None
    with _unplaced():
        return payloads.check(document, f"part '{sent.text}.{name}'", "object")


def _splits(main: ExamplePartIn) -> tuple[str, ...] | None:
    return (main.split,) if isinstance(main.split, str) else None if main.split is None else tuple(main.split)


def _created_at(sent: SentExample, main: ExamplePartIn) -> int | None:
    try:
        return micros(main.created_at, "created_at")
    except Invalid as error:
        raise Invalid(f"part '{sent.text}': {error.message}") from None


def _operations(sent: SentExample) -> FileOperations | None:
    document = sent.fields.get("attachments_operations")
    if document is None:
        return None
    what = f"part '{sent.text}.attachments_operations'"
    stated = _decoded(document, what, OperationsIn)
    rename = stated.rename or {}
    for name in rename.values():
        try:
            check_file_name(name)
        except Invalid as error:
            raise Invalid(f"{what}: {error.message}") from None
    return FileOperations(tuple(rename.items()), tuple(stated.retain or ()))


def _metadata(document: Raw, sent: SentExample, payloads: Payloads) -> bytes | None:
    with _unplaced():
        return payloads.check_values(document, f"metadata in part '{sent.text}'", "object")


@contextmanager
def _unplaced() -> Iterator[None]:
    """What is wrong with a part says so in its message: it has no place in a JSON body."""
    try:
        yield
    except Invalid as error:
        raise Invalid(error.message) from None


def _decoded(document: memoryview | None, what: str, kind: type[Shape]) -> Shape:
    try:
        return decode(bytes(document or b""), kind)
    except Invalid as error:
        place = ".".join(str(step) for step in error.where[1:])
        raise Invalid(f"{what}: {place}: {error.message}" if place else f"{what}: {error.message}") from None

"""Examples in LangSmith's shapes, and what it says of them back into ours. Pure, but for where the server was asked."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from msgspec import Raw
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from stenograph.domain.attachments import Links, check_file_name, example_file_id
from stenograph.domain.examples.drafts import ExampleDraft, ExampleEdit
from stenograph.errors import Invalid
from stenograph.model.examples import Example, FileOperations, NewExample, splits_of
from stenograph.model.runs import Micros
from stenograph.wire.http import encode, services
from stenograph.wire.langsmith.datasets.schemas import ExampleIn, ExampleUpdateIn, FileOperationsIn
from stenograph.wire.langsmith.runs.convert import micros
from stenograph.wire.payloads import Payloads

Path = tuple[str | int, ...]
"""Where in a request something was written."""

SELECTABLE: Final = (
    "id", "created_at", "modified_at", "name", "dataset_id", "source_run_id", "metadata", "inputs", "outputs",
    "attachment_urls",
)  # fmt: skip
"""Fields of an Example, as the `select` parameter names them."""

DEFAULT_FIELDS: Final = frozenset(SELECTABLE) - {"attachment_urls"}
ALL_FIELDS: Final = frozenset(SELECTABLE)

_EPOCH: Final = dt.datetime(1970, 1, 1)


def utc_text(moment: Micros | None) -> str | None:
    """Times of datasets and examples carry an offset: JavaScript would read them as local without one."""
    if moment is None:
        return None
    return (_EPOCH + dt.timedelta(microseconds=moment)).isoformat(timespec="microseconds") + "+00:00"


def example_name(example: Example) -> str:
    """Examples have no name of their own; LangSmith makes one up from the id."""
    return f"#{example.id.hex[:8]}"


@dataclass(frozen=True, slots=True)
class FileLinks:
    """Makes the links to examples' files: absolute, since LangSmith's JavaScript client fetches them as they are."""

    links: Links
    server: str
    now: float

    def urls(self, example: Example) -> dict[str, Any] | None:
        """The `attachment_urls` of an example; None when it has no files."""
        if not example.files:
            return None
        return {
            f"attachment.{file.name}": {
                "presigned_url": self.server
                + self.links.sign_example_file(
                    example.workspace, example_file_id(file.key), file.name, file.mime_type, self.now
                ),
                "mime_type": file.mime_type,
            }
            for file in example.files
        }


def file_links(request: Request) -> FileLinks:
    """Links that lead to where this server was asked, or to its `public_url` when it has one."""
    to = services(request)
    asked = f"{request.url.scheme}://{request.url.netloc}"
    return FileLinks(to.links, to.settings.public_url.rstrip("/") or asked, time.time())


def example_json(example: Example, links: FileLinks, fields: frozenset[str] = ALL_FIELDS) -> dict[str, Any]:
    """LangSmith's Example, of which `fields` (see SELECTABLE) are written."""
    return {name: write(example, links) for name, write in _FIELDS.items() if name in fields}


_FIELDS: Final[Mapping[str, Callable[[Example, FileLinks], Any]]] = {
    "id": lambda example, _: example.id,
    "created_at": lambda example, _: utc_text(example.created_at),
    "modified_at": lambda example, _: utc_text(example.modified_at),
    "name": lambda example, _: example_name(example),
    "dataset_id": lambda example, _: example.dataset_id,
    "source_run_id": lambda example, _: example.source_run_id,
    "metadata": lambda example, _: Raw(example.metadata),
    "inputs": lambda example, _: Raw(example.inputs),
    "outputs": lambda example, _: None if example.outputs is None else Raw(example.outputs),
    "attachment_urls": lambda example, links: links.urls(example),
}


def stream_examples(pages: AsyncIterator[list[Example]], links: FileLinks) -> Response:
    """A JSON array of whole examples, written while they are read."""

    async def text() -> AsyncIterator[bytes]:
        before = b"["
        async for page in pages:
            for example in page:
                yield before + bytes(encode(example_json(example, links)).body)
                before = b","
        yield b"[]" if before == b"[" else b"]"

    return StreamingResponse(text(), media_type="application/json")


def validated_json(example: NewExample, dataset_id: UUID, stated_id: UUID | None) -> dict[str, Any]:
    """ExampleValidationResult: the example as it would be stored, under the id that was stated."""
    return {
        "id": stated_id,
        "dataset_id": dataset_id,
        "inputs": Raw(example.inputs),
        "outputs": None if example.outputs is None else Raw(example.outputs),
        "metadata": Raw(example.metadata),
        "split": splits_of(example.metadata),
        "created_at": utc_text(example.created_at),
        "source_run_id": example.source_run_id,
        "use_source_run_io": False,
        "overwrite": False,
    }


# -- in --------------------------------------------------------------------------------------------------


def example_draft(sent: ExampleIn, payloads: Payloads, where: Path) -> ExampleDraft:
    """An example to add. Invalid names the member of `where` that cannot be used."""
    with placed(where):
        if sent.use_legacy_message_format:
            raise Invalid(
                "messages are taken from runs as they were sent, in no other format",
                ("use_legacy_message_format",),
            )
        if sent.source_run_id is None and (sent.use_source_run_io or sent.use_source_run_attachments):
            raise Invalid("to take something from a run, name it", ("source_run_id",))
        return ExampleDraft(
            id=sent.id,
            inputs=payloads.check(sent.inputs, "inputs", "object"),
            outputs=payloads.check(sent.outputs, "outputs", "object"),
            metadata=payloads.check_values(sent.metadata, "metadata", "object"),
            splits=_splits(sent.split),
            created_at=micros(sent.created_at, "created_at"),
            source_run_id=sent.source_run_id,
            use_source_run_io=bool(sent.use_source_run_io),
            source_run_files=tuple(sent.use_source_run_attachments or ()),
            where=where,
        )


def example_edit(sent: ExampleUpdateIn, example_id: UUID, payloads: Payloads, where: Path) -> ExampleEdit:
    """Changes to an example. With `overwrite` nothing of it stays, so everything has to be stated."""
    with placed(where):
        inputs = payloads.check(sent.inputs, "inputs", "object")
        outputs = payloads.check(sent.outputs, "outputs", "object")
        metadata = payloads.check_values(sent.metadata, "metadata", "object")
        splits = _splits(sent.split)
        if sent.overwrite:
            if inputs is None or outputs is None or metadata is None:
                raise Invalid("to overwrite an example, state inputs, outputs and metadata", ("overwrite",))
            splits = splits_of(metadata) if splits is None else splits
        return ExampleEdit(
            id=example_id,
            dataset_id=sent.dataset_id,
            inputs=inputs,
            outputs=outputs,
            metadata=metadata,
            splits=splits,
            operations=_operations(sent.attachments_operations),
            where=where,
        )


def _splits(sent: str | list[str] | None) -> tuple[str, ...] | None:
    """One name is a list of it."""
    return None if sent is None else (sent,) if isinstance(sent, str) else tuple(dict.fromkeys(sent))


def _operations(sent: FileOperationsIn | None) -> FileOperations | None:
    if sent is None:
        return None
    renamed = sent.rename or {}
    with placed(("attachments_operations",)):
        for name in renamed.values():
            check_file_name(name)
    return FileOperations(rename=tuple(renamed.items()), retain=tuple(sent.retain or ()))


@contextmanager
def placed(where: Path) -> Iterator[None]:
    """What is found wrong inside is at `where` in the request: Invalid gets its full path."""
    try:
        yield
    except Invalid as error:
        if error.where[: len(where)] == where:
            raise
        raise Invalid(error.message, (*where, *error.where)) from None

"""Multipart bodies of examples, put together on disk: one request each, and each one version of a dataset."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO, Final
from urllib.parse import quote
from uuid import UUID, uuid4

import msgspec
from msgspec import Raw

from stenograph.transfer.attachments import LocalFile
from stenograph.transfer.examples import NewExample
from stenograph.transfer.failures import of_file

MOST_BYTES: Final = 64 << 20
MOST_PARTS: Final = 50_000
"""Half of what a server takes unless its settings say otherwise."""


@dataclass(slots=True)
class Upload:
    """The body of one request. `places`: where in the file each example is, in their order."""

    body: BinaryIO
    content_type: str
    places: dict[UUID, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prepared:
    """An example and its files, all that a request says of it."""

    example: NewExample
    files: tuple[LocalFile, ...] = ()

    @property
    def parts(self) -> int:
        return 2 + (self.example.outputs is not None) + len(self.files)

    @property
    def size(self) -> int:
        """Bytes of a body, roughly."""
        example = self.example
        payloads = (example.inputs, example.outputs or b"", example.metadata or b"")
        return sum(len(memoryview(each)) for each in payloads) + sum(file.size for file in self.files) + 500


def batches(examples: Iterable[Prepared], most_bytes: int = MOST_BYTES) -> Iterator[list[Prepared]]:
    """As many at a time as fit into one request; never none."""
    batch: list[Prepared] = []
    size = parts = 0
    for each in examples:
        if batch and (size + each.size > most_bytes or parts + each.parts > MOST_PARTS):
            yield batch
            batch, size, parts = [], 0, 0
        batch.append(each)
        size, parts = size + each.size, parts + each.parts
    if batch:
        yield batch


@contextmanager
def upload(batch: Iterable[Prepared]) -> Iterator[Upload]:
    """These examples as a body, whose file is gone after the block. Examples without an id get one."""
    mark = secrets.token_hex(16)
    with of_file("write", f"a temporary file in {tempfile.gettempdir()}"), tempfile.TemporaryFile() as body:
        made = Upload(body, f"multipart/form-data; boundary={mark}")
        for each in batch:
            example = each.example
            example_id = example.id or uuid4()
            made.places[example_id] = example.place
            _write(body, mark, each, example_id)
        body.write(f"--{mark}--\r\n".encode())
        body.flush()
        yield made


def _write(body: BinaryIO, mark: str, prepared: Prepared, example_id: UUID) -> None:
    example = prepared.example
    main = {
        "metadata": example.metadata,
        "created_at": example.created_at,
        "source_run_id": example.source_run_id,
    }
    stated = {name: found for name, found in main.items() if found is not None}
    documents = {"": msgspec.json.encode(stated), ".inputs": example.inputs, ".outputs": example.outputs}
    for suffix, document in documents.items():
        if document is not None:
            size = len(memoryview(document))
            body.write(_head(mark, f"{example_id}{suffix}", "application/json", size))
            body.write(bytes(document) if isinstance(document, Raw) else document)
            body.write(b"\r\n")
    for file in prepared.files:
        with of_file("read", file.path), file.path.open("rb") as content:
            size = content.seek(0, 2)
            content.seek(0)
            body.write(_head(mark, f"{example_id}.attachment.{file.name}", file.mime_type, size))
            shutil.copyfileobj(content, body)
            body.write(b"\r\n")


def _head(mark: str, name: str, mime_type: str, size: int) -> bytes:
    """A name of an attachment may be anything: only its coded form (RFC 5987) says it exactly."""
    called = f'name="{name}"' if _is_plain(name) else f"name*=utf-8''{quote(name, safe='')}"
    head = f"--{mark}\r\nContent-Disposition: form-data; {called}\r\nContent-Type: {mime_type}\r\n"
    return f"{head}Content-Length: {size}\r\n\r\n".encode()


def _is_plain(name: str) -> bool:
    return name.isascii() and name.replace("-", "").replace(".", "").replace("_", "").isalnum()

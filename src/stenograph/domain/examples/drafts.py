"""Examples and changes to them as a client wants them, before anything has been looked at; and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from stenograph.model.examples import FileOperations
from stenograph.model.runs import Micros


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that comes with an example, not stored yet."""

    name: str
    mime_type: str
    data: bytes | memoryview


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleDraft:
    """An example as a client wants it: payloads are checked JSON, nothing else has been looked at.

    Inputs are needed unless they are taken from the source run: `use_source_run_io` takes from it what the draft
    does not state, and all its files; `source_run_files` takes the files of these names. `where` is where the
    client wrote it.
    """

    id: UUID | None = None
    inputs: bytes | None = None
    outputs: bytes | None = None
    metadata: bytes | None = None
    splits: tuple[str, ...] | None = None
    created_at: Micros | None = None
    source_run_id: UUID | None = None
    use_source_run_io: bool = False
    source_run_files: tuple[str, ...] = ()
    files: tuple[NewFile, ...] = ()
    where: tuple[str | int, ...] = ("body",)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleEdit:
    """Changes to an example as a client wants them; see `ExamplePatch` for what they mean.

    `dataset_id` is where the client takes it to be, when it says so.
    """

    id: UUID
    dataset_id: UUID | None = None
    inputs: bytes | None = None
    outputs: bytes | None = None
    metadata: bytes | None = None
    splits: tuple[str, ...] | None = None
    files: tuple[NewFile, ...] = ()
    operations: FileOperations | None = None
    where: tuple[str | int, ...] = ("body",)


@dataclass(frozen=True, slots=True)
class Written:
    """A write that is done: ids in the order of the request, and the moment from which it is seen."""

    as_of: Micros
    ids: tuple[UUID, ...]

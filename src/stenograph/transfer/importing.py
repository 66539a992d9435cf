"""Imports: the rows of a file as examples of a dataset.

The file is gone through twice. First everything that is wrong with it is found, before anything is written; then
its rows are sent, as one version of the dataset when they fit into one request. A dataset that was made for an
import goes again when the import fails.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from stenograph.errors import CallerError, Conflict, Invalid, StenographError, TooLarge
from stenograph.transfer import attachments, formats, uploads
from stenograph.transfer.cells import Cells
from stenograph.transfer.client import PAGE, Dataset, Server, taken_name
from stenograph.transfer.examples import Keys, NewExample, Reading
from stenograph.transfer.failures import of_file
from stenograph.transfer.formats import Format
from stenograph.transfer.progress import Advance, shown
from stenograph.transfer.uploads import Prepared

_UUID: Final = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetImport:
    """What to import, and how.

    `name` None is the file's. `append` adds to a dataset that is there. `splits` are put in place of the file's.
    `cells` None: as an export writes them, or texts when columns are chosen by `keys`.
    """

    file: str
    name: str | None = None
    format: str | None = None
    keys: Keys = field(default_factory=Keys)
    splits: Sequence[str] = ()
    cells: Cells | None = None
    attachments: Path | None = None
    append: bool = False
    new_ids: bool = False
    dry_run: bool = False


@dataclass(slots=True)
class Imported:
    """What became of an import, or in a dry run would. `versions` are the moments of those it made."""

    name: str
    file: str
    created: bool
    examples: int = 0
    files: int = 0
    versions: list[str] = field(default_factory=list)
    left_columns: list[str] = field(default_factory=list)


def import_dataset(server: Server, asked: DatasetImport) -> Imported:
    """Every row of the file, or an error that names the file and the row."""
    with _file(asked) as (path, called, kind):
        cells = asked.cells or (Cells.TEXT if asked.keys else Cells.JSON)
        source = formats.source(kind, path, called, cells)
        reading = _Rows(Reading(source, called, asked.keys, asked.splits), called, asked)
        name = asked.name or Path(called).stem
        dataset = server.find_dataset(name)
        if dataset is not None and not asked.append:
            raise taken_name(dataset)
        if dataset is None and asked.append:
            dataset = server.dataset(name)  # which says what there is
        done = Imported(name if dataset is None else dataset.name, called, dataset is None)
        with shown(f"Checking {called}", None) as advance:
            _check(server, reading, dataset, done, advance)
        if not asked.dry_run:
            _send(server, reading, dataset, done)
        return done


@contextmanager
def _file(asked: DatasetImport) -> Iterator[tuple[Path, str, Format]]:
    """The file, what people call it, and its format. Standard input is kept on disk meanwhile."""
    if asked.file != "-":
        path = Path(asked.file)
        if path.is_dir():
            raise Invalid(f"{path} is a folder: name a file in it")
        yield path, path.name, formats.format_of(path, asked.format)
        return
    if asked.name is None or asked.format is None:
        raise Invalid("standard input has neither a name nor an ending: say --name and --format")
    place = f"a temporary file in {tempfile.gettempdir()}"
    with of_file("write", place), tempfile.NamedTemporaryFile() as copy:
        shutil.copyfileobj(sys.stdin.buffer, copy)
        copy.flush()
        yield Path(copy.name), "standard input", formats.format_of(None, asked.format)


@dataclass(frozen=True, slots=True)
class _Rows:
    """The examples of the file with their attachments, as often as they are wanted."""

    reading: Reading
    name: str
    asked: DatasetImport

    def prepared(self) -> Iterator[Prepared]:
        for example in self.reading.examples():
            with self.placed(example):
                yield Prepared(
                    replace(example, id=None) if self.asked.new_ids else example, self._files(example)
                )

    def _files(self, example: NewExample) -> tuple[attachments.LocalFile, ...]:
        if not example.files:
            return ()
        if self.asked.attachments is None:
            raise Invalid("the row has attachments: say with --attachments which folder they are in")
        return tuple(attachments.found(example.files, self.asked.attachments))

    @contextmanager
    def placed(self, example: NewExample) -> Iterator[None]:
        """What is found wrong inside is in this row."""
        try:
            yield
        except CallerError as error:
            if error.message.startswith(f"{self.name}, "):
                raise
            raise type(error)(f"{self.name}, {example.place}: {error.message}") from None


# -- looking ---------------------------------------------------------------------------------------------


def _check(server: Server, rows: _Rows, dataset: Dataset | None, done: Imported, advance: Advance) -> None:
    """Goes through all rows, and counts them. In a dry run the server's own rules are asked too."""
    seen: dict[UUID, None] = {}
    page: list[Prepared] = []
    for each in rows.prepared():
        done.examples += 1
        done.files += len(each.files)
        example = each.example
        if example.id is not None:
            with rows.placed(example):
                if example.id in seen:
                    raise Conflict(f"the id {example.id} occurs twice; --new-ids leaves ids to the server")
            seen[example.id] = None
        page.append(each)
        if len(page) == PAGE:
            _check_page(server, rows, dataset, page)
            page = []
        advance(1)
    _check_page(server, rows, dataset, page)
    done.left_columns = rows.reading.left_columns


def _check_page(server: Server, rows: _Rows, dataset: Dataset | None, page: list[Prepared]) -> None:
    ids = {each.example.id: each.example for each in page if each.example.id is not None}
    for taken in server.taken(list(ids)) if ids else ():
        with rows.placed(ids[taken]):
            raise Conflict(f"there is an example {taken} already; --new-ids imports copies of examples")
    if rows.asked.dry_run and dataset is not None and page:
        _validate(server, rows, dataset, [each.example for each in page])


def _validate(server: Server, rows: _Rows, dataset: Dataset, page: list[NewExample]) -> None:
    """Together, and when something is wrong one by one, to tell in which row it is."""
    try:
        server.validate(dataset, [_document(example) for example in page])
    except CallerError:
        for example in page:
            with rows.placed(example):
                server.validate(dataset, [_document(example)])
        raise


def _document(example: NewExample) -> dict[str, Any]:
    return {"inputs": example.inputs, "outputs": example.outputs, "metadata": example.metadata}


# -- sending ---------------------------------------------------------------------------------------------


def _send(server: Server, rows: _Rows, found: Dataset | None, done: Imported) -> None:
    dataset = found or server.create_dataset(done.name)
    sent = 0
    try:
        with shown(f"Importing {done.name}", done.examples) as advance:
            for batch in uploads.batches(rows.prepared()):
                for version in _add(server, dataset, batch, rows.name, advance):
                    done.versions.append(version.as_of)
                    sent += version.count
    except BaseException as error:
        if found is None:
            with suppress(StenographError):
                server.delete_dataset(dataset)
        elif sent and isinstance(error, StenographError):
            raise type(error)(
                f"{error.message} (the {sent:,} examples before it were added to {dataset.name!r})"
            ) from error
        raise


def _add(
    server: Server, dataset: Dataset, batch: list[Prepared], name: str, advance: Advance
) -> Iterator[Any]:
    """Sends a batch, in halves when the server takes less at a time than it usually does."""
    try:
        with uploads.upload(batch) as body:
            try:
                added = server.add(dataset, body.body, body.content_type)
            except CallerError as error:
                place = _place(error, body.places)
                if place is None:
                    raise
                raise type(error)(f"{name}, {place}: {error.message}") from error
    except TooLarge as error:
        if len(batch) == 1 or error.__cause__ is not None:
            raise  # it is about one of them, not about all together
        middle = len(batch) // 2
        yield from _add(server, dataset, batch[:middle], name, advance)
        yield from _add(server, dataset, batch[middle:], name, advance)
    else:
        advance(added.count)
        yield added


def _place(error: CallerError, places: dict[UUID, str]) -> str | None:
    """The row that an error is about: the server names examples by their ids."""
    known = (UUID(text) for text in _UUID.findall(error.message))
    only = next(iter(places.values())) if len(places) == 1 else None
    return next((places[each] for each in known if each in places), only)

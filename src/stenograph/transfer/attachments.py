"""Files of examples, in a folder beside the rows: `<id of the example>/<name of the file>`.

A row's field `attachments` has, by the attachment's own name, its type and its path in that folder. Names come from
clients and may be anything; what they are called on disk is made of them.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Raw, Struct

from stenograph.errors import Invalid
from stenograph.transfer.client import FileLink, Server
from stenograph.transfer.failures import of_file

_ODD: Final = re.compile(r"[^\w.\-+=@()\[\] ]|^-")
_LONGEST: Final = 200
_UNKNOWN_TYPE: Final = "application/octet-stream"
_TYPE: Final = re.compile(r"[!-:<-~]{1,200}")


class Saved(Struct, frozen=True):
    """What a row says of an attachment: where it is in the folder."""

    path: str
    mime_type: str | None = None


@dataclass(frozen=True, slots=True)
class LocalFile:
    """An attachment to be sent."""

    name: str
    path: Path
    mime_type: str
    size: int


# -- out -------------------------------------------------------------------------------------------------


def save(server: Server, folder: Path, example: UUID, links: Mapping[str, FileLink]) -> dict[str, Saved]:
    """Fetches an example's files into the folder."""
    place = folder / str(example)
    place.mkdir()
    taken: set[str] = set()
    saved: dict[str, Saved] = {}
    for name, link in links.items():
        called = _free_name(name, taken)
        with (place / called).open("xb") as out:
            server.download(link, out)
        saved[name] = Saved(f"{example}/{called}", link.mime_type)
    return saved


def _free_name(name: str, taken: set[str]) -> str:
    """A name for the disk that none of `taken` has, in whatever case."""
    called = disk_name(name)
    stem, dot, ending = called.rpartition(".")
    if not stem or len(ending) > 20:
        stem, dot, ending = called, "", ""
    called, number = f"{_cut(stem)}{dot}{ending}", 1
    while called.casefold() in taken:
        number += 1
        called = f"{_cut(stem)}-{number}{dot}{ending}"
    taken.add(called.casefold())
    return called


def disk_name(name: str) -> str:
    """The same name with nothing in it that a file system, a shell or a listing would take for something else."""
    return _cut(_ODD.sub("_", name).strip(". ")) or "file"


def _cut(name: str) -> str:
    return name.encode()[:_LONGEST].decode(errors="ignore")


# -- in --------------------------------------------------------------------------------------------------


def stated(value: Raw) -> dict[str, Any]:
    """What a row says of its attachments, by name; Invalid when it is not that."""
    try:
        return msgspec.json.decode(value, type=dict[str, Saved | str])
    except (msgspec.DecodeError, RecursionError):
        raise Invalid(
            "attachments are an object: name to path, or to an object with path and mime_type"
        ) from None


def found(files: Mapping[str, Saved | str], folder: Path) -> Iterator[LocalFile]:
    """The files that a row names. Invalid for one that is not there, or lies outside of the folder."""
    root = folder.resolve()
    for name, file in files.items():
        saved = Saved(file) if isinstance(file, str) else file
        if "\0" in saved.path:
            raise Invalid(f"attachment {name!r}: a path has no NUL")
        path = (root / saved.path).resolve()
        if not path.is_relative_to(root):
            raise Invalid(f"attachment {name!r}: {saved.path!r} leads out of the folder {folder}")
        if not path.is_file():
            raise Invalid(f"attachment {name!r}: there is no file {saved.path!r} in {folder}")
        kind = saved.mime_type or mimetypes.guess_type(path.name)[0] or _UNKNOWN_TYPE
        if not _TYPE.fullmatch(kind):
            raise Invalid(f"attachment {name!r}: {kind[:100]!r} is no MIME type")
        with of_file("read", path):
            yield LocalFile(name, path, kind, path.stat().st_size)

"""Where an export goes: a file that is there whole or not at all, a folder of files likewise, or standard output."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import BinaryIO

from stenograph.errors import Conflict, Invalid
from stenograph.transfer.failures import of_file


def check_target(target: Path, *, force: bool) -> None:
    """Said before anything is fetched: Conflict when a file is in the way, Invalid where none can be made."""
    if target.is_dir():
        raise Invalid(f"{target} is a folder: name a file in it")
    if target.is_file() and not force:
        raise Conflict(f"{target} exists already: --force replaces it")
    if not target.parent.is_dir():
        raise Invalid(f"there is no folder {target.parent}")


@contextmanager
def whole_file(target: Path, *, force: bool) -> Iterator[BinaryIO]:
    """A file beside the target, which takes its place when the block ends well and is removed when not.

    A device or a pipe is written as it is. Conflict when a file has appeared there meanwhile.
    """
    target = target.resolve()  # through a symbolic link, which stays
    with of_file("write", target):
        if target.exists() and not target.is_file():
            with target.open("wb") as out:
                yield out
            return
        part = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}.part")
        try:
            with part.open("xb") as out:
                yield out
                out.flush()
                os.fsync(out.fileno())
            if force:
                part.replace(target)
            else:
                _link(part, target)
        finally:
            part.unlink(missing_ok=True)


def _link(part: Path, target: Path) -> None:
    try:
        os.link(part, target)  # unlike a rename, it never replaces
    except FileExistsError:
        raise Conflict(f"{target} exists already: --force replaces it") from None
    except OSError:  # a file system without hard links
        if target.exists():
            raise Conflict(f"{target} exists already: --force replaces it") from None
        part.rename(target)


def check_folder(folder: Path, *, force: bool) -> None:
    """The same as `check_target` for a folder, which may be there when it is empty."""
    if folder.exists() and not folder.is_dir():
        raise Conflict(f"{folder} is a file: attachments need a folder")
    if folder.is_dir() and any(folder.iterdir()) and not force:
        raise Conflict(f"{folder} is not empty: --force adds to it, and replaces what has the same name")
    if not folder.resolve().parent.is_dir():
        raise Invalid(f"there is no folder {folder.resolve().parent}")


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A folder beside the one that is meant; what is in it moves there when the block ends well."""
    folder = folder.resolve()
    part = folder.with_name(f".{folder.name[:100]}.{secrets.token_hex(4)}.part")
    with of_file("write", folder):
        part.mkdir()
        try:
            yield part
            _merge(part, folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _merge(part: Path, folder: Path) -> None:
    if not folder.exists() or not any(folder.iterdir()):
        with suppress(FileNotFoundError):
            folder.rmdir()
        part.rename(folder)
        return
    for path in sorted(part.rglob("*")):
        if path.is_file():
            place = folder / path.relative_to(part)
            place.parent.mkdir(parents=True, exist_ok=True)
            path.replace(place)


@contextmanager
def standard_output(*, binary: bool) -> Iterator[BinaryIO]:
    """Invalid when a terminal would be sent what is no text."""
    if binary and sys.stdout.isatty():
        raise Invalid("Parquet is not for reading on a terminal: name a file with --output")
    sys.stdout.flush()
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()


@contextmanager
def stoppable() -> Iterator[None]:
    """Being told to end (SIGTERM, SIGHUP) unwinds like Ctrl-C does, so that nothing half-done stays behind."""

    def end(number: int, _: FrameType | None) -> None:
        sys.exit(128 + number)

    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, end) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)

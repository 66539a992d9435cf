"""Two branches of the error tree (errors.py) that only a client of a server has."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from stenograph.errors import StenographError


class ServerTrouble(StenographError):
    """The server cannot be reached, or does not answer as one should."""


class FileTrouble(StenographError):
    """A file cannot be read or written."""


@contextmanager
def of_file(what: str, path: object) -> Iterator[None]:
    """An OSError inside becomes "cannot `what` `path`: why". A closed pipe stays one: whoever read has gone."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        raise FileTrouble(f"cannot {what} {path}: {why}") from error

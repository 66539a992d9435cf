"""Dead letters of a server: listed, exported, replayed, discarded, a page at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import BinaryIO, Final
from uuid import UUID

from msgspec import Raw, Struct

from stenograph.errors import Invalid, NotFound
from stenograph.transfer.connection import Connection, Params
from stenograph.transfer.failures import of_file
from stenograph.transfer.progress import Advance

_PAGE: Final = 500
_AT_ONCE: Final = 100
"""Letters that the server takes with one request."""

_PATH: Final = "/ui/api/dead-letters"


class Letter(Struct, frozen=True):
    """One letter as lists have it. Times are microseconds since the epoch, `size` is in bytes."""

    id: UUID
    workspace_id: UUID
    kind: str
    reason: str
    size: int
    created_at: int
    subject_id: UUID | None = None
    replayed_at: int | None = None


class Replayed(Struct, frozen=True):
    """What became of one: `outcome` is the server's word for it."""

    id: UUID
    outcome: str
    reason: str | None = None


class _Discarded(Struct, frozen=True):
    discarded: int


def letters(server: Connection, state: str) -> list[Letter]:
    """All of a state (waiting, replayed, all), oldest first."""
    found: list[Letter] = []
    while True:
        params: Params = {"state": state, "offset": len(found), "limit": _PAGE}
        page = server.get(_PATH, list[Letter], params)
        found += page
        if len(page) < _PAGE:
            return found


def ids_of(texts: Sequence[str]) -> list[UUID]:
    """Ids as people type them; Invalid for what is none."""
    try:
        return [UUID(text) for text in texts]
    except ValueError:
        wrong = next(text for text in texts if not _is_id(text))
        raise Invalid(f"{wrong[:80]!r} is no id of a letter; see: stenograph dead-letters list") from None


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def export(server: Connection, ids: Sequence[UUID], out: BinaryIO, advance: Advance) -> int:
    """Writes a line of JSON for each; how many. One that is gone meanwhile is left out."""
    written = 0
    for letter_id in ids:
        try:
            document = server.get(f"{_PATH}/{letter_id}", Raw)
        except NotFound:
            continue
        with of_file("write", "the letters"):
            out.write(bytes(document) + b"\n")
        written += 1
        advance(1)
    return written


def replay(server: Connection, ids: Sequence[UUID], advance: Advance) -> Iterator[Replayed]:
    """What became of each, while the server works through them."""
    for some in _batches(ids):
        yield from server.post(f"{_PATH}/replay", list[Replayed], {"ids": some})
        advance(len(some))


def discard(server: Connection, ids: Sequence[UUID], advance: Advance) -> int:
    """How many there were."""
    gone = 0
    for some in _batches(ids):
        gone += server.post(f"{_PATH}/discard", _Discarded, {"ids": some}).discarded
        advance(len(some))
    return gone


def _batches(ids: Sequence[UUID]) -> Iterator[list[UUID]]:
    rest = iter(ids)
    while some := list(islice(rest, _AT_ONCE)):
        yield some


def summary(outcomes: Counter[str]) -> str:
    """`2 stored, 1 refused`."""
    return ", ".join(f"{count:,} {outcome}" for outcome, count in outcomes.most_common()) or "none"

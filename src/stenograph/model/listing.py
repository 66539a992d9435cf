"""Lists of what a workspace has, chosen by metadata: the same questions for agents, users, conversations and projects.

What is asked for comes as text, since it comes in a query string: there `5` may be a number or a text, `true` a truth
or a word, `a.b` a member of a member or a name with a dot. So metadata are looked at as pairs of texts, a dotted path
and the value at its end, and a pair matches whatever it may have been.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

import msgspec

from stenograph.errors import Invalid

MAX_VALUES: Final = 1000
"""Values that one object's metadata may hold: each can be asked for, so each stands in an index."""

_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_LONGEST_NUMBER: Final = 400


class ListSort(StrEnum):
    """The orders of a list; ties fall to the id, in the same direction."""

    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"


class MetadataTest(msgspec.Struct, frozen=True):
    """At the end of `path` (steps joined by dots; elements of arrays count each) is one of these values, as text."""

    path: str
    values: tuple[str, ...]


class ListQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A page of one workspace's objects; all `tests` have to hold. Without `limit` all are returned."""

    workspace: UUID
    tests: tuple[MetadataTest, ...] = ()
    sort: ListSort = ListSort.CREATED_AT
    descending: bool = True
    offset: int = 0
    limit: int | None = None


def test_of_text(path: str, text: str) -> MetadataTest:
    """What somebody asks for who writes this text: the text itself, the number that it spells, or null."""
    values = {text: None}
    if not text:
        values["null"] = None
    elif len(text) <= _LONGEST_NUMBER and (found := _NUMBER.fullmatch(text)):
        whole = found[1] is None and found[2] is None
        values[_text(int(text) if whole else float(text))] = None
    return MetadataTest(path, tuple(values))


def tests_of_object(part: Any) -> tuple[MetadataTest, ...]:
    """What somebody asks for who writes this JSON object."""
    return tuple(MetadataTest(path, (value,)) for path, value in dict.fromkeys(_pairs(part)))


def holds(tests: tuple[MetadataTest, ...], metadata: Any) -> bool:
    """Whether all of them hold for these metadata, decoded."""
    if not tests:
        return True
    pairs = set(_pairs(metadata))
    return all(any((test.path, value) in pairs for value in test.values) for test in tests)


def labels(workspace: UUID, noun: str, metadata: bytes) -> frozenset[UUID]:
    """A label for each pair of an object's metadata, as an index holds it. Invalid for metadata with too many."""
    pairs = set(_pairs(msgspec.json.decode(metadata)))
    if len(pairs) > MAX_VALUES:
        raise Invalid(f"metadata holds {len(pairs)} values; at most {MAX_VALUES} are taken", ("metadata",))
    return frozenset(label(workspace, noun, path, value) for path, value in pairs)


def label(workspace: UUID, noun: str, path: str, value: str) -> UUID:
    """128 bits that stand for a workspace's objects of this noun with this value at this path."""
    digest = blake2b(workspace.bytes, digest_size=16)
    for part in (noun, path, value):
        raw = part.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return UUID(bytes=digest.digest())


def _pairs(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _pairs(member, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for element in value:
            yield from _pairs(element, path)
    else:
        yield path, _text(value)


def _text(value: Any) -> str:
    """A value as people write it; a number in one spelling, whichever it came in."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)

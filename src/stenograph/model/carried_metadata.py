"""The metadata of an example among that of a run which answers it: each member under `ls_example_…`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

import msgspec
from msgspec import Raw

PREFIX: Final = "ls_example_"
"""LangSmith's own: its clients write and look for it."""

Members: TypeAlias = "Mapping[str, Raw]"

_members = msgspec.json.Decoder(dict[str, Raw]).decode
_NULL: Final = b"null"


def carried(metadata: bytes) -> Members:
    """What runs get of an example's metadata, a JSON object."""
    return {PREFIX + key: value for key, value in _members(metadata).items()}


def carry(extra: bytes | None, members: Members) -> bytes | None:
    """A run's extra with these members in its metadata, but for those that are there already.

    Extra as it is when they all are, or when its metadata is not an object.
    """
    try:
        document = {} if extra is None else _members(extra)
        stated = bytes(document.get("metadata", _NULL))
        metadata = {} if stated == _NULL else _members(stated)
    except (msgspec.DecodeError, RecursionError):
        return extra
    missing = {key: value for key, value in members.items() if key not in metadata}
    if not missing:
        return extra
    document["metadata"] = Raw(msgspec.json.encode({**metadata, **missing}))
    return msgspec.json.encode(document)

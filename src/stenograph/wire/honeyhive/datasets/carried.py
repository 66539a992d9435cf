"""What HoneyHive says of datasets and datapoints for which examples have no field: members of `metadata.honeyhive`.

A client of LangSmith sees them there, and whatever it puts there itself HoneyHive's clients see in their fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Raw

from stenograph.errors import Invalid

OWN: Final = "honeyhive"
"""The member of the metadata."""

_members = msgspec.json.Decoder(dict[str, Raw]).decode
_BROKEN: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

Kinds = Mapping[str, Any]
"""The members that are fields, and what each has to be: anything else of such a name is the user's own."""


def apart(metadata: bytes, kinds: Kinds) -> tuple[bytes, dict[str, Raw]]:
    """The user's own metadata, and those fields that stand in it."""
    if b'"honeyhive"' not in metadata:
        return metadata, {}
    members = _members(metadata)
    own = _object(members.get(OWN))
    fields = {name: own.pop(name) for name, kind in kinds.items() if name in own and _is(own[name], kind)}
    if not fields:
        return metadata, {}
    if own:
        members[OWN] = Raw(msgspec.json.encode(own))
    else:
        del members[OWN]
    return msgspec.json.encode(members), fields


def together(metadata: bytes, fields: Mapping[str, Raw]) -> bytes:
    """The metadata with these fields in it. Invalid when the user's own has something else in their place."""
    if not fields:
        return metadata
    members = _members(metadata)
    before = members.get(OWN)
    own = _object(before)
    taken = next((name for name in fields if name in own), None)
    if taken is not None or (before is not None and not own and bytes(before) != b"{}"):
        place = OWN if taken is None else f"{OWN}.{taken}"
        raise Invalid(
            f"metadata.{place} is where {', '.join(fields)} of the body are kept, and it holds something else",
            ("body", "metadata", OWN),
        )
    members[OWN] = Raw(msgspec.json.encode({**own, **fields}))
    return msgspec.json.encode(members)


def raw(value: Any) -> Raw:
    return Raw(msgspec.json.encode(value))


def _object(document: Raw | None) -> dict[str, Raw]:
    if document is None or bytes(document)[:1] != b"{":
        return {}
    return _members(document)


def _is(document: Raw, kind: Any) -> bool:
    try:
        msgspec.json.decode(document, type=kind)
    except _BROKEN:
        return False
    return True

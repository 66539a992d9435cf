"""Two JSON objects as one, member by member, on their bytes.

Only what both have is ever taken apart: every other member stays as it was written, numbers that no machine type
holds and repeated keys within it included. Of a key that stands twice in an object that is taken apart the last
counts, as for every reader.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Raw

MAX_DEPTH: Final = 32
"""Levels that are joined member by member; below, the newer member replaces. Each level reads what is below it once
more: a document that is all nesting would take as many times its length."""

_members = msgspec.json.Decoder(dict[str, Raw]).decode
_encode = msgspec.json.Encoder().encode
_BROKEN: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def merged(under: bytes, over: bytes) -> bytes:
    """`under` with the members of `over`, which win; objects in both are joined likewise. `over` when one is no object.

    Members keep the order of `under`, new ones follow.
    """
    return _merged(under, over, MAX_DEPTH)


def _merged(under: bytes, over: bytes, depth: int) -> bytes:
    if under == over or depth == 0 or under[:1] != b"{" or over[:1] != b"{":
        return over
    try:
        members, others = _members(under), _members(over)
    except _BROKEN:
        return over
    if not others:
        return under
    for key, value in others.items():
        known = members.get(key)
        members[key] = value if known is None else Raw(_merged(bytes(known), bytes(value), depth - 1))
    return _encode(members)

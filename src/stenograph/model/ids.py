"""Ids that sort by the time they were made: UUIDs of version 7 (RFC 9562, section 5.7)."""

from __future__ import annotations

import secrets
from uuid import UUID

from stenograph.model.runs import Micros


def new_id(at: Micros) -> UUID:
    """An id made at that time; those of one microsecond are in no order. The 12 bits after the version hold the
    fraction of the millisecond (RFC 9562, section 6.2, method 3)."""
    milliseconds, rest = divmod(at, 1000)
    number = (milliseconds & (2**48 - 1)) << 80
    number |= 7 << 76
    number |= (rest * 4096 // 1000) << 64
    number |= 2 << 62
    return UUID(int=number | secrets.randbits(62))

"""Julep's request bodies: decoded, and told back where they are wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import msgspec
from msgspec import UNSET, Raw, UnsetType
from starlette.requests import Request

from stenograph.errors import Invalid
from stenograph.wire.http import decode, services
from stenograph.wire.julep.errors import MAX_RECEIVED, BadBody
from stenograph.wire.payloads import Payloads

T = TypeVar("T")

ABSENT: Final = Raw(b"")
"""A member that was not sent. (A union of Raw with None does not decode.)"""


@asynccontextmanager
async def body_as(request: Request, kind: type[T]) -> AsyncIterator[T]:
    """The JSON body as `kind`. What is found wrong with a member inside the block is told with what was received."""
    async with services(request).bodies.read(request) as raw:
        try:
            yield decode(raw, kind)
        except Invalid as error:
            if not error.where or error.where[0] in ("query", "path"):
                raise
            where = tuple(_step(step) for step in error.where[error.where[0] == "body" :])
            raise BadBody(error.message, ("body", *where), _received(raw, where)) from None


def _step(step: str | int) -> str | int:
    """`[0]` of a decoder's path is an index."""
    found = str(step).strip("[]")
    return int(found) if found.isdecimal() and str(step).startswith("[") else found


def _received(raw: bytes, where: tuple[str | int, ...]) -> Any:
    """The value at that place of the body, cut to fit; UNSET for none, as for a body that cannot be read."""
    if not where:
        return UNSET
    try:
        value = msgspec.json.decode(raw)
        for step in where:
            value = value[step]
        shown = msgspec.json.encode(value).decode()
    except (msgspec.DecodeError, LookupError, TypeError, ValueError, RecursionError):
        return UNSET
    return value if len(shown) <= MAX_RECEIVED else f"{shown[:MAX_RECEIVED]}…"


def custom_key(request: Request) -> str:
    """The caller's own key for the model's server; empty when none is sent."""
    return request.headers.get("x-custom-api-key", "").strip()


def json_object(raw: Raw, what: str, payloads: Payloads) -> bytes | UnsetType | None:
    """A member that holds a JSON object of the client's: UNSET when it was not sent, None for null."""
    if not bytes(raw):
        return UNSET
    return payloads.check_values(raw, what, "object")


def metadata_of(raw: Raw, payloads: Payloads) -> bytes | UnsetType:
    """The same for `metadata`, where null is empty."""
    found = json_object(raw, "metadata", payloads)
    return b"{}" if found is None else found


def is_stated(raw: Raw) -> bool:
    """Whether a member was sent, and is not null."""
    return bytes(raw) not in (b"", b"null")

"""What texts and documents of saved objects may be. Callers say where a mistake is in their own terms."""

from __future__ import annotations

from typing import Final

from stenograph.errors import Invalid, TooLarge

MAX_NAME: Final = 200
"""Characters, HoneyHive's own limit."""

MAX_TEXT: Final = 10_000
MAX_LIST: Final = 1000
MAX_DOCUMENT: Final = 1 << 20
"""Bytes of a document in the metadata store."""


def check_name(name: str, field: str = "name") -> None:
    """Invalid unless it has 1 to MAX_NAME characters."""
    check_text(name, field, MAX_NAME, least=1)


def check_text(text: str | None, field: str, most: int = MAX_TEXT, *, least: int = 0) -> None:
    """Invalid for what is longer or shorter, or has NUL, which the metadata store cannot hold."""
    if text is None:
        return
    if not least <= len(text) <= most:
        bounds = f"{least} to {most}" if least else f"at most {most}"
        raise Invalid(f"{field} has {bounds} characters", (field,))
    if "\0" in text:
        raise Invalid(f"{field} must not contain the NUL character", (field,))


def check_texts(texts: tuple[str, ...], field: str) -> None:
    """The same for each of a list."""
    if len(texts) > MAX_LIST:
        raise Invalid(f"{field} has at most {MAX_LIST} members", (field,))
    for text in texts:
        check_text(text, field, MAX_NAME)


def check_document(document: bytes | None, field: str) -> None:
    """TooLarge for a document beyond MAX_DOCUMENT; its JSON has been checked on its way in."""
    if document is not None and len(document) > MAX_DOCUMENT:
        raise TooLarge(f"{field} has {len(document)} bytes, over the limit of {MAX_DOCUMENT}")

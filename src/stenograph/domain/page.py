"""What the page needs beside the services of the nouns: sign-ins, and a reader of the filter language.

A sign-in is the API key itself, sealed for one browser (AES and HMAC with the time inside: Fernet). Nothing is
stored, a key that is revoked ends its sign-ins at once, and what the browser keeps opens nothing but the page: see
docs/decisions/120-sign-ins-are-sealed-keys.md.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeAlias

from stenograph.domain.deriving import derived
from stenograph.model.filters import Filter

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

SIGNED_IN_SECONDS: Final = 30 * 24 * 3600
"""How long a browser stays signed in."""

FilterReader: TypeAlias = "Callable[[str, str], Filter]"
"""Text of LangSmith's filter language to its meaning; the second argument names where the text came in. Invalid,
with the position, for a text that means nothing."""


class SignIns:
    """Seals keys and opens them again. `secret` is the data folder's."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @cached_property
    def _fernet(self) -> Fernet:
        from cryptography.fernet import Fernet

        return Fernet(base64.urlsafe_b64encode(derived(self._secret, b"stenograph sign-ins 1")))

    def seal(self, key: str) -> str:
        """What the browser keeps: letters, digits, - _ and =."""
        return self._fernet.encrypt(key.encode(errors="surrogatepass")).decode()

    def open(self, sealed: str) -> str | None:
        """The key; None when it was not sealed here, was tampered with, or is older than SIGNED_IN_SECONDS."""
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet.decrypt(sealed.encode(errors="replace"), ttl=SIGNED_IN_SECONDS).decode(
                errors="surrogatepass"
            )
        except InvalidToken:
            return None


@dataclass(frozen=True, slots=True)
class Page:
    """Both, in one value."""

    sign_ins: SignIns
    read_filter: FilterReader

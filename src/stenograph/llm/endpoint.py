"""Where a model is asked: the operator's server, or one that a workspace or a single call names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from stenograph.errors import Invalid
from stenograph.settings import Settings

OPENAI: Final = "https://api.openai.com/v1"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpenAI-compatible server. `base_url` ends where `/chat/completions` is put behind it.

    `model` is asked where a request names none; empty: every request has to. `trusted`: the operator has set it up,
    so that it may be on localhost or in a private network; all others have to be public (see outbound.py).
    """

    base_url: str
    api_key: str = field(default="", repr=False)
    model: str = ""
    trusted: bool = False

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.base_url)
            fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            fine = False
        if not fine or not self.base_url.isprintable():
            raise Invalid(f"{self.base_url[:100]!r} is not the address of a model's server, such as {OPENAI}")
        if not self.api_key.isascii() or not self.api_key.isprintable():
            raise Invalid("an API key has visible ASCII characters only")

    @property
    def host(self) -> str:
        """For messages: nothing of a path or query, which may hold secrets."""
        return urlsplit(self.base_url).hostname or ""


def of_operator(settings: Settings) -> Endpoint | None:
    """What the settings say; None when they say nothing of a model's server."""
    if not settings.llm_base_url and not settings.llm_api_key:
        return None
    return Endpoint(
        settings.llm_base_url or OPENAI, settings.llm_api_key, model=settings.llm_model, trusted=True
    )

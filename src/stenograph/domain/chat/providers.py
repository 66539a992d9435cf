"""Whom a chat asks: the caller's key, the workspace's own server, or the operator's."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from stenograph.domain.conversations.secrets import Secrets
from stenograph.llm.client import Models
from stenograph.llm.endpoint import OPENAI, Endpoint

BASE_URL: Final = "STENOGRAPH_LLM_BASE_URL"
API_KEY: Final = "STENOGRAPH_LLM_API_KEY"
OPENAI_URL: Final = "OPENAI_BASE_URL"
OPENAI_KEY: Final = "OPENAI_API_KEY"
"""Secrets that say where a workspace asks, by the names that the same settings of a server have."""
_NAMES: Final = (BASE_URL, API_KEY, OPENAI_URL, OPENAI_KEY)


class Providers:
    """Finds the endpoint of a call. `private` are hosts with ports that may be asked although they are not public."""

    def __init__(self, models: Models, secrets: Secrets, private: frozenset[str]) -> None:
        self._models = models
        self._secrets = secrets
        self._private = private

    async def endpoint(self, workspace: UUID, own_key: str = "") -> Endpoint:
        """A workspace's secrets win over the server's settings, the caller's own key over both their keys. A key
        without an address goes where its name says: OPENAI_API_KEY to OpenAI, others to the operator's server, or to
        OpenAI when there is none. ModelRefused, naming the settings, when nothing says where."""
        own = await self._secrets.reveal_all(workspace, _NAMES)
        url, key, openai_url, openai_key = map(own.get, _NAMES)
        if url:
            return self._own(url, own_key or key or "")
        if key:
            return self._operators(own_key or key)
        if openai_url or openai_key:
            return self._own(openai_url or OPENAI, own_key or openai_key or "")
        return self._operators(own_key) if own_key else self._models.endpoint()

    def _operators(self, key: str) -> Endpoint:
        """The operator's server with another key."""
        if self._models.problem is not None:
            return Endpoint(OPENAI, key)
        found = self._models.endpoint()
        return Endpoint(found.base_url, key, found.model, found.trusted)

    def _own(self, url: str, key: str) -> Endpoint:
        return Endpoint(url, key, trusted=is_private(url, self._private))


def hosts(setting: str) -> frozenset[str]:
    """`localhost:8000, api.internal:443` as a set."""
    return frozenset(each.strip().lower() for each in setting.split(",") if each.strip())


def is_private(url: str, allowed: frozenset[str]) -> bool:
    """Whether the operator lets this address be asked although it need not be public."""
    parts = urlsplit(url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return False
    return f"{parts.hostname or ''}:{port}".lower() in allowed

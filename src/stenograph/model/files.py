"""Files: bytes that clients keep here. The bytes are a blob; this is what is known of them."""

from __future__ import annotations

from uuid import UUID

import msgspec

from stenograph.model.projects import DEFAULT_PROJECT
from stenograph.model.runs import Micros


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file. `hash` is the SHA-256 of its bytes in hexadecimal, `size` their number; `project` as for agents."""

    id: UUID
    workspace: UUID
    name: str
    size: int
    hash: str
    created_at: Micros
    description: str = ""
    mime_type: str | None = None
    project: UUID | None = None
    project_name: str = DEFAULT_PROJECT

    @property
    def key(self) -> str:
        """Where its bytes are."""
        return f"files/{self.workspace}/{self.id}"

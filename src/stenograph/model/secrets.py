"""Secrets: values that the server may use for a workspace and tells nobody."""

from __future__ import annotations

from uuid import UUID

import msgspec

from stenograph.model.runs import Micros


class Secret(msgspec.Struct, frozen=True, kw_only=True):
    """A secret as stored: `sealed` is its value, encrypted. `name` is unique in the workspace, `metadata` the
    client's JSON object."""

    id: UUID
    workspace: UUID
    name: str
    sealed: bytes
    created_at: Micros
    updated_at: Micros
    description: str | None = None
    metadata: bytes = b"{}"

"""Agents and users for docs to belong to."""

from __future__ import annotations

from uuid import uuid4

from stenograph.model.docs import Owner, OwnerKind
from stenograph.store.meta.database import Database


async def owner_in(meta: Database, kind: OwnerKind) -> Owner:
    return Owner(kind, uuid4())

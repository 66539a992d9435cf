"""What people are called: members by their name, keys that belong to nobody by the key's."""

from __future__ import annotations

from uuid import UUID

from stenograph.model.access import Caller
from stenograph.store.api import MetaStore


async def names(meta: MetaStore, workspace: UUID) -> dict[UUID, str]:
    """By the ids that `Caller.person` has. Removed members and revoked keys keep their names."""
    keys = {key.id: key.name for key in await meta.keys.all(workspace) if key.holder is None}
    return keys | {member.id: member.name for member in await meta.members.all(workspace)}


async def name_of(meta: MetaStore, who: Caller) -> str | None:
    """None where nobody is told from anybody."""
    if who.member_id is not None:
        member = await meta.members.read(who.workspace, who.member_id)
        return None if member is None else member.name
    return None if who.key_id is None else (await names(meta, who.workspace)).get(who.key_id)

"""Agents and users for docs to belong to."""

from __future__ import annotations

from stenograph.domain.conversations.agents import Agents, Users
from stenograph.model.access import DEFAULT_WORKSPACE
from stenograph.model.agents import AgentPatch, UserPatch
from stenograph.model.docs import Owner, OwnerKind
from stenograph.store.meta.database import Database


async def owner_in(meta: Database, kind: OwnerKind) -> Owner:
    if kind is OwnerKind.AGENT:
        return Owner(kind, (await Agents(meta).create(DEFAULT_WORKSPACE, AgentPatch(name="Ada"))).id)
    return Owner(kind, (await Users(meta).create(DEFAULT_WORKSPACE, UserPatch(name="Bob"))).id)

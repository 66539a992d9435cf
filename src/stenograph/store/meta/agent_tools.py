"""The tools of agents in the metadata store; they are deleted with their agent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from stenograph.errors import Conflict
from stenograph.model.agents import AgentTool, ToolPatch, ToolType
from stenograph.model.listing import ListQuery
from stenograph.model.runs import Micros
from stenograph.store.meta import tables
from stenograph.store.meta.engine import Engine

_A: Final = tables.agents.c
_T: Final = tables.agent_tools.c


class AgentTools:
    """Implements `store.api.AgentTools`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def create(self, tool: AgentTool) -> bool:
        return await self._engine.write(lambda connection: _create(connection, tool))

    async def read(self, workspace: UUID, agent_id: UUID, tool_id: UUID) -> AgentTool | None:
        return await self._engine.read(lambda connection: _read(connection, workspace, agent_id, tool_id))

    async def find(self, agent_id: UUID, query: ListQuery) -> list[AgentTool]:
        assert not query.tests, "tools have no metadata"
        order = (_T[query.sort.value], _T.id)
        wanted = (
            sa.select(tables.agent_tools)
            .where(_T.workspace_id == query.workspace, _T.agent_id == agent_id)
            .order_by(*(each.desc() if query.descending else each for each in order))
            .offset(query.offset)
            .limit(query.limit)
        )
        rows = await self._engine.rows(wanted)
        return [from_row(row) for row in rows]

    async def update(
        self, workspace: UUID, agent_id: UUID, tool_id: UUID, patch: ToolPatch, at: Micros
    ) -> AgentTool | None:
        def work(connection: sa.Connection) -> AgentTool | None:
            before = _read(connection, workspace, agent_id, tool_id, lock=True)
            if before is None:
                return None
            after = patch.apply(before, at)
            _refuse_taken_name(connection, after)
            connection.execute(
                sa.update(tables.agent_tools)
                .where(_T.workspace_id == workspace, _T.id == tool_id)
                .values(to_row(after))
            )
            return after

        return await self._engine.write(work)

    async def delete(self, workspace: UUID, agent_id: UUID, tool_id: UUID) -> bool:
        gone = sa.delete(tables.agent_tools).where(
            _T.workspace_id == workspace, _T.agent_id == agent_id, _T.id == tool_id
        )
        return await self._engine.change(gone) > 0


def tools_of(
    connection: sa.Connection, workspace: UUID, agents: Sequence[UUID]
) -> dict[UUID, tuple[AgentTool, ...]]:
    """The tools of each of these that has any, oldest first."""
    wanted = (
        sa.select(tables.agent_tools)
        .where(_T.workspace_id == workspace, _T.agent_id.in_(agents))
        .order_by(_T.created_at, _T.id)
    )
    found: dict[UUID, tuple[AgentTool, ...]] = {}
    for row in connection.execute(wanted):
        found[row.agent_id] = (*found.get(row.agent_id, ()), from_row(row))
    return found


def _read(
    connection: sa.Connection, workspace: UUID, agent_id: UUID, tool_id: UUID, *, lock: bool = False
) -> AgentTool | None:
    wanted = sa.select(tables.agent_tools).where(
        _T.workspace_id == workspace, _T.agent_id == agent_id, _T.id == tool_id
    )
    row = connection.execute(wanted.with_for_update() if lock else wanted).one_or_none()
    return None if row is None else from_row(row)


def _create(connection: sa.Connection, tool: AgentTool) -> bool:
    agent = sa.select(_A.id).where(_A.workspace_id == tool.workspace, _A.id == tool.agent)
    # Locked, so that the agent cannot be deleted around its new tool.
    if connection.execute(agent.with_for_update(key_share=True)).first() is None:
        return False
    _refuse_taken_name(connection, tool)
    connection.execute(sa.insert(tables.agent_tools).values(to_row(tool)))
    return True


def _refuse_taken_name(connection: sa.Connection, tool: AgentTool) -> None:
    same = sa.select(_T.id).where(
        _T.workspace_id == tool.workspace,
        _T.agent_id == tool.agent,
        _T.name == tool.name,
        _T.id != tool.id,
    )
    if connection.execute(same).first():
        raise Conflict(f"This agent has a tool named {tool.name!r} already.")


def to_row(tool: AgentTool) -> dict[str, Any]:
    row = msgspec.structs.asdict(tool)
    row["workspace_id"] = row.pop("workspace")
    row["agent_id"] = row.pop("agent")
    row["type"] = tool.type.value
    return row


def from_row(row: sa.Row[Any]) -> AgentTool:
    return AgentTool(
        id=row.id,
        workspace=row.workspace_id,
        agent=row.agent_id,
        name=row.name,
        type=ToolType(row.type),
        created_at=row.created_at,
        updated_at=row.updated_at,
        description=row.description,
        definition=row.definition,
    )

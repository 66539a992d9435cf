"""Agents in the metadata store. Their tools: agent_tools.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from stenograph.errors import Conflict
from stenograph.model.agents import Agent
from stenograph.model.docs import Owner, OwnerKind
from stenograph.model.projects import DEFAULT_PROJECT
from stenograph.store.meta import tables
from stenograph.store.meta.docs import delete_of_owner
from stenograph.store.meta.listed import Listed, Noun
from stenograph.store.meta.projects import CANONICAL_NAME, is_project

_T: Final = tables.agents.c

_texts: Final = msgspec.json.Decoder(tuple[str, ...])


def _rows(workspace: UUID) -> sa.Select[Any]:
    return (
        sa.select(tables.agents, CANONICAL_NAME.label("project_name"))
        .outerjoin(tables.projects, is_project(_T.workspace_id, _T.project_id))
        .where(_T.workspace_id == workspace)
    )


def _check(connection: sa.Connection, agent: Agent) -> Agent:
    same = sa.select(_T.id).where(
        _T.workspace_id == agent.workspace, _T.canonical_name == agent.canonical_name, _T.id != agent.id
    )
    if connection.execute(same).first():
        raise Conflict(f"An agent with the canonical name {agent.canonical_name!r} already exists.")
    return agent


def _forget(connection: sa.Connection, agent: Agent) -> None:
    delete_of_owner(connection, agent.workspace, Owner(OwnerKind.AGENT, agent.id))


def _to_row(agent: Agent) -> dict[str, Any]:
    row = msgspec.structs.asdict(agent)
    del row["project_name"]
    row["workspace_id"] = row.pop("workspace")
    row["project_id"] = row.pop("project")
    row["instructions"] = msgspec.json.encode(agent.instructions)
    return row


def _from_rows(_: sa.Connection, workspace: UUID, rows: Sequence[sa.Row[Any]]) -> list[Agent]:
    return [_from_row(workspace, row) for row in rows]


def _from_row(workspace: UUID, row: sa.Row[Any]) -> Agent:
    return Agent(
        id=row.id,
        workspace=workspace,
        name=row.name,
        canonical_name=row.canonical_name,
        created_at=row.created_at,
        updated_at=row.updated_at,
        about=row.about,
        model=row.model,
        instructions=_texts.decode(row.instructions),
        default_settings=row.default_settings,
        default_system_template=row.default_system_template,
        metadata=row.metadata,
        project=None if row.project_name is None else row.project_id,
        project_name=row.project_name or DEFAULT_PROJECT,
    )


AGENT: Final[Noun[Agent]] = Noun(
    table=tables.agents,
    called="An agent",
    rows=_rows,
    to_row=_to_row,
    from_rows=_from_rows,
    check=_check,
    forget=_forget,
)


class Agents(Listed[Agent]):
    """Implements `store.api.Agents`."""

    noun = AGENT

"""Configurations in the metadata store."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from msgspec import UNSET

from stenograph.errors import NotFound
from stenograph.model.configurations import (
    Configuration,
    ConfigurationPatch,
    ConfigurationQuery,
    ConfigurationType,
)
from stenograph.model.runs import Micros
from stenograph.store.meta import tables
from stenograph.store.meta.engine import Engine

_T = tables.configurations.c
_TEXTS: Final = msgspec.json.Decoder(tuple[str, ...])


class Configurations:
    """Implements `store.api.Configurations`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def create(self, configuration: Configuration) -> None:
        def work(connection: sa.Connection) -> None:
            hold_project(connection, configuration.workspace, configuration.project_id)
            connection.execute(sa.insert(tables.configurations).values(to_row(configuration)))

        await self._engine.write(work)

    async def find(self, query: ConfigurationQuery) -> list[Configuration]:
        wanted = sa.select(tables.configurations).where(_T.workspace_id == query.workspace)
        if query.name is not None:
            wanted = wanted.where(_T.name == query.name)
        if query.project_id is not None:
            wanted = wanted.where(sa.or_(_T.project_id == query.project_id, _T.project_id.is_(None)))
        wanted = wanted.order_by(_T.created_at, _T.id)
        rows = await self._engine.rows(wanted)
        # The engines have no common way of looking into a list, and there are few of these.
        found = (from_row(row) for row in rows)
        return [
            each
            for each in found
            if (query.env is None or query.env in each.env) and set(query.tags) <= set(each.tags)
        ]

    async def update(
        self, workspace: UUID, configuration_id: UUID, patch: ConfigurationPatch, at: Micros
    ) -> Configuration | None:
        this = (_T.workspace_id == workspace, _T.id == configuration_id)

        def work(connection: sa.Connection) -> Configuration | None:
            here = sa.select(tables.configurations).where(*this).with_for_update()
            row = connection.execute(here).one_or_none()
            if row is None:
                return None
            stated = {
                field: value for field, value in msgspec.structs.asdict(patch).items() if value is not UNSET
            }
            after: Configuration = msgspec.structs.replace(from_row(row), **stated, updated_at=at)
            if "project_id" in stated:
                hold_project(connection, workspace, after.project_id)
            connection.execute(sa.update(tables.configurations).where(*this).values(to_row(after)))
            return after

        return await self._engine.write(work)

    async def delete(self, workspace: UUID, configuration_id: UUID) -> bool:
        gone = sa.delete(tables.configurations).where(_T.workspace_id == workspace, _T.id == configuration_id)
        return await self._engine.change(gone) > 0


def hold_project(connection: sa.Connection, workspace: UUID, project_id: UUID | None) -> None:
    """NotFound unless the project is there; locked, so that it cannot be deleted around what is its own."""
    if project_id is None:
        return
    projects = tables.projects.c
    wanted = sa.select(projects.id).where(
        projects.workspace_id == workspace, projects.id == project_id, tables.LIVE
    )
    if connection.execute(wanted.with_for_update(key_share=True)).first() is None:
        raise NotFound(f"There is no project {project_id}.")


def to_row(configuration: Configuration) -> dict[str, Any]:
    row = msgspec.structs.asdict(configuration)
    row["workspace_id"] = row.pop("workspace")
    row["type"] = configuration.type.value
    row["env"] = msgspec.json.encode(configuration.env)
    row["tags"] = msgspec.json.encode(configuration.tags)
    return row


def from_row(row: sa.Row[Any]) -> Configuration:
    return Configuration(
        id=row.id,
        workspace=row.workspace_id,
        name=row.name,
        provider=row.provider,
        parameters=row.parameters,
        created_at=row.created_at,
        type=ConfigurationType(row.type),
        project_id=row.project_id,
        env=_TEXTS.decode(row.env),
        tags=_TEXTS.decode(row.tags),
        user_properties=row.user_properties,
        updated_at=row.updated_at,
    )

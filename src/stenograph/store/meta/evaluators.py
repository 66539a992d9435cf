"""Evaluators and their versions in the metadata store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from stenograph.errors import Conflict
from stenograph.model.evaluators import Definition, Evaluator, EvaluatorType, Version
from stenograph.model.runs import Micros
from stenograph.store.meta import tables
from stenograph.store.meta.engine import Engine

_E = tables.evaluators.c
_V = tables.evaluator_versions.c

_definition = msgspec.json.Decoder(Definition).decode

_OF_VERSION = (
    _V.id.label("version_id"),
    _V.number,
    _V.message,
    _V.definition,
    _V.created_at.label("version_created_at"),
)


class Evaluators:
    """Implements `store.api.Evaluators`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def create(self, evaluator: Evaluator) -> None:
        def work(connection: sa.Connection) -> None:
            _refuse_taken_name(connection, evaluator.live, evaluator.project)
            connection.execute(sa.insert(tables.evaluators).values(to_row(evaluator)))
            connection.execute(sa.insert(tables.evaluator_versions).values(version_row(evaluator.live)))

        await self._engine.write(work)

    async def read(self, workspace: UUID, evaluator_id: UUID) -> Evaluator | None:
        found = await self.find(workspace, [evaluator_id])
        return found[0] if found else None

    async def find(
        self,
        workspace: UUID,
        ids: Sequence[UUID] | None = None,
        kind: EvaluatorType | None = None,
        project: str | None = None,
    ) -> list[Evaluator]:
        wanted = _live().where(_E.workspace_id == workspace)
        if ids is not None:
            wanted = wanted.where(_E.id.in_(ids))
        if kind is not None:
            wanted = wanted.where(_E.type == kind.value)
        if project is not None:
            wanted = wanted.where(_E.project.in_(("", project)))
        return await self._all(wanted.order_by(_E.created_at, _E.id))

    async def enabled(self, workspace: UUID | None = None) -> list[Evaluator]:
        wanted = _live().where(_E.enabled)
        if workspace is not None:
            wanted = wanted.where(_E.workspace_id == workspace)
        return await self._all(wanted.order_by(_E.workspace_id, _E.created_at, _E.id))

    async def _all(self, wanted: sa.Select[Any]) -> list[Evaluator]:
        rows = await self._engine.rows(wanted)
        return [from_row(row) for row in rows]

    async def versions(self, workspace: UUID, evaluator_id: UUID) -> list[Version]:
        wanted = (
            sa.select(*_OF_VERSION, _V.workspace_id, _V.evaluator_id)
            .where(_V.workspace_id == workspace, _V.evaluator_id == evaluator_id)
            .order_by(_V.number)
        )
        rows = await self._engine.rows(wanted)
        return [version_from(row, row.evaluator_id) for row in rows]

    async def named(self, workspace: UUID, version_ids: Sequence[UUID]) -> Mapping[UUID, Evaluator]:
        wanted = (
            sa.select(*_E, *_OF_VERSION)
            .join(tables.evaluator_versions, _same_evaluator())
            .where(_V.workspace_id == workspace, _V.id.in_(version_ids))
        )
        found = await self._all(wanted)
        return {evaluator.live.id: evaluator for evaluator in found}

    async def add(self, version: Version, *, deploy: bool) -> Version | None:
        def work(connection: sa.Connection) -> Version | None:
            row = _locked(connection, version.workspace, version.evaluator_id)
            if row is None:
                return None
            newest = sa.select(sa.func.max(_V.number)).where(*_of(version.workspace, version.evaluator_id))
            number = (connection.execute(newest).scalar_one() or 0) + 1
            added = msgspec.structs.replace(version, number=number)
            connection.execute(sa.insert(tables.evaluator_versions).values(version_row(added)))
            if deploy:
                _make_live(connection, added, row.project, added.created_at)
            return added

        return await self._engine.write(work)

    async def deploy(self, workspace: UUID, evaluator_id: UUID, number: int, at: Micros) -> Version | None:
        wanted = sa.select(*_OF_VERSION, _V.workspace_id).where(
            *_of(workspace, evaluator_id), _V.number == number
        )

        def work(connection: sa.Connection) -> Version | None:
            row = _locked(connection, workspace, evaluator_id)
            found = connection.execute(wanted).one_or_none()
            if row is None or found is None:
                return None
            version = version_from(found, evaluator_id)
            _make_live(connection, version, row.project, at)
            return version

        return await self._engine.write(work)

    async def delete(self, workspace: UUID, evaluator_id: UUID) -> bool:
        gone = sa.delete(tables.evaluators).where(_E.workspace_id == workspace, _E.id == evaluator_id)
        return await self._engine.change(gone) > 0


def _of(workspace: UUID, evaluator_id: UUID) -> tuple[sa.ColumnElement[bool], ...]:
    return _V.workspace_id == workspace, _V.evaluator_id == evaluator_id


def _same_evaluator() -> sa.ColumnElement[bool]:
    return sa.and_(_V.workspace_id == _E.workspace_id, _V.evaluator_id == _E.id)


def _live() -> sa.Select[Any]:
    joined = sa.and_(_same_evaluator(), _V.id == _E.live_version_id)
    return sa.select(*_E, *_OF_VERSION).join(tables.evaluator_versions, joined)


def _locked(connection: sa.Connection, workspace: UUID, evaluator_id: UUID) -> sa.Row[Any] | None:
    """The evaluator's row, so that its versions get numbers one after another."""
    wanted = sa.select(tables.evaluators).where(_E.workspace_id == workspace, _E.id == evaluator_id)
    return connection.execute(wanted.with_for_update()).one_or_none()


def _refuse_taken_name(connection: sa.Connection, live: Version, project: str) -> None:
    same = sa.select(_E.id).where(
        _E.workspace_id == live.workspace,
        _E.project == project,
        _E.name == live.definition.name,
        _E.id != live.evaluator_id,
    )
    if connection.execute(same).first():
        raise Conflict(f"A metric of the name {live.definition.name!r} already exists.")


def _make_live(connection: sa.Connection, version: Version, project: str, at: Micros) -> None:
    _refuse_taken_name(connection, version, project)
    connection.execute(
        sa.update(tables.evaluators)
        .where(_E.workspace_id == version.workspace, _E.id == version.evaluator_id)
        .values(**_of_live(version), updated_at=at)
    )


def _of_live(version: Version) -> dict[str, Any]:
    """What an evaluator's row repeats of its live version."""
    return {
        "name": version.definition.name,
        "type": version.definition.type.value,
        "enabled": version.definition.runs_by_itself,
        "live_version_id": version.id,
    }


def to_row(evaluator: Evaluator) -> dict[str, Any]:
    return {
        "workspace_id": evaluator.workspace,
        "id": evaluator.id,
        "project": evaluator.project,
        "created_at": evaluator.created_at,
        "updated_at": evaluator.updated_at,
        **_of_live(evaluator.live),
    }


def version_row(version: Version) -> dict[str, Any]:
    return {
        "workspace_id": version.workspace,
        "id": version.id,
        "evaluator_id": version.evaluator_id,
        "number": version.number,
        "message": version.message,
        "definition": msgspec.json.encode(version.definition),
        "created_at": version.created_at,
    }


def version_from(row: Any, evaluator_id: UUID) -> Version:
    return Version(
        id=row.version_id,
        workspace=row.workspace_id,
        evaluator_id=evaluator_id,
        number=row.number,
        message=row.message,
        created_at=row.version_created_at,
        definition=_definition(row.definition),
    )


def from_row(row: sa.Row[Any]) -> Evaluator:
    return Evaluator(
        id=row.id,
        workspace=row.workspace_id,
        project=row.project,
        created_at=row.created_at,
        updated_at=row.updated_at,
        live=version_from(row, row.id),
    )

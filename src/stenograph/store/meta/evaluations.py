"""Evaluations in the metadata store, each read together with its project."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from stenograph.model.evaluations import (
    Evaluation,
    EvaluationPatch,
    EvaluationQuery,
    EvaluationSort,
    EvaluationStatus,
    Experiment,
)
from stenograph.model.runs import Micros
from stenograph.store.meta import dialect, projects, tables
from stenograph.store.meta.engine import Engine

_T = tables.evaluations.c
_P = tables.projects.c
_TEXTS: Final = msgspec.json.Decoder(tuple[str, ...])

_BESIDE: Final = tables.projects.outerjoin(
    tables.evaluations, (_T.workspace_id == _P.workspace_id) & (_T.project_id == _P.id)
)
_IS_ONE: Final = _T.project_id.is_not(None) | _P.reference_dataset_id.is_not(None)

# What an evaluation calls itself holds until its project is renamed: see Experiment.name.
_AS_NAMED: Final = _T.project_name == _P.name
_NAME: Final = sa.case((_AS_NAMED, _T.name), else_=_P.name)
_NAME_FOLDED: Final = sa.case((_AS_NAMED, _T.name_folded), else_=_P.name_folded)
_status: Final = sa.case(
    (_T.status.is_not(None), _T.status),
    (_P.end_time.is_(None), EvaluationStatus.RUNNING.value),
    else_=EvaluationStatus.COMPLETED.value,
)
_MODIFIED: Final = sa.case((_T.modified_at > _P.modified_at, _T.modified_at), else_=_P.modified_at)

_ORDERS: Final[dict[EvaluationSort, sa.ColumnElement[Any]]] = {
    EvaluationSort.CREATED_AT: _P.created_at,
    EvaluationSort.UPDATED_AT: _MODIFIED,
    EvaluationSort.NAME: _NAME,
    EvaluationSort.STATUS: _status,
}


class Evaluations:
    """Implements `store.api.Evaluations`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def create(self, experiment: Experiment) -> Experiment:
        return await self._engine.write(lambda connection: _create(connection, experiment))

    async def read(self, workspace: UUID, project_id: UUID) -> Experiment | None:
        wanted = _live(workspace).where(_P.id == project_id)
        row = await self._engine.row(wanted)
        return None if row is None else from_row(row)

    async def find(self, query: EvaluationQuery) -> list[Experiment]:
        order = (_ORDERS[query.sort], _P.id)
        wanted = _live(query.workspace).where(*_matching(query))
        wanted = wanted.order_by(*(each.desc() if query.descending else each for each in order))
        wanted = wanted.offset(query.offset).limit(query.limit)
        rows = await self._engine.rows(wanted)
        return [from_row(row) for row in rows]

    async def count(self, query: EvaluationQuery) -> int:
        wanted = _live(query.workspace, sa.func.count()).where(*_matching(query))
        return int(await self._engine.read(lambda connection: connection.execute(wanted).scalar_one()))

    async def within(self, workspace: UUID, project_id: UUID, *, or_none: bool = False) -> list[UUID]:
        named = _in_name_of(project_id) if or_none else _T.within_id == project_id
        wanted = _live(workspace, _P.id).where(_T.project_id.is_not(None), named)
        return await self._engine.read(lambda connection: list(connection.execute(wanted).scalars()))

    async def claim(self, workspace: UUID, project_id: UUID, within: UUID) -> None:
        unnamed = (_T.workspace_id == workspace, _T.project_id == project_id, _T.within_id.is_(None))
        await self._engine.change(sa.update(tables.evaluations).where(*unnamed).values(within_id=within))

    async def any(self, workspace: UUID) -> bool:
        wanted = _live(workspace, _P.id).limit(1)
        return await self._engine.read(lambda connection: connection.execute(wanted).first()) is not None

    async def update(
        self, workspace: UUID, project_id: UUID, patch: EvaluationPatch, at: Micros
    ) -> Experiment | None:
        return await self._engine.write(
            lambda connection: _update(connection, workspace, project_id, patch, at)
        )


def _live(workspace: UUID, *columns: Any) -> sa.Select[Any]:
    """The experiments of a workspace; all of their columns, an evaluation's under names of their own."""
    chosen = columns or (tables.projects, *(column.label(f"said_{column.name}") for column in _T))
    return sa.select(*chosen).select_from(_BESIDE).where(_P.workspace_id == workspace, tables.LIVE, _IS_ONE)


def _matching(query: EvaluationQuery) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if query.ids is not None:
        conditions.append(_P.id.in_(query.ids))
    if query.dataset is not None:
        conditions.append(_over(query.dataset))
    if query.within is not None:
        conditions.append(_in_name_of(query.within))
    if query.name_contains is not None:
        conditions.append(dialect.inside(_NAME_FOLDED, query.name_contains.casefold(), "name"))
    if query.status is not None:
        conditions.append(_status == query.status.value)
    if query.since is not None:
        conditions.append(_P.created_at >= query.since)
    if query.until is not None:
        conditions.append(_P.created_at <= query.until)
    return conditions


def _over(dataset: str) -> sa.ColumnElement[bool]:
    try:
        ours = UUID(dataset)
    except ValueError:
        return _T.dataset == dataset
    return (_P.reference_dataset_id == ours) | (_T.dataset == dataset)


def _in_name_of(project_id: UUID) -> sa.ColumnElement[bool]:
    return _T.within_id.is_(None) | (_T.within_id == project_id)


def _create(connection: sa.Connection, experiment: Experiment) -> Experiment:
    project = projects.add(connection, experiment.project)
    if experiment.evaluation is not None:
        connection.execute(sa.insert(tables.evaluations).values(to_row(experiment.evaluation)))
    return msgspec.structs.replace(experiment, project=project)


def _update(
    connection: sa.Connection, workspace: UUID, project_id: UUID, patch: EvaluationPatch, at: Micros
) -> Experiment | None:
    # The project's row is taken: of two changes at once the second one builds on the first.
    held = sa.select(_P.id).where(_P.workspace_id == workspace, _P.id == project_id).with_for_update()
    connection.execute(held)
    row = connection.execute(_live(workspace).where(_P.id == project_id)).one_or_none()
    if row is None:
        return None
    before = from_row(row)
    after = before.changed(patch, at)
    assert after.evaluation is not None
    project = projects.replace(connection, before.project, after.project)
    said = to_row(after.evaluation)
    connection.execute(
        dialect.insert(connection, tables.evaluations)
        .values(said)
        .on_conflict_do_update(index_elements=[_T.workspace_id, _T.project_id], set_=said)
    )
    return msgspec.structs.replace(after, project=project)


def to_row(evaluation: Evaluation) -> dict[str, Any]:
    row = msgspec.structs.asdict(evaluation)
    row["workspace_id"] = row.pop("workspace")
    row["name_folded"] = evaluation.name.casefold()
    row["status"] = evaluation.status.value
    for field in ("event_ids", "session_ids", "datapoint_ids"):
        row[field] = None if row[field] is None else msgspec.json.encode(row[field])
    return row


def from_row(row: sa.Row[Any]) -> Experiment:
    project = projects.from_row(row)
    if row.said_project_id is None:
        return Experiment(project=project)
    said = {column.name: getattr(row, f"said_{column.name}") for column in _T}
    del said["workspace_id"], said["name_folded"]
    for field in ("event_ids", "session_ids", "datapoint_ids"):
        said[field] = None if said[field] is None else _TEXTS.decode(said[field])
    said["status"] = EvaluationStatus(said["status"])
    return Experiment(project=project, evaluation=Evaluation(workspace=row.workspace_id, **said))

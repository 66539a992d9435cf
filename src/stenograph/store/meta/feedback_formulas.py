"""Feedback formulas in the metadata store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from stenograph.errors import Conflict, NotFound
from stenograph.model.feedback_formulas import Aggregation, FeedbackFormula, Formula, FormulaPart
from stenograph.model.runs import Micros
from stenograph.store.meta import dialect, tables
from stenograph.store.meta.engine import Engine

_T = tables.feedback_formulas.c
_P = tables.projects.c
_D = tables.datasets.c

_parts = msgspec.json.Decoder(tuple[FormulaPart, ...]).decode


class FeedbackFormulas:
    """Implements `store.api.FeedbackFormulas`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def create(self, formula: FeedbackFormula) -> None:
        await self._engine.write(lambda connection: _create(connection, formula))

    async def read(self, workspace: UUID, formula_id: UUID) -> FeedbackFormula | None:
        wanted = _one(workspace, formula_id)
        row = await self._engine.row(wanted)
        return None if row is None else from_row(row)

    async def page(
        self,
        workspace: UUID,
        dataset: UUID | None = None,
        project: UUID | None = None,
        offset: int = 0,
        limit: int | None = None,
    ) -> list[FeedbackFormula]:
        wanted = sa.select(tables.feedback_formulas).where(_T.workspace_id == workspace)
        if dataset is not None:
            wanted = wanted.where(_T.dataset_id == dataset)
        if project is not None:
            wanted = wanted.where(_T.project_id == project)
        wanted = wanted.order_by(_T.created_at, _T.id).offset(offset).limit(limit)
        rows = await self._engine.rows(wanted)
        return [from_row(row) for row in rows]

    async def replace(
        self, workspace: UUID, formula_id: UUID, formula: Formula, at: Micros
    ) -> FeedbackFormula | None:
        return await self._engine.write(
            lambda connection: _replace(connection, workspace, formula_id, formula, at)
        )

    async def delete(self, workspace: UUID, formula_id: UUID) -> bool:
        gone = sa.delete(tables.feedback_formulas).where(_T.workspace_id == workspace, _T.id == formula_id)
        return await self._engine.change(gone) > 0

    async def of_projects(
        self, workspace: UUID, projects: Sequence[UUID] | None = None
    ) -> Mapping[UUID, Sequence[FeedbackFormula]]:
        return await self._engine.read(lambda connection: _of_projects(connection, workspace, projects))


def _one(workspace: UUID, formula_id: UUID) -> sa.Select[Any]:
    return sa.select(tables.feedback_formulas).where(_T.workspace_id == workspace, _T.id == formula_id)


def _create(connection: sa.Connection, formula: FeedbackFormula) -> None:
    # Locked, so that neither can be deleted around its new formula.
    for wanted, noun in (
        (_project(formula.workspace, formula.project_id), "project"),
        (_dataset(formula.workspace, formula.dataset_id), "dataset"),
    ):
        if wanted is None:
            continue
        if connection.execute(wanted.with_for_update(key_share=True)).first() is None:
            owner = formula.project_id or formula.dataset_id
            raise NotFound(f"{noun} not found: there is no {noun} {owner}.")
    _refuse_taken_key(connection, formula)
    connection.execute(sa.insert(tables.feedback_formulas).values(to_row(formula)))


def _project(workspace: UUID, project: UUID | None) -> sa.Select[Any] | None:
    if project is None:
        return None
    return sa.select(_P.id).where(_P.workspace_id == workspace, _P.id == project, tables.LIVE)


def _dataset(workspace: UUID, dataset: UUID | None) -> sa.Select[Any] | None:
    return None if dataset is None else sa.select(_D.id).where(_D.workspace_id == workspace, _D.id == dataset)


def _refuse_taken_key(connection: sa.Connection, formula: FeedbackFormula) -> None:
    same = sa.select(_T.id).where(
        _T.workspace_id == formula.workspace,
        _T.feedback_key == formula.formula.key,
        _T.id != formula.id,
        _T.dataset_id == formula.dataset_id
        if formula.dataset_id is not None
        else _T.project_id == formula.project_id,
    )
    if connection.execute(same).first():
        raise Conflict(f"A feedback formula for the key {formula.formula.key!r} already exists there.")


def _replace(
    connection: sa.Connection, workspace: UUID, formula_id: UUID, formula: Formula, at: Micros
) -> FeedbackFormula | None:
    row = connection.execute(_one(workspace, formula_id).with_for_update()).one_or_none()
    if row is None:
        return None
    changed = msgspec.structs.replace(from_row(row), formula=formula, modified_at=at)
    _refuse_taken_key(connection, changed)
    connection.execute(
        sa.update(tables.feedback_formulas)
        .where(_T.workspace_id == workspace, _T.id == formula_id)
        .values(to_row(changed))
    )
    return changed


def _of_projects(
    connection: sa.Connection, workspace: UUID, projects: Sequence[UUID] | None
) -> dict[UUID, list[FeedbackFormula]]:
    """Those of the projects themselves first, then those of their datasets."""
    found: dict[UUID, list[FeedbackFormula]] = {}
    # Asked with every statistic, and most workspaces have none.
    if connection.execute(sa.select(_T.id).where(_T.workspace_id == workspace).limit(1)).first() is None:
        return found
    for joined in (_T.project_id == _P.id, _T.dataset_id == _P.reference_dataset_id):
        wanted = (
            sa.select(tables.feedback_formulas, _P.id.label("of_project"))
            .join(tables.projects, sa.and_(_P.workspace_id == _T.workspace_id, joined))
            .where(_T.workspace_id == workspace, tables.LIVE)
            .order_by(_T.created_at, _T.id)
        )
        parts = [None] if projects is None else dialect.batches(projects)
        for part in parts:
            chosen = wanted if part is None else wanted.where(_P.id.in_(part))
            for row in connection.execute(chosen):
                found.setdefault(row.of_project, []).append(from_row(row))
    return found


def to_row(formula: FeedbackFormula) -> dict[str, Any]:
    return {
        "workspace_id": formula.workspace,
        "id": formula.id,
        "dataset_id": formula.dataset_id,
        "project_id": formula.project_id,
        "feedback_key": formula.formula.key,
        "aggregation": formula.formula.aggregation.value,
        "parts": msgspec.json.encode(formula.formula.parts),
        "created_at": formula.created_at,
        "modified_at": formula.modified_at,
    }


def from_row(row: sa.Row[Any]) -> FeedbackFormula:
    return FeedbackFormula(
        id=row.id,
        workspace=row.workspace_id,
        formula=Formula(
            key=row.feedback_key,
            aggregation=Aggregation(row.aggregation),
            parts=_parts(row.parts),
        ),
        created_at=row.created_at,
        modified_at=row.modified_at,
        dataset_id=row.dataset_id,
        project_id=row.project_id,
    )

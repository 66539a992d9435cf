"""Projects in the metadata store. A deleted one stays as a tombstone that no read shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from stenograph.errors import Conflict
from stenograph.model.listing import holds
from stenograph.model.projects import Project, ProjectPatch, ProjectQuery, contains, metadata_of
from stenograph.model.runs import Micros
from stenograph.store.meta import dialect, tables
from stenograph.store.meta.engine import Engine

_T = tables.projects.c
_KEYS: Final = msgspec.json.Decoder(tuple[str, ...])
_OF_PROJECT: Final = (
    tables.views,
    tables.shares,
    tables.feedback_formulas,
    tables.configurations,
    tables.charts,
    tables.evaluations,
)
"""Tables whose rows go with their project."""

CANONICAL_NAME: Final[Any] = sa.func.coalesce(_T.canonical_name, _T.name)
"""As `Project.canonical`, for projects that were once referred to by it."""


def is_project(workspace: sa.ColumnElement[Any], project: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Joins what belongs to a project to it, as long as that is not deleted."""
    return sa.and_(_T.workspace_id == workspace, _T.id == project, tables.LIVE)


class Projects:
    """Implements `store.api.Projects`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def create(self, project: Project) -> Project:
        return await self._engine.write(lambda connection: add(connection, project))

    async def ensure(self, project: Project) -> Project:
        found = await self.find_named(project.workspace, project.name)
        if found is not None:
            return found
        return await self._engine.write(lambda connection: _ensure(connection, project))

    async def read(self, workspace: UUID, project_id: UUID) -> Project | None:
        return await self._one(_live(workspace).where(_T.id == project_id))

    async def find_named(self, workspace: UUID, name: str) -> Project | None:
        return await self._one(_live(workspace).where(_T.name == name))

    async def find_canonical(self, workspace: UUID, name: str) -> Project | None:
        wanted = _live(workspace).where(name == CANONICAL_NAME, _T.reference_dataset_id.is_(None))
        # A name that was given goes before one that only happens to be fit.
        wanted = wanted.order_by(_T.canonical_name.is_(None), _T.id).limit(1)
        return await self._one(wanted)

    async def find(self, query: ProjectQuery) -> list[Project]:
        return await self._engine.read(lambda connection: _find(connection, query))

    async def update(
        self, workspace: UUID, project_id: UUID, patch: ProjectPatch, at: Micros
    ) -> Project | None:
        return await self._engine.write(
            lambda connection: _update(connection, workspace, project_id, patch, at)
        )

    async def delete(self, workspace: UUID, project_ids: Sequence[UUID], at: Micros) -> list[UUID]:
        return await self._engine.write(lambda connection: _delete(connection, workspace, project_ids, at))

    async def deleted(self) -> list[tuple[UUID, UUID]]:
        wanted = sa.select(_T.workspace_id, _T.id).where(_T.deleted_at.is_not(None))
        rows = await self._engine.rows(wanted)
        return [(row.workspace_id, row.id) for row in rows]

    async def _one(self, wanted: sa.Select[Any]) -> Project | None:
        row = await self._engine.row(wanted)
        return None if row is None else from_row(row)


def _live(workspace: UUID) -> sa.Select[Any]:
    return sa.select(tables.projects).where(_T.workspace_id == workspace, tables.LIVE)


def add(connection: sa.Connection, project: Project) -> Project:
    """A new project, as stored. Conflict, naming what, when its name or id is taken."""
    _refuse_taken_name(connection, project.workspace, project.name)
    # Tombstones hold their id: what is left of the old project's runs must not show up in a new one.
    same_id = sa.select(_T.id).where(_T.workspace_id == project.workspace, _T.id == project.id)
    if connection.execute(same_id).first():
        raise Conflict(f"A project with the id {project.id} already exists.")
    _refuse_taken_canonical_name(connection, project)
    project = _number(connection, project)
    connection.execute(sa.insert(tables.projects).values(to_row(project)))
    return project


def _ensure(connection: sa.Connection, project: Project) -> Project:
    """One statement, so that no other process can take or free the name in between."""
    row = (
        dialect.insert(connection, tables.projects)
        .values(to_row(project))
        .on_conflict_do_update(
            index_elements=[_T.workspace_id, _T.name],
            index_where=tables.LIVE,
            set_={"name": project.name},  # no change: it only has the row that is there returned
        )
        .returning(*_T)
    )
    return from_row(connection.execute(row).one())


def _refuse_taken_name(connection: sa.Connection, workspace: UUID, name: str) -> None:
    if connection.execute(_live(workspace).where(_T.name == name)).first():
        raise Conflict(f"A project named {name!r} already exists in this workspace.")


def _refuse_taken_canonical_name(connection: sa.Connection, project: Project) -> None:
    name = project.canonical_name
    if (
        name is not None
        and connection.execute(_live(project.workspace).where(name == CANONICAL_NAME)).first()
    ):
        raise Conflict(f"A project with the canonical name {name!r} already exists.")


def _number(connection: sa.Connection, project: Project) -> Project:
    """Give an experiment the next number of its dataset; numbers of deleted ones are not used again."""
    if project.reference_dataset_id is None:
        return project
    dialect.serialise(connection, f"experiments {project.workspace} {project.reference_dataset_id}")
    highest = sa.select(sa.func.max(_T.test_run_number)).where(
        _T.workspace_id == project.workspace, _T.reference_dataset_id == project.reference_dataset_id
    )
    number = (connection.execute(highest).scalar() or 0) + 1
    return msgspec.structs.replace(project, test_run_number=number)


def _update(
    connection: sa.Connection, workspace: UUID, project_id: UUID, patch: ProjectPatch, at: Micros
) -> Project | None:
    row = connection.execute(_live(workspace).where(_T.id == project_id).with_for_update()).one_or_none()
    if row is None:
        return None
    before = from_row(row)
    stated = {field: value for field, value in msgspec.structs.asdict(patch).items() if value is not None}
    return replace(connection, before, msgspec.structs.replace(before, **stated, modified_at=at))


def replace(connection: sa.Connection, before: Project, after: Project) -> Project:
    """Put `after` in the place of `before`, which the caller holds; as stored. Conflict when its name is taken."""
    if after.name != before.name:
        _refuse_taken_name(connection, after.workspace, after.name)
    if after.reference_dataset_id != before.reference_dataset_id:
        after = _number(connection, after)
    connection.execute(
        sa.update(tables.projects)
        .where(_T.workspace_id == before.workspace, _T.id == before.id)
        .values(to_row(after))
    )
    return after


def _delete(
    connection: sa.Connection, workspace: UUID, project_ids: Sequence[UUID], at: Micros
) -> list[UUID]:
    gone: list[UUID] = []
    for ids in dialect.batches(project_ids):
        change = (
            sa.update(tables.projects)
            .where(_T.workspace_id == workspace, _T.id.in_(ids), tables.LIVE)
            .values(deleted_at=at)
            .returning(_T.id)
        )
        batch = list(connection.execute(change).scalars())
        for dependent in _OF_PROJECT:
            connection.execute(
                sa.delete(dependent).where(
                    dependent.c.workspace_id == workspace, dependent.c.project_id.in_(batch)
                )
            )
        items = tables.annotation_queue_items
        for place in (items.c.project_id, items.c.paired_project_id):
            connection.execute(sa.delete(items).where(items.c.workspace_id == workspace, place.in_(batch)))
        gone += batch
    return gone


def _find(connection: sa.Connection, query: ProjectQuery) -> list[Project]:
    order = (_T[query.sort.value], _T.id)
    wanted = _matching(query).order_by(*(each.desc() if query.descending else each for each in order))
    if query.metadata is None and not query.tests:
        wanted = wanted.offset(query.offset).limit(query.limit)
        return [from_row(row) for row in connection.execute(wanted)]
    # The engines' JSON containment do not agree, so the condition is evaluated here, before the page is cut.
    part = msgspec.json.decode(query.metadata or b"{}")
    found = [
        from_row(row)
        for row in connection.execute(wanted)
        if contains(said := metadata_of(row.extra), part) and holds(query.tests, said)
    ]
    end = None if query.limit is None else query.offset + query.limit
    return found[query.offset : end]


def _matching(query: ProjectQuery) -> sa.Select[Any]:
    wanted = _live(query.workspace)
    if query.ids is not None:
        wanted = wanted.where(_T.id.in_(query.ids))
    if query.name is not None:
        wanted = wanted.where(_T.name == query.name)
    if query.name_contains is not None:
        wanted = wanted.where(dialect.inside(_T.name_folded, query.name_contains.casefold()))
    if query.reference_free:
        wanted = wanted.where(_T.reference_dataset_id.is_(None))
    if query.reference_datasets is not None:
        wanted = wanted.where(_T.reference_dataset_id.in_(query.reference_datasets))
    return wanted


def to_row(project: Project) -> dict[str, Any]:
    row = msgspec.structs.asdict(project)
    row["workspace_id"] = row.pop("workspace")
    row["name_folded"] = project.name.casefold()
    keys = project.evaluator_keys
    row["evaluator_keys"] = None if keys is None else msgspec.json.encode(keys)
    return row


def from_row(row: sa.Row[Any]) -> Project:
    return Project(
        id=row.id,
        workspace=row.workspace_id,
        name=row.name,
        start_time=row.start_time,
        created_at=row.created_at,
        modified_at=row.modified_at,
        description=row.description,
        end_time=row.end_time,
        extra=row.extra,
        default_dataset_id=row.default_dataset_id,
        reference_dataset_id=row.reference_dataset_id,
        trace_tier=row.trace_tier,
        longlived_ttl_days=row.longlived_ttl_days,
        test_run_number=row.test_run_number,
        num_examples=row.num_examples,
        num_repetitions=row.num_repetitions,
        evaluator_keys=None if row.evaluator_keys is None else _KEYS.decode(row.evaluator_keys),
        canonical_name=row.canonical_name,
    )

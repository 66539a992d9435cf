"""Datasets in the metadata store, with their versions and tags. What they hold is in `examples.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from stenograph.errors import Conflict
from stenograph.model.datasets import (
    LATEST,
    Dataset,
    DatasetDiff,
    DatasetPatch,
    DatasetQuery,
    DatasetSort,
    DatasetVersion,
    DataType,
    DeletedDatasets,
)
from stenograph.model.examples import ExampleChanges
from stenograph.model.projects import contains
from stenograph.model.runs import Micros
from stenograph.model.sharing import ShareKind
from stenograph.store.meta import dialect, tables
from stenograph.store.meta.engine import Engine
from stenograph.store.meta.example_queries import file_keys
from stenograph.store.meta.examples import begin_version, write

_D = tables.datasets.c
_E = tables.examples.c
_P = tables.projects.c
_V = tables.dataset_versions.c
_TAG = tables.dataset_tags.c

_EXAMPLES: Final = (
    sa.select(sa.func.count())
    .select_from(tables.examples)
    .where(_E.workspace_id == _D.workspace_id, _E.dataset_id == _D.id, tables.CURRENT)
    .scalar_subquery()
)
_EXPERIMENTS: Final = (
    sa.select(sa.func.count())
    .select_from(tables.projects)
    .where(_P.workspace_id == _D.workspace_id, _P.reference_dataset_id == _D.id, tables.LIVE)
    .scalar_subquery()
)
_LAST_EXPERIMENT: Final = (
    sa.select(sa.func.max(_P.start_time))
    .where(_P.workspace_id == _D.workspace_id, _P.reference_dataset_id == _D.id, tables.LIVE)
    .scalar_subquery()
)
_COUNTED: Final = (
    tables.datasets,
    _EXAMPLES.label("example_count"),
    _EXPERIMENTS.label("session_count"),
    _LAST_EXPERIMENT.label("last_session_start_time"),
)
_UNCOUNTED: Final = (
    tables.datasets,
    sa.literal(0).label("example_count"),
    sa.literal(0).label("session_count"),
    sa.null().label("last_session_start_time"),
)


class Datasets:
    """Implements `store.api.Datasets`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def create(self, dataset: Dataset, changes: ExampleChanges | None = None) -> None:
        await self._engine.write(lambda connection: _create(connection, dataset, changes))

    async def read(self, workspace: UUID, dataset_id: UUID, *, counted: bool = True) -> Dataset | None:
        columns = _COUNTED if counted else _UNCOUNTED
        return await self._engine.read(lambda connection: _read(connection, workspace, dataset_id, columns))

    async def find(self, query: DatasetQuery) -> list[Dataset]:
        return await self._engine.read(lambda connection: _find(connection, query))

    async def update(
        self,
        workspace: UUID,
        dataset_id: UUID,
        patch: DatasetPatch,
        at: Micros,
        changes: ExampleChanges | None = None,
    ) -> Dataset | None:
        return await self._engine.write(
            lambda connection: update(connection, workspace, dataset_id, patch, at, changes)
        )

    async def delete(self, workspace: UUID, dataset_ids: Sequence[UUID]) -> DeletedDatasets:
        return await self._engine.write(lambda connection: delete(connection, workspace, dataset_ids))

    async def versions(
        self,
        workspace: UUID,
        dataset_id: UUID,
        example: UUID | None = None,
        tag_contains: str | None = None,
        offset: int = 0,
        limit: int | None = None,
    ) -> list[DatasetVersion]:
        wanted = _versions_of(workspace, dataset_id)
        if example is not None:
            wanted = wanted.where(_V.as_of.in_(_moments_of(workspace, example)))
        return await self._engine.read(
            lambda connection: _versions(
                connection, workspace, dataset_id, wanted, tag_contains, offset, limit
            )
        )

    async def version(
        self, workspace: UUID, dataset_id: UUID, as_of: Micros | None = None, tag: str | None = None
    ) -> DatasetVersion | None:
        return await self._engine.read(
            lambda connection: _version(connection, workspace, dataset_id, as_of, tag)
        )

    async def tag(self, workspace: UUID, dataset_id: UUID, tag: str, as_of: Micros) -> None:
        await self._engine.write(lambda connection: _tag(connection, workspace, dataset_id, tag, as_of))

    async def diff(self, workspace: UUID, dataset_id: UUID, since: Micros, until: Micros) -> DatasetDiff:
        return await self._engine.read(
            lambda connection: _diff(connection, workspace, dataset_id, since, until)
        )


# -- datasets --------------------------------------------------------------------------------------------


def _create(connection: sa.Connection, dataset: Dataset, changes: ExampleChanges | None) -> None:
    _refuse_taken_name(connection, dataset.workspace, dataset.name)
    if _read(connection, dataset.workspace, dataset.id) is not None:
        raise Conflict(f"Dataset with id {dataset.id} already exists.")
    connection.execute(sa.insert(tables.datasets).values(to_row(dataset)))
    if changes is None:
        return
    moment = begin_version(connection, dataset.workspace, dataset.id, dataset.modified_at)
    assert moment is not None  # it has just been inserted
    write(connection, dataset.workspace, dataset.id, changes, moment)


def _refuse_taken_name(connection: sa.Connection, workspace: UUID, name: str) -> None:
    same = sa.select(_D.id).where(_D.workspace_id == workspace, _D.name == name)
    if connection.execute(same).first():
        # clients look for "already exists" in this text
        raise Conflict(f"Dataset with this name already exists: {name!r}.")


def _read(
    connection: sa.Connection, workspace: UUID, dataset_id: UUID, columns: Sequence[Any] = _COUNTED
) -> Dataset | None:
    wanted = sa.select(*columns).where(_D.workspace_id == workspace, _D.id == dataset_id)
    row = connection.execute(wanted).one_or_none()
    return None if row is None else from_row(row)


def _find(connection: sa.Connection, query: DatasetQuery) -> list[Dataset]:
    wanted = sa.select(*_COUNTED).where(*_matching(query)).order_by(*_order(query))
    if query.metadata is None:
        wanted = wanted.offset(query.offset).limit(query.limit)
        return [from_row(row) for row in connection.execute(wanted)]
    # The engines' JSON containment do not agree, so the condition is evaluated here, before the page is cut.
    part = msgspec.json.decode(query.metadata)
    found = [
        from_row(row)
        for row in connection.execute(wanted)
        if contains(msgspec.json.decode(row.metadata or b"{}"), part)
    ]
    return found[query.offset : None if query.limit is None else query.offset + query.limit]


def _matching(query: DatasetQuery) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = [_D.workspace_id == query.workspace]
    if query.ids is not None:
        conditions.append(_D.id.in_(query.ids))
    if query.name is not None:
        conditions.append(_D.name == query.name)
    if query.name_contains is not None:
        conditions.append(dialect.inside(_D.name_folded, query.name_contains.casefold()))
    if query.data_types is not None:
        conditions.append(_D.data_type.in_([each.value for each in query.data_types]))
    return conditions


def _order(query: DatasetQuery) -> list[sa.UnaryExpression[Any]]:
    by: sa.ColumnElement[Any] = {
        DatasetSort.NAME: _D.name,
        DatasetSort.CREATED_AT: _D.created_at,
        DatasetSort.MODIFIED_AT: _D.modified_at,
        DatasetSort.LAST_SESSION_START_TIME: _LAST_EXPERIMENT,
        DatasetSort.EXAMPLE_COUNT: _EXAMPLES,
        DatasetSort.SESSION_COUNT: _EXPERIMENTS,
    }[query.sort]
    # The engines disagree on where nulls belong.
    if query.descending:
        return [by.desc().nulls_last(), _D.created_at.desc(), _D.id.desc()]
    return [by.asc().nulls_first(), _D.created_at.asc(), _D.id.asc()]


def update(
    connection: sa.Connection,
    workspace: UUID,
    dataset_id: UUID,
    patch: DatasetPatch,
    at: Micros,
    changes: ExampleChanges | None,
) -> Dataset | None:
    """As `store.api.Datasets.update` promises, inside the caller's transaction."""
    moment = begin_version(connection, workspace, dataset_id, at, versions=bool(changes))
    if moment is None:
        return None
    stated = {
        field: value for field, value in msgspec.structs.asdict(patch).items() if value is not msgspec.UNSET
    }
    if "name" in stated:
        same = sa.select(_D.id).where(_D.workspace_id == workspace, _D.name == stated["name"])
        if connection.execute(same.where(_D.id != dataset_id)).first():
            raise Conflict(f"Dataset with this name already exists: {stated['name']!r}.")
        stated["name_folded"] = stated["name"].casefold()
    if stated:
        connection.execute(
            sa.update(tables.datasets)
            .where(_D.workspace_id == workspace, _D.id == dataset_id)
            .values(**stated)
        )
    if changes:
        write(connection, workspace, dataset_id, changes, moment)
    return _read(connection, workspace, dataset_id)


def delete(connection: sa.Connection, workspace: UUID, dataset_ids: Sequence[UUID]) -> DeletedDatasets:
    """As `store.api.Datasets.delete` promises, inside the caller's transaction."""
    gone: list[UUID] = []
    files: list[str] = []
    for ids in dialect.batches(dataset_ids):
        files += file_keys(connection, (_E.workspace_id == workspace) & _E.dataset_id.in_(ids))
        chosen = (_D.workspace_id == workspace) & _D.id.in_(ids)
        batch = list(connection.execute(sa.delete(tables.datasets).where(chosen).returning(_D.id)).scalars())
        connection.execute(
            sa.delete(tables.shares).where(
                tables.shares.c.workspace_id == workspace,
                tables.shares.c.kind == ShareKind.DATASET.value,
                tables.shares.c.target_id.in_([str(each) for each in batch]),
            )
        )
        gone += batch
    return DeletedDatasets(tuple(gone), tuple(files))


# -- versions --------------------------------------------------------------------------------------------


def _versions_of(workspace: UUID, dataset_id: UUID) -> sa.Select[tuple[Any]]:
    wanted: sa.Select[tuple[Any]] = sa.select(_V.as_of).where(
        _V.workspace_id == workspace, _V.dataset_id == dataset_id
    )
    return wanted.order_by(_V.as_of.desc())


def _moments_of(workspace: UUID, example: UUID) -> sa.CompoundSelect[Any]:
    """When this example was written or deleted."""
    of = (_E.workspace_id == workspace) & (_E.id == example)
    return sa.union(sa.select(_E.valid_from).where(of), sa.select(_E.valid_to).where(of))


def _versions(
    connection: sa.Connection,
    workspace: UUID,
    dataset_id: UUID,
    wanted: sa.Select[tuple[Any]],
    tag_contains: str | None,
    offset: int,
    limit: int | None,
) -> list[DatasetVersion]:
    tags = _tags(connection, workspace, dataset_id)
    if tag_contains:
        folded = tag_contains.casefold()
        tagged = [at for at, names in tags.items() if any(folded in name.casefold() for name in names)]
        wanted = wanted.where(_V.as_of.in_(tagged))
    moments = connection.execute(wanted.offset(offset).limit(limit)).scalars()
    return [DatasetVersion(moment, tuple(tags.get(moment, ()))) for moment in moments]


def _tags(connection: sa.Connection, workspace: UUID, dataset_id: UUID) -> dict[Micros, list[str]]:
    tags: dict[Micros, list[str]] = {}
    newest = connection.execute(_versions_of(workspace, dataset_id).limit(1)).scalar()
    if newest is not None:
        tags[newest] = [LATEST]
    of = (_TAG.workspace_id == workspace) & (_TAG.dataset_id == dataset_id)
    for row in connection.execute(sa.select(_TAG.tag, _TAG.as_of).where(of).order_by(_TAG.tag)):
        tags.setdefault(row.as_of, []).append(row.tag)
    return tags


def _version(
    connection: sa.Connection, workspace: UUID, dataset_id: UUID, as_of: Micros | None, tag: str | None
) -> DatasetVersion | None:
    tags = _tags(connection, workspace, dataset_id)
    wanted = _versions_of(workspace, dataset_id)
    if tag is not None and tag != LATEST:
        found: Micros | None = next((at for at, names in tags.items() if tag in names), None)
    else:
        if as_of is not None:
            wanted = wanted.where(_V.as_of <= as_of)
        found = connection.execute(wanted.limit(1)).scalar()
    return None if found is None else DatasetVersion(found, tuple(tags.get(found, ())))


def _tag(connection: sa.Connection, workspace: UUID, dataset_id: UUID, tag: str, as_of: Micros) -> None:
    row = {"workspace_id": workspace, "dataset_id": dataset_id, "tag": tag, "as_of": as_of}
    connection.execute(
        dialect.insert(connection, tables.dataset_tags)
        .values(row)
        .on_conflict_do_update(
            index_elements=[_TAG.workspace_id, _TAG.dataset_id, _TAG.tag], set_={"as_of": as_of}
        )
    )


def _diff(
    connection: sa.Connection, workspace: UUID, dataset_id: UUID, since: Micros, until: Micros
) -> DatasetDiff:
    def at(moment: Micros) -> dict[UUID, Micros]:
        wanted = (
            sa.select(_E.id, _E.valid_from)
            .where(
                _E.workspace_id == workspace,
                _E.dataset_id == dataset_id,
                _E.valid_from <= moment,
                sa.or_(tables.CURRENT, _E.valid_to > moment),
            )
            .order_by(_E.valid_from, _E.ordinal)
        )
        return {row.id: row.valid_from for row in connection.execute(wanted)}

    before, after = at(since), at(until)
    return DatasetDiff(
        added=tuple(each for each in after if each not in before),
        removed=tuple(each for each in before if each not in after),
        modified=tuple(each for each, written in after.items() if before.get(each, written) != written),
    )


def to_row(dataset: Dataset) -> dict[str, Any]:
    row = msgspec.structs.asdict(dataset)
    for counted in ("example_count", "session_count", "last_session_start_time"):
        del row[counted]
    row["workspace_id"] = row.pop("workspace")
    row["data_type"] = dataset.data_type.value
    row["name_folded"] = dataset.name.casefold()
    return row


def from_row(row: sa.Row[Any]) -> Dataset:
    return Dataset(
        id=row.id,
        workspace=row.workspace_id,
        name=row.name,
        created_at=row.created_at,
        modified_at=row.modified_at,
        description=row.description,
        data_type=DataType(row.data_type),
        inputs_schema=row.inputs_schema,
        outputs_schema=row.outputs_schema,
        transformations=row.transformations,
        metadata=row.metadata,
        externally_managed=row.externally_managed,
        baseline_experiment_id=row.baseline_experiment_id,
        example_count=row.example_count,
        session_count=row.session_count,
        last_session_start_time=row.last_session_start_time,
    )

"""Datapoints in the metadata store: which examples are copies of which, and those that no dataset has.

The examples themselves are written by `examples.py`, and their datasets by `datasets.py`, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from stenograph.errors import Conflict, NotFound
from stenograph.model.datapoints import Copy, Datapoint, DatapointChanges
from stenograph.model.datasets import DeletedDatasets
from stenograph.model.examples import ExampleFile
from stenograph.model.runs import Micros
from stenograph.store.meta import datasets, dialect, tables
from stenograph.store.meta.engine import Engine

_E = tables.examples.c
_C = tables.datapoint_copies.c
_L = tables.loose_datapoints.c

_BATCH: Final = 100
"""Whole datapoints written at a time: they may be large."""
_FILES: Final = msgspec.json.Decoder(tuple[ExampleFile, ...])

_IS_COPY: Final = sa.and_(
    _C.workspace_id == _E.workspace_id, _C.example_id == _E.id, _C.dataset_id == _E.dataset_id
)
_EXAMPLES: Final = tables.examples.outerjoin(tables.datapoint_copies, _IS_COPY)
_DATAPOINT: Final = sa.func.coalesce(_C.datapoint_id, _E.id, type_=sa.Uuid())
"""Whose copy an example is."""


class Datapoints:
    """Implements `store.api.Datapoints`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def members(self, workspace: UUID, dataset_ids: Sequence[UUID]) -> Mapping[UUID, list[UUID]]:
        return await self._engine.read(lambda connection: _members(connection, workspace, dataset_ids))

    async def ids(self, workspace: UUID) -> list[UUID]:
        return await self._engine.read(lambda connection: _ids(connection, workspace))

    async def of_examples(self, workspace: UUID, example_ids: Sequence[UUID]) -> Mapping[UUID, UUID]:
        return await self._engine.read(lambda connection: _of_examples(connection, workspace, example_ids))

    async def copies(self, workspace: UUID, datapoint_ids: Sequence[UUID]) -> list[Copy]:
        found = await self._engine.read(lambda connection: _copies(connection, workspace, datapoint_ids))
        return [copy for copy, _ in found]

    async def read(self, workspace: UUID, datapoint_ids: Sequence[UUID]) -> list[Datapoint]:
        return await self._engine.read(lambda connection: _read(connection, workspace, datapoint_ids))

    async def write(self, workspace: UUID, changes: DatapointChanges, at: Micros) -> None:
        await self._engine.write(lambda connection: _write(connection, workspace, changes, at))

    async def delete_dataset(self, workspace: UUID, dataset_id: UUID) -> DeletedDatasets:
        return await self._engine.write(lambda connection: _delete_dataset(connection, workspace, dataset_id))


# -- reading ---------------------------------------------------------------------------------------------


def _members(
    connection: sa.Connection, workspace: UUID, dataset_ids: Sequence[UUID]
) -> dict[UUID, list[UUID]]:
    found: dict[UUID, list[UUID]] = {each: [] for each in dataset_ids}
    for batch in dialect.batches(dataset_ids):
        wanted = (
            sa.select(_E.dataset_id, _DATAPOINT.label("datapoint"))
            .select_from(_EXAMPLES)
            .where(_E.workspace_id == workspace, _E.dataset_id.in_(batch), tables.CURRENT)
            .order_by(_E.created_at, _E.ordinal, _E.id)
        )
        for row in connection.execute(wanted):
            found[row.dataset_id].append(row.datapoint)
    return found


def _ids(connection: sa.Connection, workspace: UUID) -> list[UUID]:
    in_datasets = (
        sa.select(_DATAPOINT.label("id"), _E.created_at, _E.ordinal)
        .select_from(_EXAMPLES)
        .where(_E.workspace_id == workspace, tables.CURRENT)
    )
    loose = sa.select(_L.id, _L.created_at, sa.literal(0).label("ordinal")).where(
        _L.workspace_id == workspace
    )
    every = sa.union_all(in_datasets, loose).subquery("every")
    wanted = sa.select(every.c.id).order_by(every.c.created_at, every.c.ordinal, every.c.id)
    return list(dict.fromkeys(connection.execute(wanted).scalars()))


def _of_examples(connection: sa.Connection, workspace: UUID, example_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    found: dict[UUID, UUID] = {}
    for batch in dialect.batches(example_ids):
        wanted = sa.select(_C.example_id, _C.datapoint_id).where(
            _C.workspace_id == workspace, _C.example_id.in_(batch)
        )
        found |= {row.example_id: row.datapoint_id for row in connection.execute(wanted)}
    return found


def _copies(
    connection: sa.Connection, workspace: UUID, datapoint_ids: Sequence[UUID]
) -> list[tuple[Copy, Micros]]:
    """Each with the moment it was written at."""
    found: list[tuple[Copy, Micros]] = []
    columns = (_DATAPOINT.label("datapoint"), _E.dataset_id, _E.id, _E.valid_from)
    for batch in dialect.batches(datapoint_ids):
        under_own_id = (
            sa.select(*columns)
            .select_from(_EXAMPLES)
            .where(_E.workspace_id == workspace, _E.id.in_(batch), tables.CURRENT, _C.datapoint_id.is_(None))
        )
        under_another = (
            sa.select(*columns)
            .select_from(tables.datapoint_copies.join(tables.examples, _IS_COPY))
            .where(_C.workspace_id == workspace, _C.datapoint_id.in_(batch), tables.CURRENT)
        )
        for wanted in (under_own_id, under_another):
            found += [
                (Copy(row.datapoint, row.dataset_id, row.id), row.valid_from)
                for row in connection.execute(wanted)
            ]
    return sorted(found, key=lambda each: (each[0].datapoint, each[0].dataset))


def _read(connection: sa.Connection, workspace: UUID, datapoint_ids: Sequence[UUID]) -> list[Datapoint]:
    newest: dict[UUID, tuple[Micros, UUID]] = {}
    homes: dict[UUID, list[UUID]] = {}
    for copy, written in _copies(connection, workspace, datapoint_ids):
        newest[copy.datapoint] = max(newest.get(copy.datapoint, (0, copy.example)), (written, copy.example))
        homes.setdefault(copy.datapoint, []).append(copy.dataset)
    datapoint_of = {example: datapoint for datapoint, (_, example) in newest.items()}
    found: dict[UUID, Datapoint] = {}
    for batch in dialect.batches(list(datapoint_of)):
        wanted = sa.select(tables.examples).where(
            _E.workspace_id == workspace, _E.id.in_(batch), tables.CURRENT
        )
        for row in connection.execute(wanted):
            datapoint = datapoint_of[row.id]
            found[datapoint] = _from_row(row, datapoint, row.valid_from, tuple(homes[datapoint]))
    for batch in dialect.batches([each for each in datapoint_ids if each not in found]):
        loose = sa.select(tables.loose_datapoints).where(_L.workspace_id == workspace, _L.id.in_(batch))
        found |= {row.id: _from_row(row, row.id, row.modified_at, ()) for row in connection.execute(loose)}
    return [found[each] for each in dict.fromkeys(datapoint_ids) if each in found]


# -- writing ---------------------------------------------------------------------------------------------


def _write(connection: sa.Connection, workspace: UUID, changes: DatapointChanges, at: Micros) -> None:
    _take(connection, workspace)
    _refuse_second_copies(connection, workspace, changes.copies)
    moments: dict[UUID, Micros] = {}
    for dataset_id, change in changes.datasets.items():
        found = datasets.update(connection, workspace, dataset_id, change.patch, at, change.examples)
        if found is None:
            raise NotFound(f"dataset not found: {dataset_id}")
        moments[dataset_id] = found.modified_at
    _note_copies(connection, workspace, changes.copies)
    for dataset_id, change in changes.datasets.items():
        deleted = change.examples.deletes if change.examples else ()
        for batch in dialect.batches(deleted):
            if changes.releases:
                just_deleted = sa.and_(_E.id.in_(batch), _E.valid_to == moments[dataset_id])
                _keep(connection, workspace, dataset_id, just_deleted, with_files=False)
            connection.execute(
                sa.delete(tables.datapoint_copies).where(
                    _C.workspace_id == workspace, _C.dataset_id == dataset_id, _C.example_id.in_(batch)
                )
            )
    _let_go(connection, workspace, changes.dropped)
    _put(connection, changes.kept)
    for datapoint_id, files in changes.files.items():
        connection.execute(
            sa.update(tables.loose_datapoints)
            .where(_L.workspace_id == workspace, _L.id == datapoint_id)
            .values(files=msgspec.json.encode(files))
        )


def _take(connection: sa.Connection, workspace: UUID) -> None:
    """One write at a time, so that a datapoint which two of them take out of its last two datasets is kept."""
    dialect.serialise(connection, f"stenograph datapoints {workspace}")


def _refuse_second_copies(connection: sa.Connection, workspace: UUID, copies: Sequence[Copy]) -> None:
    """Conflict when a dataset has one of these datapoints already."""
    wanted = {(copy.datapoint, copy.dataset) for copy in copies}
    for copy, _ in _copies(connection, workspace, [each.datapoint for each in copies]):
        if (copy.datapoint, copy.dataset) in wanted:
            raise Conflict(f"dataset {copy.dataset} has the datapoint {copy.datapoint} already")


def _note_copies(connection: sa.Connection, workspace: UUID, copies: Sequence[Copy]) -> None:
    for copy in copies:
        statement = dialect.insert(connection, tables.datapoint_copies).values(
            workspace_id=workspace,
            datapoint_id=copy.datapoint,
            dataset_id=copy.dataset,
            example_id=copy.example,
        )
        key = [_C.workspace_id, _C.datapoint_id, _C.dataset_id]
        connection.execute(
            statement.on_conflict_do_update(index_elements=key, set_={"example_id": copy.example})
        )


def _keep(
    connection: sa.Connection,
    workspace: UUID,
    dataset_id: UUID,
    chosen: sa.ColumnElement[bool],
    *,
    with_files: bool,
) -> None:
    """Keep the datapoints of these examples of a dataset that no other dataset has."""
    other, copy = tables.examples.alias(), tables.datapoint_copies.alias()
    elsewhere_by_id = sa.exists().where(
        other.c.workspace_id == workspace,
        other.c.id == _DATAPOINT,
        other.c.valid_to.is_(None),
        other.c.dataset_id != dataset_id,
    )
    elsewhere_by_copy = sa.exists().where(
        copy.c.workspace_id == workspace,
        copy.c.datapoint_id == _DATAPOINT,
        copy.c.dataset_id != dataset_id,
        other.c.workspace_id == workspace,
        other.c.id == copy.c.example_id,
        other.c.dataset_id == copy.c.dataset_id,
        other.c.valid_to.is_(None),
    )
    names = ["workspace_id", "id", "created_at", "modified_at", "source_run_id", "files", "metadata"]
    values = sa.select(
        _E.workspace_id,
        _DATAPOINT,
        _E.created_at,
        _E.valid_from,
        _E.source_run_id,
        _E.files if with_files else sa.null(),
        _E.metadata,
        _E.inputs,
        _E.outputs,
    ).select_from(_EXAMPLES)
    values = values.where(
        _E.workspace_id == workspace,
        _E.dataset_id == dataset_id,
        chosen,
        ~elsewhere_by_id,
        ~elsewhere_by_copy,
    )
    statement = dialect.insert(connection, tables.loose_datapoints)
    connection.execute(
        statement.from_select([*names, "inputs", "outputs"], values, include_defaults=False)
        .on_conflict_do_nothing()
    )  # fmt: skip


def _let_go(connection: sa.Connection, workspace: UUID, datapoint_ids: Sequence[UUID]) -> None:
    for batch in dialect.batches(datapoint_ids):
        connection.execute(
            sa.delete(tables.loose_datapoints).where(_L.workspace_id == workspace, _L.id.in_(batch))
        )


def _put(connection: sa.Connection, datapoints: Iterable[Datapoint]) -> None:
    batch: list[Datapoint] = []
    for datapoint in datapoints:
        batch.append(datapoint)
        if len(batch) == _BATCH:
            _put_batch(connection, batch)
            batch = []
    if batch:
        _put_batch(connection, batch)


def _put_batch(connection: sa.Connection, batch: Sequence[Datapoint]) -> None:
    _let_go(connection, batch[0].workspace, [each.id for each in batch])
    connection.execute(sa.insert(tables.loose_datapoints), [_to_row(each) for each in batch])


def _delete_dataset(connection: sa.Connection, workspace: UUID, dataset_id: UUID) -> DeletedDatasets:
    _take(connection, workspace)
    _keep(connection, workspace, dataset_id, tables.CURRENT, with_files=True)
    gone = datasets.delete(connection, workspace, [dataset_id])
    if not gone.files:
        return gone
    wanted = sa.select(_L.files).where(_L.workspace_id == workspace, _L.files.is_not(None))
    kept = {file.key for files in connection.execute(wanted).scalars() for file in _FILES.decode(files)}
    return DeletedDatasets(gone.ids, tuple(key for key in gone.files if key not in kept))


# -- rows ------------------------------------------------------------------------------------------------


def _to_row(datapoint: Datapoint) -> dict[str, Any]:
    return {
        "workspace_id": datapoint.workspace,
        "id": datapoint.id,
        "created_at": datapoint.created_at,
        "modified_at": datapoint.modified_at,
        "source_run_id": datapoint.source_run_id,
        "files": msgspec.json.encode(datapoint.files) if datapoint.files else None,
        "metadata": datapoint.metadata,
        "inputs": datapoint.inputs,
        "outputs": datapoint.outputs,
    }


def _from_row(
    row: sa.Row[Any], datapoint_id: UUID, modified_at: Micros, homes: tuple[UUID, ...]
) -> Datapoint:
    """From a row of either table."""
    return Datapoint(
        id=datapoint_id,
        workspace=row.workspace_id,
        created_at=row.created_at,
        modified_at=modified_at,
        inputs=row.inputs,
        outputs=row.outputs,
        metadata=row.metadata,
        source_run_id=row.source_run_id,
        files=() if row.files is None else _FILES.decode(row.files),
        datasets=homes,
    )

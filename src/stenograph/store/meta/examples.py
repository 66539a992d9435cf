"""Examples in the metadata store: a row a version, valid from one moment until the next.

A write takes its dataset's row first, so that the versions of one dataset follow one another, and nobody
reads half of one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar
from uuid import UUID

import sqlalchemy as sa

from stenograph.errors import Conflict, NotFound
from stenograph.model.examples import (
    Example,
    ExampleChanges,
    ExamplePatch,
    ExampleQuery,
    NewExample,
    changed,
)
from stenograph.model.runs import Micros
from stenograph.store.meta import dialect, tables
from stenograph.store.meta import example_queries as queries
from stenograph.store.meta.engine import Engine

Item = TypeVar("Item", NewExample, ExamplePatch)

_T = tables.examples.c
_D = tables.datasets.c
BATCH: Final = 200
PATCHED: Final = 50
"""Rows written, and rows read in order to be changed, at a time: they may be large."""
BATCH_BYTES: Final = 4 << 20
"""Bytes of new payloads at a time; one row may have more."""


class Examples:
    """Implements `store.api.Examples`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def change(self, workspace: UUID, dataset_id: UUID, changes: ExampleChanges, at: Micros) -> Micros:
        def work(connection: sa.Connection) -> Micros:
            moment = begin_version(connection, workspace, dataset_id, at)
            if moment is None:
                raise NotFound(f"dataset not found: {dataset_id}")
            write(connection, workspace, dataset_id, changes, moment)
            return moment

        return await self._engine.write(work)

    async def find(self, query: ExampleQuery) -> list[Example]:
        return await self._engine.read(lambda connection: queries.find(connection, query))

    async def count(self, query: ExampleQuery) -> int:
        return await self._engine.read(lambda connection: queries.count(connection, query))

    async def ids(self, query: ExampleQuery) -> list[UUID]:
        return await self._engine.read(lambda connection: queries.ids(connection, query))

    async def sizes(self, query: ExampleQuery) -> Mapping[UUID, int]:
        return await self._engine.read(lambda connection: queries.sizes(connection, query))

    async def datasets_of(self, workspace: UUID, example_ids: Sequence[UUID]) -> Mapping[UUID, UUID]:
        return await self._engine.read(
            lambda connection: queries.datasets_of(connection, workspace, example_ids)
        )

    async def files(self, workspace: UUID, example_ids: Sequence[UUID]) -> list[str]:
        def work(connection: sa.Connection) -> list[str]:
            keys: list[str] = []
            for ids in dialect.batches(example_ids):
                keys += queries.file_keys(connection, (_T.workspace_id == workspace) & _T.id.in_(ids))
            return keys

        return await self._engine.read(work)

    async def files_named(self, workspace: UUID, keys: Collection[str]) -> list[str]:
        wanted = set(keys)
        if not wanted:
            return []
        return await self._engine.read(lambda connection: queries.files_named(connection, workspace, wanted))

    async def splits(self, workspace: UUID, dataset_id: UUID, as_of: Micros | None = None) -> list[str]:
        query = ExampleQuery(workspace=workspace, dataset_id=dataset_id, as_of=as_of)
        return await self._engine.read(lambda connection: queries.splits(connection, query))

    async def standing(
        self, workspace: UUID, dataset_id: UUID, example_ids: Sequence[UUID], as_of: Micros | None
    ) -> list[tuple[UUID, Micros]]:
        return await self._engine.read(
            lambda connection: queries.standing(connection, workspace, dataset_id, example_ids, as_of)
        )

    async def versions(self, workspace: UUID, versions: Sequence[tuple[UUID, Micros]]) -> list[Example]:
        return await self._engine.read(lambda connection: queries.versions(connection, workspace, versions))

    async def newest_metadata(
        self, examples: Sequence[tuple[UUID, UUID]]
    ) -> Mapping[tuple[UUID, UUID], bytes]:
        return await self._engine.read(lambda connection: queries.newest_metadata(connection, examples))


# -- writing ---------------------------------------------------------------------------------------------


def begin_version(
    connection: sa.Connection, workspace: UUID, dataset_id: UUID, at: Micros, *, versions: bool = True
) -> Micros | None:
    """Take the dataset for this transaction and give its next moment; None when there is no such dataset."""
    chosen = (_D.workspace_id == workspace) & (_D.id == dataset_id)
    last = connection.execute(sa.select(_D.modified_at).where(chosen).with_for_update()).scalar()
    if last is None:
        return None
    moment: Micros = max(at, last + 1)
    connection.execute(sa.update(tables.datasets).where(chosen).values(modified_at=moment))
    if versions:
        connection.execute(
            sa.insert(tables.dataset_versions).values(
                workspace_id=workspace, dataset_id=dataset_id, as_of=moment
            )
        )
    return moment


def write(
    connection: sa.Connection, workspace: UUID, dataset_id: UUID, changes: ExampleChanges, at: Micros
) -> None:
    """The changes of one version, inside the transaction that began it."""
    seen: set[UUID] = set()
    for each in (*changes.deletes, *changes.wipes):
        _see(each, seen)
    homes = _homes(connection, workspace, changes.deletes)
    for each in changes.deletes:
        _refuse_foreign(each, homes.get(each), dataset_id)
    _end(connection, workspace, changes.deletes, at)
    _wipe(connection, workspace, dataset_id, changes.wipes)
    written = _create(connection, workspace, dataset_id, changes.creates, at, seen)
    _patch(connection, workspace, dataset_id, changes.patches, at, seen, written)


def _create(
    connection: sa.Connection,
    workspace: UUID,
    dataset_id: UUID,
    creates: Iterable[NewExample],
    at: Micros,
    seen: set[UUID],
) -> int:
    """Add these; how many there were."""
    written = 0
    for batch in _batches(creates, BATCH):
        taken = _homes(connection, workspace, [new.id for new in batch])
        for new in batch:
            _see(new.id, seen)
            if new.id in taken:
                raise Conflict(f"an example with the id {new.id} already exists")
        rows = [_new_row(workspace, dataset_id, new, at, written + place) for place, new in enumerate(batch)]
        connection.execute(sa.insert(tables.examples), rows)
        written += len(batch)
    return written


def _patch(
    connection: sa.Connection,
    workspace: UUID,
    dataset_id: UUID,
    patches: Iterable[ExamplePatch],
    at: Micros,
    seen: set[UUID],
    written: int,
) -> None:
    for batch in _batches(patches, PATCHED):
        ids = [patch.id for patch in batch]
        known = _current(connection, workspace, ids)
        for each in ids:
            _see(each, seen)
            _refuse_foreign(each, known[each].dataset_id if each in known else None, dataset_id)
        _end(connection, workspace, ids, at)
        rows = [
            queries.to_row(changed(known[patch.id], patch, at, written + place))
            for place, patch in enumerate(batch)
        ]
        connection.execute(sa.insert(tables.examples), rows)
        written += len(batch)


def _batches(items: Iterable[Item], most: int) -> Iterator[list[Item]]:
    """At most so many at a time, and no more bytes than that one of them is over BATCH_BYTES."""
    batch: list[Item] = []
    size = 0
    for item in items:
        batch.append(item)
        size += len(item.inputs or b"") + len(item.outputs or b"") + len(item.metadata or b"")
        if len(batch) == most or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _see(example_id: UUID, seen: set[UUID]) -> None:
    if example_id in seen:
        raise Conflict(f"example {example_id} occurs twice in one request")
    seen.add(example_id)


def _homes(connection: sa.Connection, workspace: UUID, ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Example to dataset, for those that are there now."""
    found: dict[UUID, UUID] = {}
    for batch in dialect.batches(ids):
        wanted = sa.select(_T.id, _T.dataset_id).where(
            _T.workspace_id == workspace, _T.id.in_(batch), tables.CURRENT
        )
        found |= {row.id: row.dataset_id for row in connection.execute(wanted)}
    return found


def _current(connection: sa.Connection, workspace: UUID, ids: Sequence[UUID]) -> dict[UUID, Example]:
    wanted = sa.select(tables.examples).where(_T.workspace_id == workspace, _T.id.in_(ids), tables.CURRENT)
    return {row.id: queries.from_row(row) for row in connection.execute(wanted)}


def _refuse_foreign(example_id: UUID, home: UUID | None, dataset_id: UUID) -> None:
    if home is None:
        raise NotFound(f"example not found: {example_id}")
    if home != dataset_id:
        raise Conflict(f"example {example_id} belongs to another dataset")


def _end(connection: sa.Connection, workspace: UUID, ids: Sequence[UUID], at: Micros) -> None:
    for batch in dialect.batches(ids):
        connection.execute(
            sa.update(tables.examples)
            .where(_T.workspace_id == workspace, _T.id.in_(batch), tables.CURRENT)
            .values(valid_to=at)
        )


def _wipe(connection: sa.Connection, workspace: UUID, dataset_id: UUID, ids: Sequence[UUID]) -> None:
    for batch in dialect.batches(ids):
        connection.execute(
            sa.delete(tables.examples).where(
                _T.workspace_id == workspace, queries.is_in(dataset_id), _T.id.in_(batch)
            )
        )


def _new_row(workspace: UUID, dataset_id: UUID, new: NewExample, at: Micros, ordinal: int) -> dict[str, Any]:
    return queries.to_row(
        Example(
            id=new.id,
            workspace=workspace,
            dataset_id=dataset_id,
            created_at=at if new.created_at is None else new.created_at,
            modified_at=at,
            inputs=new.inputs,
            outputs=new.outputs,
            metadata=new.metadata,
            source_run_id=new.source_run_id,
            files=new.files,
            ordinal=ordinal,
        )
    )

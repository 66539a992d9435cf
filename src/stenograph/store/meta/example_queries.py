"""Questions to the table of examples, each a function of a connection: which rows hold as of a moment, and what is in
them."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from stenograph.errors import Invalid
from stenograph.model.examples import Example, ExampleFile, ExampleOrder, ExampleQuery, passes, splits_of
from stenograph.model.runs import Micros
from stenograph.store.meta import dialect, tables

_T = tables.examples.c
_PAYLOADS: Final = (_T.inputs, _T.outputs)
_FILES: Final = msgspec.json.Decoder(tuple[ExampleFile, ...])


def find(connection: sa.Connection, query: ExampleQuery) -> list[Example]:
    columns = [column for column in tables.examples.c if query.payloads or column not in _PAYLOADS]
    if query.splits is None and query.test is None and query.order is not ExampleOrder.RANDOM:
        return [from_row(row) for row in connection.execute(_page(query, columns))]
    # What looks into metadata is decided here, since the engines' JSON does not agree; then the page is read.
    chosen = _chosen(connection, query)
    end = None if query.limit is None else query.offset + query.limit
    place = {key: at for at, key in enumerate(chosen[query.offset : end])}
    found: list[Example] = []
    for keys in dialect.batches(list(place)):
        wanted = sa.select(*columns).where(
            _T.workspace_id == query.workspace,
            _T.id.in_({key[0] for key in keys}),
            *valid(query.as_of),
        )
        found += [from_row(row) for row in connection.execute(wanted) if (row.id, row.valid_from) in place]
    return sorted(found, key=lambda example: place[example.id, example.modified_at])


def _page(query: ExampleQuery, columns: Sequence[sa.Column[Any]]) -> sa.Select[Any]:
    """The page is chosen by its keys, so that payloads are neither read nor sorted for the rows before it."""
    keys = sa.select(_T.id, _T.valid_from).where(*_matching(query)).order_by(*_order(query))
    page = keys.offset(query.offset).limit(query.limit).subquery("page")
    of_page = sa.and_(
        _T.workspace_id == query.workspace, _T.id == page.c.id, _T.valid_from == page.c.valid_from
    )
    return sa.select(*columns).join(page, of_page).order_by(*_order(query))


def count(connection: sa.Connection, query: ExampleQuery) -> int:
    if query.splits is not None or query.test is not None:
        return len(_chosen(connection, query))
    wanted = sa.select(sa.func.count()).select_from(tables.examples).where(*_matching(query))
    return int(connection.execute(wanted).scalar_one())


def ids(connection: sa.Connection, query: ExampleQuery) -> list[UUID]:
    if query.splits is None and query.test is None and query.order is not ExampleOrder.RANDOM:
        wanted = sa.select(_T.id).where(*_matching(query)).order_by(*_order(query))
        return list(connection.execute(wanted).scalars())
    return [example_id for example_id, _ in _chosen(connection, query)]


def sizes(connection: sa.Connection, query: ExampleQuery) -> dict[UUID, int]:
    size = sa.func.length(_T.inputs) + sa.func.coalesce(sa.func.length(_T.outputs), 0)
    rows = connection.execute(sa.select(_T.id, size.label("size")).where(*_matching(query)))
    return {row.id: row.size for row in rows}


def splits(connection: sa.Connection, query: ExampleQuery) -> list[str]:
    rows = connection.execute(sa.select(_T.metadata).where(*_matching(query)).distinct()).scalars()
    return sorted({split for metadata in rows for split in splits_of(metadata)})


def _chosen(connection: sa.Connection, query: ExampleQuery) -> list[tuple[UUID, Micros]]:
    """Id and version of every example that matches, in the order of the query."""
    wanted = sa.select(_T.id, _T.valid_from, _T.metadata).where(*_matching(query)).order_by(*_order(query))
    chosen = [(row.id, row.valid_from) for row in connection.execute(wanted) if _passes(row.metadata, query)]
    if query.order is ExampleOrder.RANDOM:
        seed = uuid.uuid4().hex if query.random_seed is None else repr(query.random_seed)
        chosen.sort(key=lambda key: hashlib.sha256(f"{seed}/{key[0]}".encode()).digest())
    return chosen


def _passes(metadata: bytes, query: ExampleQuery) -> bool:
    if query.splits is not None and not set(splits_of(metadata)).intersection(query.splits):
        return False
    return query.test is None or passes(msgspec.json.decode(metadata), query.test)


def _matching(query: ExampleQuery) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = [_T.workspace_id == query.workspace, *valid(query.as_of)]
    if query.dataset_id is not None and query.ids is not None:
        conditions.append(is_in(query.dataset_id))
    elif query.dataset_id is not None:
        conditions.append(_T.dataset_id == query.dataset_id)
    if query.ids is not None:
        if len(query.ids) > dialect.MAX_BOUND:
            raise Invalid(f"at most {dialect.MAX_BOUND} ids can be asked for at once", where=("query", "id"))
        conditions.append(_T.id.in_(query.ids))
    for text in query.texts:
        dialect.check_sought(text, "full_text_contains")
        # payloads are JSON text: what is looked for is written as it would be there
        written = msgspec.json.encode(text).decode()[1:-1]
        inside = (sa.cast(column, sa.Text).icontains(written, autoescape=True) for column in _PAYLOADS)
        conditions.append(sa.or_(*inside))
    return conditions


def is_in(dataset_id: UUID) -> sa.ColumnElement[bool]:
    """Beside ids. Written so that no index serves it: SQLite would go through the dataset rather than look
    the ids up."""
    return sa.func.nullif(_T.dataset_id, sa.null(), type_=sa.Uuid()) == dataset_id


def valid(as_of: Micros | None) -> list[sa.ColumnElement[bool]]:
    if as_of is None:
        return [tables.CURRENT]
    return [_T.valid_from <= as_of, sa.or_(tables.CURRENT, _T.valid_to > as_of)]


def _order(query: ExampleQuery) -> list[sa.ColumnElement[Any]]:
    first, descending = {
        ExampleOrder.RECENT: (_T.valid_from, True),
        ExampleOrder.RECENTLY_CREATED: (_T.created_at, True),
        ExampleOrder.ID: (_T.id, False),
        ExampleOrder.RANDOM: (_T.id, False),
    }[query.order]
    if query.descending is not None:
        descending = query.descending
    return [first.desc() if descending else first, _T.ordinal, _T.id]


def datasets_of(connection: sa.Connection, workspace: UUID, ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The newest version decides: an id may have been used again in another dataset after it was deleted."""
    found: dict[UUID, UUID] = {}
    for batch in dialect.batches(ids):
        wanted = (
            sa.select(_T.id, _T.dataset_id)
            .where(_T.workspace_id == workspace, _T.id.in_(batch))
            .order_by(_T.valid_from)
        )
        found |= {row.id: row.dataset_id for row in connection.execute(wanted)}
    return found


def standing(
    connection: sa.Connection,
    workspace: UUID,
    dataset_id: UUID,
    ids: Sequence[UUID],
    as_of: Micros | None,
) -> list[tuple[UUID, Micros]]:
    found: dict[UUID, tuple[Micros, int]] = {}
    for batch in dialect.batches(ids):
        wanted = (
            sa.select(_T.id, _T.valid_from, _T.valid_to, _T.ordinal)
            .where(_T.workspace_id == workspace, is_in(dataset_id), _T.id.in_(batch))
            .order_by(_T.valid_from)
        )
        then: set[UUID] = set()
        for example_id, start, end, ordinal in connection.execute(wanted):
            if example_id not in then:  # oldest first, so that without one of that moment the last remains
                found[example_id] = (start, ordinal)
            if as_of is not None and start <= as_of and (end is None or end > as_of):
                then.add(example_id)
    order = sorted(found, key=lambda each: (-found[each][0], found[each][1], each))
    return [(each, found[each][0]) for each in order]


def versions(
    connection: sa.Connection, workspace: UUID, versions: Sequence[tuple[UUID, Micros]]
) -> list[Example]:
    found: list[Example] = []
    for batch in dialect.batches(versions):
        moments = set(batch)
        wanted = sa.select(tables.examples).where(
            _T.workspace_id == workspace,
            _T.id.in_({each for each, _ in batch}),
            _T.valid_from.in_({moment for _, moment in batch}),
        )
        rows = connection.execute(wanted)
        found += [from_row(row) for row in rows if (row.id, row.valid_from) in moments]
    return found


def newest_metadata(
    connection: sa.Connection, examples: Sequence[tuple[UUID, UUID]]
) -> dict[tuple[UUID, UUID], bytes]:
    found: dict[tuple[UUID, UUID], bytes] = {}
    for batch in dialect.batches(examples):
        wanted = (
            sa.select(_T.workspace_id, _T.id, _T.metadata)
            .where(
                _T.workspace_id.in_({workspace for workspace, _ in batch}),
                _T.id.in_({each for _, each in batch}),
            )
            .order_by(_T.valid_from)
        )
        found |= {(row.workspace_id, row.id): row.metadata for row in connection.execute(wanted)}
    return {key: found[key] for key in examples if key in found}


def file_keys(connection: sa.Connection, chosen: sa.ColumnElement[bool]) -> list[str]:
    """Blobs that the chosen rows refer to."""
    wanted = sa.select(_T.files).where(chosen, _T.files.is_not(None))
    return list(
        dict.fromkeys(
            file.key for files in connection.execute(wanted).scalars() for file in _FILES.decode(files)
        )
    )


def files_named(connection: sa.Connection, workspace: UUID, keys: set[str]) -> list[str]:
    wanted = sa.select(_T.files).where(_T.workspace_id == workspace, _T.files.is_not(None))
    rows = connection.execution_options(yield_per=1000).execute(wanted).scalars()
    return sorted({file.key for files in rows for file in _FILES.decode(files)} & keys)


def to_row(example: Example) -> dict[str, Any]:
    return {
        "workspace_id": example.workspace,
        "id": example.id,
        "valid_from": example.modified_at,
        "valid_to": None,
        "dataset_id": example.dataset_id,
        "ordinal": example.ordinal,
        "created_at": example.created_at,
        "source_run_id": example.source_run_id,
        "files": msgspec.json.encode(example.files) if example.files else None,
        "metadata": example.metadata,
        "inputs": example.inputs,
        "outputs": example.outputs,
    }


def from_row(row: sa.Row[Any]) -> Example:
    return Example(
        id=row.id,
        workspace=row.workspace_id,
        dataset_id=row.dataset_id,
        created_at=row.created_at,
        modified_at=row.valid_from,
        inputs=getattr(row, "inputs", b"{}"),
        outputs=getattr(row, "outputs", None),
        metadata=row.metadata,
        source_run_id=row.source_run_id,
        files=() if row.files is None else _FILES.decode(row.files),
        ordinal=row.ordinal,
    )

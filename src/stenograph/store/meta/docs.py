"""Docs in the metadata store: a row a doc, a row a chunk, and the index of their words."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import numpy as np
import sqlalchemy as sa

from stenograph.errors import Conflict, NotFound
from stenograph.model.docs import Chunk, ChunkVector, Doc, DocQuery, Owner, OwnerKind, Shelf
from stenograph.model.listing import MetadataTest
from stenograph.store.meta import dialect, doc_words, metadata_labels, tables
from stenograph.store.meta.engine import Engine

_D: Final = tables.docs.c
_C: Final = tables.doc_chunks.c
_S: Final = tables.doc_shelves.c
_OWNERS: Final = {OwnerKind.AGENT: tables.agents, OwnerKind.USER: tables.users}
_CANDIDATES: Final = 20_000
"""Words of the vocabulary that one word is compared with."""


class Docs:
    """Implements `store.api.Docs`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def add(self, doc: Doc) -> None:
        await self._engine.write(lambda connection: _add(connection, doc))

    async def read(self, workspace: UUID, doc_id: UUID, *, vectors: bool = False) -> Doc | None:
        def work(connection: sa.Connection) -> Doc | None:
            chosen = sa.select(tables.docs).where(_D.workspace_id == workspace, _D.id == doc_id)
            found = _with_chunks(connection, connection.execute(chosen).all(), vectors)
            return found[0] if found else None

        return await self._engine.read(work)

    async def page(self, query: DocQuery) -> list[Doc]:
        def work(connection: sa.Connection) -> list[Doc]:
            order = (_D.created_at, _D.id)
            wanted = (
                sa.select(tables.docs)
                .where(
                    *_of(_D, query.workspace, query.owner),
                    *_labelled(query.workspace, query.owner, query.tests),
                )
                .order_by(*(column.desc() for column in order) if query.newest_first else order)
                .limit(query.limit)
                .offset(query.offset)
            )
            return _with_chunks(connection, connection.execute(wanted).all(), query.vectors)

        return await self._engine.read(work)

    async def delete(self, workspace: UUID, owner: Owner, doc_ids: Sequence[UUID]) -> list[UUID]:
        def work(connection: sa.Connection) -> list[UUID]:
            gone: list[UUID] = []
            for ids in dialect.batches(doc_ids):
                gone += _delete(connection, workspace, owner, _D.id.in_(ids))
            return gone

        return await self._engine.write(work)

    async def matching(self, workspace: UUID, owner: Owner, tests: Sequence[MetadataTest]) -> list[UUID]:
        wanted = sa.select(_D.id).where(*_of(_D, workspace, owner), *_labelled(workspace, owner, tests))
        rows = await self._engine.read(lambda connection: connection.execute(wanted).scalars().all())
        return list(rows)

    async def by_words(
        self,
        workspace: UUID,
        owners: Sequence[Owner],
        query: str,
        tests: Sequence[MetadataTest],
        limit: int,
    ) -> list[tuple[int, float]]:
        within = None
        if tests:
            within = (
                sa.select(_C.number)
                .join(tables.docs, (_D.workspace_id == _C.workspace_id) & (_D.id == _C.doc_id))
                .where(
                    sa.or_(
                        *(
                            sa.and_(*_of(_C, workspace, owner), *_labelled(workspace, owner, tests))
                            for owner in owners
                        )
                    )
                )
            )
        return await self._engine.read(
            lambda connection: doc_words.search(connection, workspace, owners, query, within, limit)
        )

    async def words_like(self, word: str) -> list[str]:
        return await self._engine.read(lambda connection: doc_words.alike(connection, word, _CANDIDATES))

    async def shelf(self, workspace: UUID, owner: Owner, model: str) -> Shelf:
        newest = (
            sa.select(sa.func.max(_C.number))
            .where(*_of(_C, workspace, owner), _C.model == model)
            .scalar_subquery()
        )
        removals = sa.select(_S.removals).where(*_of(_S, workspace, owner)).scalar_subquery()
        row = await self._engine.read(
            lambda connection: connection.execute(sa.select(newest, removals)).one()
        )
        return Shelf(row[0] or 0, row[1] or 0)

    async def vectors(
        self, workspace: UUID, owner: Owner, model: str, after: int, limit: int
    ) -> list[ChunkVector]:
        wanted = (
            sa.select(_C.number, _C.doc_id, _C.vector)
            .where(*_of(_C, workspace, owner), _C.model == model, _C.number > after)
            .order_by(_C.number)
            .limit(limit)
        )
        rows = await self._engine.read(lambda connection: connection.execute(wanted).all())
        return [ChunkVector(*row) for row in rows]

    async def numbers(self, workspace: UUID, owner: Owner, model: str) -> list[int]:
        wanted = sa.select(_C.number).where(*_of(_C, workspace, owner), _C.model == model).order_by(_C.number)
        rows = await self._engine.read(lambda connection: connection.execute(wanted).scalars().all())
        return list(rows)

    async def vectors_of(
        self, workspace: UUID, owner: Owner, model: str, numbers: Sequence[int]
    ) -> list[ChunkVector]:
        def work(connection: sa.Connection) -> list[ChunkVector]:
            found: list[ChunkVector] = []
            for some in dialect.batches(sorted(numbers)):
                chosen = (
                    sa.select(_C.number, _C.doc_id, _C.vector)
                    .where(*_of(_C, workspace, owner), _C.model == model, _C.number.in_(some))
                    .order_by(_C.number)
                )
                found += [ChunkVector(*row) for row in connection.execute(chosen)]
            return found

        return await self._engine.read(work)

    async def chunks(self, workspace: UUID, numbers: Sequence[int]) -> list[Chunk]:
        def work(connection: sa.Connection) -> list[Chunk]:
            found: list[Chunk] = []
            for some in dialect.batches(numbers):
                # By number alone: with the workspace among the conditions SQLite goes through all of its chunks.
                rows = connection.execute(_chunks().where(_C.number.in_(some)))
                found += [_chunk(row) for row in rows if row.workspace_id == workspace]
            return found

        return await self._engine.read(work)

    async def without_vector(self, model: str, limit: int, after: int = 0) -> list[Chunk]:
        wanted = _chunks().where(_lacks(model), _C.number > after).order_by(_C.number).limit(limit)
        rows = await self._engine.read(lambda connection: connection.execute(wanted).all())
        return [_chunk(row) for row in rows]

    async def count_without_vector(self, model: str) -> int:
        wanted = sa.select(sa.func.count()).select_from(tables.doc_chunks).where(_lacks(model))
        return await self._engine.read(lambda connection: connection.execute(wanted).scalar_one())

    async def give_vectors(self, model: str, vectors: Sequence[tuple[int, bytes]]) -> None:
        def work(connection: sa.Connection) -> None:
            late: set[tuple[UUID, Owner]] = set()
            for number, vector in sorted(vectors):
                whose = sa.select(_C.workspace_id, _C.owner_kind, _C.owner_id).where(_C.number == number)
                if (row := connection.execute(whose).one_or_none()) is None:
                    continue
                workspace, owner = row[0], Owner(OwnerKind(row[1]), row[2])
                if number < _newest(connection, workspace, owner, model):
                    late.add((workspace, owner))
                changed = sa.update(tables.doc_chunks).where(_C.number == number)
                connection.execute(changed.values(model=model, vector=half(vector)))
            for workspace, owner in late:
                _count_removal(connection, workspace, owner)

        await self._engine.write(work)


def delete_of_owner(connection: sa.Connection, workspace: UUID, owner: Owner) -> None:
    """Everything of an owner that goes, inside the transaction in which it does."""
    _delete(connection, workspace, owner, sa.true())
    connection.execute(sa.delete(tables.doc_shelves).where(*_of(_S, workspace, owner)))


def _of(columns: Any, workspace: UUID, owner: Owner) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        columns.workspace_id == workspace,
        columns.owner_kind == owner.kind.value,
        columns.owner_id == owner.id,
    )


def _lacks(model: str) -> sa.ColumnElement[bool]:
    return _C.model.is_(None) | (_C.model != model)


def _newest(connection: sa.Connection, workspace: UUID, owner: Owner, model: str) -> int:
    """The highest number of a chunk with a vector of this model, 0 if there is none."""
    highest = sa.select(sa.func.max(_C.number)).where(*_of(_C, workspace, owner), _C.model == model)
    return connection.execute(highest).scalar() or 0


def _noun(owner: Owner) -> str:
    """Metadata are asked for within one owner's docs."""
    return f"docs of {owner.kind} {owner.id}"


def _labelled(workspace: UUID, owner: Owner, tests: Sequence[MetadataTest]) -> list[sa.ColumnElement[bool]]:
    return metadata_labels.chosen(_D.id, _D.created_at, _noun(owner), workspace, tests)


def _add(connection: sa.Connection, doc: Doc) -> None:
    owner = {"owner_kind": doc.owner.kind.value, "owner_id": doc.owner.id}
    digest = hashlib.sha256("\0".join((doc.title, *doc.content)).encode("utf-8", "surrogatepass")).hexdigest()
    # Locked, so that the owner cannot be deleted around its new doc.
    known = _OWNERS[doc.owner.kind]
    there = sa.select(known.c.id).where(known.c.workspace_id == doc.workspace, known.c.id == doc.owner.id)
    if connection.execute(there.with_for_update(key_share=True)).first() is None:
        raise NotFound(f"there is no {doc.owner.kind} {doc.owner.id}")
    taken = sa.select(_D.id).where(*_of(_D, doc.workspace, doc.owner), _D.digest == digest)
    if (same := connection.execute(taken).scalar()) is not None:
        raise Conflict(f"this {doc.owner.kind} has a doc of this title and content already: {same}")
    connection.execute(
        sa.insert(tables.docs).values(
            workspace_id=doc.workspace,
            id=doc.id,
            **owner,
            title=doc.title,
            digest=digest,
            created_at=doc.created_at,
            metadata=doc.metadata,
            instruction=doc.instruction or None,
        )
    )
    metadata_labels.write(connection, _noun(doc.owner), doc.workspace, doc.id, doc.created_at, doc.metadata)
    vectors = doc.vectors or (None,) * len(doc.content)
    rows = [
        {
            "workspace_id": doc.workspace,
            "doc_id": doc.id,
            **owner,
            "position": position,
            "model": None if vector is None else doc.model,
            "content": content,
            "vector": None if vector is None else half(vector),
        }
        for position, (content, vector) in enumerate(zip(doc.content, vectors, strict=True))
    ]
    if not rows:
        return
    numbers = connection.execute(
        sa.insert(tables.doc_chunks).returning(_C.number, sort_by_parameter_order=True), rows
    ).scalars()
    doc_words.add(
        connection, doc.workspace, doc.owner, doc.title, list(zip(numbers, doc.content, strict=True))
    )


def _delete(
    connection: sa.Connection, workspace: UUID, owner: Owner, which: sa.ColumnElement[bool]
) -> list[UUID]:
    chosen = sa.select(_D.id, _D.created_at, _D.metadata).where(*_of(_D, workspace, owner), which)
    gone = []
    for doc_id, created_at, metadata in connection.execute(chosen).all():
        metadata_labels.write(connection, _noun(owner), workspace, doc_id, created_at, b"{}", metadata)
        gone.append(doc_id)
    for ids in dialect.batches(gone):
        texts = (
            sa.select(_C.number, _D.title, _C.content)
            .join(tables.docs, (_D.workspace_id == _C.workspace_id) & (_D.id == _C.doc_id))
            .where(_C.workspace_id == workspace, _C.doc_id.in_(ids))
        )
        held = [(number, title, content) for number, title, content in connection.execute(texts)]
        doc_words.remove(connection, workspace, owner, held)
        connection.execute(
            sa.delete(tables.doc_chunks).where(_C.workspace_id == workspace, _C.doc_id.in_(ids))
        )
        connection.execute(sa.delete(tables.docs).where(_D.workspace_id == workspace, _D.id.in_(ids)))
    if gone:
        _count_removal(connection, workspace, owner)
    return gone


def _count_removal(connection: sa.Connection, workspace: UUID, owner: Owner) -> None:
    first = dialect.insert(connection, tables.doc_shelves).values(
        workspace_id=workspace, owner_kind=owner.kind.value, owner_id=owner.id, removals=1
    )
    connection.execute(
        first.on_conflict_do_update(
            index_elements=["workspace_id", "owner_kind", "owner_id"],
            set_={"removals": _S.removals + 1},
        )
    )


def _with_chunks(connection: sa.Connection, rows: Sequence[sa.Row[Any]], vectors: bool) -> list[Doc]:
    by_doc: dict[UUID, list[sa.Row[Any]]] = {row.id: [] for row in rows}
    columns = (_C.doc_id, _C.content, _C.model, *((_C.vector,) if vectors else ()))
    for ids in dialect.batches([row.id for row in rows]):
        chosen = (
            sa.select(*columns)
            .where(_C.workspace_id == rows[0].workspace_id, _C.doc_id.in_(ids))
            .order_by(_C.doc_id, _C.position)
        )
        for chunk in connection.execute(chosen):
            by_doc[chunk.doc_id].append(chunk)
    return [_doc(row, by_doc[row.id], vectors) for row in rows]


def _doc(row: sa.Row[Any], chunks: Sequence[sa.Row[Any]], vectors: bool) -> Doc:
    """While chunks get the vectors of another model, the doc has those of one of the two."""
    model = next((chunk.model for chunk in chunks if chunk.model), "")
    return Doc(
        workspace=row.workspace_id,
        id=row.id,
        owner=Owner(OwnerKind(row.owner_kind), row.owner_id),
        title=row.title,
        content=tuple(chunk.content for chunk in chunks),
        created_at=row.created_at,
        metadata=row.metadata,
        instruction=row.instruction or "",
        model=model,
        vectors=tuple(whole(chunk.vector) if chunk.model == model else None for chunk in chunks)
        if vectors
        else (),
    )


def _chunks() -> sa.Select[Any]:
    return sa.select(
        _C.number, _C.workspace_id, _C.doc_id, _C.owner_kind, _C.owner_id, _C.position, _C.content, _C.vector, _C.model,
        _D.title, _D.metadata, _D.instruction,
    ).join(tables.docs, (_D.workspace_id == _C.workspace_id) & (_D.id == _C.doc_id))  # fmt: skip


def _chunk(row: sa.Row[Any]) -> Chunk:
    return Chunk(
        number=row.number,
        doc_id=row.doc_id,
        owner=Owner(OwnerKind(row.owner_kind), row.owner_id),
        title=row.title,
        index=row.position,
        content=row.content,
        metadata=row.metadata,
        instruction=row.instruction or "",
        model=row.model,
        vector=whole(row.vector),
    )


def half(vector: bytes) -> bytes:
    """Little-endian float32 as float16: half the room, and a cosine that is off by less than 0.0005."""
    return np.frombuffer(vector, "<f4").astype("<f2").tobytes()


def whole(vector: bytes | None) -> bytes | None:
    return None if vector is None else np.frombuffer(vector, "<f2").astype("<f4").tobytes()

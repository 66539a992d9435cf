"""Datasets: created, listed, changed and deleted; their versions, tags and splits.

Not here: what examples must be and how they are written, which is `examples.py`. Callers check the permission.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, TypeAlias
from uuid import UUID, uuid4
from weakref import WeakValueDictionary

import msgspec
from msgspec import UNSET

from stenograph.domain.examples.rules import check_rules
from stenograph.errors import Invalid, NotFound
from stenograph.model.datasets import (
    LATEST,
    Dataset,
    DatasetDiff,
    DatasetPatch,
    DatasetQuery,
    DatasetVersion,
    DataType,
)
from stenograph.model.runs import Micros
from stenograph.store.api import BlobStore, MetaStore

MAX_NAME: Final = 1000
MAX_NAME_BYTES: Final = 2500
"""An index entry of PostgreSQL holds about 2,700 bytes, and the name is in one."""
MAX_TAG: Final = 200
MAX_JSON: Final = 1 << 20
"""Bytes of a schema, of transformations or of a dataset's metadata."""
MAX_FILTER: Final = 8192
MAX_DELETED: Final = 100
TRUNCATED: Final = 1000
"""Microseconds in which a version still counts as named: JavaScript's times have milliseconds."""

AsOf: TypeAlias = "Micros | str | None"
"""A moment, the name of a tag, or None for the newest version."""


class NewDataset(msgspec.Struct, frozen=True, kw_only=True):
    """What a client says of a dataset it wants. Without `id` one is chosen."""

    name: str
    id: UUID | None = None
    description: str | None = None
    data_type: DataType = DataType.KV
    inputs_schema: bytes | None = None
    outputs_schema: bytes | None = None
    transformations: bytes | None = None
    metadata: bytes | None = None
    externally_managed: bool = False
    created_at: Micros | None = None


class Datasets:
    """The use-cases of datasets. Another workspace's datasets are unknown to all of them."""

    def __init__(self, meta: MetaStore, blobs: BlobStore) -> None:
        self._store = meta.datasets
        self._examples = meta.examples
        self._blobs = blobs
        self._writing: WeakValueDictionary[tuple[UUID, UUID], asyncio.Lock] = WeakValueDictionary()

    # -- datasets ------------------------------------------------------------------------------------------

    async def create(self, workspace: UUID, new: NewDataset) -> Dataset:
        """Conflict when the name or id is taken; Invalid for a schema that is none."""
        dataset = self.made(workspace, new)
        await self._store.create(dataset)
        return dataset

    def made(self, workspace: UUID, new: NewDataset) -> Dataset:
        """The dataset as it would be stored; Invalid for a schema that is none. See `Examples.create_dataset`."""
        check_name(new.name)
        _check_members(new.description, new.metadata)
        check_rules(new.inputs_schema, new.outputs_schema, new.transformations)
        now = _now()
        return Dataset(
            id=new.id or uuid4(),
            workspace=workspace,
            name=new.name,
            created_at=now if new.created_at is None else new.created_at,
            modified_at=now,
            description=new.description,
            data_type=new.data_type,
            inputs_schema=new.inputs_schema,
            outputs_schema=new.outputs_schema,
            transformations=new.transformations,
            metadata=new.metadata,
            externally_managed=new.externally_managed,
        )

    async def read(self, workspace: UUID, dataset_id: UUID) -> Dataset:
        """NotFound when there is none."""
        return await self._found(workspace, dataset_id, counted=True)

    async def check(self, workspace: UUID, dataset_id: UUID) -> None:
        """NotFound when there is none."""
        await self._found(workspace, dataset_id, counted=False)

    async def _found(self, workspace: UUID, dataset_id: UUID, *, counted: bool) -> Dataset:
        found = await self._store.read(workspace, dataset_id, counted=counted)
        if found is None:
            raise unknown(dataset_id)
        return found

    async def find(self, query: DatasetQuery) -> list[Dataset]:
        """One page. Invalid for a metadata filter that is not a JSON object, or is too large."""
        if query.metadata is not None:
            check_filter(query.metadata)
        return await self._store.find(query)

    async def update(self, workspace: UUID, dataset_id: UUID, patch: DatasetPatch) -> Dataset:
        """Change what no example depends on: for schemas see `Examples.update_dataset`."""
        check_patch(patch)
        found = await self._store.update(workspace, dataset_id, patch, _now())
        if found is None:
            raise unknown(dataset_id)
        return found

    async def delete(self, workspace: UUID, dataset_ids: Sequence[UUID]) -> list[UUID]:
        """The ids of those that were there; NotFound when none was. Experiments over them stay."""
        if len(dataset_ids) > MAX_DELETED:
            raise Invalid(f"at most {MAX_DELETED} datasets at once", where=("query", "dataset_ids"))
        gone = await self._store.delete(workspace, dataset_ids)
        await self._blobs.delete(gone.files)
        if not gone.ids:
            raise unknown(*dataset_ids)
        return list(gone.ids)

    @asynccontextmanager
    async def writing(self, workspace: UUID, dataset_id: UUID) -> AsyncIterator[Dataset]:
        """The dataset, whose schemas and examples nobody else in this process changes inside the block.

        What is counted of it is left out.
        """
        lock = self._writing.setdefault((workspace, dataset_id), asyncio.Lock())
        async with lock:
            yield await self._found(workspace, dataset_id, counted=False)

    # -- versions ------------------------------------------------------------------------------------------

    async def moment(self, workspace: UUID, dataset_id: UUID, as_of: AsOf) -> Micros | None:
        """The moment a version means; None for the newest. NotFound for a tag that is on no version."""
        if as_of is None or as_of == LATEST:
            return None
        if isinstance(as_of, int):
            return as_of
        found = await self._store.version(workspace, dataset_id, tag=as_of)
        if found is None:
            raise NotFound(f"dataset version not found: no version has the tag {as_of[:MAX_TAG]!r}")
        return found.as_of

    async def versions(
        self,
        workspace: UUID,
        dataset_id: UUID,
        example: UUID | None = None,
        tag_contains: str | None = None,
        offset: int = 0,
        limit: int | None = None,
    ) -> list[DatasetVersion]:
        """Newest first; NotFound when there is no such dataset."""
        await self.check(workspace, dataset_id)
        return await self._store.versions(workspace, dataset_id, example, tag_contains, offset, limit)

    async def version(
        self, workspace: UUID, dataset_id: UUID, as_of: Micros | None, tag: str | None
    ) -> DatasetVersion:
        """The newest version not after `as_of`, or the tag's; NotFound when there is none."""
        await self.check(workspace, dataset_id)
        found = await self._store.version(workspace, dataset_id, as_of, tag)
        if found is None:
            raise NotFound("dataset version not found")
        return found

    async def diff(self, workspace: UUID, dataset_id: UUID, since: AsOf, until: AsOf) -> DatasetDiff:
        """What differs at `until` from what was at `since`."""
        await self.check(workspace, dataset_id)
        first = await self.moment(workspace, dataset_id, since)
        second = await self.moment(workspace, dataset_id, until)
        now = _now() + TRUNCATED
        return await self._store.diff(
            workspace, dataset_id, now if first is None else first, now if second is None else second
        )

    async def tag(self, workspace: UUID, dataset_id: UUID, tag: str, as_of: Micros) -> DatasetVersion:
        """Put a tag on a version. Invalid for `latest`; NotFound for a moment from before the first one.

        Clients name a version by any time they have seen of it: the dataset's `modified_at`, which a change of
        its description moves too, or a time cut to milliseconds. So the version meant is the newest one that
        is not later than that millisecond's end.
        """
        if not tag or len(tag) > MAX_TAG or "\0" in tag or tag == LATEST:
            raise Invalid(
                f"a tag has 1 to {MAX_TAG} characters, and {LATEST!r} always is the newest version",
                where=("body", "tag"),
            )
        dataset = await self._found(workspace, dataset_id, counted=False)
        until = as_of if as_of % TRUNCATED else as_of + TRUNCATED - 1
        found = await self._store.version(workspace, dataset_id, as_of=until)
        if found is None:
            if as_of not in (dataset.modified_at, dataset.modified_at - dataset.modified_at % TRUNCATED):
                raise NotFound("dataset version not found: there is none that early")
            found = DatasetVersion(dataset.modified_at)  # it has no example yet
        await self._store.tag(workspace, dataset_id, tag, found.as_of)
        return await self._store.version(workspace, dataset_id, tag=tag) or found

    async def splits(self, workspace: UUID, dataset_id: UUID, as_of: AsOf) -> list[str]:
        """Names of the splits that examples are in, sorted."""
        await self.check(workspace, dataset_id)
        return await self._examples.splits(
            workspace, dataset_id, await self.moment(workspace, dataset_id, as_of)
        )


# -- checks ----------------------------------------------------------------------------------------------


def check_name(name: str) -> None:
    """Invalid unless a dataset can be called that."""
    where = ("body", "name")
    if not name or len(name) > MAX_NAME or len(name.encode(errors="replace")) > MAX_NAME_BYTES:
        raise Invalid(
            f"a dataset's name has 1 to {MAX_NAME} characters ({MAX_NAME_BYTES} bytes of UTF-8)", where
        )
    check_text(name, where)


def check_text(text: str, where: tuple[str | int, ...]) -> None:
    """Invalid for what no table can hold."""
    if "\0" in text:
        raise Invalid("text must not contain the NUL character", where)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Invalid("this is not valid Unicode text", where) from None


def check_patch(patch: DatasetPatch) -> None:
    """Invalid for values that a dataset cannot have."""
    if patch.name is not UNSET:
        check_name(patch.name)
    _check_members(_stated(patch.description), _stated(patch.metadata))
    check_rules(_stated(patch.inputs_schema), _stated(patch.outputs_schema), _stated(patch.transformations))


def check_filter(text: bytes, where: tuple[str | int, ...] = ("query", "metadata")) -> None:
    """Invalid unless this is a JSON object of a size that containment can be asked of."""
    if len(text) > MAX_FILTER or text.count(b"{") + text.count(b"[") > 100:
        raise Invalid("the metadata filter is too large", where)
    try:
        if isinstance(msgspec.json.decode(text), dict):
            return
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        pass
    raise Invalid("the metadata filter has to be a JSON object", where)


def _check_members(description: str | None, metadata: bytes | None) -> None:
    if description is not None:
        check_text(description, ("body", "description"))
    if metadata is not None and len(metadata) > MAX_JSON:
        raise Invalid(f"metadata has at most {MAX_JSON} bytes", ("body", "metadata"))


def _stated(value: Any) -> Any:
    return None if value is UNSET else value


def unknown(*dataset_ids: UUID) -> NotFound:
    """Clients look for "dataset not found" in this text."""
    return NotFound(f"dataset not found: {', '.join(str(each) for each in dataset_ids[:3])}")


def _now() -> Micros:
    return time.time_ns() // 1000

"""Examples read back as of any moment, a page at a time or all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Final
from uuid import UUID

import msgspec

from stenograph.domain.datasets.datasets import AsOf, Datasets, check_filter
from stenograph.domain.examples.drafts import Written
from stenograph.errors import NotFound
from stenograph.model.examples import Example, ExampleQuery, contained
from stenograph.store.api import MetaStore

PAGE: Final = 100
PAGE_CHARACTERS: Final = 4 << 20
"""Examples, and characters of theirs, read at a time where a whole dataset is gone through; one may have more."""


class ExampleReader:
    """Callers check the permission; another workspace's examples are unknown here."""

    def __init__(self, meta: MetaStore, datasets: Datasets) -> None:
        self._store = meta.examples
        self._datasets = datasets

    async def find(self, query: ExampleQuery) -> list[Example]:
        """One page of what matches."""
        _check_query(query)
        return await self._store.find(query)

    async def count(self, query: ExampleQuery) -> int:
        """How many match, whatever the page."""
        _check_query(query)
        return await self._store.count(query)

    async def walk(self, query: ExampleQuery) -> AsyncIterator[list[Example]]:
        """All that match, whatever the page, some at a time; writes that go on meanwhile are not seen when the
        query says as of when."""
        _check_query(query)
        ids = await self._store.ids(query)
        async for part in self._parts(msgspec.structs.replace(query, offset=0, limit=None), ids):
            yield await self._store.find(part)

    async def written(
        self, workspace: UUID, dataset_id: UUID, written: Written
    ) -> AsyncIterator[list[Example]]:
        """What was just written, as it was then, some at a time, in the order of the write."""
        query = ExampleQuery(workspace=workspace, dataset_id=dataset_id, as_of=written.as_of)
        place = {example_id: at for at, example_id in enumerate(written.ids)}
        async for part in self._parts(query, written.ids):
            yield sorted(await self._store.find(part), key=lambda example: place[example.id])

    async def _parts(self, query: ExampleQuery, ids: Sequence[UUID]) -> AsyncIterator[ExampleQuery]:
        """The query for these, so many at a time that memory can hold them."""
        for start in range(0, len(ids), PAGE):
            page = ids[start : start + PAGE]
            sizes = await self._store.sizes(msgspec.structs.replace(query, ids=tuple(page)))
            for part in within(page, sizes):
                yield msgspec.structs.replace(query, ids=tuple(part))

    async def read(
        self, workspace: UUID, example_id: UUID, as_of: AsOf = None, dataset_id: UUID | None = None
    ) -> Example:
        """The example as it was then; NotFound when it was not there, or is not in that dataset."""
        home = (await self._store.datasets_of(workspace, [example_id])).get(example_id)
        if home is None or (dataset_id is not None and home != dataset_id):
            raise NotFound(f"example not found: {example_id}")
        moment = await self._datasets.moment(workspace, home, as_of)
        found = await self._store.find(
            ExampleQuery(workspace=workspace, ids=(example_id,), as_of=moment, limit=1)
        )
        if not found:
            raise NotFound(f"example not found: {example_id}")
        return found[0]


def within(ids: Sequence[UUID], sizes: Mapping[UUID, int]) -> Iterator[Sequence[UUID]]:
    """The ids in their order, cut so that none of the parts is too large, unless it is a single one."""
    start = size = 0
    for at, each in enumerate(ids):
        size += sizes.get(each, 0)
        if size > PAGE_CHARACTERS and at > start:
            yield ids[start:at]
            start, size = at, sizes.get(each, 0)
    if start < len(ids):
        yield ids[start:]


def _check_query(query: ExampleQuery) -> None:
    if query.test is not None:
        for part in contained(query.test):
            check_filter(part)

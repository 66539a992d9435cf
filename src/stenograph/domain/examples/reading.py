"""Examples read back as of any moment, a page at a time or all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID

import msgspec

from stenograph.domain.datasets.datasets import AsOf, Datasets, check_filter
from stenograph.domain.examples.drafts import Written
from stenograph.errors import NotFound
from stenograph.model.examples import Example, ExampleQuery, contained
from stenograph.store.api import MetaStore

PAGE: Final = 100
"""Examples read at a time where a whole dataset is gone through: they may be large."""


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
        for start in range(0, len(ids), PAGE):
            part = msgspec.structs.replace(query, ids=tuple(ids[start : start + PAGE]), offset=0, limit=None)
            yield await self._store.find(part)

    async def written(
        self, workspace: UUID, dataset_id: UUID, written: Written
    ) -> AsyncIterator[list[Example]]:
        """What was just written, as it was then, some at a time, in the order of the write."""
        query = ExampleQuery(workspace=workspace, dataset_id=dataset_id, as_of=written.as_of)
        for start in range(0, len(written.ids), PAGE):
            ids = written.ids[start : start + PAGE]
            found = await self._store.find(msgspec.structs.replace(query, ids=ids))
            place = {example_id: at for at, example_id in enumerate(ids)}
            yield sorted(found, key=lambda example: place[example.id])

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


def _check_query(query: ExampleQuery) -> None:
    if query.test is not None:
        for part in contained(query.test):
            check_filter(part)

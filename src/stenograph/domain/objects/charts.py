"""Saved charts: made, listed, changed, deleted. What a chart shows is computed elsewhere. Callers check the permission.

With a `project` only that project's charts and those of no project are there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import UUID

from msgspec import UnsetType

from stenograph.domain.objects.limits import check_document, check_name, check_text
from stenograph.errors import Invalid, NotFound
from stenograph.model.charts import BUCKETINGS, Chart, ChartPatch
from stenograph.store.api import MetaStore


class Charts:
    """The charts of one workspace at a time. Another workspace's do not exist."""

    def __init__(self, meta: MetaStore, *, clock: Callable[[], int] = time.time_ns) -> None:
        self._store = meta.charts
        self._clock = clock

    async def create(self, chart: Chart) -> Chart:
        """NotFound when it names a project that is not there."""
        _check(chart)
        await self._store.create(chart)
        return chart

    async def find(self, workspace: UUID, project: UUID | None = None) -> list[Chart]:
        """Oldest first."""
        return await self._store.find(workspace, project)

    async def read(self, workspace: UUID, chart_id: UUID, project: UUID | None = None) -> Chart:
        """NotFound when there is none."""
        return _known(await self._store.read(workspace, chart_id, project), chart_id)

    async def update(
        self, workspace: UUID, chart_id: UUID, patch: ChartPatch, project: UUID | None = None
    ) -> Chart:
        """As changed; NotFound when there is none."""
        _check(patch)
        now = self._clock() // 1000
        return _known(await self._store.update(workspace, chart_id, patch, now, project), chart_id)

    async def delete(self, workspace: UUID, chart_id: UUID, project: UUID | None = None) -> None:
        """NotFound when there is none."""
        if not await self._store.delete(workspace, chart_id, project):
            raise unknown(chart_id)


def _known(found: Chart | None, chart_id: UUID) -> Chart:
    if found is None:
        raise unknown(chart_id)
    return found


def unknown(chart_id: UUID | str) -> NotFound:
    return NotFound(f"There is no chart {str(chart_id)[:80]}.")


def _check(stated: Chart | ChartPatch) -> None:
    if not isinstance(stated.name, UnsetType):
        check_name(stated.name)
    if not isinstance(stated.metric, UnsetType):
        check_text(stated.metric, "metric", least=1)
    for field in ("description", "func", "group_by", "owner_id"):
        text: str | UnsetType | None = getattr(stated, field)
        if not isinstance(text, UnsetType):
            check_text(text, field)
    if not isinstance(stated.bucketing, UnsetType) and stated.bucketing not in BUCKETINGS:
        raise Invalid(f"bucketing is one of {', '.join(BUCKETINGS)}", ("bucketing",))
    for field in ("date_range", "query"):
        document: bytes | UnsetType | None = getattr(stated, field)
        if not isinstance(document, UnsetType):
            check_document(document, field)

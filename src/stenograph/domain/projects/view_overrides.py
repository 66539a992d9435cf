"""How the columns of a dataset's experiments are shown. Callers check the permission."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Final
from uuid import UUID, uuid4

import msgspec

from stenograph.domain.datasets.datasets import check_text, unknown
from stenograph.errors import Invalid, NotFound
from stenograph.model.experiments import ColumnOverride, ViewOverride
from stenograph.store.api import MetaStore

MAX_COLUMNS: Final = 50
MAX_NAME: Final = 200
MAX_STEPS: Final = 20
MAX_PRECISION: Final = 6
MAX_BYTES: Final = 1 << 18
KINDS: Final = (
    "inputs", "outputs", "reference_outputs", "feedback", "metrics", "attachments", "metadata",
)  # fmt: skip
"""What a column's name begins with. (LangSmith's OpenAPI, "experiment-view-overrides".)"""


class ViewOverrides:
    """One set a dataset. Another workspace's datasets are unknown."""

    def __init__(self, meta: MetaStore) -> None:
        self._store = meta.view_overrides
        self._datasets = meta.datasets

    async def of_dataset(self, workspace: UUID, dataset_id: UUID) -> ViewOverride | None:
        """NotFound when there is no such dataset."""
        if await self._datasets.read(workspace, dataset_id) is None:
            raise unknown(dataset_id)
        return await self._store.of_dataset(workspace, dataset_id)

    async def read(self, workspace: UUID, dataset_id: UUID, override_id: UUID) -> ViewOverride:
        found = await self._store.of_dataset(workspace, dataset_id)
        if found is None or found.id != override_id:
            raise _missing(override_id)
        return found

    async def create(
        self, workspace: UUID, dataset_id: UUID, columns: Sequence[ColumnOverride]
    ) -> ViewOverride:
        """Conflict when the dataset has them already."""
        now = time.time_ns() // 1000
        override = ViewOverride(
            id=uuid4(),
            workspace=workspace,
            dataset_id=dataset_id,
            overrides=_checked(columns),
            created_at=now,
            modified_at=now,
        )
        await self._store.create(override)
        return override

    async def replace(
        self, workspace: UUID, dataset_id: UUID, override_id: UUID, columns: Sequence[ColumnOverride]
    ) -> ViewOverride:
        """All columns are replaced. NotFound when there are none."""
        found = await self._store.update(
            workspace, dataset_id, override_id, _checked(columns), time.time_ns() // 1000
        )
        if found is None:
            raise _missing(override_id)
        return found

    async def delete(self, workspace: UUID, dataset_id: UUID, override_id: UUID) -> None:
        if not await self._store.delete(workspace, dataset_id, override_id):
            raise _missing(override_id)


def _missing(override_id: UUID) -> NotFound:
    return NotFound(f"experiment view override not found: {override_id}")


def _checked(columns: Sequence[ColumnOverride]) -> bytes:
    """The columns as JSON; Invalid, naming the place, for what cannot be shown."""
    where = ("body", "column_overrides")
    if not 1 <= len(columns) <= MAX_COLUMNS:
        raise Invalid(f"give 1 to {MAX_COLUMNS} column_overrides", where)
    for index, column in enumerate(columns):
        here = (*where, index)
        check_text(column.column, (*here, "column"))
        if len(column.column) > MAX_NAME or not column.column.startswith(KINDS):
            raise Invalid(
                f"a column's name has at most {MAX_NAME} characters and begins with one of {', '.join(KINDS)}",
                (*here, "column"),
            )
        if column.precision is not None and not 1 <= column.precision <= MAX_PRECISION:
            raise Invalid(f"precision is 1 to {MAX_PRECISION}", (*here, "precision"))
        steps = column.color_gradient or ()
        if len(steps) > MAX_STEPS or not all(math.isfinite(number) for number, _ in steps):
            raise Invalid(f"a gradient has at most {MAX_STEPS} steps", (*here, "color_gradient"))
        for _, colour in steps:
            check_text(colour, (*here, "color_gradient"))
    document = msgspec.json.encode(columns)
    if len(document) > MAX_BYTES:
        raise Invalid(f"column_overrides have at most {MAX_BYTES} bytes", where)
    if b"\\u0000" in document:
        raise Invalid("text must not contain the NUL character", where)
    return document

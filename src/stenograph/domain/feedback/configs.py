"""What scores under a key look like: described by the people who give feedback, kept one a key."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from uuid import UUID

import msgspec

from stenograph.errors import Conflict, Invalid, NotFound
from stenograph.model.feedback_setup import FeedbackCategory, FeedbackConfig, FeedbackShape
from stenograph.model.runs import Micros
from stenograph.store.api import MetaStore

MAX_CATEGORIES: Final = 1000
MAX_LABEL: Final = 1000
_WHERE: Final = "feedback_config"


def check_shape(shape: FeedbackShape, where: str = _WHERE) -> None:
    """Invalid, with what is wrong, unless scores can look like that."""
    if shape.min is not None and shape.max is not None and shape.min > shape.max:
        raise Invalid(f"min ({shape.min}) is above max ({shape.max})", (where, "min"))
    categories = shape.categories or ()
    if shape.type == "categorical" and not categories:
        raise Invalid("a categorical key needs categories: a list of {value, label}", (where, "categories"))
    if len(categories) > MAX_CATEGORIES:
        raise Invalid(f"at most {MAX_CATEGORIES} categories", (where, "categories"))
    values: set[float] = set()
    labels: set[str] = set()
    for index, category in enumerate(categories):
        label = category.label
        if label is not None and not 1 <= len(label) <= MAX_LABEL:
            raise Invalid(f"a label has 1 to {MAX_LABEL} characters", (where, "categories", index))
        if category.value in values:
            raise Invalid(f"two categories have the value {category.value}", (where, "categories", index))
        if label is not None and label in labels:
            raise Invalid(f"two categories have the label {label[:60]!r}", (where, "categories", index))
        values.add(category.value)
        labels |= {label} if label is not None else set()


class ConfigChange(msgspec.Struct, frozen=True, kw_only=True):
    """What to change of a config, in this order: the shape, less some categories, plus some."""

    shape: FeedbackShape | None = None
    remove_values: tuple[float, ...] = ()
    add_categories: tuple[FeedbackCategory, ...] = ()
    is_lower_score_better: bool | None = None
    is_enforced: bool | None = None


class FeedbackConfigs:
    """Configs of one workspace at a time. Callers check keys and permissions."""

    def __init__(self, meta: MetaStore, *, clock: Callable[[], int] = time.time_ns) -> None:
        self._store = meta.feedback_configs
        self._clock = clock
        self._changing = asyncio.Lock()

    async def page(
        self,
        workspace: UUID,
        *,
        keys: Sequence[str] | None = None,
        key_contains: str | None = None,
        is_enforced: bool | None = None,
        with_deleted: bool = False,
        descending: bool = True,
        offset: int = 0,
        limit: int | None = None,
    ) -> list[FeedbackConfig]:
        """By the time of the last change, ties by key."""
        if is_enforced is None:
            return await self._store.page(
                workspace, keys, key_contains, descending, offset, limit, with_deleted
            )
        every = await self._store.page(workspace, keys, key_contains, descending, with_deleted=with_deleted)
        chosen = [config for config in every if config.is_enforced == is_enforced]
        return chosen[offset:] if limit is None else chosen[offset : offset + limit]

    async def create(
        self,
        workspace: UUID,
        key: str,
        shape: FeedbackShape,
        *,
        is_lower_score_better: bool | None = False,
        is_enforced: bool = False,
    ) -> FeedbackConfig:
        """The new config, or the one that is there when its shape is the same.

        Invalid when the key has another shape; Conflict when that one is enforced and this is to be, too.
        """
        check_shape(shape)
        new = FeedbackConfig(
            workspace=workspace,
            key=key,
            config=msgspec.json.encode(shape),
            modified_at=self._now(),
            is_lower_score_better=is_lower_score_better,
            is_enforced=is_enforced,
        )
        async with self._changing:
            found = await self._store.read(workspace, key) or await self._add(new)
            if found.shape != shape:
                if found.is_enforced and is_enforced:
                    raise Conflict(f"The key {key!r} has an enforced feedback config already.")
                raise Invalid(
                    f"Feedback config already exists for the key {key!r}, and it differs: change or delete it."
                )
            if is_enforced and not found.is_enforced:
                found = msgspec.structs.replace(found, is_enforced=True, modified_at=self._now())
                await self._store.put(found)
            return found

    async def _add(self, new: FeedbackConfig) -> FeedbackConfig:
        try:
            await self._store.create(new)
        except Conflict:  # another process was faster
            return await self._store.read(new.workspace, new.key) or new
        return new

    async def ensure(self, workspace: UUID, shapes: Mapping[str, FeedbackShape]) -> None:
        """Give these keys their shape where they have none. A key that has one keeps it, whatever is wanted."""
        for shape in shapes.values():
            check_shape(shape)
        if not shapes:
            return
        there = {config.key for config in await self._store.page(workspace, list(shapes))}
        for key, shape in shapes.items():
            if key not in there:
                new = FeedbackConfig(
                    workspace=workspace, key=key, config=msgspec.json.encode(shape), modified_at=self._now()
                )
                await self._add(new)

    async def change(self, workspace: UUID, key: str, change: ConfigChange) -> FeedbackConfig:
        """The config as changed. NotFound when the key has none, Invalid when its shape would not hold."""
        async with self._changing:
            found = await self._store.read(workspace, key)
            if found is None:
                raise _unknown(key)
            changed = msgspec.structs.replace(
                found, config=msgspec.json.encode(_changed(found.shape, change))
            )
            if change.is_lower_score_better is not None:
                changed = msgspec.structs.replace(changed, is_lower_score_better=change.is_lower_score_better)
            if change.is_enforced is not None:
                changed = msgspec.structs.replace(changed, is_enforced=change.is_enforced)
            if changed != found:
                changed = msgspec.structs.replace(changed, modified_at=self._now())
                await self._store.put(changed)
            return changed

    async def key_of(self, workspace: UUID, config_id: UUID) -> str:
        """The key whose config has this id; NotFound when there is none."""
        for config in await self._store.page(workspace):
            if config.id == config_id:
                return config.key
        raise NotFound(f"feedback config {config_id} not found")

    async def delete(self, workspace: UUID, key: str) -> None:
        """NotFound when the key has none. Feedback under the key stays as it is."""
        async with self._changing:
            if not await self._store.delete(workspace, key, self._now()):
                raise _unknown(key)

    def _now(self) -> Micros:
        return self._clock() // 1000


def _unknown(key: str) -> NotFound:
    return NotFound(f"feedback config for the key {key[:200]!r} not found")


def _changed(shape: FeedbackShape, change: ConfigChange) -> FeedbackShape:
    if change.shape is not None:
        check_shape(change.shape)
        shape = change.shape
    if (change.remove_values or change.add_categories) and shape.type != "categorical":
        where = "add_categories" if change.add_categories else "remove_categories"
        raise Invalid(f"this key is {shape.type}, so it has no categories", (where,))
    if change.remove_values:
        left = tuple(one for one in shape.categories or () if one.value not in change.remove_values)
        if len(left) + len(change.add_categories) < 2:
            raise Invalid("fewer than two categories would remain", ("remove_categories",))
        shape = msgspec.structs.replace(shape, categories=left)
    if change.add_categories:
        added = (*(shape.categories or ()), *change.add_categories)
        shape = msgspec.structs.replace(shape, categories=added)
        check_shape(shape, "add_categories")
    return shape

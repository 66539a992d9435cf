"""Annotation queues: what waits for people's judgement, who judges, and by which rubric.

The items of a queue are in `queue_items.py`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from stenograph.model.runs import Micros

OPEN_REVIEWER: Final = UUID("00000000-0000-4000-8000-000000000002")
"""Who reviews where nobody sends a key: all callers without one are one person."""


class QueueType(StrEnum):
    """What an item holds: one run (or thread), or two runs to compare."""

    SINGLE = "single"
    PAIRWISE = "pairwise"


class AccessMode(StrEnum):
    """Who reviews: anybody, or the assigned reviewers, then each of them."""

    ANY = "any"
    ASSIGNED = "assigned"


class ConditionRule(msgspec.Struct, frozen=True):
    """A test of the feedback under `key`, which an earlier item of the rubric asks for.

    `is` takes one value, `is_one_of` one or more, the others none. Values are scores, not labels.
    """

    key: str
    op: Literal["is", "is_one_of", "is_empty", "is_not_empty"]
    values: tuple[int | float, ...] = ()


class Conditions(msgspec.Struct, frozen=True):
    """When an item of a rubric applies: all of the rules hold, or any."""

    join: Literal["all", "any"]
    rules: tuple[ConditionRule, ...]


class RubricItem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing to judge: a feedback key, and what reviewers are told of it.

    Conditions that are UNSET were not stated; as a change that leaves them as they are. `regex_validator` is
    for the page that asks, in its language; nothing here runs it.
    """

    feedback_key: str
    description: str | None = None
    value_descriptions: dict[str, str] | None = None
    score_descriptions: dict[str, str] | None = None
    is_required: bool | None = None
    is_assertion: bool | None = None
    required_if: Conditions | UnsetType | None = UNSET
    visible_if: Conditions | UnsetType | None = UNSET
    regex_validator: str | None = None


Rubric = tuple[RubricItem, ...]


class AnnotationQueue(msgspec.Struct, frozen=True, kw_only=True):
    """A queue as stored. `metadata` is the client's JSON object, `reviewers` those assigned, in that order.

    `num_reviewers_per_item` None means every assigned reviewer, or one person where nobody is assigned.

    A queue with `event_filters` (a JSON array, as a face understands it) that `fills` takes in the runs that match
    by itself. `filled_to` is the version in the run store up to which it has looked at what was written.
    """

    id: UUID
    workspace: UUID
    name: str
    created_at: Micros
    updated_at: Micros
    description: str | None = None
    queue_type: QueueType = QueueType.SINGLE
    default_dataset: UUID | None = None
    num_reviewers_per_item: int | None = 1
    enable_reservations: bool = True
    reservation_minutes: int = 1
    reviewer_access_mode: AccessMode = AccessMode.ANY
    rubric_items: Rubric | None = None
    rubric_instructions: str | None = None
    metadata: bytes | None = None
    event_filters: bytes | None = None
    fills: bool = True
    filled_to: int | None = None
    reviewers: tuple[UUID, ...] = ()

    @property
    def needed(self) -> int | None:
        """How many reviews complete an item. None: no number does, as nobody may review."""
        if self.reviewer_access_mode is AccessMode.ASSIGNED:
            return len(self.reviewers) or None
        return self.num_reviewers_per_item or max(1, len(self.reviewers))

    def may_review(self, reviewer: UUID) -> bool:
        return self.reviewer_access_mode is AccessMode.ANY or reviewer in self.reviewers

    def reserved_since(self, now: Micros) -> Micros | None:
        """Who opened an item after this time still has it to themselves; None when nothing is reserved."""
        return now - self.reservation_minutes * 60_000_000 if self.enable_reservations else None


_NULLABLE: Final = frozenset({"num_reviewers_per_item", "metadata", "event_filters"})


class AnnotationQueuePatch(msgspec.Struct, frozen=True, kw_only=True):
    """Changes to a queue. None leaves a field as it is, but for those where None means something: there UNSET
    does. A rubric is replaced whole; conditions that an item does not state stay those of the item of the same key."""

    name: str | None = None
    description: str | None = None
    default_dataset: UUID | None = None
    num_reviewers_per_item: int | UnsetType | None = UNSET
    enable_reservations: bool | None = None
    reservation_minutes: int | None = None
    reviewer_access_mode: AccessMode | None = None
    rubric_items: Rubric | None = None
    rubric_instructions: str | None = None
    metadata: bytes | UnsetType | None = UNSET
    event_filters: bytes | UnsetType | None = UNSET
    fills: bool | None = None
    filled_to: int | None = None

    def apply(self, to: AnnotationQueue, at: Micros) -> AnnotationQueue:
        """The queue as changed at that time. `filled_to` is for one that fills itself in another way than before."""
        stated = {
            field: value
            for field in self.__struct_fields__
            if (value := getattr(self, field)) is not UNSET and (value is not None or field in _NULLABLE)
        }
        if self.rubric_items is not None:
            stated["rubric_items"] = _keep_conditions(self.rubric_items, to.rubric_items or ())
        changed: AnnotationQueue = msgspec.structs.replace(to, **stated, updated_at=at)
        if (changed.event_filters, changed.fills) == (to.event_filters, to.fills):
            return msgspec.structs.replace(changed, filled_to=to.filled_to)
        return changed


def _keep_conditions(new: Rubric, old: Rubric) -> Rubric:
    """Conditions on what no earlier item asks for any more are dropped."""
    before = {item.feedback_key: item for item in old}
    kept: list[RubricItem] = []
    for item in new:
        same, earlier = before.get(item.feedback_key), {each.feedback_key for each in kept}
        for field in ("required_if", "visible_if"):
            former = getattr(same, field, UNSET)
            if getattr(item, field) is UNSET and isinstance(former, Conditions):
                holds = all(rule.key in earlier for rule in former.rules)
                item = msgspec.structs.replace(item, **{field: former if holds else None})
        kept.append(item)
    return tuple(kept)


class QueueSort(StrEnum):
    """The orders of a list of queues; ties fall to the id."""

    NAME = "name"
    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"
    TOTAL_RUNS = "total_runs"


class QueueQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which queues of one workspace. None means no condition; an empty `ids` matches nothing.

    `name_contains` ignores case. `dataset` is the default dataset, `run` one that an item holds, `reviewer` one
    who is assigned, `fills` whether it may fill itself. Without `limit` all are returned.
    """

    workspace: UUID
    ids: tuple[UUID, ...] | None = None
    name: str | None = None
    name_contains: str | None = None
    dataset: UUID | None = None
    queue_type: QueueType | None = None
    reviewer: UUID | None = None
    run: UUID | None = None
    fills: bool | None = None
    sort: QueueSort = QueueSort.CREATED_AT
    descending: bool = True
    offset: int = 0
    limit: int | None = None


class ListedQueue(msgspec.Struct, frozen=True):
    """A queue and how many items with runs it has, completed ones too."""

    queue: AnnotationQueue
    total_runs: int

"""Annotation queues and their items in LangSmith's shapes, and what it says of queues back into ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID, uuid4, uuid5

import msgspec
from msgspec import UNSET, UnsetType

from stenograph.errors import Invalid
from stenograph.model.annotation_queues import (
    AccessMode,
    AnnotationQueue,
    AnnotationQueuePatch,
    ConditionRule,
    Conditions,
    ListedQueue,
    QueueType,
    Rubric,
    RubricItem,
)
from stenograph.model.feedback_setup import FeedbackConfig
from stenograph.model.queue_items import ItemPatch, QueueItem, Reviewed, SeenItem
from stenograph.model.runs import Micros
from stenograph.wire.langsmith.annotation.schemas import (
    ConditionsIn,
    ItemPatchIn,
    MissingIn,
    QueueIn,
    QueuePatchIn,
    RubricItemIn,
)
from stenograph.wire.langsmith.feedback import configs as feedback_configs
from stenograph.wire.langsmith.runs.convert import micros, raw, zoned_text
from stenograph.wire.langsmith.runs.schemas import NULL
from stenograph.wire.payloads import Payloads

_MISSING: Final = {"__missing__": "__missing__"}

# -- in --------------------------------------------------------------------------------------------------


def new_queue(sent: QueueIn, workspace: UUID, now: Micros, payloads: Payloads) -> AnnotationQueue:
    created_at = micros(sent.created_at, "created_at")
    updated_at = micros(sent.updated_at, "updated_at")
    created_at = now if created_at is None else created_at
    number, metadata = _number(sent), _metadata(sent, payloads)
    return AnnotationQueue(
        id=sent.id or uuid4(),
        workspace=workspace,
        name=sent.name,
        created_at=created_at,
        updated_at=created_at if updated_at is None else updated_at,
        description=sent.description,
        queue_type=QueueType(sent.queue_type or "single"),
        default_dataset=sent.default_dataset,
        num_reviewers_per_item=1 if isinstance(number, UnsetType) else number,
        enable_reservations=sent.enable_reservations is not False,
        reservation_minutes=1 if sent.reservation_minutes is None else sent.reservation_minutes,
        reviewer_access_mode=AccessMode(sent.reviewer_access_mode or "any"),
        rubric_items=_rubric(sent, workspace),
        rubric_instructions=sent.rubric_instructions,
        metadata=None if isinstance(metadata, UnsetType) else metadata,
    )


def queue_patch(sent: QueuePatchIn, workspace: UUID, payloads: Payloads) -> AnnotationQueuePatch:
    mode = sent.reviewer_access_mode
    return AnnotationQueuePatch(
        name=sent.name,
        description=sent.description,
        default_dataset=sent.default_dataset,
        num_reviewers_per_item=_number(sent),
        enable_reservations=sent.enable_reservations,
        reservation_minutes=sent.reservation_minutes,
        reviewer_access_mode=None if mode is None else AccessMode(mode),
        rubric_items=_rubric(sent, workspace),
        rubric_instructions=sent.rubric_instructions,
        metadata=_metadata(sent, payloads),
    )


def item_patch(sent: ItemPatchIn) -> ItemPatch:
    return ItemPatch(
        added_at=micros(sent.added_at, "added_at"),
        last_reviewed_time=micros(sent.last_reviewed_time, "last_reviewed_time"),
    )


def _number(sent: QueuePatchIn) -> int | UnsetType | None:
    number = sent.num_reviewers_per_item
    return UNSET if isinstance(number, MissingIn) else number


def _metadata(sent: QueuePatchIn, payloads: Payloads) -> bytes | UnsetType | None:
    if not bytes(sent.metadata):
        return UNSET
    found = payloads.check_values(sent.metadata, "metadata", "object")
    return UNSET if found is not None and msgspec.json.decode(found) == _MISSING else found


def _rubric(sent: QueuePatchIn, workspace: UUID) -> Rubric | None:
    if sent.rubric_items is None:
        return None
    return tuple(_rubric_item(item, index, workspace) for index, item in enumerate(sent.rubric_items))


def _rubric_item(sent: RubricItemIn, index: int, workspace: UUID) -> RubricItem:
    # A key has one feedback config here, so there is nothing to choose; but another's id is a mistake.
    if sent.feedback_config_id not in (None, uuid5(workspace, sent.feedback_key)):
        raise Invalid(
            f"this is not the id of the feedback config of {sent.feedback_key[:60]!r}: leave it out",
            ("rubric_items", index, "feedback_config_id"),
        )
    return RubricItem(
        feedback_key=sent.feedback_key,
        description=sent.description,
        value_descriptions=sent.value_descriptions,
        score_descriptions=sent.score_descriptions,
        is_required=sent.is_required,
        is_assertion=sent.is_assertion,
        required_if=_conditions(sent.required_if),
        visible_if=_conditions(sent.visible_if),
        regex_validator=sent.regex_validator,
    )


def _conditions(sent: ConditionsIn | UnsetType | None) -> Conditions | UnsetType | None:
    if not isinstance(sent, ConditionsIn):
        return sent
    rules = tuple(ConditionRule(rule.key, rule.op, tuple(rule.values or ())) for rule in sent.rules)
    return Conditions(sent.join, rules)


# -- queues out ------------------------------------------------------------------------------------------


def plain_queue(queue: AnnotationQueue, names: Mapping[UUID, str]) -> dict[str, Any]:
    """AnnotationQueueSchema: without the rubric, which clients do not expect in answers to a create."""
    return {
        "id": queue.id,
        "tenant_id": queue.workspace,
        "name": queue.name,
        "description": queue.description,
        "created_at": zoned_text(queue.created_at),
        "updated_at": zoned_text(queue.updated_at),
        "queue_type": queue.queue_type.value,
        "default_dataset": queue.default_dataset,
        "num_reviewers_per_item": queue.num_reviewers_per_item,
        "enable_reservations": queue.enable_reservations,
        "reservation_minutes": queue.reservation_minutes,
        "reviewer_access_mode": queue.reviewer_access_mode.value,
        "source_rule_id": None,
        "run_rule_id": None,
        "metadata": raw(queue.metadata),
        "assigned_reviewers": [
            {"id": reviewer, "name": names.get(reviewer), "email": None} for reviewer in queue.reviewers
        ],
    }


def queue_with_rubric(
    queue: AnnotationQueue, names: Mapping[UUID, str], configs: Sequence[FeedbackConfig]
) -> dict[str, Any]:
    """AnnotationQueueSchemaWithRubric; each item of the rubric with its key's feedback config."""
    by_key = {config.key: config for config in configs}
    items = queue.rubric_items
    return plain_queue(queue, names) | {
        "rubric_items": None if items is None else [_rubric_json(item, by_key) for item in items],
        "rubric_instructions": queue.rubric_instructions,
    }


def queue_with_size(listed: ListedQueue, names: Mapping[UUID, str], *, keys: bool) -> dict[str, Any]:
    """AnnotationQueueSchemaWithSize, with the feedback keys of its rubric where they were asked for."""
    found = plain_queue(listed.queue, names) | {"total_runs": listed.total_runs}
    if keys:
        found["rubric_keys"] = [item.feedback_key for item in listed.queue.rubric_items or ()]
    return found


def _rubric_json(item: RubricItem, configs: Mapping[str, FeedbackConfig]) -> dict[str, Any]:
    config = configs.get(item.feedback_key)
    return {
        "feedback_key": item.feedback_key,
        "description": item.description,
        "value_descriptions": item.value_descriptions,
        "score_descriptions": item.score_descriptions,
        "is_required": item.is_required,
        "is_assertion": item.is_assertion,
        "required_if": None if item.required_if is UNSET else item.required_if,
        "visible_if": None if item.visible_if is UNSET else item.visible_if,
        "regex_validator": item.regex_validator,
        "feedback_config_id": None if config is None else config.id,
        "feedback_config": None if config is None else feedback_configs.to_wire(config),
    }


# -- items out -------------------------------------------------------------------------------------------


def added_run(item: QueueItem) -> dict[str, Any]:
    """AnnotationQueueRunSchema."""
    return {
        "id": item.id,
        "queue_id": item.queue_id,
        "run_id": None if item.run is None else item.run.run_id,
        "added_at": zoned_text(item.added_at),
        "last_reviewed_time": zoned_text(item.last_reviewed_time),
        "source_proposed_example_id": item.source_proposed_example_id,
        **_other_run(item),
    }


def run_in_queue(seen: SeenItem, runs: Mapping[UUID, dict[str, Any]]) -> dict[str, Any]:
    """RunSchemaWithAnnotationQueueInfo, from runs as JSON values; that of a pair has its other run within."""
    item = seen.item
    assert item.run is not None
    found = runs[item.run.run_id] | {
        "queue_run_id": item.id,
        "last_reviewed_time": zoned_text(item.last_reviewed_time),
        "added_at": zoned_text(item.added_at),
        "effective_added_at": zoned_text(seen.effective_added_at),
        "reserved_by": seen.reserved_by,
        "completed_by": seen.completed_by,
        "source_proposed_example_id": item.source_proposed_example_id,
    }
    if found["inputs"] is NULL:  # LangSmith's Python client reads runs of queues into a stricter model
        found["inputs"] = {}
    if item.paired is not None:
        found["paired_run"] = runs[item.paired.run_id]
    return found


def queue_item(item: QueueItem) -> dict[str, Any]:
    """An item as the item API has it. Its times carry an offset."""
    return {
        "id": item.id,
        "queue_id": item.queue_id,
        "item_type": item.kind.name,
        "run_id": None if item.run is None else item.run.run_id,
        "thread_id": None if item.thread is None else item.thread.thread_id,
        "project_id": item.project_id,
        "start_time": zoned_text(item.start_time),
        "added_at": zoned_text(item.added_at),
        "last_reviewed_time": zoned_text(item.last_reviewed_time),
        "source_proposed_example_id": item.source_proposed_example_id,
        **_other_run(item),
    }


def seen_item(seen: SeenItem) -> dict[str, Any]:
    """The same in a list."""
    return queue_item(seen.item) | {
        "effective_added_at": zoned_text(seen.effective_added_at),
        "reserved_by": seen.reserved_by,
        "completed_by": seen.completed_by,
        "assigned_to": seen.assigned_to,
    }


def reviewed(found: Reviewed, item_id: UUID) -> dict[str, Any]:
    """What an item's status is now, for this reviewer."""
    status = found.review.status
    return {
        "queue_item_id": item_id,
        "status": None if status is None else status.value,
        "override_added_at": zoned_text(found.review.override_added_at),
        "is_archived": found.is_archived,
    }


def _other_run(item: QueueItem) -> dict[str, UUID]:
    return {} if item.paired is None else {"paired_run_id": item.paired.run_id}

"""LangSmith's bodies about feedback, its configs, formulas and tokens, with its names. Unknown fields are ignored."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from msgspec import UNSET, Raw, Struct, UnsetType

from stenograph.model.feedback_setup import FeedbackCategory
from stenograph.wire.langsmith.runs.schemas import ABSENT, Moment


class FeedbackUpdateIn(Struct):
    """PATCH /feedback/{id}: what was not sent stays as it is, null empties."""

    score: Raw = ABSENT
    value: Raw = ABSENT
    comment: str | None | UnsetType = UNSET
    correction: Raw = ABSENT
    feedback_config: Raw = ABSENT


class FeedbackConfigIn(Struct):
    """POST /feedback-configs."""

    feedback_key: str
    feedback_config: Raw
    is_lower_score_better: bool | None = False
    is_enforced: bool | None = False


class FeedbackConfigUpdateIn(Struct):
    """PATCH /feedback-configs. `id` may name the config instead of its key."""

    feedback_key: str | None = None
    id: UUID | None = None
    feedback_config: Raw = ABSENT
    is_lower_score_better: bool | None = None
    is_enforced: bool | None = None
    add_categories: list[FeedbackCategory] | None = None
    remove_categories: list[float] | None = None


class FormulaPartIn(Struct):
    part_type: Literal["weighted_key"]
    weight: float
    key: str


class FeedbackFormulaUpdateIn(Struct):
    """PUT /feedback/formulas/{id}."""

    feedback_key: str
    aggregation_type: Literal["sum", "avg"]
    formula_parts: list[FormulaPartIn]


class FeedbackFormulaIn(FeedbackFormulaUpdateIn):
    """POST /feedback/formulas."""

    dataset_id: UUID | None = None
    session_id: UUID | None = None


class TimedeltaIn(Struct):
    days: float | None = None
    hours: float | None = None
    minutes: float | None = None


class FeedbackTokenIn(Struct):
    """POST /feedback/tokens, one or each of a list."""

    run_id: UUID
    feedback_key: str
    id: UUID | None = None
    expires_in: TimedeltaIn | None = None
    expires_at: Moment = None
    feedback_config: Raw = ABSENT


class FeedbackByTokenIn(Struct):
    """POST /feedback/tokens/{token}."""

    score: Raw = ABSENT
    value: Raw = ABSENT
    comment: str | None = None
    correction: Raw = ABSENT
    metadata: Raw = ABSENT

"""Feedback: a judgement on a run, or on a whole project. Raw JSON where the client chooses the type."""

from __future__ import annotations

from uuid import UUID

import msgspec

from stenograph.model.runs import Micros


class Feedback(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag=2, gc=False):
    """One piece of feedback, whole: a later version replaces an earlier one.

    Also the inbox's record: fields are only ever appended, each with a default.
    `run_id` may name a run that has not arrived yet; with none, the feedback is on `project_id` itself.
    `score` is the number to compute with; `raw_score` keeps what was sent (`true` is not `1` to clients).
    """

    workspace: UUID
    id: UUID
    key: str
    created_at: Micros
    modified_at: Micros
    run_id: UUID | None = None
    trace_id: UUID | None = None
    project_id: UUID | None = None
    score: float | None = None
    raw_score: bytes | None = None
    value: bytes | None = None
    comment: str | None = None
    correction: bytes | None = None
    source_type: str = "api"
    source: bytes | None = None
    group_id: UUID | None = None
    comparative_experiment_id: UUID | None = None
    start_time: Micros | None = None
    extra: bytes | None = None
    error: bool = False
    deleted: bool = False
    version: int = 0


class FeedbackStat(msgspec.Struct, frozen=True, kw_only=True):
    """What a set of feedback under one key comes to. `n` counts numeric scores only."""

    n: int = 0
    avg: float | None = None
    stdev: float | None = None
    min: float | None = None
    max: float | None = None
    errors: int = 0
    values: dict[str, int] = {}
    comments: list[str] = []
    sources: list[str] = []

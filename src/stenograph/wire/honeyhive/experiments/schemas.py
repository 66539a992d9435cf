"""What HoneyHive's clients send of runs, of which it says "evaluation" as well. Exact wire names.

Both generations take what they do not know and leave it: HoneyHive's own description allows it here.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw

from stenograph.model.evaluations import EvaluationStatus

Id = Annotated[str, Meta(min_length=1)]


class PassingRange(msgspec.Struct, omit_defaults=True):
    min: float | None = None
    max: float | None = None


class RunIn(msgspec.Struct):
    """POST and PUT of a run, in both generations."""

    run_id: str | None = None
    project: str | None = None
    name: str | None = None
    description: str | None = None
    status: EvaluationStatus | None = None
    metadata: Raw = Raw()
    results: Raw = Raw()
    dataset_id: str | None = None
    event_ids: list[str] | None = None
    configuration: Raw = Raw()
    evaluators: list[Any] | None = None
    session_ids: list[str] | None = None
    datapoint_ids: list[Id] | None = None
    passing_ranges: dict[str, PassingRange] | None = None
    is_active: bool | None = None

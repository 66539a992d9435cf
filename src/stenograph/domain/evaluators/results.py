"""What an evaluator found, as feedback: one piece a run and name, which a later finding replaces."""

from __future__ import annotations

from typing import Final
from uuid import UUID, uuid5

import msgspec

from stenograph.domain.evaluators.verdicts import Verdict
from stenograph.model.evaluators import Evaluator
from stenograph.model.feedback import Feedback, Shelf
from stenograph.model.runs import Micros, Run

AUTOMATIC: Final = "auto_eval"
"""The type of the source of feedback that evaluators of the server give."""

_NO_PROJECT: Final = UUID(int=0)


def feedback_of(verdict: Verdict, evaluator: Evaluator, run: Run, at: Micros) -> Feedback:
    """To be recorded. Its id is that of the metric of this name, whoever states it."""
    value = verdict.value
    metadata = {
        "honeyhive": Shelf.METRICS.value,
        "evaluator_id": str(evaluator.id),
        "evaluator_version": evaluator.live.name,
    }
    used = {
        name: found
        for name, found in (
            ("model", verdict.model),
            ("usage", None if verdict.tokens is None else msgspec.structs.asdict(verdict.tokens)),
        )
        if found is not None
    }
    is_number = isinstance(value, bool | int | float)
    return Feedback(
        workspace=run.workspace,
        id=uuid5(run.id, f"{Shelf.METRICS.value}:{evaluator.definition.name}"),
        key=evaluator.definition.name,
        created_at=at,
        modified_at=at,
        run_id=run.id,
        trace_id=run.trace_id,
        project_id=None if run.project_id == _NO_PROJECT else run.project_id,
        start_time=run.start_time,
        score=float(value) if is_number else None,
        raw_score=msgspec.json.encode(value) if is_number else None,
        value=None if is_number else msgspec.json.encode(value),
        comment=verdict.explanation,
        source_type=AUTOMATIC,
        source=msgspec.json.encode({"type": AUTOMATIC, "metadata": metadata}),
        extra=msgspec.json.encode(used) if used else None,
    )

"""Results of experiments as CSV: a row a run, beside the example that it answered.

LangSmith's documents do not describe its file. One row a run holds repetitions and any number of experiments, and is
what programs that read tables group by.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from starlette.responses import Response, StreamingResponse

from stenograph.domain.experiments.results import (
    Answered,
    ExperimentResults,
    ResultQuestion,
    latency,
)
from stenograph.domain.runs import USAGE, FeedbackStats
from stenograph.model.feedback import FeedbackStat
from stenograph.model.projects import Project
from stenograph.model.runs import Run
from stenograph.wire.langsmith.runs.convert import cost_text, time_text

PAGE: Final = 100
"""Examples read at a time."""

_COLUMNS: Final = USAGE | {"name", "status", "error", "outputs", "end_time"}
_FIXED: Final = (
    "example_id", "inputs", "reference_outputs", "experiment_id", "experiment", "run_id", "status", "error",
    "outputs", "start_time", "end_time", "latency", "total_tokens", "prompt_tokens", "completion_tokens",
    "total_cost",
)  # fmt: skip


async def csv_answer(
    results: ExperimentResults,
    asked: ResultQuestion,
    experiments: Sequence[Project],
    offset: int,
    limit: int,
) -> Response:
    """Written while it is read. Payloads are JSON; a feedback key has a column, `feedback.<key>`."""
    listed = (await results.listing(asked))[offset : offset + limit]
    runs = [run for each in listed for run in each.runs]
    feedback = await results.feedback(asked.workspace, runs, asked.comparison)
    keys = sorted({key for stats in feedback.values() for key in stats})
    names = {project.id: project.name for project in experiments}

    async def text() -> AsyncIterator[bytes]:
        yield _lines([[*_FIXED, *(f"feedback.{key}" for key in keys)]])
        for start in range(0, len(listed), PAGE):
            page = await results.filled(asked.workspace, listed[start : start + PAGE], _COLUMNS)
            yield _lines(
                _row(answered, run, names, feedback.get(run.id, {}), keys)
                for answered in page
                for run in answered.runs
            )

    return StreamingResponse(
        text(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{asked.dataset_id}.csv"'},
    )


def _row(
    answered: Answered,
    run: Run,
    names: Mapping[UUID, str],
    stats: FeedbackStats,
    keys: Iterable[str],
) -> list[Any]:
    example, usage = answered.example, run.usage
    return [
        example.id,
        example.inputs.decode(),
        _text(example.outputs),
        run.project_id,
        names.get(run.project_id, ""),
        run.id,
        run.status,
        run.error,
        _text(run.outputs),
        time_text(run.start_time),
        time_text(run.end_time),
        latency(run),
        usage.total_tokens,
        usage.prompt_tokens,
        usage.completion_tokens,
        cost_text(usage.total_cost),
        *(_score(stats.get(key)) for key in keys),
    ]


def _text(document: bytes | None) -> str | None:
    return None if document is None else document.decode()


def _score(stat: FeedbackStat | None) -> float | str | None:
    """The mean score, or where there is none the values that were given."""
    if stat is None:
        return None
    return "; ".join(stat.values) if stat.avg is None else stat.avg


def _lines(rows: Iterable[Sequence[Any]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()

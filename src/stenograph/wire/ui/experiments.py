"""The page's experiments over a dataset: what each comes to, and some side by side, example by example.

A comparison comes in one answer by column, as a trace does: figures of every example, and of its texts a line each, so
that the page can put regressions first by whichever score is looked at. See
docs/decisions/125-a-comparison-comes-by-column.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.domain.experiments.comparisons import ComparisonFigures
from stenograph.domain.experiments.results import Listed, ResultQuestion, latency
from stenograph.domain.projects.stats import Bounds, ProjectFigures
from stenograph.domain.runs import USAGE, FeedbackStats
from stenograph.errors import Invalid, NotFound
from stenograph.model.experiments import ComparisonQuery
from stenograph.model.projects import Project
from stenograph.model.runs import Run
from stenograph.wire.http import Services, body_as, encode, services
from stenograph.wire.ui import shapes
from stenograph.wire.ui.datasets import Sight, sight
from stenograph.wire.ui.previews import LENGTH, preview

MAX_EXPERIMENTS: Final = 500
MAX_COMPARISONS: Final = 200
MAX_COLUMNS: Final = 4
MAX_EXAMPLES: Final = 5_000
"""Examples of one comparison; further ones are counted, not sent."""
_AT_ONCE: Final = 250
"""Examples, with their runs, that are in memory whole at a time."""

_FIGURES: Final = USAGE | {"end_time", "status"}
_TEXTS: Final = frozenset({"outputs", "error"})


# -- the list --------------------------------------------------------------------------------------------


async def listed(request: Request) -> Response:
    """GET …/experiments: the newest first, with what their runs come to, and the comparisons between them."""
    seen = await sight(request)
    to = services(request)
    found = await to.experiments.results.experiments(seen.workspace, seen.dataset)
    shown = found[:MAX_EXPERIMENTS]
    figures, comparisons = await asyncio.gather(
        to.project_stats.of(seen.workspace, shown, Bounds()),
        to.experiments.comparisons.find(_comparisons(seen)),
    )
    return encode(
        {
            "more": len(found) > MAX_EXPERIMENTS,
            "experiments": [_row(each, figures[each.id]) for each in shown],
            "comparisons": [_comparison(each) for each in comparisons],
        }
    )


def _comparisons(seen: Sight, ids: tuple[UUID, ...] | None = None) -> ComparisonQuery:
    return ComparisonQuery(workspace=seen.workspace, dataset_id=seen.dataset, ids=ids, limit=MAX_COMPARISONS)


def _named(experiment: Project) -> dict[str, Any]:
    return {
        "id": experiment.id,
        "name": experiment.name,
        "number": experiment.test_run_number,
        "start": experiment.start_time,
    }


def _row(experiment: Project, figures: ProjectFigures) -> dict[str, Any]:
    """An experiment in a table. `summary` is feedback on the experiment itself."""
    of_runs = shapes.figures(figures.roots)
    return (
        _named(experiment)
        | {name: of_runs[name] for name in ("runs", "errorRate", "p50", "p99")}
        | {
            "description": experiment.description,
            "expected": experiment.expected_runs,
            "tokens": figures.every.total_tokens,
            "cost": shapes.dollars(figures.every.total_cost),
            "feedback": shapes.averages(figures.every.feedback),
            "summary": shapes.averages(figures.on_project),
        }
    )


def _comparison(found: ComparisonFigures) -> dict[str, Any]:
    """`preferred` by key and experiment: the sum of what it was given, a point for a preference."""
    return {
        "id": found.comparison.id,
        "name": found.comparison.name,
        "created": found.comparison.created_at,
        "experiments": [_named(each) for each in found.experiments],
        "preferred": {
            key: {
                str(experiment): round((stats[key].avg or 0) * stats[key].n, 2)
                for experiment, stats in found.by_experiment.items()
                if key in stats
            }
            for key in sorted(found.feedback)
        },
    }


# -- side by side ----------------------------------------------------------------------------------------


class ComparisonAsked(msgspec.Struct, frozen=True):
    """`pairwise` counts only what was said in that comparative experiment."""

    experiments: tuple[UUID, ...]
    pairwise: UUID | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """One row: an example's texts in a line each, and its runs with theirs."""

    listed: Listed
    input: str | None
    reference: str | None
    texts: Mapping[UUID, tuple[str | None, str | None]]
    """By run the output and the error."""


async def compared(request: Request) -> Response:
    """POST …/comparison: up to MAX_COLUMNS experiments, by column. NotFound for one that is not over the dataset."""
    seen = await sight(request)
    asked = await body_as(request, ComparisonAsked)
    ids = tuple(dict.fromkeys(asked.experiments))
    if not 1 <= len(ids) <= MAX_COLUMNS:
        raise Invalid(f"Choose 1 to {MAX_COLUMNS} experiments.", ("body", "experiments"))
    to = services(request)
    results = to.experiments.results
    await results.require(seen.workspace, seen.dataset, ids)
    if asked.pairwise and not await to.experiments.comparisons.find(_comparisons(seen, (asked.pairwise,))):
        raise NotFound("There is no such comparison.")
    question = ResultQuestion(workspace=seen.workspace, dataset_id=seen.dataset, experiments=ids)
    experiments = await results.experiments(seen.workspace, seen.dataset, ids)
    every = await results.listing(question, _FIGURES)
    shown = every[:MAX_EXAMPLES]
    given = await results.feedback(
        seen.workspace, [run for each in shown for run in each.runs], asked.pairwise
    )
    keys = sorted({key for stats in given.values() for key in stats})
    configs = await to.feedback_configs.page(seen.workspace, keys=keys) if keys else []
    lower = {config.key for config in configs if config.is_lower_score_better}
    rows = await _rows(to, seen.workspace, shown)
    return encode(
        {
            "total": len(every),
            "keys": [{"key": key, "lower": key in lower} for key in keys],
            "examples": {
                "id": [row.listed.example_id for row in rows],
                "asOf": [row.listed.moment for row in rows],
                "input": [row.input for row in rows],
                "reference": [row.reference for row in rows],
            },
            "columns": [_column(each, rows, given, keys) for each in experiments],
        }
    )


async def _rows(to: Services, workspace: UUID, shown: Sequence[Listed]) -> list[Example]:
    """With their texts, which are read some at a time: whole payloads of all of them may be many times the memory."""
    rows: list[Example] = []
    for start in range(0, len(shown), _AT_ONCE):
        part = shown[start : start + _AT_ONCE]
        whole = await to.experiments.results.filled(workspace, part, _TEXTS)
        known = {each.example.id: each for each in whole}
        for each in part:
            found = known.get(each.example_id)
            if found is None:  # wiped meanwhile
                continue
            rows.append(
                Example(
                    each,
                    preview(found.example.inputs),
                    preview(found.example.outputs),
                    {run.id: (preview(run.outputs), _short(run.error)) for run in found.runs},
                )
            )
    return rows


def _short(error: str | None) -> str | None:
    return None if error is None else error[: LENGTH * 2]


def _column(
    experiment: Project, rows: Sequence[Example], given: Mapping[UUID, FeedbackStats], keys: Sequence[str]
) -> dict[str, Any]:
    """What one experiment said to each example: of several runs the means, and the texts of the first, or of the first
    that failed. `run` is null where it did not answer; `labels` are what was said without a number."""
    answers = [[run for run in row.listed.runs if run.project_id == experiment.id] for row in rows]
    chosen = [
        next((run for run in runs if run.status == "error"), runs[0] if runs else None) for runs in answers
    ]
    texts = [
        (None, None) if run is None else row.texts.get(run.id, (None, None))
        for row, run in zip(rows, chosen, strict=True)
    ]
    return _named(experiment) | {
        "run": [None if run is None else run.id for run in chosen],
        "trace": [None if run is None else run.trace_id for run in chosen],
        "runs": [len(runs) for runs in answers],
        "output": [output for output, _ in texts],
        "error": [error for _, error in texts],
        "latency": [_mean(map(latency, runs)) for runs in answers],
        "tokens": [_mean(run.usage.total_tokens for run in runs) for runs in answers],
        "cost": [shapes.dollars(_mean_cost(runs)) for runs in answers],
        "scores": {key: [_mean(_scores(runs, given, key)) for runs in answers] for key in keys},
        "labels": {key: [_label(runs, given, key) for runs in answers] for key in keys},
    }


def _mean(values: Iterable[float | None]) -> float | None:
    """Of those that are known."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _mean_cost(runs: Sequence[Run]) -> int | None:
    found = _mean(run.usage.total_cost for run in runs)
    return None if found is None else round(found)


def _scores(runs: Iterable[Run], given: Mapping[UUID, FeedbackStats], key: str) -> Iterable[float | None]:
    found = (given.get(run.id, {}).get(key) for run in runs)
    return (None if stat is None else stat.avg for stat in found)


def _label(runs: Iterable[Run], given: Mapping[UUID, FeedbackStats], key: str) -> str | None:
    """The most frequent value, where there is no number."""
    counts: dict[str, int] = {}
    for run in runs:
        stat = given.get(run.id, {}).get(key)
        if stat is None or stat.n:
            continue
        for value, count in stat.values.items():
            counts[value] = counts.get(value, 0) + count
    return max(counts, key=lambda value: counts[value])[:LENGTH] if counts else None


def routes() -> list[BaseRoute]:
    return [
        route
        for prefix in ("/ui/api/datasets/{dataset_id}", "/ui/api/public/{share_token}/dataset")
        for route in (
            Route(f"{prefix}/experiments", listed, methods=["GET"]),
            Route(f"{prefix}/comparison", compared, methods=["POST"]),
        )
    ]

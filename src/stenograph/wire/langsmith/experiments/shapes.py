"""Results of experiments in LangSmith's shapes, and its questions about them in ours. Pure, but for links to files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from stenograph.domain.experiments.deltas import Delta
from stenograph.domain.experiments.groups import ExperimentGroup, GroupFigures, ResultGroup
from stenograph.domain.experiments.results import (
    MAX_EXPERIMENTS,
    METRICS,
    Answered,
    ResultQuestion,
    ResultSort,
)
from stenograph.domain.feedback.feedback import check_key
from stenograph.errors import Invalid
from stenograph.model.carried_metadata import PREFIX
from stenograph.model.experiments import ComparativeExperiment
from stenograph.model.feedback import Feedback
from stenograph.model.filters import Filter, all_of
from stenograph.model.projects import Project
from stenograph.model.runs import Run
from stenograph.wire.http import of_body
from stenograph.wire.langsmith.examples.shapes import ALL_FIELDS, FileLinks, example_json, utc_text
from stenograph.wire.langsmith.experiments.schemas import ExamplesWithRunsIn, Filters, SortIn
from stenograph.wire.langsmith.feedback.shapes import to_wire
from stenograph.wire.langsmith.projects.session_shapes import statistics, tracer_session
from stenograph.wire.langsmith.runs.convert import cost_text, feedback_stats, raw, time_text
from stenograph.wire.langsmith.runs.runs import filter_of

MAX_EXAMPLES: Final = 1000
"""Examples that can be asked for by their ids."""

_COMMON: Final = frozenset(
    {"error", "extra", "s3_urls", "reference_example_id", "feedback_stats", "first_token_time"}
)
FULL: Final = _COMMON | {"inputs", "outputs"}
PREVIEW: Final = _COMMON | {"inputs_preview", "outputs_preview"}
"""The fields of a run in a comparison, with whole payloads or with their beginnings; see RunWriter for the rest."""

WriteRun = Callable[[Run], dict[str, Any]]

# -- in --------------------------------------------------------------------------------------------------


def question(
    workspace: UUID,
    dataset_id: UUID,
    sessions: Sequence[UUID],
    filters: Filters | None,
    comparison: UUID | None = None,
) -> ResultQuestion:
    """Invalid for no experiments, too many of them, and filters that make no sense or belong to none."""
    if not 1 <= len(sessions) <= MAX_EXPERIMENTS:
        raise Invalid(f"name 1 to {MAX_EXPERIMENTS} experiments", ("body", "session_ids"))
    return ResultQuestion(
        workspace=workspace,
        dataset_id=dataset_id,
        experiments=tuple(dict.fromkeys(sessions)),
        filters=_filters(filters or {}, sessions),
        comparison=comparison,
    )


def examples_question(workspace: UUID, dataset_id: UUID, sent: ExamplesWithRunsIn) -> ResultQuestion:
    """The same with examples and an order."""
    if sent.example_ids is not None and len(sent.example_ids) > MAX_EXAMPLES:
        raise Invalid(f"at most {MAX_EXAMPLES} example_ids", ("body", "example_ids"))
    asked = question(workspace, dataset_id, sent.session_ids, sent.filters, sent.comparative_experiment_id)
    return ResultQuestion(
        workspace=asked.workspace,
        dataset_id=asked.dataset_id,
        experiments=asked.experiments,
        filters=asked.filters,
        examples=None if sent.example_ids is None else tuple(dict.fromkeys(sent.example_ids)),
        comparison=asked.comparison,
        sort=None if sent.sort_params is None else _sort(sent.sort_params),
    )


def _filters(sent: Filters, sessions: Sequence[UUID]) -> dict[UUID, Filter]:
    found: dict[UUID, Filter] = {}
    for session, texts in sent.items():
        if session not in sessions:
            raise Invalid(f"{session} is not among the experiments asked for", ("body", "filters"))
        with of_body():
            parsed = [filter_of(text, "filters") for text in texts]
        parts = [part for part in parsed if part is not None]
        if parts:
            found[session] = all_of(parts)
    return found


def _sort(sent: SortIn) -> ResultSort:
    """`feedback.<key>`, where the prefix may be left out, or a figure of the runs, perhaps with `metrics.` before."""
    descending = sent.sort_order != "ASC"
    metric = sent.sort_by.removeprefix("metrics.")
    if metric in METRICS:
        return ResultSort(metric=metric, descending=descending)
    if metric != sent.sort_by:
        raise Invalid(
            f"{metric[:60]!r} is not one of {', '.join(METRICS)}", ("body", "sort_params", "sort_by")
        )
    key = sent.sort_by.removeprefix("feedback.")
    try:
        check_key(key)
    except Invalid as error:
        raise Invalid(error.message, ("body", "sort_params", "sort_by")) from None
    return ResultSort(feedback_key=key, descending=descending)


# -- out -------------------------------------------------------------------------------------------------


def example_with_runs(
    answered: Answered, write_run: WriteRun, links: FileLinks, fields: frozenset[str] = ALL_FIELDS
) -> dict[str, Any]:
    """ExampleWithRunsCH. `fields` are those of the example."""
    return {
        **example_json(answered.example, links, fields),
        "runs": [
            {
                **write_run(run),
                "trace_min_start_time": time_text(run.start_time),
                "trace_max_start_time": None,
            }
            for run in answered.runs
        ],
    }


def annotators(given: Iterable[Feedback]) -> dict[UUID, dict[str, list[dict[str, Any]]]]:
    """By run and key, what each person said: members of feedback_stats that LangSmith's documents do not describe."""
    found: dict[UUID, dict[str, list[dict[str, Any]]]] = {}
    for item in given:
        source = to_wire(item)["feedback_source"]
        people = {name: source[name] for name in ("user_id", "ls_user_id", "user_name")}
        if item.run_id is not None and any(people.values()):
            of_run = found.setdefault(item.run_id, {})
            said = {"score": raw(item.raw_score), "value": raw(item.value), "comment": item.comment}
            of_run.setdefault(item.key, []).append({**people, **said})
    return found


def delta_json(delta: Delta) -> dict[str, Any]:
    """FeedbackDelta."""
    return {"improved_examples": delta.improved, "regressed_examples": delta.regressed}


def comparative_experiment(comparison: ComparativeExperiment) -> dict[str, Any]:
    """ComparativeExperimentBase."""
    return {
        "id": comparison.id,
        "name": comparison.name,
        "description": comparison.description,
        "tenant_id": comparison.workspace,
        "created_at": utc_text(comparison.created_at),
        "modified_at": utc_text(comparison.modified_at),
        "reference_dataset_id": comparison.dataset_id,
        "extra": raw(comparison.extra),
    }


# -- groups ----------------------------------------------------------------------------------------------


def result_group(
    group: ResultGroup, key: str, of_examples: bool, write_run: WriteRun, links: FileLinks
) -> dict[str, Any]:
    """ExampleGroupWithSessions. `filter` selects its runs again."""
    query = _group_filter(PREFIX + key if of_examples else key, group.value)
    return {
        "group_key": group.value,
        "filter": query,
        "count": group.figures.stats.run_count,
        **_figures(group.figures),
        "sessions": [
            {**_session(project, figures), "filter": query} for project, figures in group.experiments
        ],
        "examples": [example_with_runs(answered, write_run, links) for answered in group.examples],
    }


def _group_filter(key: str, value: str) -> str:
    name, wanted = (msgspec.json.encode(text).decode() for text in (key, value))
    return f"and(eq(is_root, true), and(eq(metadata_key, {name}), eq(metadata_value, {wanted})))"


def _figures(figures: GroupFigures) -> dict[str, Any]:
    stats = figures.stats
    return {
        "example_count": figures.example_count,
        "total_tokens": stats.total_tokens,
        "prompt_tokens": stats.prompt_tokens,
        "completion_tokens": stats.completion_tokens,
        "total_cost": cost_text(stats.total_cost),
        "prompt_cost": cost_text(stats.prompt_cost),
        "completion_cost": cost_text(stats.completion_cost),
        "min_start_time": time_text(figures.first_start),
        "max_start_time": time_text(figures.last_start),
        "latency_p50": stats.latency_p50,
        "latency_p99": stats.latency_p99,
        "error_rate": stats.error_rate,
        "feedback_stats": feedback_stats(stats.feedback),
    }


def _session(project: Project, figures: GroupFigures) -> dict[str, Any]:
    """GroupedRunsSessionStats: a TracerSession whose figures are of the group's runs alone."""
    stats = figures.stats
    return {
        **tracer_session(project, None),
        **_figures(figures),
        "run_count": stats.run_count,
        "first_token_p50": stats.first_token_p50,
        "first_token_p99": stats.first_token_p99,
        "streaming_rate": stats.streaming_rate,
        "last_run_start_time": time_text(figures.last_start),
        "last_run_start_time_live": time_text(figures.last_start),
        "test_run_number": project.test_run_number,
    }


def experiment_group(group: ExperimentGroup) -> dict[str, Any]:
    """A group of experiments, each a TracerSession with its statistics, and the statistics of them all."""
    figures: Mapping[str, Any] = statistics(group.figures, is_experiment=True)
    return {
        "group_key": group.values,
        "experiment_count": len(group.experiments),
        **figures,
        "experiments": [tracer_session(project, of_one) for project, of_one in group.experiments],
    }

"""LangSmith's routes that read results of experiments: by example, in groups, and against a baseline.

What does the work takes a workspace and a dataset, so that the routes of shared datasets can use it too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from stenograph.domain.experiments.deltas import Deltas
from stenograph.domain.experiments.results import Answered, ResultQuestion
from stenograph.domain.feedback.feedback import check_key
from stenograph.domain.projects.stats import Bounds
from stenograph.errors import Invalid, StenographError
from stenograph.model.access import Permission
from stenograph.model.experiments import DATASET_VERSION
from stenograph.model.projects import ProjectQuery
from stenograph.model.query import FeedbackQuery
from stenograph.wire.http import Params, body_as, caller, encode, of_body, path_uuid, services
from stenograph.wire.langsmith.examples.shapes import ALL_FIELDS, file_links
from stenograph.wire.langsmith.experiments.csv_file import csv_answer
from stenograph.wire.langsmith.experiments.schemas import (
    DeltaIn,
    DeltaStreamIn,
    ExamplesWithRunsIn,
    GroupedExamplesIn,
    GroupedExperimentsIn,
)
from stenograph.wire.langsmith.experiments.shapes import (
    FULL,
    PREVIEW,
    WriteRun,
    annotators,
    delta_json,
    example_with_runs,
    examples_question,
    experiment_group,
    question,
    result_group,
)
from stenograph.wire.langsmith.runs import convert
from stenograph.wire.langsmith.runs.runs import columns_for

MAX_OFFSET: Final = 2**31
DEFAULT_LIMIT: Final = 10
MAX_LIMIT: Final = 1000
MAX_GROUPS: Final = 100
MAX_DELTAS: Final = 100
MAX_KEYS: Final = 100
MAX_STREAMED: Final = 10
MAX_GROUPED: Final = 1000
MAX_METADATA_KEYS: Final = 4
MAX_SOUGHT: Final = 1000
_ALL: Final = 10_000_000

PUBLIC_FIELDS: Final = ALL_FIELDS - {"source_run_id"}
"""The fields of an example that those are told who read a shared dataset."""


def routes() -> list[BaseRoute]:
    return [
        Route("/datasets/{dataset_id}/runs", examples_with_runs, methods=["POST"]),
        Route("/datasets/{dataset_id}/group/runs", grouped_examples, methods=["POST"]),
        Route("/datasets/{dataset_id}/runs/delta", delta, methods=["POST"]),
        Route("/datasets/{dataset_id}/runs/delta/stream", delta_stream, methods=["POST"]),
        Route("/datasets/{dataset_id}/experiments/grouped", grouped_experiments, methods=["POST"]),
    ]


async def _asked(request: Request) -> tuple[UUID, UUID]:
    """Workspace and dataset; NotFound when there is no such dataset."""
    who = await caller(request, Permission.READ)
    dataset_id = path_uuid(request, "dataset_id")
    await services(request).datasets.check(who.workspace, dataset_id)
    return who.workspace, dataset_id


# -- examples with runs ----------------------------------------------------------------------------------


async def examples_with_runs(request: Request) -> Response:
    """POST /datasets/{dataset_id}/runs, as JSON or with ?format=csv. NotFound for what is no experiment over it."""
    kind = Params(request).text("format")
    if kind not in (None, "", "csv"):
        raise Invalid(f"{kind[:40]!r} is not csv", ("query", "format"))
    workspace, dataset_id = await _asked(request)
    sent = await body_as(request, ExamplesWithRunsIn)
    asked = examples_question(workspace, dataset_id, sent)
    results = services(request).experiments.results
    await results.require(workspace, dataset_id, asked.experiments)
    if kind == "csv":
        offset = within(sent.offset, "offset", 0, 0, MAX_OFFSET)
        limit = within(sent.limit, "limit", _ALL, 1, _ALL)
        experiments = await results.experiments(workspace, dataset_id, asked.experiments)
        return await csv_answer(results, asked, experiments, offset, limit)
    return encode(await answered_page(request, asked, sent))


async def answered_page(
    request: Request, asked: ResultQuestion, sent: ExamplesWithRunsIn, *, public: bool = False
) -> list[dict[str, Any]]:
    """A page of examples with the runs that answered them. `public`: for who reads a shared dataset."""
    offset = within(sent.offset, "offset", 0, 0, MAX_OFFSET)
    limit = within(sent.limit, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
    results = services(request).experiments.results
    select = PREVIEW if sent.preview else FULL
    rows = await results.page(asked, columns_for(select), offset, limit)
    detail = bool(sent.include_annotator_detail) and not public
    write = await _run_writer(request, asked, rows, select, detail=detail, public=public)
    links, fields = file_links(request), PUBLIC_FIELDS if public else ALL_FIELDS
    return [example_with_runs(row, write, links, fields) for row in rows]


async def _run_writer(
    request: Request,
    asked: ResultQuestion,
    rows: Sequence[Answered],
    select: frozenset[str],
    *,
    detail: bool = False,
    public: bool = False,
) -> WriteRun:
    to = services(request)
    runs = [run for row in rows for run in row.runs]
    links = file_links(request)
    shown = select - convert.PRIVATE if public else select
    write = convert.RunWriter(
        shown,
        links=links.links,
        now=links.now,
        feedback=await to.experiments.results.feedback(asked.workspace, runs, asked.comparison),
        shares={},
        children={},
        datasets={},
        tiers=await to.retention.rules.tiers(asked.workspace, runs) if "trace_tier" in shown else {},
        public=public,
        names_project=True,
    )
    if not detail or not runs:
        return write
    said = annotators(
        await to.feedback.page(
            FeedbackQuery(
                workspace=asked.workspace,
                runs=tuple(run.id for run in runs),
                comparative_experiment=asked.comparison,
                limit=_ALL,
            )
        )
    )

    def with_annotators(run: Any) -> dict[str, Any]:
        out = write(run)
        for key, stats in (out["feedback_stats"] or {}).items():
            stats["annotators"] = said.get(run.id, {}).get(key, [])
        return out

    return with_annotators


# -- groups ----------------------------------------------------------------------------------------------


async def grouped_examples(request: Request) -> Response:
    """POST /datasets/{dataset_id}/group/runs."""
    workspace, dataset_id = await _asked(request)
    sent = await body_as(request, GroupedExamplesIn)
    asked = question(workspace, dataset_id, sent.session_ids, sent.filters)
    to = services(request).experiments
    await to.results.require(workspace, dataset_id, asked.experiments)
    select = PREVIEW if sent.preview else FULL
    of_examples = sent.group_by == "example_metadata"
    groups = await to.groups.by_metadata(
        asked,
        sent.metadata_key,
        of_examples=of_examples,
        columns=columns_for(select),
        examples=within(sent.per_group_limit, "per_group_limit", 5, 1, 10),
        offset=within(sent.offset, "offset", 0, 0, MAX_OFFSET),
        limit=within(sent.limit, "limit", DEFAULT_LIMIT, 1, MAX_GROUPS),
    )
    rows = [row for group in groups for row in group.examples]
    write = await _run_writer(request, asked, rows, select)
    links = file_links(request)
    found = [result_group(group, sent.metadata_key, of_examples, write, links) for group in groups]
    return encode({"groups": found})


async def grouped_experiments(request: Request) -> Response:
    """POST /datasets/{dataset_id}/experiments/grouped: server-sent events, `data` for each group, then `end`.

    The documents of LangSmith tell of a stream and not of what is in it.
    """
    workspace, dataset_id = await _asked(request)
    sent = await body_as(request, GroupedExperimentsIn)
    keys = list(dict.fromkeys(sent.metadata_keys))
    if not 1 <= len(sent.metadata_keys) <= MAX_METADATA_KEYS:
        raise Invalid(f"name 1 to {MAX_METADATA_KEYS} keys", ("body", "metadata_keys"))
    if (sent.filter or "").strip():
        raise Invalid("experiments cannot be filtered by an expression here", ("body", "filter"))
    if len(sent.name_contains or "") > MAX_SOUGHT:
        raise Invalid(f"a text to look for has at most {MAX_SOUGHT} characters", ("body", "name_contains"))
    version = sent.dataset_version
    with of_body():
        bounds = Bounds(since=convert.micros(sent.stats_start_time, "stats_start_time"))
    query = ProjectQuery(
        workspace=workspace,
        reference_datasets=(dataset_id,),
        # there are no resource tags here, so no experiment carries one
        ids=() if sent.tag_value_id else None,
        name_contains=sent.name_contains,
        metadata=None if version is None else msgspec.json.encode({DATASET_VERSION: version}),
        limit=within(sent.experiment_limit, "experiment_limit", MAX_GROUPED, 1, MAX_GROUPED),
    )
    to = services(request)
    found = await to.projects.find(query)
    groups = to.experiments.groups.of_experiments(workspace, found, keys, bounds)

    async def events() -> AsyncIterator[bytes]:
        try:
            async for group in groups:
                yield data_event(experiment_group(group))
        except StenographError as error:
            yield b"event: error\ndata: " + bytes(encode({"detail": error.message}).body) + b"\n\n"
        yield END_EVENT

    return event_stream(events())


# -- against a baseline ----------------------------------------------------------------------------------


async def delta(request: Request) -> Response:
    """POST /datasets/{dataset_id}/runs/delta."""
    workspace, dataset_id = await _asked(request)
    sent = await body_as(request, DeltaIn)
    baseline = await _baseline(request, workspace, dataset_id, sent)
    return encode(await delta_page(request, workspace, dataset_id, baseline, sent))


async def _baseline(
    request: Request, workspace: UUID, dataset_id: UUID, sent: DeltaIn | DeltaStreamIn
) -> UUID:
    """The baseline that is meant; NotFound unless it and what is compared with it are experiments over the dataset."""
    to = services(request).experiments
    baseline = await to.deltas.baseline(workspace, dataset_id, sent.baseline_session_id)
    await to.results.require(workspace, dataset_id, (baseline, *sent.comparison_session_ids))
    return baseline


async def delta_page(
    request: Request, workspace: UUID, dataset_id: UUID, baseline: UUID, sent: DeltaIn
) -> dict[str, Any]:
    """SessionFeedbackDelta: a page of each list of examples."""
    offset = within(sent.offset, "offset", 0, 0, MAX_OFFSET)
    limit = within(sent.limit, "limit", MAX_DELTAS, 1, MAX_DELTAS)
    asked = _compared(workspace, dataset_id, baseline, sent, sent.comparative_experiment_id)
    with of_body():
        check_key(sent.feedback_key, "feedback_key")
    found = await services(request).experiments.deltas.of(asked, baseline, [sent.feedback_key])
    return {
        "feedback_deltas": {
            str(session): delta_json(each.part(offset, limit))
            for session, each in found[sent.feedback_key].items()
        }
    }


async def delta_stream(request: Request) -> Response:
    """POST /datasets/{dataset_id}/runs/delta/stream."""
    workspace, dataset_id = await _asked(request)
    sent = await body_as(request, DeltaStreamIn)
    baseline = await _baseline(request, workspace, dataset_id, sent)
    return delta_events(request, workspace, dataset_id, baseline, sent)


def delta_events(
    request: Request, workspace: UUID, dataset_id: UUID, baseline: UUID, sent: DeltaStreamIn
) -> Response:
    """Server-sent events: `data` for each feedback key, then `end`. What fails later than the checks is in `errors`."""
    if not 1 <= len(sent.comparison_session_ids) <= MAX_STREAMED:
        raise Invalid(f"name 1 to {MAX_STREAMED} experiments", ("body", "comparison_session_ids"))
    if not 1 <= len(sent.feedback_keys) <= MAX_KEYS:
        raise Invalid(f"name 1 to {MAX_KEYS} feedback keys", ("body", "feedback_keys"))
    with of_body():
        for key in sent.feedback_keys:
            check_key(key, "feedback_keys")
    asked = _compared(workspace, dataset_id, baseline, sent)
    deltas = services(request).experiments.deltas

    async def events() -> AsyncIterator[bytes]:
        try:
            found: Deltas = await deltas.of(asked, baseline, sent.feedback_keys)
        except StenographError as error:
            yield data_event({"feedback_deltas": {}, "errors": [error.message]})
        else:
            for key, by_session in found.items():
                each = {str(session): delta_json(delta) for session, delta in by_session.items()}
                yield data_event({"feedback_deltas": {key: each}, "errors": None})
        yield END_EVENT

    return event_stream(events())


def _compared(
    workspace: UUID,
    dataset_id: UUID,
    baseline: UUID,
    sent: DeltaIn | DeltaStreamIn,
    comparison: UUID | None = None,
) -> ResultQuestion:
    """The question about all experiments, of which a filter may be about any; it is asked of the compared ones."""
    if not sent.comparison_session_ids:
        raise Invalid("name the experiments to compare", ("body", "comparison_session_ids"))
    everyone = [baseline, *sent.comparison_session_ids]
    asked = question(workspace, dataset_id, everyone, sent.filters, comparison)
    return replace(asked, experiments=tuple(dict.fromkeys(sent.comparison_session_ids)))


# -- bodies and events -----------------------------------------------------------------------------------

END_EVENT: Final = b"event: end\n\n"


def data_event(value: Any) -> bytes:
    """A server-sent event with a JSON value."""
    return b"event: data\ndata: " + bytes(encode(value).body) + b"\n\n"


def event_stream(events: AsyncIterator[bytes]) -> Response:
    return StreamingResponse(events, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


def within(value: int | None, name: str, default: int, low: int, high: int) -> int:
    """A whole number of the body within bounds, both inclusive."""
    if value is None:
        return default
    if not low <= value <= high:
        raise Invalid(f"{value} is not within {low} and {high}", ("body", name))
    return value

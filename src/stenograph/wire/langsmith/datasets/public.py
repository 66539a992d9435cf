"""LangSmith's public dataset routes: a shared dataset with its experiments, their runs and feedback, without a key.

Everything is confined to what the token opens; naming anything else finds nothing, and a token that opens
nothing is a 404 that says no more. A key in such a request is not looked at: clients send theirs to every
server.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.domain.datasets.sharing import OpenedDataset, nothing
from stenograph.errors import Invalid
from stenograph.model.datasets import DatasetSort
from stenograph.model.feedback import Feedback
from stenograph.model.query import RunSelection
from stenograph.wire.http import Params, as_uuid, body_as, encode, path_uuid, services
from stenograph.wire.langsmith.datasets.shapes import plain_dataset
from stenograph.wire.langsmith.examples import examples
from stenograph.wire.langsmith.examples.shapes import SELECTABLE, example_json, file_links
from stenograph.wire.langsmith.experiments.comparative import comparisons_page
from stenograph.wire.langsmith.experiments.experiments import (
    PUBLIC_FIELDS,
    answered_page,
    delta_events,
    delta_page,
)
from stenograph.wire.langsmith.experiments.schemas import DeltaIn, DeltaStreamIn, ExamplesWithRunsIn
from stenograph.wire.langsmith.experiments.shapes import examples_question
from stenograph.wire.langsmith.feedback import feedback
from stenograph.wire.langsmith.feedback.shapes import to_wire
from stenograph.wire.langsmith.projects import sessions
from stenograph.wire.langsmith.runs import convert, runs
from stenograph.wire.langsmith.runs.schemas import RunsQueryIn, RunStatsIn

SOURCES: Final = frozenset({"api", "model", "app", "auto_eval"})
"""The types of a feedback's source that LangSmith documents."""

MAX_TOKENS: Final = 100

_WHOLE_RUN: Final = convert.DEFAULT_SELECT | {"child_run_ids", "inputs_preview", "outputs_preview"}
_STORED_APART: Final = frozenset({"inputs", "outputs", "events", "extra", "serialized", "error"})


async def opened_dataset(request: Request, *, counted: bool = False) -> OpenedDataset:
    """What the token of the path opens; Invalid when it is no uuid, NotFound when it opens no dataset."""
    token = path_uuid(request, "share_token")
    return await services(request).dataset_sharing.open(token, counted=counted)


# -- the dataset and its experiments ---------------------------------------------------------------------


async def dataset(request: Request) -> Response:
    """GET /public/{share_token}/datasets: one object, so that paging and sorting change nothing."""
    params = Params(request)
    params.number("offset", 0, 0, 2**31)
    params.number("limit", 100, 1, 100)
    params.flag("sort_by_desc")
    by = params.text("sort_by")
    if by is not None and by not in set(DatasetSort):
        raise Invalid(f"{by[:40]!r} is not one of {', '.join(DatasetSort)}", where=("query", "sort_by"))
    opened = await opened_dataset(request, counted=True)
    found = plain_dataset(opened.dataset)
    del found["tenant_id"]
    return encode(found | {"example_count": opened.dataset.example_count})


async def experiments(request: Request) -> Response:
    """GET /public/{share_token}/datasets/sessions, with statistics."""
    opened = await opened_dataset(request)
    query = sessions.experiments_query(Params(request), opened.workspace, (opened.dataset.id,))
    return encode(await sessions.listing(request, query, include=True))


async def experiments_of_many(request: Request) -> Response:
    """GET /public/datasets/sessions-bulk: the experiments of several shared datasets; 404 when none is one."""
    tokens = Params(request).texts("share_tokens")
    if not tokens:
        raise Invalid("name the shared datasets: share_tokens=…", where=("query", "share_tokens"))
    if len(tokens) > MAX_TOKENS:
        raise Invalid(f"at most {MAX_TOKENS} at once", where=("query", "share_tokens"))
    wanted = [as_uuid(text, ("query", "share_tokens")) for text in tokens]
    opened = await services(request).dataset_sharing.open_some(wanted)
    if not opened:
        raise nothing()
    found: list[dict[str, Any]] = []
    for workspace in dict.fromkeys(each.workspace for each in opened):
        datasets = tuple(each.dataset.id for each in opened if each.workspace == workspace)
        query = sessions.experiments_query(Params(request), workspace, datasets)
        found += await sessions.listing(request, query, include=True)
    return encode(found)


# -- examples --------------------------------------------------------------------------------------------


async def find_examples(request: Request) -> Response:
    """GET /public/{share_token}/examples: a page of the dataset's examples, as of a version when one is named."""
    opened = await opened_dataset(request)
    params = Params(request)
    fields = _fields(params)
    wanted = msgspec.structs.replace(
        await examples.query(request, params, opened.workspace, opened.dataset.id),
        offset=params.number("offset", 0, 0, 2**31),
        limit=params.number("limit", 100, 1, 100),
    )
    found = await services(request).examples.find(wanted)
    links = file_links(request)
    return encode([example_json(example, links, fields) for example in found])


def _fields(params: Params) -> frozenset[str]:
    chosen = params.texts("select")
    for name in chosen:
        if name not in SELECTABLE:
            raise Invalid(f"{name[:40]!r} is not one of {', '.join(SELECTABLE)}", where=("query", "select"))
    return PUBLIC_FIELDS & (
        frozenset(chosen) | {"id", "name", "dataset_id", "inputs"} if chosen else PUBLIC_FIELDS
    )


async def count_examples(request: Request) -> Response:
    """GET /public/{share_token}/examples/count: a number."""
    opened = await opened_dataset(request)
    wanted = await examples.query(request, Params(request), opened.workspace, opened.dataset.id)
    return encode(await services(request).examples.count(wanted))


async def examples_with_runs(request: Request) -> Response:
    """POST /public/{share_token}/examples/runs: what is no experiment over the dataset answers nothing."""
    opened = await opened_dataset(request)
    sent = await body_as(request, ExamplesWithRunsIn)
    asked = examples_question(opened.workspace, opened.dataset.id, sent)
    return encode(await answered_page(request, asked, sent, public=True))


# -- comparisons -----------------------------------------------------------------------------------------


async def delta(request: Request) -> Response:
    """POST /public/{share_token}/datasets/runs/delta."""
    opened = await opened_dataset(request)
    sent = await body_as(request, DeltaIn)
    baseline = await _baseline(request, opened, sent.baseline_session_id)
    return encode(await delta_page(request, opened.workspace, opened.dataset.id, baseline, sent))


async def delta_stream(request: Request) -> Response:
    """POST /public/{share_token}/datasets/runs/delta/stream: server-sent events."""
    opened = await opened_dataset(request)
    sent = await body_as(request, DeltaStreamIn)
    baseline = await _baseline(request, opened, sent.baseline_session_id)
    return delta_events(request, opened.workspace, opened.dataset.id, baseline, sent)


async def _baseline(request: Request, opened: OpenedDataset, stated: UUID | None) -> UUID:
    deltas = services(request).experiments.deltas
    return await deltas.baseline(opened.workspace, opened.dataset.id, stated)


async def comparisons(request: Request) -> Response:
    """GET /public/{share_token}/datasets/comparative."""
    opened = await opened_dataset(request)
    return encode(await comparisons_page(request, opened.workspace, opened.dataset.id, public=True))


# -- runs ------------------------------------------------------------------------------------------------


async def query_runs(request: Request) -> Response:
    """POST /public/{share_token}/datasets/runs/query: what /runs/query offers, within the experiments."""
    opened = await opened_dataset(request)
    wanted = await body_as(request, RunsQueryIn)
    chosen = _confined(opened, wanted)
    page: list[dict[str, Any]] = []
    cursor = None
    if chosen is not None:
        page, cursor = await runs.page(request, wanted, chosen, public=True, names_project=True)
    return encode({"runs": page, "cursors": {"next": cursor}, "parsed_query": None})


async def run_stats(request: Request) -> Response:
    """POST /public/{share_token}/datasets/runs/stats: what /runs/stats offers, within the experiments."""
    opened = await opened_dataset(request)
    wanted = await body_as(request, RunStatsIn)
    chosen = _confined(opened, wanted)
    if chosen is None:  # statistics of nothing have a shape too
        chosen = RunSelection(workspace=opened.workspace, ids=(UUID(int=0),))
    return encode(await runs.stats_of(request, wanted, chosen))


def _confined(opened: OpenedDataset, wanted: RunsQueryIn) -> RunSelection | None:
    """The part of a query that lies in the experiments; Invalid when it makes no sense, whatever it selects."""
    anywhere = wanted.session or list(opened.experiments) or [opened.dataset.id]
    return opened.confine(runs.selection(msgspec.structs.replace(wanted, session=anywhere), opened.workspace))


async def one_run(request: Request) -> Response:
    """GET /public/{share_token}/datasets/runs/{experiment_run_id}."""
    opened = await opened_dataset(request)
    run_id = path_uuid(request, "experiment_run_id")
    select = _WHOLE_RUN - convert.PRIVATE
    if Params(request).flag("exclude_s3_stored_attributes"):
        select -= _STORED_APART
    run = await services(request).runs.one(opened.workspace, run_id, runs.columns_for(select))
    if run.project_id not in opened.experiments:
        raise nothing()
    rendered = await runs.render(request, [run], select, public=True, names_project=True)
    return encode(rendered[0])


async def generate_query(request: Request) -> Response:
    """POST /public/{share_token}/datasets/runs/generate-query: needs a model to read the question."""
    await opened_dataset(request)
    return encode(
        {"detail": "This server does not turn questions into filters yet: write the filter itself."}, 501
    )


# -- feedback --------------------------------------------------------------------------------------------


async def feedback_page(request: Request) -> Response:
    """GET /public/{share_token}/datasets/feedback: a bare array of what was given to the experiments and their
    runs, newest first."""
    params = Params(request)
    for text in params.texts("source"):
        if text not in SOURCES:
            raise Invalid(f"{text[:40]!r} is not one of {', '.join(sorted(SOURCES))}", ("query", "source"))
    params.uuids("user")
    opened = await opened_dataset(request)
    wanted = opened.confine_feedback(feedback.query(params, opened.workspace))
    if wanted is None:
        return encode([])
    found = await services(request).feedback.page(wanted)
    return encode([to_wire(_published(item)) for item in found])


def _published(item: Feedback) -> Feedback:
    """Of its source only the type: the rest names people, and runs of evaluators, which are not shared."""
    return msgspec.structs.replace(item, source=None)


def routes() -> list[BaseRoute]:
    """To stand before the routes of shared runs, and the bulk route before those with a token."""
    prefix = "/public/{share_token}/datasets"
    return [
        Route("/public/datasets/sessions-bulk", experiments_of_many, methods=["GET"]),
        Route(prefix, dataset, methods=["GET"]),
        Route(f"{prefix}/sessions", experiments, methods=["GET"]),
        Route(f"{prefix}/runs/query", query_runs, methods=["POST"]),
        Route(f"{prefix}/runs/stats", run_stats, methods=["POST"]),
        Route(f"{prefix}/runs/generate-query", generate_query, methods=["POST"]),
        Route(f"{prefix}/runs/{{experiment_run_id}}", one_run, methods=["GET"]),
        Route(f"{prefix}/runs/delta", delta, methods=["POST"]),
        Route(f"{prefix}/runs/delta/stream", delta_stream, methods=["POST"]),
        Route(f"{prefix}/comparative", comparisons, methods=["GET"]),
        Route(f"{prefix}/feedback", feedback_page, methods=["GET"]),
        Route("/public/{share_token}/examples", find_examples, methods=["GET"]),
        Route("/public/{share_token}/examples/count", count_examples, methods=["GET"]),
        Route("/public/{share_token}/examples/runs", examples_with_runs, methods=["POST"]),
    ]

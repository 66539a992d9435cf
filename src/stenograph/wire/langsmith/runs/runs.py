"""LangSmith's routes that read runs: query, one run, statistics, threads, deletion."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from stenograph.domain.runs import USAGE
from stenograph.domain.trace_deletion import TraceDeletion
from stenograph.errors import Invalid, NotFound
from stenograph.model.access import Permission
from stenograph.model.filters import Filter, all_of
from stenograph.model.query import Cursor, RunQuery, RunSelection, StatGroup, ThreadQuery
from stenograph.model.runs import RUN_TYPES, Run
from stenograph.model.stats import RunStats, ThreadSummary
from stenograph.wire.http import Params, body_as, caller, encode, path_uuid, services
from stenograph.wire.langsmith.filters.filters import parse
from stenograph.wire.langsmith.runs import convert
from stenograph.wire.langsmith.runs.schemas import RunGroupIn, RunsDeleteIn, RunsQueryIn, RunStatsIn
from stenograph.wire.langsmith.runs.stats import run_stats, thread_group

MAX_LIMIT: Final = 100

# -- which runs ------------------------------------------------------------------------------------------


def selection(wanted: RunsQueryIn, workspace: UUID) -> RunSelection:
    """The runs that a query body selects; Invalid when it selects by nothing, or by nonsense."""
    projects = _list(wanted.session)
    examples = _list(wanted.reference_example)
    if not (projects or wanted.id or wanted.parent_run or wanted.trace or examples):
        raise Invalid(
            "At least one of 'session', 'id', 'parent_run', 'trace' or 'reference_example' must be specified"
        )
    if wanted.id:
        return RunSelection(workspace=workspace, ids=tuple(wanted.id))
    if wanted.run_type is not None and wanted.run_type not in RUN_TYPES:
        raise Invalid(
            f"{wanted.run_type[:60]!r} is not one of {', '.join(sorted(RUN_TYPES))}",
            where=("body", "run_type"),
        )
    is_root = wanted.is_root
    if is_root is None and wanted.execution_order == 1:
        is_root = True
    return RunSelection(
        workspace=workspace,
        projects=projects,
        traces=(wanted.trace,) if wanted.trace else (),
        parent_run=wanted.parent_run,
        reference_examples=examples,
        run_type=wanted.run_type,
        has_error=wanted.error,
        is_root=is_root,
        since=convert.micros(wanted.start_time, "start_time"),
        until=convert.micros(wanted.end_time, "end_time"),
        filter=filter_of(wanted.filter, "filter"),
        trace_filter=filter_of(wanted.trace_filter, "trace_filter"),
        tree_filter=filter_of(wanted.tree_filter, "tree_filter"),
    )


def filter_of(text: str | None, where: str) -> Filter | None:
    return parse(text, where) if text and text.strip() else None


def _list(value: list[UUID] | UUID | None) -> tuple[UUID, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, UUID) else tuple(value)


# -- pages -----------------------------------------------------------------------------------------------


async def query(request: Request) -> Response:
    """POST /runs/query."""
    who = await caller(request, Permission.READ)
    wanted = await body_as(request, RunsQueryIn)
    chosen = selection(wanted, who.workspace)
    runs, cursor = await page(request, wanted, chosen)
    return encode({"runs": runs, "cursors": {"next": cursor}, "parsed_query": None})


async def page(
    request: Request,
    wanted: RunsQueryIn,
    chosen: RunSelection,
    *,
    public: bool = False,
    names_project: bool | None = None,
) -> tuple[list[dict[str, Any]], str | None]:
    """One page of runs as JSON values, and the cursor of the next."""
    limit = max(1, min(wanted.limit or MAX_LIMIT, MAX_LIMIT))
    select = selected(wanted.select)
    if public:
        select -= convert.PRIVATE
    question = RunQuery(
        selection=chosen,
        columns=columns_for(select),
        limit=limit + 1,
        newest_first=wanted.order != "asc",
        after=cursor_in(wanted.cursor),
    )
    found = await services(request).runs.page(question)
    more = len(found) > limit
    found = found[:limit]
    rendered = await render(request, found, select, public=public, names_project=names_project)
    return rendered, cursor_out(found[-1]) if more else None


def selected(names: list[str] | None) -> frozenset[str]:
    """The fields to answer with; Invalid for a name that there is not."""
    if names is None:
        return convert.DEFAULT_SELECT
    known = convert.SELECTABLE.keys() | set(convert.USAGE_FIELDS)
    for index, name in enumerate(names):
        if name not in known:
            raise Invalid(f"{name[:60]!r} is not a field of runs", where=("body", "select", index))
    return frozenset(names)


def columns_for(select: frozenset[str]) -> frozenset[str]:
    """The store's columns behind a selection. Opening columns is what reading costs, so no more than these."""
    columns = set(convert.REQUIRED) | USAGE
    for name in select:
        columns.update(convert.SELECTABLE.get(name, ()))
    return frozenset(columns)


async def render(
    request: Request,
    runs: list[Run],
    select: frozenset[str],
    *,
    public: bool = False,
    names_project: bool | None = None,
    children: Mapping[UUID, list[UUID]] | None = None,
) -> list[dict[str, Any]]:
    """Runs as JSON values, with what lies outside their rows; see RunWriter for who is told what.

    Their descendants are looked up, unless `children` has them.
    """
    if not runs:
        return []
    to = services(request)
    workspace = runs[0].workspace
    feedback, shares, family, datasets, tiers = await asyncio.gather(
        to.runs.feedback_of(workspace, runs) if "feedback_stats" in select else _nothing(),
        to.sharing.tokens(workspace, runs) if "share_token" in select else _nothing(),
        _children(request, runs) if children is None and "child_run_ids" in select else _nothing(),
        to.projects.reference_datasets(workspace, {run.project_id for run in runs})
        if "reference_dataset_id" in select
        else _nothing(),
        to.retention.rules.tiers(workspace, runs) if "trace_tier" in select else _nothing(),
    )
    write = convert.RunWriter(
        select,
        links=to.links,
        now=time.time(),
        feedback=feedback,
        shares=shares,
        children=family if children is None else children,
        datasets=datasets,
        tiers=tiers,
        public=public,
        names_project=names_project,
    )
    return [write(run) for run in runs]


async def _nothing() -> dict[Any, Any]:
    return {}


async def _children(request: Request, runs: list[Run]) -> Mapping[UUID, list[UUID]]:
    """All descendants of each run, as LangSmith's child_run_ids has them."""
    traces = tuple({run.trace_id for run in runs})
    family = await services(request).runs.page(
        RunQuery(
            selection=RunSelection(workspace=runs[0].workspace, traces=traces),
            columns=frozenset({"dotted_order"}),
            limit=1_000_000,
            newest_first=False,
        )
    )
    found: dict[UUID, list[UUID]] = {run.id: [] for run in runs}
    for run in family:
        for ancestor in convert.parents(run):
            if ancestor in found:
                found[ancestor].append(run.id)
    return found


_LAST: Final = 10_000_000_000_000_000
"""Microseconds beyond which nothing can have started: the year 2286."""


def cursor_out(last: Run) -> str:
    """What says that the next page starts after this run."""
    return base64.urlsafe_b64encode(f"{last.start_time}:{last.id}".encode()).decode()


def cursor_in(text: str | None) -> Cursor | None:
    """What cursor_out said; Invalid for anything else."""
    if not text:
        return None
    try:
        start, _, run_id = base64.urlsafe_b64decode(text.encode()).decode().partition(":")
        found = Cursor(int(start), UUID(run_id))
    except ValueError:
        found = None
    if found is None or abs(found.start_time) > _LAST:
        raise Invalid("this is not a cursor that a former page gave", where=("body", "cursor"))
    return found


async def one(request: Request) -> Response:
    """GET /runs/{run_id}."""
    who = await caller(request, Permission.READ)
    run_id = path_uuid(request, "run_id")
    params = Params(request)
    select = convert.DEFAULT_SELECT | {"child_run_ids", "inputs_preview", "outputs_preview"}
    if params.flag("exclude_serialized"):
        select -= {"serialized"}
    if params.flag("exclude_s3_stored_attributes"):
        select -= {"inputs", "outputs", "events", "extra", "serialized", "error"}
    run, family = await services(request).runs.whole(who.workspace, run_id, columns_for(select))
    project = params.uuid("session_id")
    if project is not None and project != run.project_id:
        raise NotFound(f"run {run_id} not found in session {project}")
    return encode((await render(request, [run], select, children={run.id: family}))[0])


async def validate(request: Request) -> Response:
    """POST /runs/query/validate: what is wrong with a query, as data."""
    who = await caller(request, Permission.READ)
    wanted = await body_as(request, RunsQueryIn)
    found: list[dict[str, str]] = []
    for field in ("filter", "trace_filter", "tree_filter"):
        try:
            filter_of(getattr(wanted, field), field)
        except Invalid as error:
            found.append({"field": field, "message": error.message})
    rest = msgspec.structs.replace(wanted, filter=None, trace_filter=None, tree_filter=None)
    try:
        selection(rest, who.workspace)
        selected(wanted.select)
    except Invalid as error:
        found.append({"field": str(error.where[-1]) if error.where else "session", "message": error.message})
    return encode({"valid": not found, "errors": found})


async def not_offered(request: Request) -> Response:
    """POST /runs/generate-query: needs a model to read the question."""
    await caller(request, Permission.READ)
    return encode(
        {"detail": "This server does not turn questions into filters yet: write the filter itself."}, 501
    )


# -- statistics and threads ------------------------------------------------------------------------------

_GROUPS: Final[dict[str, StatGroup]] = {
    "name": "name",
    "run_type": "run_type",
    "tag": "tag",
    "metadata": "metadata",
}


async def stats(request: Request) -> Response:
    """POST /runs/stats."""
    who = await caller(request, Permission.READ)
    wanted = await body_as(request, RunStatsIn)
    return encode(await stats_of(request, wanted, selection(wanted, who.workspace)))


async def stats_of(request: Request, wanted: RunStatsIn, chosen: RunSelection) -> dict[str, Any]:
    """RunStats of what is chosen, or by group where groups are asked for."""
    runs = services(request).runs
    keep = frozenset(wanted.select) if wanted.select else None
    if wanted.group_by is None:
        found = await runs.stats(chosen)
        return run_stats(found.get("", RunStats()), keep)
    group = _GROUPS.get(wanted.group_by.attribute)
    if group is None:
        raise Invalid(
            f"cannot group by {wanted.group_by.attribute[:60]!r}; choose one of {', '.join(_GROUPS)}",
            where=("body", "group_by", "attribute"),
        )
    if group == "metadata" and not wanted.group_by.path:
        raise Invalid("path names the metadata key to group by", where=("body", "group_by", "path"))
    groups = max(1, min(wanted.group_by.max_groups or 5, 1000))
    grouped = await runs.stats(chosen, group, wanted.group_by.path or "", groups)
    return {key: run_stats(value, keep) for key, value in grouped.items()}


def _thread_selection(wanted: RunGroupIn, workspace: UUID) -> RunSelection:
    if wanted.group_by != "conversation":
        raise Invalid("only 'conversation' can be grouped by", where=("body", "group_by"))
    return RunSelection(
        workspace=workspace,
        projects=(wanted.session_id,),
        is_root=True,
        since=convert.micros(wanted.start_time, "start_time"),
        until=convert.micros(wanted.end_time, "end_time"),
        filter=filter_of(wanted.filter, "filter"),
    )


async def threads(request: Request) -> Response:
    """POST /runs/group."""
    who = await caller(request, Permission.READ)
    wanted = await body_as(request, RunGroupIn)
    limit = 10 if wanted.limit is None else wanted.limit
    if not 1 <= limit <= MAX_LIMIT:
        raise Invalid(f"{limit} is not within 1 and {MAX_LIMIT}", where=("body", "limit"))
    offset = wanted.offset or 0
    if offset < 0:
        raise Invalid("offset is negative", where=("body", "offset"))
    chosen = _thread_selection(wanted, who.workspace)
    found, total = await services(request).runs.threads(
        ThreadQuery(selection=chosen, limit=limit, offset=offset)
    )
    return encode({"groups": [thread_group(thread) for thread in found], "total": total})


async def thread_stats(request: Request) -> Response:
    """POST /runs/group/stats."""
    who = await caller(request, Permission.READ)
    wanted = await body_as(request, RunGroupIn)
    chosen = _thread_selection(wanted, who.workspace)
    in_threads = parse("neq(thread_id, null)", "filter")
    both = in_threads if chosen.filter is None else all_of([chosen.filter, in_threads])
    runs = services(request).runs
    found = await runs.stats(replace(chosen, filter=both))
    _, total = await runs.threads(ThreadQuery(selection=chosen, limit=1))
    return encode({**run_stats(found.get("", RunStats()), None), "group_count": total})


async def thread(request: Request) -> Response:
    """GET /runs/threads/{thread_id}."""
    who = await caller(request, Permission.READ)
    thread_id = request.path_params["thread_id"]
    project = Params(request).uuid("session_id")
    if project is None:
        raise Invalid("session_id is needed", where=("query", "session_id"))
    chosen = RunSelection(
        workspace=who.workspace,
        projects=(project,),
        is_root=True,
        filter=parse(f"eq(thread_id, {msgspec.json.encode(thread_id).decode()})", "thread_id"),
    )
    found, _ = await services(request).runs.threads(ThreadQuery(selection=chosen, limit=1))
    if not found:
        raise NotFound(f"thread {thread_id[:100]!r} not found")
    return encode({"thread_id": thread_id, "previews": _previews(found[0])})


def _previews(found: ThreadSummary) -> dict[str, Any]:
    return {
        "first_inputs": convert.preview(found.first_inputs),
        "last_outputs": convert.preview(found.last_outputs),
    }


# -- deletion --------------------------------------------------------------------------------------------


async def delete(request: Request) -> Response:
    """POST /runs/delete and /runs/delete/traces: whole traces, by their ids or by metadata of their roots."""
    who = await caller(request, Permission.WRITE)
    wanted = await body_as(request, RunsDeleteIn)
    chosen = RunSelection(
        workspace=who.workspace,
        projects=(wanted.session_id,),
        since=convert.micros(wanted.start_time, "start_time"),
    )
    if wanted.trace_ids:
        chosen = replace(chosen, traces=tuple(wanted.trace_ids))
    elif wanted.metadata:
        document = msgspec.json.encode(msgspec.json.encode(wanted.metadata).decode()).decode()
        chosen = replace(chosen, trace_filter=parse(f"has(metadata, {document})", "metadata"))
    else:
        raise Invalid("give trace_ids or metadata: which traces to delete", where=("body", "trace_ids"))
    to = services(request)
    gone = await TraceDeletion(to.runs, to.sharing, to.queue_items).delete(chosen)
    return encode({"message": f"{len(gone)} runs deleted"}, 202)

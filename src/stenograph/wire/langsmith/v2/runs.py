"""The v2 API's routes that read runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.errors import Invalid, NotFound
from stenograph.model.access import Permission
from stenograph.model.projects import ProjectQuery
from stenograph.model.query import RunQuery, RunSelection
from stenograph.model.runs import RUN_TYPES, Run
from stenograph.wire.http import Params, body_as, caller, encode, of_body, path_uuid, services
from stenograph.wire.langsmith.examples.shapes import file_links
from stenograph.wire.langsmith.experiments.experiments import within
from stenograph.wire.langsmith.runs.runs import cursor_in, cursor_out, filter_of
from stenograph.wire.langsmith.v2 import fields, pages
from stenograph.wire.langsmith.v2.schemas import RunsQueryIn

_MAX_PAGE: Final = 1000
_DEFAULT_PAGE: Final = 100


def routes() -> list[BaseRoute]:
    return [
        Route("/v2/runs/query", query, methods=["POST"]),
        Route("/v2/runs/{run_id}", one, methods=["GET"]),
        Route("/v2/runs/{run_id}/url", url, methods=["GET"]),
    ]


async def query(request: Request) -> Response:
    """POST /v2/runs/query: newest first. Tokens, costs and first tokens are the runs' own unless
    `include_subtree_usage` says otherwise."""
    who = await caller(request, Permission.READ)
    sent = await body_as(request, RunsQueryIn)
    size = within(sent.page_size, "page_size", _DEFAULT_PAGE, 1, _MAX_PAGE)
    select = fields.selected(sent.selects, ("body", "selects"))
    after = cursor_in(sent.cursor)
    chosen = await _selection(request, sent, who.workspace)
    if chosen is None:
        return pages.page(request, [], None)
    asked = RunQuery(selection=chosen, columns=fields.columns(select), limit=size + 1, after=after)
    reader, subtrees = services(request).runs, bool(sent.include_subtree_usage)
    found = await reader.page(asked) if subtrees else await reader.apart(asked)
    cursor = cursor_out(found[size - 1]) if len(found) > size else None
    items = await fields.render(request, found[:size], select, subtrees=subtrees)
    return pages.page(request, items, cursor)


async def _selection(request: Request, sent: RunsQueryIn, workspace: UUID) -> RunSelection | None:
    """The runs that are asked for; None where a dataset has no experiments to ask about."""
    pages.refuse(sent)
    if bool(sent.project_ids) == (sent.reference_dataset_id is not None):
        raise Invalid("give project_ids or reference_dataset_id, one of both", ("body", "project_ids"))
    since, until = pages.bounds(sent.min_start_time, sent.max_start_time)
    kind = None if sent.run_type is None else sent.run_type.lower()
    if kind is not None and kind not in RUN_TYPES:
        known = ", ".join(sorted(RUN_TYPES)).upper()
        raise Invalid(f"{kind[:60]!r} is not one of {known}", ("body", "run_type"))
    with of_body():
        chosen = RunSelection(
            workspace=workspace,
            projects=tuple(sent.project_ids or ()),
            ids=tuple(sent.ids or ()),
            traces=() if sent.trace_id is None else (sent.trace_id,),
            reference_examples=tuple(sent.reference_examples or ()),
            run_type=kind,
            has_error=sent.has_error,
            is_root=sent.is_root,
            # experiments may be old: of a dataset all of them are asked for
            since=since if sent.reference_dataset_id is not None else pages.since(since),
            until=until,
            filter=filter_of(sent.filter, "filter"),
            trace_filter=filter_of(sent.trace_filter, "trace_filter"),
            tree_filter=filter_of(sent.tree_filter, "tree_filter"),
        )
    if sent.reference_dataset_id is None:
        return chosen
    experiments = await services(request).projects.find(
        ProjectQuery(workspace=workspace, reference_datasets=(sent.reference_dataset_id,))
    )
    projects = tuple(project.id for project in experiments)
    return replace(chosen, projects=projects) if projects else None


async def one(request: Request) -> Response:
    """GET /v2/runs/{run_id}. NotFound unless it is in the project that is named."""
    who = await caller(request, Permission.READ)
    params = Params(request)
    select = fields.selected(params.texts("selects"), ("query", "selects"))
    chosen = RunSelection(
        workspace=who.workspace,
        ids=(path_uuid(request, "run_id"),),
        projects=(pages.needed(params, "project_id"),),
    )
    run = await _found(request, chosen, fields.columns(select), params.time("start_time"))
    return encode((await fields.render(request, [run], select))[0])


async def url(request: Request) -> Response:
    """GET /v2/runs/{run_id}/url: where the page shows it."""
    who = await caller(request, Permission.READ)
    params = Params(request)
    chosen = RunSelection(
        workspace=who.workspace,
        ids=(path_uuid(request, "run_id"),),
        projects=(pages.needed(params, "project_id"),),
        traces=(pages.needed(params, "trace_id"),),
    )
    run = await _found(request, chosen, frozenset(), params.time("start_time"))
    place = "" if run.id == run.trace_id else f"?run={run.id}"
    return encode({"url": f"{file_links(request).server}/ui/traces/{run.trace_id}{place}"})


async def _found(request: Request, chosen: RunSelection, columns: frozenset[str], start: int | None) -> Run:
    """The one run that is chosen. The time at which a client has it start is where it is looked for first."""
    reader = services(request).runs
    found: list[Run] = []
    if start is not None:
        near = replace(chosen, since=start, until=start)
        found = await reader.apart(RunQuery(selection=near, columns=columns, limit=1))
    found = found or await reader.apart(RunQuery(selection=chosen, columns=columns, limit=1))
    if not found:
        raise NotFound(f"run {chosen.ids[0]} not found")
    return found[0]

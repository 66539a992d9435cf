"""The v2 API's routes that read traces: their roots with what the whole comes to, and all runs of one."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.errors import Invalid, TooLarge
from stenograph.model.access import Permission
from stenograph.model.query import RunQuery, RunSelection
from stenograph.wire.http import Params, body_as, caller, encode, of_body, path_uuid, services
from stenograph.wire.langsmith.experiments.experiments import within
from stenograph.wire.langsmith.runs.runs import cursor_in, cursor_out, filter_of
from stenograph.wire.langsmith.v2 import fields, pages
from stenograph.wire.langsmith.v2.schemas import TracesQueryIn

_MAX_PAGE: Final = 100
_DEFAULT_PAGE: Final = 20

_AGGREGATES: Final = frozenset({"total_tokens", "total_cost", "first_token_time"})
"""Selected fields that are of the whole trace and stand apart from its root's."""


def routes() -> list[BaseRoute]:
    return [
        Route("/v2/traces/query", query, methods=["POST"]),
        Route("/v2/traces/{trace_id}/runs", runs, methods=["GET"]),
    ]


async def query(request: Request) -> Response:
    """POST /v2/traces/query: newest first."""
    who = await caller(request, Permission.READ)
    sent = await body_as(request, TracesQueryIn)
    pages.refuse(sent)
    size = within(sent.page_size, "page_size", _DEFAULT_PAGE, 1, _MAX_PAGE)
    select = fields.selected(sent.selects, ("body", "selects"))
    since, until = pages.bounds(sent.min_start_time, sent.max_start_time)
    with of_body():
        chosen = RunSelection(
            workspace=who.workspace,
            projects=(sent.project_id,),
            traces=tuple(sent.trace_ids or ()),
            is_root=True,
            since=pages.since(since),
            until=None if until is None else until - 1,  # a trace that begins then is not asked for
            filter=filter_of(sent.trace_filter, "trace_filter"),
            tree_filter=filter_of(sent.tree_filter, "tree_filter"),
        )
    asked = RunQuery(
        selection=chosen, columns=fields.columns(select), limit=size + 1, after=cursor_in(sent.cursor)
    )
    found = await services(request).runs.page(asked)
    cursor = cursor_out(found[size - 1]) if len(found) > size else None
    rendered = await fields.render(request, found[:size], select, subtrees=True)
    return pages.page(request, [_trace(run) for run in rendered], cursor)


def _trace(root: dict[str, Any]) -> dict[str, Any]:
    whole = {name: root.pop(name) for name in _AGGREGATES & root.keys()}
    return {"root_run": root, "trace_aggregates": whole or None, "query_metadata": None}


async def runs(request: Request) -> Response:
    """GET /v2/traces/{trace_id}/runs: as they started, with figures of their own."""
    who = await caller(request, Permission.READ)
    params = Params(request)
    select = fields.selected(params.texts("selects"), ("query", "selects"))
    since, until = params.time("min_start_time"), params.time("max_start_time")
    if (since is None) != (until is None):
        raise Invalid("min_start_time and max_start_time go together", ("query", "min_start_time"))
    chosen = RunSelection(
        workspace=who.workspace,
        projects=(pages.needed(params, "project_id"),),
        traces=(path_uuid(request, "trace_id"),),
        since=since,
        until=until,
        filter=filter_of(params.text("filter"), "filter"),
    )
    found = await services(request).runs.apart(
        RunQuery(
            selection=chosen,
            columns=fields.columns(select),
            limit=pages.MAX_TRACE + 1,
            newest_first=False,
        )
    )
    if len(found) > pages.MAX_TRACE:
        raise TooLarge(
            f"these are more than {pages.MAX_TRACE} runs, which is what one answer holds: bound them by time or filter"
        )
    return encode({"items": await fields.render(request, found, select)})

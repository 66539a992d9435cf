"""The v2 API's routes of shared traces: links made and closed, and read without a key."""

from __future__ import annotations

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.errors import Invalid, NotFound, TooLarge
from stenograph.model.access import Permission
from stenograph.model.query import RunQuery, RunSelection
from stenograph.wire.http import Params, as_uuid, body_as, caller, encode, path_uuid, services
from stenograph.wire.langsmith.v2 import fields, pages
from stenograph.wire.langsmith.v2.schemas import PublicRunsIn, ShareIn, UnshareIn


def routes() -> list[BaseRoute]:
    return [
        Route("/v2/runs/{run_id}/share", share, methods=["POST"]),
        Route("/v2/runs/{trace_id}/share", unshare, methods=["DELETE"]),
        Route("/v2/public/{token}/run/{run_id}", public_run, methods=["GET"]),
        Route("/v2/public/{token}/runs/query", public_query, methods=["POST"]),
    ]


# -- by those who own the trace ----------------------------------------------------------------------------


async def share(request: Request) -> Response:
    """POST /v2/runs/{run_id}/share: the link to the run's trace, one and the same however often."""
    who = await caller(request, Permission.WRITE)
    run_id = path_uuid(request, "run_id")
    sent = await body_as(request, ShareIn)
    await _check(request, who.workspace, run_id, sent.session_id, sent.trace_id)
    found = await services(request).sharing.share(who.workspace, run_id)
    return encode({"share_token": found.token})


async def unshare(request: Request) -> Response:
    """DELETE /v2/runs/{trace_id}/share: no error where the trace is not shared."""
    who = await caller(request, Permission.WRITE)
    trace_id = path_uuid(request, "trace_id")
    sent = await body_as(request, UnshareIn)
    await _check(request, who.workspace, trace_id, sent.session_id, trace_id)
    await services(request).sharing.unshare(who.workspace, trace_id)
    return Response(status_code=204)


async def _check(request: Request, workspace: UUID, run_id: UUID, project: UUID, trace: UUID) -> None:
    """NotFound unless there is such a run in this project and trace."""
    run = await services(request).runs.one(workspace, run_id, frozenset())
    if (run.project_id, run.trace_id) != (project, trace):
        raise NotFound(f"run {run_id} not found")


# -- by those who hold a link ------------------------------------------------------------------------------


async def public_run(request: Request) -> Response:
    """GET /v2/public/{token}/run/{run_id}. Its id says which; the start that clients have to state is only checked."""
    opened = await services(request).sharing.open(request.path_params["token"])
    params = Params(request)
    if params.time("start_time") is None:
        raise Invalid("this is needed", ("query", "start_time"))
    select = fields.selected(params.texts("selects"), ("query", "selects"), public=True)
    run_id = as_uuid(request.path_params["run_id"], ("path", "run_id"))
    run = await services(request).sharing.run(opened, run_id, fields.columns(select))
    return encode((await fields.render(request, [run], select, public=True))[0])


async def public_query(request: Request) -> Response:
    """POST /v2/public/{token}/runs/query: all runs of the trace, as they started."""
    opened = await services(request).sharing.open(request.path_params["token"])
    sent = await body_as(request, PublicRunsIn)
    select = fields.selected(sent.selects, ("body", "selects"), public=True)
    found = await services(request).runs.apart(
        RunQuery(
            selection=opened.confine(RunSelection(workspace=opened.workspace)),
            columns=fields.columns(select),
            limit=pages.MAX_TRACE + 1,
            newest_first=False,
        )
    )
    if len(found) > pages.MAX_TRACE:
        raise TooLarge(f"the trace has more than {pages.MAX_TRACE} runs, which is what one answer holds")
    return encode({"items": await fields.render(request, found, select, public=True)})

"""LangSmith's routes for shared runs: making and closing links, and reading a trace through one without a key.

Whoever holds a token sees one trace, whatever else is asked for, and learns nothing of projects. A key in
such a request is not looked at: clients send theirs to every server.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.domain.sharing import Opened, SharedTrace
from stenograph.errors import Invalid
from stenograph.model.access import Permission
from stenograph.model.datasets import DatasetQuery
from stenograph.model.feedback import Feedback
from stenograph.model.projects import ProjectQuery
from stenograph.model.sharing import Share, ShareKind
from stenograph.wire.http import Params, as_uuid, body_as, caller, encode, path_uuid, services
from stenograph.wire.langsmith.feedback import feedback
from stenograph.wire.langsmith.feedback.shapes import to_wire
from stenograph.wire.langsmith.runs import convert, runs
from stenograph.wire.langsmith.runs.schemas import RunsQueryIn, UnshareIn

_WHOLE_RUN: Final = convert.DEFAULT_SELECT | {"child_run_ids", "inputs_preview", "outputs_preview"}
_STORED_APART: Final = frozenset({"inputs", "outputs", "events", "extra", "serialized", "error"})

# -- by those who own the run ----------------------------------------------------------------------------


async def share(request: Request) -> Response:
    """PUT /runs/{run_id}/share. The body, in which clients propose a token, is not read: theirs may be guessable."""
    who = await caller(request, Permission.WRITE)
    run_id = path_uuid(request, "run_id")
    return encode(_link(run_id, await services(request).sharing.share(who.workspace, run_id)))


async def shared(request: Request) -> Response:
    """GET /runs/{run_id}/share: null for a run that is not shared; an unknown one is a 404."""
    who = await caller(request, Permission.READ)
    run_id = path_uuid(request, "run_id")
    found = await services(request).sharing.shared(who.workspace, run_id)
    return encode(None if found is None else _link(run_id, found))


async def unshare(request: Request) -> Response:
    """DELETE /runs/{run_id}/share."""
    who = await caller(request, Permission.WRITE)
    run_id = path_uuid(request, "run_id")
    await services(request).sharing.unshare(who.workspace, run_id)
    return encode({"message": "not shared any more"})


def _link(run_id: UUID, share: Share) -> dict[str, UUID]:
    return {"run_id": run_id, "share_token": share.token}


async def links(request: Request) -> Response:
    """GET /workspaces/current/shared."""
    who = await caller(request, Permission.READ)
    params = Params(request)
    offset, limit = params.number("offset", 0, 0, 2**31), params.number("limit", 50, 1, 100)
    to = services(request)
    found = await to.sharing.page(who.workspace, offset, limit)
    projects = tuple({item.share.project_id for item in found if item.share.project_id is not None})
    named = await to.projects.find(ProjectQuery(workspace=who.workspace, ids=projects))
    datasets = tuple(UUID(item.share.target_id) for item in found if item.share.kind is ShareKind.DATASET)
    shared = await to.datasets.find(DatasetQuery(workspace=who.workspace, ids=datasets))
    names = {each.id: each.name for each in named} | {each.id: each.name for each in shared}
    return encode({"entities": [_entity(item, names) for item in found]})


def _entity(item: SharedTrace, names: dict[UUID, str]) -> dict[str, Any]:
    """A TenantShareRunToken or TenantShareDatasetToken; `names` are those of projects and datasets."""
    share, root = item.share, item.root
    entity: dict[str, Any] = {
        "type": share.kind.value,
        "share_token": share.token,
        "created_at": convert.zoned_text(share.created_at),
    }
    if share.kind is ShareKind.RUN:
        entity |= {
            "run_id": share.target_id,
            "run_name": root.name if root else None,
            "run_type": root.run_type if root else None,
            "session_id": share.project_id,
            "session_name": names.get(share.project_id) if share.project_id else None,
        }
    if share.kind is ShareKind.DATASET:
        entity |= {"dataset_id": share.target_id, "dataset_name": names.get(UUID(share.target_id))}
    return entity


async def revoke(request: Request) -> Response:
    """DELETE /workspaces/current/shared: the links named in the body, or all of them with unshare_all."""
    who = await caller(request, Permission.WRITE)
    wanted = await body_as(request, UnshareIn)
    sharing = services(request).sharing
    if wanted.unshare_all:
        count = await sharing.revoke_all(who.workspace)
    elif wanted.share_tokens is not None:
        count = await sharing.revoke(who.workspace, wanted.share_tokens)
    else:
        raise Invalid("give share_tokens, or unshare_all: true", where=("body", "share_tokens"))
    return encode({"message": f"{count} links closed"})


# -- by those who hold a link ----------------------------------------------------------------------------


async def _opened(request: Request) -> Opened:
    return await services(request).sharing.open(request.path_params["token"])


async def public_run(request: Request) -> Response:
    """GET /public/{token}/run and /public/{token}/run/{run_id}: the root, or the run of that id in its trace."""
    opened = await _opened(request)
    text = request.path_params.get("run_id")
    select = _WHOLE_RUN - convert.PRIVATE
    if Params(request).flag("exclude_s3_stored_attributes"):
        select -= _STORED_APART
    run_id = None if text is None else as_uuid(text, ("path", "run_id"))
    run = await services(request).sharing.run(opened, run_id, runs.columns_for(select))
    return encode((await runs.render(request, [run], select, public=True))[0])


async def public_query(request: Request) -> Response:
    """POST /public/{token}/runs/query: what /runs/query offers, within the trace."""
    opened = await _opened(request)
    wanted = await body_as(request, RunsQueryIn)
    if wanted.trace not in (None, opened.trace):
        return encode({"runs": [], "cursors": {"next": None}, "parsed_query": None})
    wanted = msgspec.structs.replace(wanted, trace=opened.trace, session=None)
    chosen = opened.confine(runs.selection(wanted, opened.workspace))
    page, cursor = await runs.page(request, wanted, chosen, public=True)
    return encode({"runs": page, "cursors": {"next": cursor}, "parsed_query": None})


async def public_feedback(request: Request) -> Response:
    """GET /public/{token}/feedbacks: what GET /feedback offers, within the trace; project and users are not told."""
    opened = await _opened(request)
    wanted = replace(
        feedback.query(Params(request), opened.workspace),
        traces=(opened.trace,),
        projects=(),
        users=(),
        comparative_experiment=None,
    )
    found = await services(request).feedback.page(wanted)
    return encode([to_wire(_published(item, opened)) for item in found])


def _published(item: Feedback, opened: Opened) -> Feedback:
    """Without the project, and without the source's metadata: it names people and the runs that judged."""
    return msgspec.structs.replace(
        item,
        trace_id=opened.trace,
        project_id=None,
        source=None,
        extra=None,
    )


def routes() -> list[BaseRoute]:
    return [
        Route("/runs/{run_id}/share", share, methods=["PUT"]),
        Route("/runs/{run_id}/share", shared, methods=["GET"]),
        Route("/runs/{run_id}/share", unshare, methods=["DELETE"]),
        Route("/workspaces/current/shared", links, methods=["GET"]),
        Route("/workspaces/current/shared", revoke, methods=["DELETE"]),
        Route("/public/{token}/run", public_run, methods=["GET"]),
        Route("/public/{token}/run/{run_id}", public_run, methods=["GET"]),
        Route("/public/{token}/runs/query", public_query, methods=["POST"]),
        Route("/public/{token}/feedbacks", public_feedback, methods=["GET"]),
    ]

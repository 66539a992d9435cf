"""One trace for the page: its tree in columns, and a run's detail with payloads that come when they are looked at.

The same for those who hold a link to it, or to the dataset whose experiment it is of: what they may see is confined by
what the link opens, and projects and people are not told.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.domain.datasets.sharing import OpenedDataset, nothing
from stenograph.domain.runs import USAGE
from stenograph.domain.sharing import Opened
from stenograph.errors import NotFound
from stenograph.model.access import Caller, Permission
from stenograph.model.query import FeedbackQuery, RunSelection
from stenograph.model.runs import Run
from stenograph.model.trees import Tree
from stenograph.wire.http import as_uuid, encode, path_uuid, services
from stenograph.wire.ui import shapes
from stenograph.wire.ui.signing_in import viewer

MAX_RUNS: Final = 250_000
"""Runs of one tree; further ones are counted, not sent."""
MAX_FEEDBACK: Final = 200

_OF_DATASET: Final = "/ui/api/public/{share_token}/dataset"

PAYLOADS: Final = ("inputs", "outputs", "events", "extra", "serialized")

_DETAIL: Final = USAGE | {
    "name", "run_type", "status", "error", "end_time", "first_token_time", "received_at", "tags", "thread_id",
    "reference_example_id", "attachments", "parent_run_id", *PAYLOADS,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sight:
    """What a reader may see: a workspace, or no more of it than what is shared: a trace, or a dataset's experiments."""

    workspace: UUID
    opened: Opened | OpenedDataset | None = None
    who: Caller | None = None
    """Who looks; None for those who hold a link."""

    def confine(self, selection: RunSelection) -> RunSelection:
        """The part of a selection that may be seen; NotFound when that is nothing."""
        if self.opened is None:
            return selection
        found = self.opened.confine(selection)
        if found is None:
            raise nothing()
        return found

    def trace(self, request: Request) -> UUID:
        """The trace that is asked for: a link to a trace leads to no other."""
        return self.opened.trace if isinstance(self.opened, Opened) else path_uuid(request, "trace_id")

    @property
    def is_public(self) -> bool:
        return self.opened is not None


async def _sight(request: Request) -> Sight:
    to = services(request)
    if "share_token" in request.path_params:
        dataset = await to.dataset_sharing.open(path_uuid(request, "share_token"))
        return Sight(dataset.workspace, dataset)
    token = request.path_params.get("token")
    if token is None:
        who = await viewer(request, Permission.READ)
        return Sight(who.workspace, who=who)
    opened = await to.sharing.open(token)
    return Sight(opened.workspace, opened)


# -- the tree --------------------------------------------------------------------------------------------


async def tree(request: Request) -> Response:
    """GET /ui/api/traces/{trace_id}, /ui/api/public/{token}/trace and, of a shared dataset's experiments,
    /ui/api/public/{share_token}/dataset/traces/{trace_id}. NotFound for a trace without runs."""
    sight = await _sight(request)
    trace = sight.trace(request)
    to = services(request)
    chosen = sight.confine(RunSelection(workspace=sight.workspace, traces=(trace,)))
    found = await to.runs.tree(chosen, MAX_RUNS + 1)
    if not found.ids:
        raise NotFound("There is no such trace.")
    told: dict[str, Any] = {}
    if not sight.is_public:
        at = found.ids.index(trace.bytes) if trace.bytes in found.ids else 0
        project = UUID(bytes=found.projects[at])
        share, name = await asyncio.gather(
            to.sharing.token(sight.workspace, trace), _project_name(request, sight.workspace, project)
        )
        told = {"project": project, "projectName": name, "share": share}
    body = {"trace": trace, "more": len(found.ids) > MAX_RUNS, **told}
    body |= await asyncio.to_thread(columns, found)
    return Response(orjson.dumps(body), media_type="application/json")


async def _project_name(request: Request, workspace: UUID, project: UUID) -> str | None:
    try:
        return (await services(request).projects.read(workspace, project)).name
    except NotFound:  # its first span has not come, so that its project is not known yet
        return None


def columns(tree: Tree) -> dict[str, Any]:
    """At most MAX_RUNS by column: ids are 16 bytes each in one base64 text, parents are places in the list (-1 for
    none), times are microseconds from `epoch`; names, types and statuses are places in lists of their own. Tokens and
    costs of those that have any."""
    ids = tree.ids[:MAX_RUNS]
    place = {run: index for index, run in enumerate(ids)}
    epoch = tree.starts[0]
    names, name = _told_once(tree.names[:MAX_RUNS])
    types, kind = _told_once([text or b"chain" for text in tree.types[:MAX_RUNS]])
    statuses, status = _told_once(tree.statuses[:MAX_RUNS])
    return {
        "epoch": epoch,
        "ids": base64.b64encode(b"".join(ids)).decode(),
        "parent": [-1 if up is None else place.get(up, -1) for up in tree.parents[:MAX_RUNS]],
        "names": names,
        "name": name,
        "types": types,
        "type": kind,
        "statuses": statuses,
        "status": status,
        "start": [start - epoch for start in tree.starts[:MAX_RUNS]],
        "took": [-1 if took is None else took for took in tree.took[:MAX_RUNS]],
        "tokens": {str(index): tokens for index, tokens in enumerate(tree.tokens[:MAX_RUNS]) if tokens},
        "cost": {str(index): cost for index, cost in enumerate(tree.costs[:MAX_RUNS]) if cost},
    }


def _told_once(texts: Sequence[bytes]) -> tuple[list[str], list[int]]:
    """The different texts, and for each where it stands among them."""
    known: dict[bytes, int] = {}
    places = [known.setdefault(text, len(known)) for text in texts]
    return [text.decode("utf-8", "replace") for text in known], places


# -- one run ---------------------------------------------------------------------------------------------


async def detail(request: Request) -> Response:
    """GET /ui/api/runs/{run_id} and, by links, /ui/api/public/…/runs/{run_id}."""
    sight = await _sight(request)
    run_id = path_uuid(request, "run_id")
    run = await _run(request, sight, run_id, _DETAIL)
    to = services(request)
    found = await to.feedback.page(
        FeedbackQuery(workspace=sight.workspace, runs=(run.id,), traces=(run.trace_id,), limit=MAX_FEEDBACK)
    )
    now = time.time()
    return encode(
        {
            "id": run.id,
            "trace": run.trace_id,
            "parent": run.parent_run_id,
            "name": run.name or "",
            "type": run.run_type or "chain",
            "status": run.status,
            "error": run.error,
            "start": run.start_time,
            "end": run.end_time,
            "firstToken": run.first_token_time,
            "received": run.received_at,
            "tags": run.tags or [],
            "thread": None if sight.is_public else run.thread_id,
            "project": None if sight.is_public else run.project_id,
            "example": None if sight.is_public else run.reference_example_id,
            "usage": shapes.usage(run.usage),
            "payloads": {name: shapes.payload(getattr(run, name)) for name in PAYLOADS},
            "attachments": [
                {
                    "name": file.name,
                    "type": file.mime_type,
                    "size": file.size,
                    "url": to.links.sign(run.workspace, run.id, file.name, now),
                }
                for file in run.attachments or ()
            ],
            "feedback": [shapes.judgement(piece, sight.who) for piece in found],
        }
    )


async def _run(request: Request, sight: Sight, run_id: UUID, columns: frozenset[str]) -> Run:
    to = services(request)
    if sight.opened is None:
        return await to.runs.one(sight.workspace, run_id, columns)
    if isinstance(sight.opened, Opened):
        return await to.sharing.run(sight.opened, run_id, columns)
    run = await to.runs.one(sight.workspace, run_id, columns)
    if run.project_id not in sight.opened.experiments:
        raise nothing()
    return run


async def payload(request: Request) -> Response:
    """GET …/runs/{run_id}/{payload}: a payload as it was sent. A browser saves it, and shows none of it."""
    sight = await _sight(request)
    name = request.path_params["payload"]
    if name not in PAYLOADS:
        raise NotFound(f"There is no payload {name[:60]!r}.")
    run_id = as_uuid(request.path_params["run_id"], ("path", "run_id"))
    document = getattr(await _run(request, sight, run_id, frozenset({name})), name)
    if document is None:
        raise NotFound("This run has none.")
    return shapes.saved(document, f"{run_id}-{name}.json")


# -- sharing ---------------------------------------------------------------------------------------------


async def share(request: Request) -> Response:
    """POST /ui/api/runs/{run_id}/share: the link to the run's trace, made when there is none."""
    who = await viewer(request, Permission.WRITE)
    found = await services(request).sharing.share(who.workspace, path_uuid(request, "run_id"))
    return encode({"token": found.token})


async def unshare(request: Request) -> Response:
    """DELETE /ui/api/runs/{run_id}/share."""
    who = await viewer(request, Permission.WRITE)
    await services(request).sharing.unshare(who.workspace, path_uuid(request, "run_id"))
    return encode({})


def routes() -> list[BaseRoute]:
    return [
        Route("/ui/api/traces/{trace_id}", tree, methods=["GET"]),
        Route("/ui/api/runs/{run_id}", detail, methods=["GET"]),
        Route("/ui/api/runs/{run_id}/share", share, methods=["POST"]),
        Route("/ui/api/runs/{run_id}/share", unshare, methods=["DELETE"]),
        Route("/ui/api/runs/{run_id}/{payload}", payload, methods=["GET"]),
        Route("/ui/api/public/{token}/trace", tree, methods=["GET"]),
        Route("/ui/api/public/{token}/runs/{run_id}", detail, methods=["GET"]),
        Route("/ui/api/public/{token}/runs/{run_id}/{payload}", payload, methods=["GET"]),
        Route(f"{_OF_DATASET}/traces/{{trace_id}}", tree, methods=["GET"]),
        Route(f"{_OF_DATASET}/runs/{{run_id}}", detail, methods=["GET"]),
        Route(f"{_OF_DATASET}/runs/{{run_id}}/{{payload}}", payload, methods=["GET"]),
    ]

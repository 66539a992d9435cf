"""One trace for the page: its tree in columns, and a run's detail with payloads that come when they are looked at.

The same for those who hold a link to it, or to the dataset whose experiment it is of: what they may see is confined by
what the link opens, and projects and people are not told.
"""

from __future__ import annotations

import asyncio
import base64
import time
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import numpy as np
import numpy.typing as npt
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
from stenograph.model.trees import Coded, Tree, at
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
    if len(found) == 0:
        raise NotFound("There is no such trace.")
    told: dict[str, Any] = {}
    if not sight.is_public:
        project = at(found.projects, found.place(trace) or 0)
        share, name = await asyncio.gather(
            to.sharing.token(sight.workspace, trace), _project_name(request, sight.workspace, project)
        )
        told = {"project": project, "projectName": name, "share": share}
    body = {"trace": trace, "more": len(found) > MAX_RUNS, **told}
    body |= await asyncio.to_thread(columns, found)
    return Response(await asyncio.to_thread(_json, body), media_type="application/json")


def _json(body: dict[str, Any]) -> bytes:
    return orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)


async def _project_name(request: Request, workspace: UUID, project: UUID) -> str | None:
    try:
        return (await services(request).projects.read(workspace, project)).name
    except NotFound:  # its first span has not come, so that its project is not known yet
        return None


def columns(tree: Tree) -> dict[str, Any]:
    """At most MAX_RUNS by column: ids are 16 bytes each in one base64 text, parents are places in the list (-1 for
    none), times are microseconds from `epoch`; names, types and statuses are places in lists of their own. Tokens and
    costs of those that have any."""
    epoch = int(tree.starts[0])
    above = tree.above[:MAX_RUNS]
    return {
        "epoch": epoch,
        "ids": base64.b64encode(tree.ids[:MAX_RUNS].tobytes()).decode(),
        "parent": np.where(above < MAX_RUNS, np.maximum(above, -1), -1),
        **_told("names", "name", tree.names),
        **_told("types", "type", tree.types, blank="chain"),
        **_told("statuses", "status", tree.statuses),
        "start": tree.starts[:MAX_RUNS] - epoch,
        "took": np.ascontiguousarray(tree.took[:MAX_RUNS]),
        "tokens": _some(tree.tokens[:MAX_RUNS]),
        "cost": _some(tree.costs[:MAX_RUNS]),
    }


def _some(figures: npt.NDArray[Any]) -> dict[str, Any]:
    """Those that are not zero, by where they stand."""
    places = np.flatnonzero(figures)
    return dict(zip(map(str, places.tolist()), figures[places].tolist(), strict=True))


def _told(all_of_them: str, of_each: str, column: Coded, blank: str = "") -> dict[str, Any]:
    """The different texts, and for each run where its own stands among them."""
    texts = [text.decode("utf-8", "replace") or blank for text in column.texts]
    return {all_of_them: texts, of_each: np.ascontiguousarray(column.places[:MAX_RUNS])}


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

"""The page's insights: the reports of a project, one of them with its tree and map, the traces of its clusters, and
what can be made of them.

    /ui/api/projects/{project_id}/insights                         reports; a new one
    /ui/api/insights/targets                                       where traces can go: queues and datasets
    /ui/api/projects/{project_id}/insights/{insights_job_id}       one, with all but its traces
    …/runs  …/diff  …/cancel  …/clusters/{cluster_id}  …/annotation-queue  …/dataset
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID, uuid4

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.domain.datasets.datasets import NewDataset
from stenograph.domain.insights import map as cluster_map
from stenograph.domain.insights.reports import Change
from stenograph.domain.runs import USAGE
from stenograph.errors import Invalid
from stenograph.model.access import Permission
from stenograph.model.annotation_queues import AnnotationQueue, QueueQuery, QueueSort, QueueType
from stenograph.model.datasets import DatasetQuery, DatasetSort
from stenograph.model.insights import Cluster, InsightJob, JobStatus, Member, Progress, ReportRequest
from stenograph.model.query import RunQuery, RunSelection
from stenograph.model.runs import Run
from stenograph.wire.http import Params, body_as, encode, of_body, path_uuid, services
from stenograph.wire.ui import shapes
from stenograph.wire.ui.asking import LATEST
from stenograph.wire.ui.signing_in import viewer

REPORTS: Final = 50
MAX_ROWS: Final = 200
MAX_TARGETS: Final = 500
_SORTS: Final = ("closeness", "latency", "cost", "tokens", "start_time")
_COLUMNS: Final = USAGE | {
    "name", "run_type", "status", "error", "end_time", "first_token_time", "tags", "thread_id", "metadata",
    "inputs", "outputs",
}  # fmt: skip


def routes() -> list[BaseRoute]:
    every = "/ui/api/projects/{project_id}/insights"
    one = every + "/{insights_job_id}"
    return [
        Route(every, listed, methods=["GET"]),
        Route(every, create, methods=["POST"]),
        Route("/ui/api/insights/targets", targets, methods=["GET"]),
        Route(one, read, methods=["GET"]),
        Route(one, delete, methods=["DELETE"]),
        Route(one + "/cancel", cancel, methods=["POST"]),
        Route(one + "/runs", runs, methods=["GET"]),
        Route(one + "/diff", diff, methods=["GET"]),
        Route(one + "/clusters/{cluster_id}", rename_cluster, methods=["PATCH"]),
        Route(one + "/annotation-queue", into_queue, methods=["POST"]),
        Route(one + "/dataset", into_dataset, methods=["POST"]),
    ]


# -- reports -----------------------------------------------------------------------------------------------


async def listed(request: Request) -> Response:
    """GET …/insights: newest first; `more` when there are others behind."""
    who = await viewer(request, Permission.READ)
    offset = Params(request).number("offset", 0, 0, 2**31)
    reports = services(request).insights.reports
    found = await reports.page(who.workspace, path_uuid(request, "project_id"), offset, REPORTS + 1)
    return encode(
        {
            "reports": [_job(job, reports.progress(job)) for job in found[:REPORTS]],
            "more": len(found) > REPORTS,
        }
    )


class ReportIn(msgspec.Struct, frozen=True, kw_only=True):
    """What a report is to be made of. Times are microseconds; without them the last seven days. `filter` is
    LangSmith's language; `sample` a share up to 1 or a count; `hierarchy` clusters a level, the finest first."""

    name: str = ""
    since: int | None = None
    until: int | None = None
    filter: str = ""
    sample: float | None = None
    hierarchy: list[int] | None = None


async def create(request: Request) -> Response:
    """POST …/insights."""
    who = await viewer(request, Permission.WRITE)
    project_id = path_uuid(request, "project_id")
    sent = await body_as(request, ReportIn)
    for name in ("since", "until"):
        at = getattr(sent, name)
        if at is not None and not 0 <= at < LATEST:
            raise Invalid(f"{name} is not a time in microseconds since 1970.", ("body", name))
    wanted = ReportRequest(
        since=sent.since,
        until=sent.until,
        filter=sent.filter.strip() or None,
        sample=sent.sample,
        hierarchy=None if sent.hierarchy is None else tuple(sent.hierarchy),
    )
    reports = services(request).insights.reports
    with of_body():
        if wanted.filter is not None:  # whose message says where in the text the mistake is
            services(request).page.read_filter(wanted.filter, "filter")
        job = await reports.create(who.workspace, project_id, wanted, sent.name.strip() or None)
    return encode(_job(job, reports.progress(job)))


async def _found(request: Request, permission: Permission) -> InsightJob:
    who = await viewer(request, permission)
    return await services(request).insights.reports.read(
        who.workspace, path_uuid(request, "project_id"), path_uuid(request, "insights_job_id")
    )


async def read(request: Request) -> Response:
    """GET …/{insights_job_id}: the report, its clusters with their places on the map, and which one came before it."""
    job = await _found(request, Permission.READ)
    reports = services(request).insights.reports
    if job.status is not JobStatus.SUCCESS:
        return encode(
            _job(job, reports.progress(job))
            | {"report": None, "clusters": [], "map": [], "height": cluster_map.HEIGHT, "earlier": []}
        )
    clusters = await reports.clusters(job)
    spots = await asyncio.to_thread(cluster_map.drawn, clusters)
    others = await reports.page(job.workspace, job.project_id, 0, REPORTS)
    names = {each.id: each.name for each in clusters}
    return encode(
        _job(job, reports.progress(job))
        | {
            "report": _report(job, names),
            "clusters": [_cluster(each) for each in clusters],
            "map": [{"id": spot.cluster_id, "x": spot.x, "y": spot.y, "r": spot.radius} for spot in spots],
            "height": cluster_map.HEIGHT,
            "earlier": [
                {"id": each.id, "name": each.name, "created": each.created_at}
                for each in others
                if each.status is JobStatus.SUCCESS and each.created_at < job.created_at
            ],
        }
    )


async def delete(request: Request) -> Response:
    """DELETE …/{insights_job_id}, with all that it found; one that is under way is ended."""
    job = await _found(request, Permission.WRITE)
    await services(request).insights.reports.delete(job.workspace, job.project_id, job.id)
    return encode({})


async def cancel(request: Request) -> Response:
    """POST …/cancel: the report as it is then."""
    job = await _found(request, Permission.WRITE)
    reports = services(request).insights.reports
    job = await reports.cancel(job.workspace, job.project_id, job.id)
    return encode(_job(job, reports.progress(job)))


async def diff(request: Request) -> Response:
    """GET …/diff?with=<an earlier report>: clusters that are new, gone, grown, shrunk and the same."""
    job = await _found(request, Permission.READ)
    other = Params(request).uuid("with")
    if other is None:
        raise Invalid("Name the report to compare with.", ("query", "with"))
    reports = services(request).insights.reports
    before = await reports.read(job.workspace, job.project_id, other)
    changes = await reports.changes(before, job)
    return encode({"changes": [_change(each) for each in changes]})


# -- clusters ----------------------------------------------------------------------------------------------


class NameIn(msgspec.Struct, frozen=True):
    name: str


async def rename_cluster(request: Request) -> Response:
    """PATCH …/clusters/{cluster_id}."""
    job = await _found(request, Permission.WRITE)
    sent = await body_as(request, NameIn)
    with of_body():
        found = await services(request).insights.reports.rename_cluster(
            job, path_uuid(request, "cluster_id"), sent.name.strip()
        )
    return encode(_cluster(found))


async def runs(request: Request) -> Response:
    """GET …/runs: traces of a cluster, or of the report, those nearest to the middle first unless `sort` says else.
    `next` is where the next page begins, null after the last. Of a trace that was deleted since there is what the
    report knows."""
    job = await _found(request, Permission.READ)
    params = Params(request)
    sort, order = params.text("sort") or "closeness", params.text("order") or "down"
    if sort not in _SORTS:
        raise Invalid(f"{sort[:40]!r} is not one of {', '.join(_SORTS)}", ("query", "sort"))
    if order not in ("down", "up"):
        raise Invalid(f"{order[:40]!r} is not down or up", ("query", "order"))
    to = services(request)
    page = await to.insights.reports.members(
        job,
        params.uuid("cluster"),
        params.number("offset", 0, 0, 2**31),
        params.number("limit", 100, 1, MAX_ROWS),
        None if sort == "closeness" else sort,
        descending=order == "down",
    )
    rows = await _rows(request, job, page.members) if page.members else []
    return encode({"runs": rows, "next": page.following})


async def _rows(request: Request, job: InsightJob, members: list[Member]) -> list[dict[str, Any]]:
    to = services(request)
    selection = RunSelection(
        workspace=job.workspace,
        ids=tuple(member.run_id for member in members),
        projects=tuple({member.project_id for member in members}),
    )
    found = await to.runs.apart(RunQuery(selection=selection, columns=_COLUMNS, limit=len(members)))
    feedback = await to.runs.feedback_of(job.workspace, found)
    by_id = {run.id: run for run in found}
    return [_row(member, by_id.get(member.run_id), feedback.get(member.run_id, {})) for member in members]


def _row(member: Member, run: Run | None, feedback: Mapping[str, Any]) -> dict[str, Any]:
    known = run or Run(
        workspace=UUID(int=0),
        id=member.run_id,
        project_id=member.project_id,
        trace_id=member.run_id,
        start_time=member.start_time,
        is_root=True,
    )
    shown = shapes.row(known, feedback) | {"closeness": member.closeness, "gone": run is None}
    if member.latency is not None and known.end_time is None:
        shown["end"] = member.start_time + round(member.latency * 1e6)
    shown["tokens"] = shown["tokens"] or member.tokens or 0
    shown["cost"] = shown["cost"] if shown["cost"] is not None else member.cost
    return shown


# -- work --------------------------------------------------------------------------------------------------


async def targets(request: Request) -> Response:
    """GET /ui/api/insights/targets: queues that take single runs, and datasets, by name."""
    who = await viewer(request, Permission.READ)
    to = services(request)
    queues, datasets = await asyncio.gather(
        to.annotation_queues.find(
            QueueQuery(
                workspace=who.workspace,
                queue_type=QueueType.SINGLE,
                sort=QueueSort.NAME,
                descending=False,
                limit=MAX_TARGETS,
            )
        ),
        to.datasets.find(
            DatasetQuery(workspace=who.workspace, sort=DatasetSort.NAME, descending=False, limit=MAX_TARGETS)
        ),
    )
    return encode(
        {
            "queues": [{"id": each.queue.id, "name": each.queue.name} for each in queues],
            "datasets": [{"id": each.id, "name": each.name} for each in datasets],
        }
    )


class IntoIn(msgspec.Struct, frozen=True, kw_only=True):
    """Where traces go: what has this id, or what is made with this name. Without a cluster all of the report go."""

    id: UUID | None = None
    name: str = ""
    cluster: UUID | None = None


async def _into(request: Request) -> tuple[InsightJob, IntoIn]:
    """Known good before anything is made for it."""
    job = await _found(request, Permission.WRITE)
    sent = await body_as(request, IntoIn)
    if (sent.id is None) == (not sent.name.strip()):
        raise Invalid("Choose one, or name a new one.", ("body", "id"))
    if sent.cluster is not None:
        await services(request).insights.reports.cluster(job, sent.cluster)
    return job, sent


async def into_queue(request: Request) -> Response:
    """POST …/annotation-queue: how many traces are in the queue then, of those asked for."""
    job, sent = await _into(request)
    to = services(request)
    queue = sent.id
    if queue is None:
        now = time.time_ns() // 1000
        with of_body():
            made = await to.annotation_queues.create(
                AnnotationQueue(
                    id=uuid4(),
                    workspace=job.workspace,
                    name=sent.name.strip(),
                    created_at=now,
                    updated_at=now,
                )
            )
        queue = made.id
    return encode({"id": queue, "count": await to.insights.reports.to_queue(job, sent.cluster, queue)})


async def into_dataset(request: Request) -> Response:
    """POST …/dataset: an example of each trace; how many there are."""
    job, sent = await _into(request)
    to = services(request)
    dataset = sent.id
    if dataset is None:
        with of_body():
            dataset = (await to.datasets.create(job.workspace, NewDataset(name=sent.name.strip()))).id
    return encode({"id": dataset, "count": await to.insights.reports.to_dataset(job, sent.cluster, dataset)})


# -- shapes ------------------------------------------------------------------------------------------------


def _job(job: InsightJob, progress: Progress) -> dict[str, Any]:
    asked = job.request
    return {
        "id": job.id,
        "name": job.name,
        "status": job.status.value,
        "error": job.error,
        "created": job.created_at,
        "started": job.started_at,
        "finished": job.finished_at,
        "scheduled": job.is_scheduled,
        "runs": job.runs,
        "top": job.shape,
        "progress": {"stage": progress.stage, "done": progress.done, "of": progress.of},
        "asked": {
            "since": asked.since,
            "until": asked.until,
            "filter": asked.filter,
            "sample": asked.sample,
            "hierarchy": asked.hierarchy,
        },
    }


def _report(job: InsightJob, names: Mapping[UUID, str]) -> dict[str, Any] | None:
    """A cluster that was renamed has its new name here, too."""
    found = job.report
    if found is None:
        return None
    return {
        "title": found.title,
        "points": found.key_points,
        "overall": found.overall,
        "distinct": found.distinct,
        "highlights": [
            {
                "run": each.run_id,
                "rank": each.rank,
                "reason": each.highlight_reason,
                "cluster": each.cluster_id,
                "clusterName": each.cluster_name
                if each.cluster_id is None
                else names.get(each.cluster_id, each.cluster_name),
                "summary": each.summary,
            }
            for each in found.highlighted_traces
        ],
    }


def _cluster(found: Cluster) -> dict[str, Any]:
    return {
        "id": found.id,
        "parent": found.parent_id,
        "level": found.level,
        "name": found.name,
        "description": found.description,
        "runs": found.runs,
        "stats": found.stats,
    }


def _change(found: Change) -> dict[str, Any]:
    def side(cluster: Cluster | None, share: float) -> dict[str, Any] | None:
        return (
            None
            if cluster is None
            else {"id": cluster.id, "name": cluster.name, "runs": cluster.runs, "share": share}
        )

    return {
        "kind": found.kind,
        "before": side(found.before, found.share_before),
        "after": side(found.after, found.share_after),
    }

"""LangSmith's routes of insights jobs and of what they found; and some of our own: cancel, compare, rename a cluster,
and the traces of a cluster into an annotation queue or a dataset."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from msgspec import structs
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.domain.insights.reports import check_name
from stenograph.errors import Invalid
from stenograph.model.access import Permission
from stenograph.model.insights import InsightJob, ReportRequest
from stenograph.model.query import RunQuery, RunSelection
from stenograph.wire.http import Params, body_as, caller, encode, of_body, path_uuid, services
from stenograph.wire.langsmith.insights import shapes
from stenograph.wire.langsmith.insights.schemas import IntoDatasetIn, IntoQueueIn, JobIn, JobPatchIn, NameIn

_RUN_COLUMNS: Final = frozenset(
    {"name", "run_type", "status", "end_time", "error", "inputs", "outputs", "total_cost", "total_tokens"}
    | {"thread_id"}
)


def routes() -> list[BaseRoute]:
    """To stand behind those of configs: `configs` is no job's id."""
    every = "/sessions/{session_id}/insights"
    one = every + "/{insights_job_id}"
    cluster = one + "/clusters/{cluster_id}"
    return [
        Route(every, create, methods=["POST"]),
        Route(every, find, methods=["GET"]),
        Route(every + "/estimate", estimate, methods=["POST"]),
        Route(one, read, methods=["GET"]),
        Route(one, rename, methods=["PATCH"]),
        Route(one, delete, methods=["DELETE"]),
        Route(one + "/runs", runs, methods=["GET"]),
        Route(one + "/cancel", cancel, methods=["POST"]),
        Route(one + "/diff", diff, methods=["GET"]),
        Route(one + "/annotation-queue", into_queue, methods=["POST"]),
        Route(one + "/dataset", into_dataset, methods=["POST"]),
        Route(cluster, read_cluster, methods=["GET"]),
        Route(cluster, rename_cluster, methods=["PATCH"]),
    ]


async def create(request: Request) -> Response:
    """POST /sessions/{session_id}/insights. With a `config_id` what the body does not say is the configuration's."""
    who = await caller(request, Permission.WRITE)
    project_id = path_uuid(request, "session_id")
    to = services(request).insights
    sent = await body_as(request, JobIn)
    with of_body():
        wanted, name = await _wanted(request, who.workspace, project_id, sent)
        job = await to.reports.create(
            who.workspace,
            project_id,
            wanted,
            name,
            config_id=sent.config_id,
            is_scheduled=sent.is_scheduled,
        )
    return encode(shapes.created(job))


async def _wanted(
    request: Request, workspace: UUID, project_id: UUID, sent: JobIn
) -> tuple[ReportRequest, str | None]:
    """What is asked for, with the saved configuration under it; and the report's name."""
    wanted = shapes.request(sent)
    if sent.config_id is None:
        return wanted, sent.name
    saved = await services(request).insights.configs.read(workspace, project_id, sent.config_id)
    return _over(wanted, shapes.saved_request(saved)), sent.name or saved.name


async def estimate(request: Request) -> Response:
    """POST …/insights/estimate: the body of a job that is not begun; what it would ask a model, and the cost."""
    who = await caller(request, Permission.READ)
    project_id = path_uuid(request, "session_id")
    sent = await body_as(request, JobIn)
    with of_body():
        wanted, _ = await _wanted(request, who.workspace, project_id, sent)
        found = await services(request).insights.reports.estimate(who.workspace, project_id, wanted)
    return encode(shapes.plan(found))


def _over(wanted: ReportRequest, saved: ReportRequest) -> ReportRequest:
    """The saved request with all that was asked for anew. A window of any kind takes the place of the whole window."""
    plain = ReportRequest()
    stated = {
        name: value
        for name in wanted.__struct_fields__
        if (value := getattr(wanted, name)) != getattr(plain, name)
    }
    if stated.keys() & {"since", "until", "last_n_hours"}:
        saved = structs.replace(saved, since=None, until=None, last_n_hours=None)
    return structs.replace(saved, **stated)


async def find(request: Request) -> Response:
    """GET /sessions/{session_id}/insights: newest first, without clusters."""
    who = await caller(request, Permission.READ)
    params = Params(request)
    limit, offset = params.number("limit", 100, 1, 100), params.number("offset", 0, 0, 2**31)
    reports = services(request).insights.reports
    config_id = params.uuid("config_id")
    found = await reports.page(who.workspace, path_uuid(request, "session_id"), offset, limit, config_id)
    return encode({"clustering_jobs": [shapes.job(each, reports.progress(each)) for each in found]})


async def _job(request: Request, permission: Permission) -> InsightJob:
    who = await caller(request, permission)
    reports = services(request).insights.reports
    return await reports.read(
        who.workspace, path_uuid(request, "session_id"), path_uuid(request, "insights_job_id")
    )


async def read(request: Request) -> Response:
    """GET /sessions/{session_id}/insights/{insights_job_id}, with its clusters and its report."""
    job = await _job(request, Permission.READ)
    reports = services(request).insights.reports
    clusters = await reports.clusters(job)
    return encode(shapes.whole_job(job, reports.progress(job), clusters, await reports.taken_in(job)))


async def rename(request: Request) -> Response:
    """PATCH of a job: its name, and of our own whether it keeps up."""
    job = await _job(request, Permission.WRITE)
    sent = await body_as(request, JobPatchIn)
    reports = services(request).insights.reports
    with of_body():
        if sent.name is None and sent.keep_up is None:
            raise Invalid("nothing to change: give a name", ("name",))
        if sent.name is not None:
            check_name(sent.name)
        if sent.keep_up is not None:
            await reports.keep_up(job, sent.keep_up)
        if sent.name is not None:
            job = await reports.rename(job.workspace, job.project_id, job.id, sent.name)
    return encode({"name": job.name, "status": job.status.value})


async def delete(request: Request) -> Response:
    """DELETE of a job with all that it found; one that is under way is ended."""
    job = await _job(request, Permission.WRITE)
    await services(request).insights.reports.delete(job.workspace, job.project_id, job.id)
    return encode({"id": job.id, "message": f"insights job {job.id} deleted"})


async def cancel(request: Request) -> Response:
    """POST …/cancel: the job as it is then, an error that says `cancelled`, or what it was if it was over."""
    job = await _job(request, Permission.WRITE)
    reports = services(request).insights.reports
    job = await reports.cancel(job.workspace, job.project_id, job.id)
    return encode(shapes.job(job, reports.progress(job)))


async def runs(request: Request) -> Response:
    """GET …/runs: `offset` is where the next page begins, null after the last."""
    job = await _job(request, Permission.READ)
    params = Params(request)
    limit, offset = params.number("limit", 100, 1, 100), params.number("offset", 0, 0, 2**31)
    order = params.text("attribute_sort_order") or "desc"
    if order not in ("asc", "desc"):
        raise Invalid(f"{order[:40]!r} is not asc or desc", ("query", "attribute_sort_order"))
    to = services(request)
    page = await to.insights.reports.members(
        job,
        params.uuid("cluster_id"),
        offset,
        limit,
        params.text("attribute_sort_key") or None,
        descending=order == "desc",
    )
    members = page.members
    if not members:
        return encode({"runs": [], "offset": None})
    selection = RunSelection(
        workspace=job.workspace,
        ids=tuple(member.run_id for member in members),
        projects=tuple({member.project_id for member in members}),
    )
    found = await to.runs.apart(RunQuery(selection=selection, columns=_RUN_COLUMNS, limit=len(members)))
    by_id = {run.id: run for run in found}
    leaves = {each.leaves[0]: each for each in await to.insights.reports.clusters(job) if each.level == 0}
    shown = [shapes.member(member, by_id.get(member.run_id), leaves) for member in members]
    return encode({"runs": shown, "offset": page.following})


async def read_cluster(request: Request) -> Response:
    """GET …/clusters/{cluster_id}."""
    job = await _job(request, Permission.READ)
    found = await services(request).insights.reports.cluster(job, path_uuid(request, "cluster_id"))
    return encode(shapes.one_cluster(found))


async def rename_cluster(request: Request) -> Response:
    """PATCH …/clusters/{cluster_id}: its name, which later reports of the configuration keep."""
    job = await _job(request, Permission.WRITE)
    cluster_id = path_uuid(request, "cluster_id")
    sent = await body_as(request, NameIn)
    with of_body():
        found = await services(request).insights.reports.rename_cluster(job, cluster_id, sent.name)
    return encode(shapes.one_cluster(found))


async def diff(request: Request) -> Response:
    """GET …/diff?with=<job>: what has changed since that report of the same project."""
    job = await _job(request, Permission.READ)
    other = Params(request).uuid("with")
    if other is None:
        raise Invalid("name the report to compare with: with=…", ("query", "with"))
    reports = services(request).insights.reports
    before = await reports.read(job.workspace, job.project_id, other)
    found = await reports.changes(before, job)
    return encode({"changes": [shapes.change(each) for each in found]})


async def into_queue(request: Request) -> Response:
    """POST …/annotation-queue: all traces of the report, or of one cluster."""
    job = await _job(request, Permission.WRITE)
    sent = await body_as(request, IntoQueueIn)
    added = await services(request).insights.reports.to_queue(job, sent.cluster_id, sent.queue_id)
    return encode({"queue_id": sent.queue_id, "num_runs": added})


async def into_dataset(request: Request) -> Response:
    """POST …/dataset: an example of each trace."""
    job = await _job(request, Permission.WRITE)
    sent = await body_as(request, IntoDatasetIn)
    added = await services(request).insights.reports.to_dataset(job, sent.cluster_id, sent.dataset_id)
    return encode({"dataset_id": sent.dataset_id, "num_examples": added})

"""HoneyHive's routes of metrics, whose evaluators run here: of today under `/v1`, and the older ones without it."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stenograph.domain.evaluators import definitions
from stenograph.domain.evaluators.verdicts import EvaluationFailed
from stenograph.errors import Invalid, NotFound
from stenograph.model.access import Permission
from stenograph.model.evaluators import TaskStatus
from stenograph.wire.honeyhive.metrics import legacy, shapes
from stenograph.wire.honeyhive.metrics.schemas import (
    LegacyMetricIn,
    LegacyMetricPatchIn,
    MetricIn,
    MetricPatchIn,
    MetricPatchWithIdIn,
    RunIn,
    StrictRunIn,
    VersionIn,
)
from stenograph.wire.honeyhive.requests import Params, named_id, path_id
from stenograph.wire.http import body_as, caller, encode, of_body, services

NOUN: Final = "metric"
MAX_PAGE: Final = 1000
MAX_PROJECT: Final = 1000
"""Characters of a project's name."""


def routes() -> list[Route]:
    one = "/v1/metrics/{metric_id}"
    versions = f"{one}/versions"
    return [
        Route("/v1/metrics", find, methods=["GET"]),
        Route("/v1/metrics", create, methods=["POST"]),
        Route("/v1/metrics", update_by_body, methods=["PUT"]),
        Route("/v1/metrics", delete_by_query, methods=["DELETE"]),
        Route("/v1/metrics/run", run, methods=["POST"]),
        Route("/v1/metrics/run_metric", run_laxly, methods=["POST"]),
        Route(one, update, methods=["PUT"]),
        Route(one, delete, methods=["DELETE"]),
        Route(versions, find_versions, methods=["GET"]),
        Route(versions, add_version, methods=["POST"]),
        Route(f"{versions}/{{version_name}}/deploy", deploy, methods=["POST"]),
        Route(f"{one}/evaluations", progress, methods=["GET"]),
        Route(f"{one}/evaluations/retry", retry, methods=["POST"]),
        Route("/metrics", find_older, methods=["GET"]),
        Route("/metrics", create_older, methods=["POST"]),
        Route("/metrics", update_older, methods=["PUT"]),
        Route("/metrics", delete_by_query, methods=["DELETE"]),
        Route("/metrics/run_metric", run_laxly, methods=["POST"]),
    ]


# -- today's ---------------------------------------------------------------------------------------------


async def find(request: Request) -> Response:
    """GET /v1/metrics?type&id: oldest first."""
    who = await caller(request, Permission.READ)
    params = Params(request)
    kind, identity = params.text("type"), params.text("id")
    found = await services(request).evaluation.evaluators.find(
        who.workspace,
        ids=_ids(identity) if identity else None,
        kind=legacy.type_of(kind) if kind else None,
    )
    return encode({"metrics": [shapes.item(each) for each in found]})


def _ids(text: str) -> list[UUID]:
    """None for an id that nothing here can have."""
    try:
        return [named_id(text, NOUN)]
    except NotFound:
        return []


async def create(request: Request) -> Response:
    """POST /v1/metrics."""
    who = await caller(request, Permission.WRITE)
    sent = await body_as(request, MetricIn)
    with of_body():
        wanted = shapes.definition(sent, services(request).payloads)
        made = await services(request).evaluation.evaluators.create(who.workspace, wanted)
    return encode({"inserted": True, "metric_id": made.id})


async def update(request: Request) -> Response:
    """PUT /v1/metrics/{metric_id}."""
    who = await caller(request, Permission.WRITE)
    sent = await body_as(request, MetricPatchIn)
    return await _update(request, who.workspace, path_id(request, "metric_id", NOUN), sent)


async def update_by_body(request: Request) -> Response:
    """PUT /v1/metrics: the metric is named in the body."""
    who = await caller(request, Permission.WRITE)
    sent = await body_as(request, MetricPatchWithIdIn)
    return await _update(request, who.workspace, named_id(sent.id, NOUN), sent)


async def _update(request: Request, workspace: UUID, which: UUID, sent: MetricPatchIn) -> Response:
    evaluators = services(request).evaluation.evaluators
    former = await evaluators.read(workspace, which)
    with of_body():
        wanted = shapes.changed(sent, former.definition, services(request).payloads)
        await evaluators.change(workspace, which, wanted)
    return encode({"updated": True})


async def delete(request: Request) -> Response:
    """DELETE /v1/metrics/{metric_id}."""
    who = await caller(request, Permission.WRITE)
    await services(request).evaluation.evaluators.delete(who.workspace, path_id(request, "metric_id", NOUN))
    return encode({"deleted": True})


async def delete_by_query(request: Request) -> Response:
    """DELETE /v1/metrics?metric_id, and the same without a version."""
    who = await caller(request, Permission.WRITE)
    which = Params(request).text("metric_id")
    if not which:
        raise Invalid("says which metric to delete", ("query", "metric_id"))
    await services(request).evaluation.evaluators.delete(who.workspace, named_id(which, NOUN))
    return encode({"deleted": True})


async def run(request: Request) -> Response:
    """POST /v1/metrics/run: a metric that need not be stored, on an event that need not be either."""
    who = await caller(request, Permission.WRITE)
    return await _run(request, who.workspace, await body_as(request, StrictRunIn))


async def run_laxly(request: Request) -> Response:
    """POST /v1/metrics/run_metric, and the same without a version."""
    who = await caller(request, Permission.WRITE)
    return await _run(request, who.workspace, await body_as(request, RunIn))


async def _run(request: Request, workspace: UUID, sent: RunIn) -> Response:
    found = services(request)
    with of_body():
        wanted = shapes.definition(sent.metric, found.payloads)
        definitions.check(wanted)
        event = found.payloads.check_values(sent.event, "event", "object") or b"{}"
        parts = await found.evaluation.evaluators.parts_of(workspace, wanted)
        try:
            verdict = await found.evaluation.running.run(wanted, event, parts)
        except EvaluationFailed as error:
            return encode(shapes.failure(error.message))
    return encode(shapes.result(verdict))


# -- versions --------------------------------------------------------------------------------------------


async def find_versions(request: Request) -> Response:
    """GET /v1/metrics/{metric_id}/versions: oldest first, all of them."""
    who = await caller(request, Permission.READ)
    which = path_id(request, "metric_id", NOUN)
    evaluator, found = await services(request).evaluation.evaluators.versions(who.workspace, which)
    return encode({"success": True, "data": [shapes.version(each, evaluator) for each in found]})


async def add_version(request: Request) -> Response:
    """POST /v1/metrics/{metric_id}/versions: a draft, unless it is to be deployed at once."""
    who = await caller(request, Permission.WRITE)
    which = path_id(request, "metric_id", NOUN)
    sent = await body_as(request, VersionIn)
    evaluators = services(request).evaluation.evaluators
    with of_body():
        try:
            wanted = shapes.definition(sent.content, services(request).payloads)
            evaluators.check(wanted)
        except Invalid as error:
            raise Invalid(error.message, ("content", *_inside(error.where))) from None
        added = await evaluators.add_version(
            who.workspace, which, wanted, sent.message, deploy=sent.deploy_immediately
        )
    evaluator = await evaluators.read(who.workspace, which)
    return encode({"success": True, "data": shapes.version(added, evaluator)})


def _inside(where: tuple[str | int, ...]) -> tuple[str | int, ...]:
    return where[1:] if where[:1] == ("body",) else where


async def deploy(request: Request) -> Response:
    """POST /v1/metrics/{metric_id}/versions/{version_name}/deploy."""
    who = await caller(request, Permission.WRITE)
    which, name = path_id(request, "metric_id", NOUN), request.path_params["version_name"]
    evaluators = services(request).evaluation.evaluators
    live = await evaluators.deploy(who.workspace, which, name)
    evaluator = await evaluators.read(who.workspace, which)
    return encode({"success": True, "data": shapes.version(live, evaluator)})


# -- ours ------------------------------------------------------------------------------------------------


async def progress(request: Request) -> Response:
    """GET /v1/metrics/{metric_id}/evaluations?status&page&limit: how it is getting on with new events, and what failed.

    HoneyHive has no such route.
    """
    who = await caller(request, Permission.READ)
    params = Params(request)
    page, limit = params.page(default=100, most=MAX_PAGE)
    found = await services(request).evaluation.progress(
        who.workspace,
        path_id(request, "metric_id", NOUN),
        _status(params.text("status")),
        offset=(page - 1) * limit,
        limit=limit,
    )
    return encode(shapes.progress(found))


def _status(text: str | None) -> TaskStatus | None:
    try:
        return TaskStatus(text) if text else None
    except ValueError:
        raise Invalid(f"{str(text)[:40]!r} is none of {', '.join(TaskStatus)}", ("query", "status")) from None


async def retry(request: Request) -> Response:
    """POST /v1/metrics/{metric_id}/evaluations/retry: have what failed tried again. HoneyHive has no such route."""
    who = await caller(request, Permission.WRITE)
    which = path_id(request, "metric_id", NOUN)
    return encode({"retried": await services(request).evaluation.take_up(who.workspace, which)})


# -- the older ones --------------------------------------------------------------------------------------


async def find_older(request: Request) -> Response:
    """GET /metrics?project_name: a bare list of those for that project, and of those for all."""
    who = await caller(request, Permission.READ)
    project = Params(request).text("project_name") or ""
    found = await services(request).evaluation.evaluators.find(who.workspace, project=project or None)
    return encode([legacy.item(each, project) for each in found])


async def create_older(request: Request) -> Response:
    """POST /metrics."""
    who = await caller(request, Permission.WRITE)
    sent = await body_as(request, LegacyMetricIn)
    with of_body():
        if len(sent.task) > MAX_PROJECT or "\0" in sent.task:
            raise Invalid(
                f"a project's name has at most {MAX_PROJECT} characters, none of them NUL", ("task",)
            )
        wanted = legacy.definition(sent)
        made = await services(request).evaluation.evaluators.create(who.workspace, wanted, sent.task)
    return encode({"inserted": True, "metric_id": made.id})


async def update_older(request: Request) -> Response:
    """PUT /metrics."""
    who = await caller(request, Permission.WRITE)
    sent = await body_as(request, LegacyMetricPatchIn)
    which = sent.metric_id or sent.id
    if not which:
        raise Invalid("says which metric to change", ("body", "metric_id"))
    evaluators = services(request).evaluation.evaluators
    former = await evaluators.read(who.workspace, named_id(which, NOUN))
    with of_body():
        wanted = legacy.changed(sent, former.definition)
        await evaluators.change(who.workspace, former.id, wanted)
    return encode({"updated": True})

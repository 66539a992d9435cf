"""HoneyHive's runs: made, listed, read, changed and deleted, at /v1/runs and, for its TypeScript client, at /runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Raw
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stenograph.domain.experiments.evaluations import NewEvaluation
from stenograph.errors import Invalid
from stenograph.model.access import Permission
from stenograph.model.evaluations import (
    EvaluationPatch,
    EvaluationQuery,
    EvaluationSort,
    EvaluationStatus,
    Experiment,
)
from stenograph.wire.honeyhive.experiments import shapes
from stenograph.wire.honeyhive.experiments.schemas import RunIn
from stenograph.wire.honeyhive.requests import Params, project_for, projects_named
from stenograph.wire.http import as_uuid, body_as, caller, encode, path_uuid, services

DEFAULT_LIMIT: Final = 20
MAX_LIMIT: Final = 100
MAX_LIMIT_OF_OLD: Final = 1000
MAX_IDS: Final = 1000
"""Ids that one list may be asked for; clients ask for a hundred at a time."""

_NO_PROJECT: Final = UUID(int=0)


def routes() -> list[Route]:
    return [
        route
        for base in ("/v1/runs", "/runs")
        for route in (
            Route(base, create, methods=["POST"]),
            Route(base, listing, methods=["GET"]),
            Route(f"{base}/{{evaluation_id}}", read, methods=["GET"]),
            Route(f"{base}/{{evaluation_id}}", change, methods=["PUT"]),
            Route(f"{base}/{{evaluation_id}}", delete, methods=["DELETE"]),
        )
    ]


def is_old(request: Request) -> bool:
    """Whether this is for the TypeScript client: see shapes.py."""
    return not request.url.path.startswith("/honeyhive/v1/")


async def run_jsons(
    request: Request, workspace: UUID, experiments: Sequence[Experiment]
) -> list[dict[str, Any]]:
    """Runs as they are written, with what has to be looked up for them."""
    found = services(request).experiments
    unsaid = [each for each in experiments if each.evaluation is None or each.evaluation.event_ids is None]
    sessions = await found.measured.sessions_of(workspace, unsaid)
    names = await found.evaluations.dataset_names(workspace, experiments)
    old = is_old(request)
    return [shapes.run_json(each, sessions.get(each.project.id, ()), names, old=old) for each in experiments]


async def run_json(request: Request, experiment: Experiment) -> dict[str, Any]:
    (found,) = await run_jsons(request, experiment.project.workspace, [experiment])
    return found


async def create(request: Request) -> Response:
    who = await caller(request, Permission.WRITE)
    sent = await body_as(request, RunIn)
    named = sent.project or request.query_params.get("project")
    within = await project_for(request, who.workspace, named) if named else None
    said = _stated(request, sent)
    new = NewEvaluation(
        id=as_uuid(sent.run_id, ("body", "run_id")) if sent.run_id else None, within_id=within, **said
    )
    made = await services(request).experiments.evaluations.create(who.workspace, new)
    return encode({"evaluation": await run_json(request, made), "run_id": made.project.id})


async def change(request: Request) -> Response:
    who = await caller(request, Permission.WRITE)
    run_id = path_uuid(request, "evaluation_id")
    sent = await body_as(request, RunIn)
    patch = EvaluationPatch(**_stated(request, sent), is_active=sent.is_active)
    changed = await services(request).experiments.evaluations.update(who.workspace, run_id, patch)
    found: dict[str, Any] = {"evaluation": await run_json(request, changed.experiment)}
    if changed.unknown:
        found["warning"] = (
            f"{len(changed.unknown)} of event_ids name no event that has arrived, "
            f"such as {changed.unknown[0][:100]}"
        )
    return encode(found)


def _stated(request: Request, sent: RunIn) -> dict[str, Any]:
    """What both a new run and a change state, by the names of our model; null counts as nothing."""
    said: dict[str, Any] = {
        "name": sent.name,
        "description": sent.description,
        "status": sent.status,
        "dataset": sent.dataset_id or None,
        "metadata": _object(request, sent.metadata, "metadata"),
        "results": _raw_object(request, sent.results, "results"),
        "configuration": _raw_object(request, sent.configuration, "configuration"),
        "evaluators": None if sent.evaluators is None else msgspec.json.encode(sent.evaluators),
        "passing_ranges": None if sent.passing_ranges is None else msgspec.json.encode(sent.passing_ranges),
    }
    for field in ("event_ids", "session_ids", "datapoint_ids"):
        ids = getattr(sent, field)
        said[field] = None if ids is None else tuple(ids)
    return {field: value for field, value in said.items() if value is not None}


def _raw_object(request: Request, document: Raw, name: str) -> bytes | None:
    try:
        return services(request).payloads.check(document, name, "object")
    except Invalid as error:
        raise Invalid(error.message, ("body", name)) from None


def _object(request: Request, document: Raw, name: str) -> dict[str, Any] | None:
    """The object itself: its members join others."""
    try:
        found = services(request).payloads.check_values(document, name, "object")
    except Invalid as error:
        raise Invalid(error.message, ("body", name)) from None
    return None if found is None else msgspec.json.decode(found, type=dict[str, Any])


async def read(request: Request) -> Response:
    who = await caller(request, Permission.READ)
    found = await services(request).experiments.evaluations.read(
        who.workspace, path_uuid(request, "evaluation_id")
    )
    return encode({"evaluation": await run_json(request, found)})


async def delete(request: Request) -> Response:
    """The experiment goes with the sessions that were recorded in it, as when LangSmith's clients delete it."""
    who = await caller(request, Permission.WRITE)
    run_id = path_uuid(request, "evaluation_id")
    await services(request).experiments.evaluations.read(who.workspace, run_id)
    await services(request).deletion.delete(who.workspace, [run_id])
    return encode({"id": run_id, "deleted": True})


async def listing(request: Request) -> Response:
    who = await caller(request, Permission.READ)
    params, old = Params(request), is_old(request)
    query = await _query(request, who.workspace, params)
    # Python's client asks for many runs a hundred ids at a time, without a limit, and takes the answer for all of them.
    default = max(DEFAULT_LIMIT, min(len(query.ids or ()), MAX_LIMIT))
    most = MAX_LIMIT_OF_OLD if old else MAX_LIMIT
    page, limit = params.page(default=MAX_LIMIT_OF_OLD if old else default, most=most)
    query = msgspec.structs.replace(query, offset=(page - 1) * limit, limit=limit)
    services_ = services(request).experiments
    found = await services_.evaluations.page(query)
    return encode(
        {
            "evaluations": await run_jsons(request, who.workspace, found.experiments),
            "pagination": shapes.pagination(page, limit, found.total, found.unfiltered),
            "metrics": await services_.measured.metric_names(who.workspace, found.experiments),
        }
    )


async def _query(request: Request, workspace: UUID, params: Params) -> EvaluationQuery:
    run_ids = params.uuids("run_ids")
    if len(run_ids) > MAX_IDS:
        raise Invalid(f"At most {MAX_IDS} are taken.", ("query", "run_ids"))
    named = params.text("project") or params.text("project_id")
    projects = await projects_named(request, workspace, named)
    period = params.period()
    status = _one_of(params, "status", EvaluationStatus)
    order = params.text("sort_order") or "desc"
    if order not in ("asc", "desc"):
        raise Invalid(f"{order[:40]!r} is none of asc and desc", ("query", "sort_order"))
    return EvaluationQuery(
        workspace=workspace,
        ids=run_ids or None,
        dataset=params.text("dataset_id") or None,
        within=_NO_PROJECT if projects is None else projects[0] if projects else None,
        name_contains=params.text("name") or None,
        status=None if status is None else EvaluationStatus(status),
        since=period.since,
        until=period.until,
        sort=EvaluationSort(_one_of(params, "sort_by", EvaluationSort) or EvaluationSort.CREATED_AT),
        descending=order == "desc",
    )


def _one_of(params: Params, name: str, kind: type[EvaluationStatus] | type[EvaluationSort]) -> str | None:
    value = params.text(name)
    if value and value not in set(kind):
        raise Invalid(f"{value[:40]!r} is none of {', '.join(kind)}", ("query", name))
    return value or None

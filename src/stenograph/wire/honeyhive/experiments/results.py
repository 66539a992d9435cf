"""What HoneyHive's runs came to: results, metrics, comparisons, at /v1/runs/… and, as of old, at /runs/…."""

from __future__ import annotations

import asyncio
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stenograph.domain.experiments.aggregates import Aggregate
from stenograph.domain.experiments.judging import EvaluationResult, compare, judge
from stenograph.domain.experiments.measured import EventQuestion
from stenograph.errors import Invalid
from stenograph.model.access import Permission
from stenograph.model.evaluations import Experiment
from stenograph.model.runs import Run
from stenograph.wire.honeyhive.events import filters
from stenograph.wire.honeyhive.events.shapes import SESSION, event_type_of
from stenograph.wire.honeyhive.experiments import shapes
from stenograph.wire.honeyhive.experiments.runs import run_json
from stenograph.wire.honeyhive.requests import Params
from stenograph.wire.http import caller, encode, path_uuid, services


def routes() -> list[Route]:
    return [
        route
        for base in ("/v1/runs", "/runs")
        for route in (
            Route(f"{base}/{{evaluation_id}}/result", result, methods=["GET"]),
            Route(f"{base}/{{evaluation_id}}/summary", result, methods=["GET"]),
            Route(f"{base}/{{evaluation_id}}/metrics", metrics, methods=["GET"]),
            Route(f"{base}/{{new_id}}/compare-with/{{old_id}}", comparison, methods=["GET"]),
            Route(f"{base}/{{new_id}}/compare/{{old_id}}", comparison, methods=["GET"]),
        )
    ]


def kind_of(run: Run) -> str:
    """A run's type as an event."""
    return SESSION if run.is_root else event_type_of(run.run_type)


async def result(request: Request) -> Response:
    who = await caller(request, Permission.READ)
    params = Params(request)
    aggregate, asked = _aggregate(params), _question(params)
    experiment = await _experiment(request, who.workspace, "evaluation_id")
    found = await _judged(request, experiment, asked)
    run = await run_json(request, experiment)
    return encode(shapes.result_json(found, aggregate, experiment.status, run))


async def metrics(request: Request) -> Response:
    who = await caller(request, Permission.READ)
    asked = _question(Params(request))
    experiment = await _experiment(request, who.workspace, "evaluation_id")
    events = await services(request).experiments.measured.of(experiment, kind_of, asked)
    return encode(shapes.metrics_json(events))


async def comparison(request: Request) -> Response:
    who = await caller(request, Permission.READ)
    params = Params(request)
    aggregate, asked = _aggregate(params), _question(params)
    new = await _experiment(request, who.workspace, "new_id")
    old = await _experiment(request, who.workspace, "old_id")
    after, before = await asyncio.gather(_judged(request, new, asked), _judged(request, old, asked))
    lower = await _lower_is_better(request, who.workspace, {row.metric for row in after.rows})
    return encode(
        shapes.comparison_json(
            compare(after, before, lower),
            aggregate,
            await run_json(request, new),
            await run_json(request, old),
        )
    )


async def _experiment(request: Request, workspace: UUID, name: str) -> Experiment:
    return await services(request).experiments.evaluations.read(workspace, path_uuid(request, name))


async def _judged(request: Request, experiment: Experiment, asked: EventQuestion) -> EvaluationResult:
    found = services(request).experiments
    return judge(await found.measured.of(experiment, kind_of, asked), await found.rules.of(experiment))


async def _lower_is_better(request: Request, workspace: UUID, keys: set[str]) -> frozenset[str]:
    """The metrics of which less is better, as their feedback configs say; HoneyHive has no word for it."""
    if not keys:
        return frozenset()
    configs = await services(request).feedback_configs.page(workspace, keys=sorted(keys))
    return frozenset(config.key for config in configs if config.is_lower_score_better)


def _aggregate(params: Params) -> Aggregate:
    value = params.text("aggregate_function") or Aggregate.AVERAGE
    try:
        return Aggregate(value)
    except ValueError:
        raise Invalid(
            f"{value[:40]!r} is none of {', '.join(Aggregate)}", ("query", "aggregate_function")
        ) from None


def _question(params: Params) -> EventQuestion:
    period = params.period()
    return EventQuestion(filter=filters.of_params(params), since=period.since, until=period.until)

"""HoneyHive's routes that read events: export, search and the list, all of them one question to the run store."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stenograph.domain.recording.places import named
from stenograph.model.access import Permission
from stenograph.model.feedback import Feedback
from stenograph.model.filters import Compare, Field, Filter, Op, Or, Rare, all_of
from stenograph.model.query import FeedbackQuery, RunQuery, RunSelection
from stenograph.model.runs import Run
from stenograph.model.values import Document, InDocument, Reading, ValueOp, ValueTest
from stenograph.wire.honeyhive import times
from stenograph.wire.honeyhive.events import filters, rollups, shapes
from stenograph.wire.honeyhive.events.projections import Projection, projection
from stenograph.wire.honeyhive.requests import ALWAYS, MAX_PAGE, Params, Period, period, projects_named, whole
from stenograph.wire.http import body_as, caller, encode, services

DEFAULT_LIMIT: Final = 1000
MAX_LIMIT: Final = 7500
MAX_SEARCH: Final = 1000
_ALL_FEEDBACK: Final = 10_000_000


class ExportIn(msgspec.Struct):
    """LegacyExportEventsRequest, forgiving: what it does not know is passed over."""

    filters: Any = None
    date_range: Any = msgspec.field(default=None, name="dateRange")
    projections: list[str] | None = None
    limit: float | str | None = None
    page: float | str | None = None
    ignore_order: bool | str | None = None
    evaluation_id: str | None = None
    project: str | None = None


class SearchRangeIn(msgspec.Struct, forbid_unknown_fields=True):
    start_time: str
    end_time: str


class SearchIn(msgspec.Struct, forbid_unknown_fields=True):
    """SearchEventsRequest, strict."""

    filters: Any = None
    date_range: SearchRangeIn | None = msgspec.field(default=None, name="dateRange")
    limit: int | None = None
    page: int | None = None
    ignore_order: bool | None = None
    evaluation_id: str | None = None


def routes() -> list[Route]:
    return [
        Route("/v1/events/export", export, methods=["POST"]),
        Route("/events/export", export, methods=["POST"]),
        Route("/v1/events/search", search, methods=["POST"]),
        Route("/events", page, methods=["GET"]),
        Route("/v1/events", page, methods=["GET"]),
    ]


# -- what is asked ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """Which events, of which project, and what of them. Events of any order are given newest first."""

    filter: Filter | None = None
    period: Period = ALWAYS
    project: str | None = None
    evaluation: str | None = None
    limit: int = DEFAULT_LIMIT
    page: int = 1
    projection: Projection | None = None


async def selection(request: Request, workspace: UUID, asked: Asked) -> RunSelection | None:
    """The runs that are these events; None when there is no such project."""
    projects = await projects_named(request, workspace, asked.project)
    if projects is None:
        return None
    wanted = [asked.filter] if asked.filter is not None else []
    if asked.evaluation:
        wanted.append(of_evaluation(asked.evaluation))
    return RunSelection(
        workspace=workspace,
        projects=projects,
        since=asked.period.since,
        until=asked.period.until,
        filter=all_of(wanted) if wanted else None,
    )


RUN_ID: Final = InDocument(Document.METADATA, ("run_id",))


def of_evaluation(run_id: str) -> Filter:
    """The events of an experiment run: those that say so, and those in its project, where its sessions are."""
    said = ValueTest(RUN_ID, ValueOp.EQ, Reading.TEXT, run_id)
    return Or((Rare(said), Compare(Field.PROJECT_ID, Op.EQ, named(run_id))))


# -- routes ----------------------------------------------------------------------------------------------


async def export(request: Request) -> Response:
    """POST /v1/events/export and /events/export."""
    who = await caller(request, Permission.READ)
    sent = await body_as(request, ExportIn)
    asked = Asked(
        filter=None if sent.filters is None else filters.read(sent.filters),
        period=period(sent.date_range),
        project=sent.project,
        evaluation=sent.evaluation_id,
        limit=whole(sent.limit, "limit", default=DEFAULT_LIMIT, high=MAX_LIMIT),
        page=whole(sent.page, "page", default=1, high=MAX_PAGE),
        projection=projection(sent.projections or (), ("body", "projections")),
    )
    return encode(await answer(request, who.workspace, asked))


async def search(request: Request) -> Response:
    """POST /v1/events/search: the strict successor, without projections."""
    who = await caller(request, Permission.READ)
    sent = await body_as(request, SearchIn)
    between = ALWAYS
    if sent.date_range is not None:
        where = ("body", "dateRange")
        between = Period(
            times.read(sent.date_range.start_time, (*where, "start_time")),
            times.read(sent.date_range.end_time, (*where, "end_time")),
        )
    asked = Asked(
        filter=None if sent.filters is None else filters.read(sent.filters, strict=True),
        period=between,
        evaluation=sent.evaluation_id,
        limit=whole(sent.limit, "limit", default=DEFAULT_LIMIT, high=MAX_SEARCH),
        page=whole(sent.page, "page", default=1, high=MAX_PAGE),
    )
    return encode(await answer(request, who.workspace, asked))


async def page(request: Request) -> Response:
    """GET /events."""
    who = await caller(request, Permission.READ)
    params = Params(request)
    params.flag("ignore_order")
    number, limit = params.page(default=DEFAULT_LIMIT, most=MAX_LIMIT)
    asked = Asked(
        filter=filters.of_params(params),
        period=params.period(),
        project=params.text("project"),
        evaluation=params.text("evaluation_id"),
        limit=limit,
        page=number,
        projection=projection(params.texts("projections"), ("query", "projections")),
    )
    return encode(await answer(request, who.workspace, asked))


# -- answering -------------------------------------------------------------------------------------------


async def answer(request: Request, workspace: UUID, asked: Asked) -> dict[str, Any]:
    """A page of events, newest first, and how many match in all."""
    chosen = await selection(request, workspace, asked)
    if chosen is None:
        return shapes.answer([], 0)
    wanted = asked.projection
    offset = (asked.page - 1) * asked.limit
    runs = await services(request).runs.apart(
        RunQuery(
            selection=chosen,
            columns=shapes.COLUMNS if wanted is None else wanted.columns,
            limit=asked.limit,
            offset=offset,
        )
    )
    found, count = await asyncio.gather(
        events(request, workspace, runs, wanted), _count(request, chosen, asked, offset, len(runs))
    )
    return shapes.answer(found, count)


async def _count(request: Request, chosen: RunSelection, asked: Asked, offset: int, found: int) -> int:
    """How many match; where the last page tells, nothing has to be asked."""
    if found < asked.limit and (found or not offset):
        return offset + found
    return await services(request).runs.count(chosen)


async def events(
    request: Request, workspace: UUID, runs: Sequence[Run], wanted: Projection | None = None
) -> list[dict[str, Any]]:
    """Runs as events, with their feedback and what sessions come to, as far as that is wanted: a query for the one and
    two for the other, however many runs there are."""
    given, rolled = await asyncio.gather(
        feedback_of(request, workspace, runs) if wanted is None or wanted.judged else _nothing(),
        _rollups(request, workspace, runs) if wanted is None or wanted.rolled_up else _nothing(),
    )
    found = [
        shapes.event(
            run,
            given.get(run.id, ()),
            rolled[run.id].members(run) if run.id in rolled else None,
        )
        for run in runs
    ]
    return found if wanted is None else [wanted.of(event) for event in found]


async def feedback_of(
    request: Request, workspace: UUID, runs: Sequence[Run]
) -> Mapping[UUID, list[Feedback]]:
    """The feedback of each run. One query."""
    if not runs:
        return {}
    query = FeedbackQuery(
        workspace=workspace,
        runs=tuple(run.id for run in runs),
        projects=tuple({run.project_id for run in runs}),
        on_runs=True,
        limit=_ALL_FEEDBACK,
    )
    return shapes.by_run(await services(request).feedback.page(query))


async def _rollups(request: Request, workspace: UUID, runs: Sequence[Run]) -> Mapping[UUID, rollups.Rollup]:
    sessions = [run for run in runs if run.is_root]
    return await rollups.of_sessions(services(request), workspace, sessions) if sessions else {}


async def _nothing() -> dict[Any, Any]:
    return {}

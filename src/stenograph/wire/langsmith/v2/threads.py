"""The v2 API's routes that read threads: a project's, one with its traces, and statistics of either."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.errors import Invalid, Unsupported
from stenograph.model.access import Permission
from stenograph.model.filters import Compare, Field, Filter, Member, Not, Op, all_of
from stenograph.model.query import RunQuery, RunSelection, ThreadQuery
from stenograph.model.runs import Micros
from stenograph.model.stats import RunStats, ThreadSummary
from stenograph.wire.http import Params, body_as, caller, encode, of_body, services
from stenograph.wire.langsmith.experiments.experiments import within
from stenograph.wire.langsmith.runs.convert import zoned_text
from stenograph.wire.langsmith.runs.runs import cursor_in, cursor_out, filter_of
from stenograph.wire.langsmith.v2 import pages, thread_fields
from stenograph.wire.langsmith.v2.schemas import ThreadsQueryIn, ThreadsStatsIn

_MAX_PAGE: Final = 100
_DEFAULT_PAGE: Final = 20
_ALL: Final = 1_000_000


def routes() -> list[BaseRoute]:
    return [
        Route("/v2/threads/query", query, methods=["POST"]),
        Route("/v2/threads/stats", stats_of_all, methods=["POST"]),
        Route("/v2/threads/{thread_id:path}/traces", traces, methods=["GET"]),
        Route("/v2/threads/{thread_id:path}/stats", stats_of_one, methods=["GET"]),
    ]


# -- all of a project --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a page of threads starts, and the window that all pages of one reading share: threads are in the order of
    what came last, so that one with news would move to where no later page looks."""

    offset: int
    since: Micros
    until: Micros

    def cursor(self) -> str:
        return f"{self.offset}.{self.since}.{self.until}"

    @staticmethod
    def of(cursor: str) -> _Place:
        parts = cursor.split(".")
        if len(parts) != 3 or not all(
            part.isascii() and part.isdecimal() and len(part) < 17 for part in parts
        ):
            raise Invalid("this is not a cursor that a former page gave as next_cursor", ("body", "cursor"))
        offset, since, until = map(int, parts)
        return _Place(min(offset, 2**31), since, until)


async def query(request: Request) -> Response:
    """POST /v2/threads/query: the most recently active first."""
    who = await caller(request, Permission.READ)
    sent = await body_as(request, ThreadsQueryIn)
    pages.refuse(sent)
    _refuse(sent)
    size = within(sent.page_size, "page_size", _DEFAULT_PAGE, 1, _MAX_PAGE)
    place = _Place.of(sent.cursor) if sent.cursor else _Place(0, *_window(sent))
    with of_body():
        chosen = _roots(who.workspace, sent.project_id, filter_of(sent.filter, "filter"))
    chosen = replace(chosen, since=place.since, until=place.until)
    found, total = await services(request).runs.threads(
        ThreadQuery(selection=chosen, limit=size, offset=place.offset)
    )
    failed = await _failed(request, chosen, found)
    items = [thread_fields.thread(each, failed.get(each.thread_id, 0)) for each in found]
    after = replace(place, offset=place.offset + size)
    return pages.page(request, items, after.cursor() if after.offset < total and found else None)


async def _failed(request: Request, chosen: RunSelection, found: Sequence[ThreadSummary]) -> dict[str, int]:
    """How many traces of each of these threads failed; those without such are absent."""
    if not found:
        return {}
    among = Member(Field.THREAD_ID, tuple(each.thread_id for each in found))
    failing = replace(chosen, has_error=True, filter=_both(chosen.filter, among))
    told, _ = await services(request).runs.threads(ThreadQuery(selection=failing, limit=len(found)))
    return {each.thread_id: each.count for each in told}


async def stats_of_all(request: Request) -> Response:
    """POST /v2/threads/stats: of the traces that are in threads."""
    who = await caller(request, Permission.READ)
    sent = await body_as(request, ThreadsStatsIn)
    _refuse(sent)
    table = thread_fields.ALL_THREADS
    select = thread_fields.known(sent.select, {**table, "THREAD_COUNT": None}, ("body", "select"))
    if not select:
        raise Invalid("name at least one", ("body", "select"))
    since, until = _window(sent)
    with of_body():
        chosen = _roots(who.workspace, sent.project_id, filter_of(sent.filter, "filter"))
    chosen = replace(chosen, since=since, until=until)
    in_threads = replace(chosen, filter=_both(chosen.filter, Not(Compare(Field.THREAD_ID, Op.EQ, None))))
    reader = services(request).runs
    found, (_, total) = await asyncio.gather(
        reader.stats(in_threads), reader.threads(ThreadQuery(selection=chosen, limit=1))
    )
    stats = found.get("", RunStats())
    answer = {table[name][0]: table[name][1](stats) for name in select if name in table}
    return encode(answer | ({"thread_count": total} if "THREAD_COUNT" in select else {}))


def _window(sent: ThreadsQueryIn | ThreadsStatsIn) -> tuple[Micros, Micros]:
    """From and up to; what begins at the end that is stated is not asked for."""
    since, until = pages.bounds(sent.min_start_time, sent.max_start_time)
    return max(0, pages.since(since)), max(0, (pages.now() if until is None else until) - 1)


def _refuse(sent: ThreadsQueryIn | ThreadsStatsIn) -> None:
    """LangSmith has these filters from its version 0.17 on, and says 501 before."""
    for name in ("thread_filter", "trace_filter", "tree_filter"):
        if (getattr(sent, name) or "").strip():
            raise Unsupported(
                f"threads cannot be chosen by {name} here: filter asks about the roots of their traces"
            )


def _roots(workspace: UUID, project: UUID, wanted: Filter | None) -> RunSelection:
    return RunSelection(workspace=workspace, projects=(project,), is_root=True, filter=wanted)


def _both(one: Filter | None, other: Filter) -> Filter:
    return other if one is None else all_of([one, other])


# -- one thread --------------------------------------------------------------------------------------------


def _thread(request: Request, workspace: UUID, project: UUID) -> RunSelection:
    """The roots of a thread's traces, and of those the ones that pass `filter`."""
    params = Params(request)
    of_thread = Compare(Field.THREAD_ID, Op.EQ, request.path_params["thread_id"])
    return _roots(workspace, project, _both(filter_of(params.text("filter"), "filter"), of_thread))


async def traces(request: Request) -> Response:
    """GET /v2/threads/{thread_id}/traces: newest first, each with the figures of its whole trace."""
    who = await caller(request, Permission.READ)
    params = Params(request)
    project = pages.needed(params, "project_id")
    size = params.number("page_size", _DEFAULT_PAGE, 1, _MAX_PAGE)
    select = thread_fields.turn_fields(params.texts("selects"))
    chosen = replace(
        _thread(request, who.workspace, project),
        trace_filter=filter_of(params.text("trace_filter"), "trace_filter"),
        tree_filter=filter_of(params.text("tree_filter"), "tree_filter"),
    )
    reader = services(request).runs
    found = await reader.page(
        RunQuery(
            selection=chosen,
            columns=thread_fields.turn_columns(select),
            limit=size + 1,
            after=cursor_in(params.text("cursor")),
        )
    )
    cursor = cursor_out(found[size - 1]) if len(found) > size else None
    numbers = await _numbers(request, who.workspace, project) if "TURN_NUMBER" in select else {}
    items = [thread_fields.turn(run, select, numbers.get(run.id)) for run in found[:size]]
    return pages.page(request, items, cursor)


async def _numbers(request: Request, workspace: UUID, project: UUID) -> dict[UUID, int]:
    """The number of each turn of the thread, from 1 on, whatever a filter leaves of them."""
    of_thread = Compare(Field.THREAD_ID, Op.EQ, request.path_params["thread_id"])
    roots = await services(request).runs.apart(
        RunQuery(
            selection=_roots(workspace, project, of_thread),
            columns=frozenset(),
            limit=_ALL,
            newest_first=False,
        )
    )
    return {run.id: number for number, run in enumerate(roots, 1)}


async def stats_of_one(request: Request) -> Response:
    """GET /v2/threads/{thread_id}/stats."""
    who = await caller(request, Permission.READ)
    params = Params(request)
    table, times = thread_fields.ONE_THREAD, thread_fields.TIMES
    select = thread_fields.known(params.texts("selects"), {**table, **times}, ("query", "selects"))
    if not select:
        raise Invalid("name at least one", ("query", "selects"))
    chosen = _thread(request, who.workspace, pages.needed(params, "session_id"))
    found, moments = await asyncio.gather(
        services(request).runs.stats(chosen),
        _times(request, chosen) if times.keys() & set(select) else _no_times(),
    )
    stats = found.get("", RunStats())
    answer = {table[name][0]: table[name][1](stats) for name in select if name in table}
    return encode(answer | {times[name]: moments[name] for name in select if name in times})


async def _times(request: Request, chosen: RunSelection) -> dict[str, Any]:
    roots = await services(request).runs.apart(
        RunQuery(selection=chosen, columns=frozenset({"end_time"}), limit=_ALL, newest_first=False)
    )
    ends = [run.end_time for run in roots if run.end_time is not None]
    return {
        "FIRST_START_TIME": zoned_text(roots[0].start_time) if roots else None,
        "LAST_START_TIME": zoned_text(roots[-1].start_time) if roots else None,
        "LAST_END_TIME": zoned_text(max(ends, default=None)),
    }


async def _no_times() -> dict[str, Any]:
    return {}

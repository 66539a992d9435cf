"""The page's tables: runs of a project, a page at a time, and its threads with their turns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Raw
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.domain.runs import USAGE
from stenograph.errors import Invalid
from stenograph.model.access import Permission
from stenograph.model.filters import Compare, Field, Op, all_of
from stenograph.model.query import Cursor, RunQuery, ThreadQuery
from stenograph.model.runs import Run
from stenograph.model.stats import ThreadSummary
from stenograph.wire.http import body_as, encode, path_uuid, services
from stenograph.wire.ui import shapes
from stenograph.wire.ui.asking import LATEST, Asked, selection
from stenograph.wire.ui.previews import preview
from stenograph.wire.ui.signing_in import viewer

MAX_ROWS: Final = 200
MAX_TURNS: Final = 50
INLINE: Final = 64 * 1024
"""Bytes of a turn's payload that are sent with it; the trace has longer ones."""

_COLUMNS: Final = USAGE | {
    "name", "run_type", "status", "error", "end_time", "first_token_time", "tags", "thread_id", "metadata",
    "inputs", "outputs",
}  # fmt: skip


class After(msgspec.Struct, frozen=True):
    """The last row of the page before."""

    start: int
    id: UUID


class RowsAsked(Asked, frozen=True, kw_only=True):
    """`oldest` turns the order around."""

    limit: int = 50
    oldest: bool = False
    after: After | None = None


async def rows(request: Request) -> Response:
    """POST /ui/api/projects/{project_id}/runs."""
    who = await viewer(request, Permission.READ)
    asked = await body_as(request, RowsAsked)
    limit = _within(asked.limit, MAX_ROWS)
    to = services(request)
    project = await to.projects.read(who.workspace, path_uuid(request, "project_id"))
    found = await to.runs.page(
        RunQuery(
            selection=selection(request, asked, who.workspace, project.id),
            columns=_COLUMNS,
            limit=limit + 1,
            newest_first=not asked.oldest,
            after=_cursor(asked.after),
        )
    )
    shown = found[:limit]
    feedback = await to.runs.feedback_of(who.workspace, shown)
    return encode(
        {
            "runs": [shapes.row(run, feedback.get(run.id, {})) for run in shown],
            "next": _after(shown[-1]) if len(found) > limit else None,
        }
    )


def _within(limit: int, most: int) -> int:
    if not 1 <= limit <= most:
        raise Invalid(f"limit is within 1 and {most}.", ("body", "limit"))
    return limit


def _cursor(after: After | None) -> Cursor | None:
    if after is None:
        return None
    if not 0 <= after.start < LATEST:
        raise Invalid("start is not a time in microseconds since 1970.", ("body", "after"))
    return Cursor(after.start, after.id)


def _after(run: Run) -> dict[str, Any]:
    return {"start": run.start_time, "id": run.id}


class ThreadsAsked(Asked, frozen=True, kw_only=True):
    limit: int = 50
    offset: int = 0


async def threads(request: Request) -> Response:
    """POST /ui/api/projects/{project_id}/threads: the most recently active first."""
    who = await viewer(request, Permission.READ)
    asked = await body_as(request, ThreadsAsked)
    limit = _within(asked.limit, MAX_ROWS)
    if not 0 <= asked.offset <= 1_000_000:
        raise Invalid("offset is within 0 and 1000000.", ("body", "offset"))
    to = services(request)
    project = await to.projects.read(who.workspace, path_uuid(request, "project_id"))
    chosen = selection(request, msgspec.structs.replace(asked, roots=True), who.workspace, project.id)
    found, total = await to.runs.threads(ThreadQuery(selection=chosen, limit=limit, offset=asked.offset))
    return encode({"threads": [_thread(thread) for thread in found], "total": total})


def _thread(thread: ThreadSummary) -> dict[str, Any]:
    return {
        "id": thread.thread_id,
        "turns": thread.count,
        "first": thread.min_start_time,
        "last": thread.max_start_time,
        "p50": thread.latency_p50,
        "tokens": thread.usage.total_tokens,
        "cost": shapes.dollars(thread.usage.total_cost),
        "input": preview(thread.first_inputs),
        "output": preview(thread.last_outputs),
        "error": thread.last_error,
        "feedback": shapes.averages(thread.feedback),
    }


class TurnsAsked(msgspec.Struct, frozen=True, kw_only=True):
    thread: str
    after: After | None = None


async def turns(request: Request) -> Response:
    """POST /ui/api/projects/{project_id}/turns: the traces of one thread, oldest first."""
    who = await viewer(request, Permission.READ)
    asked = await body_as(request, TurnsAsked)
    to = services(request)
    project = await to.projects.read(who.workspace, path_uuid(request, "project_id"))
    chosen = selection(request, Asked(), who.workspace, project.id)
    of_thread = all_of([Compare(Field.THREAD_ID, Op.EQ, asked.thread)])
    found = await to.runs.page(
        RunQuery(
            selection=replace(chosen, filter=of_thread),
            columns=_COLUMNS,
            limit=MAX_TURNS + 1,
            newest_first=False,
            after=_cursor(asked.after),
        )
    )
    shown = found[:MAX_TURNS]
    feedback = await to.runs.feedback_of(who.workspace, shown)
    return encode(
        {
            "turns": [_turn(run, feedback.get(run.id, {})) for run in shown],
            "next": _after(shown[-1]) if len(found) > MAX_TURNS else None,
        }
    )


def _turn(run: Run, feedback: Mapping[str, Any]) -> dict[str, Any]:
    return shapes.row(run, feedback) | {"inputs": _whole(run.inputs), "outputs": _whole(run.outputs)}


def _whole(document: bytes | None) -> Raw | None:
    return None if document is None or len(document) > INLINE else Raw(document)


def routes() -> list[BaseRoute]:
    return [
        Route("/ui/api/projects/{project_id}/runs", rows, methods=["POST"]),
        Route("/ui/api/projects/{project_id}/threads", threads, methods=["POST"]),
        Route("/ui/api/projects/{project_id}/turns", turns, methods=["POST"]),
    ]

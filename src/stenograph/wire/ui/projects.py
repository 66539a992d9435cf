"""The page's list of projects, and one of them: what its runs come to, over time too, and what filters may name."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.domain.projects.stats import Bounds
from stenograph.errors import Invalid
from stenograph.model.access import Permission
from stenograph.model.filters import Compare, Field, Filter, Op
from stenograph.model.projects import ProjectQuery
from stenograph.model.query import RunQuery, RunSelection, StatGroup
from stenograph.model.stats import TimeBucket
from stenograph.wire.http import Params, body_as, encode, path_uuid, services
from stenograph.wire.ui import shapes
from stenograph.wire.ui.asking import Asked, selection
from stenograph.wire.ui.signing_in import viewer

MAX_PROJECTS: Final = 2000
SPARKS: Final = 24
"""Columns of a sparkline."""
HOUR: Final = 3_600_000_000
WINDOWS: Final = {"day": 24 * HOUR, "week": 7 * 24 * HOUR, "month": 30 * 24 * HOUR}
MAX_BUCKETS: Final = 2000
_GROUPS: Final[Mapping[str, tuple[StatGroup, str]]] = {
    "name": ("name", ""),
    "type": ("run_type", ""),
    "tag": ("tag", ""),
    "model": ("metadata", "ls_model_name"),
}

_IS_ROOT: Final = Compare(Field.IS_ROOT, Op.EQ, True)
_IS_CALL: Final = Compare(Field.RUN_TYPE, Op.EQ, "llm")


async def listed(request: Request) -> Response:
    """GET /ui/api/projects: all of the workspace, newest first, with what their traces came to in a window."""
    who = await viewer(request, Permission.READ)
    window = request.query_params.get("window", "week")
    if window not in WINDOWS:
        raise Invalid(f"window is one of {', '.join(WINDOWS)}.", ("query", "window"))
    to, now = services(request), time.time_ns() // 1000
    stride = WINDOWS[window] // SPARKS
    since = now - WINDOWS[window]
    found = await to.projects.find(
        ProjectQuery(workspace=who.workspace, reference_free=True, limit=MAX_PROJECTS + 1)
    )
    shown = found[:MAX_PROJECTS]
    named = tuple(project.id for project in shown)
    figures, sparks, last = await asyncio.gather(
        to.project_stats.of(who.workspace, shown, Bounds(since=since)),
        _sparks(request, who.workspace, named, since, stride),
        to.runs.last_starts(RunSelection(workspace=who.workspace, projects=named)) if named else _nothing(),
    )
    return encode(
        {
            "more": len(found) > MAX_PROJECTS,
            "projects": [
                {
                    "id": project.id,
                    "name": project.name,
                    "description": project.description,
                    **shapes.figures(figures[project.id].roots),
                    "tokens": figures[project.id].every.total_tokens,
                    "cost": shapes.dollars(figures[project.id].every.total_cost),
                    "last": last.get(project.id),
                    "spark": sparks.get(str(project.id), [0] * SPARKS),
                }
                for project in shown
            ],
        }
    )


async def _nothing() -> dict[UUID, int]:
    return {}


async def _sparks(
    request: Request, workspace: UUID, projects: tuple[UUID, ...], since: int, stride: int
) -> dict[str, list[int]]:
    """Traces by project in each part of the window."""
    if not projects:
        return {}
    chosen = RunSelection(workspace=workspace, projects=projects, since=since, filter=_IS_ROOT)
    found = await services(request).runs.series(chosen, stride, "project", "", since % stride)
    counts: dict[str, list[int]] = defaultdict(lambda: [0] * SPARKS)
    for bucket in found:
        counts[bucket.group][min(SPARKS - 1, max(0, (bucket.start - since) // stride))] += (
            bucket.stats.run_count
        )
    return counts


async def newest(request: Request) -> Response:
    """GET /ui/api/newest: the trace that began last, in whatever project; null while there is none."""
    who = await viewer(request, Permission.READ)
    chosen = RunSelection(workspace=who.workspace, is_root=True)
    found = await services(request).runs.page(
        RunQuery(selection=chosen, columns=frozenset({"name"}), limit=1)
    )
    return encode(
        {"trace": found[0].trace_id, "project": found[0].project_id, "name": found[0].name} if found else None
    )


async def one(request: Request) -> Response:
    """GET /ui/api/projects/{project_id}."""
    who = await viewer(request, Permission.READ)
    project = await services(request).projects.read(who.workspace, path_uuid(request, "project_id"))
    return encode({"id": project.id, "name": project.name, "description": project.description})


async def figures(request: Request) -> Response:
    """POST /ui/api/projects/{project_id}/figures: what the runs asked for come to."""
    who = await viewer(request, Permission.READ)
    asked = await body_as(request, Asked)
    to = services(request)
    project = await to.projects.read(who.workspace, path_uuid(request, "project_id"))
    found = await to.runs.stats(selection(request, asked, who.workspace, project.id))
    stats = found.get("")
    return encode(shapes.figures(stats) if stats is not None else {"runs": 0})


class SeriesAsked(Asked, frozen=True, kw_only=True):
    """`stride` and `origin` are microseconds: strides are counted from there, so that days begin at the viewer's
    midnight. `group` is name, type, tag, model or metadata, the last with the key in `path`."""

    stride: int
    origin: int = 0
    group: str | None = None
    path: str = ""


async def series(request: Request) -> Response:
    """POST /ui/api/projects/{project_id}/series: figures of traces and of model calls, and feedback, by time."""
    who = await viewer(request, Permission.READ)
    asked = await body_as(request, SeriesAsked)
    to = services(request)
    project = await to.projects.read(who.workspace, path_uuid(request, "project_id"))
    chosen = selection(request, msgspec.structs.replace(asked, roots=False), who.workspace, project.id)
    if chosen.since is None or chosen.until is None or chosen.until < chosen.since:
        raise Invalid("Charts are from since to until.", ("body", "since"))
    if asked.stride < 1_000_000 or (chosen.until - chosen.since) // asked.stride > MAX_BUCKETS:
        raise Invalid(
            f"A stride is a second or more, and there are at most {MAX_BUCKETS}.", ("body", "stride")
        )
    group, path = _group(asked)
    parts: list[Filter] = [_IS_ROOT, _IS_CALL]
    origin = asked.origin % asked.stride
    buckets, feedback = await asyncio.gather(
        to.runs.series(chosen, asked.stride, group, path, origin, parts),
        to.runs.feedback_series(replace(chosen, is_root=None), asked.stride, origin),
    )
    return encode(
        {
            "traces": [_bucket(bucket) for bucket in buckets if bucket.part == 0],
            "calls": [_bucket(bucket) for bucket in buckets if bucket.part == 1],
            "feedback": [
                {"start": start, "averages": shapes.averages(stats)} for start, stats in feedback.items()
            ],
        }
    )


def _group(asked: SeriesAsked) -> tuple[StatGroup | None, str]:
    if asked.group is None:
        return None, ""
    if asked.group == "metadata":
        if not asked.path:
            raise Invalid("path names the metadata key to group by.", ("body", "path"))
        return "metadata", asked.path
    if asked.group not in _GROUPS:
        raise Invalid(f"group is one of {', '.join(_GROUPS)} and metadata.", ("body", "group"))
    return _GROUPS[asked.group]


def _bucket(bucket: TimeBucket) -> dict[str, Any]:
    found = shapes.figures(bucket.stats)
    rate = found.pop("errorRate") or 0.0
    for name in ("last", "feedback"):
        found.pop(name)
    return {
        "start": bucket.start,
        "group": bucket.group,
        "errors": round(rate * bucket.stats.run_count),
        **found,
    }


async def values(request: Request) -> Response:
    """GET /ui/api/projects/{project_id}/values: the most frequent values of what filters may name."""
    who = await viewer(request, Permission.READ)
    to = services(request)
    project = await to.projects.read(who.workspace, path_uuid(request, "project_id"))
    limit = Params(request).number("limit", 20, 1, 100)
    week = time.time_ns() // 1000 - WINDOWS["month"]
    chosen = RunSelection(workspace=who.workspace, projects=(project.id,), since=week)
    facets, feedback = await asyncio.gather(
        to.runs.facets(chosen, limit), to.runs.feedback_by_project(chosen)
    )
    found: dict[str, list[str]] = defaultdict(list)
    for facet in facets.get(project.id, ()):
        found[facet.key].append(facet.value)
    found["feedback_key"] = sorted(feedback.get(project.id, {}))
    return encode(found)


class FilterAsked(msgspec.Struct, frozen=True):
    filter: str


async def check_filter(request: Request) -> Response:
    """POST /ui/api/filter: null when the text means something, else what is wrong and where, as any error."""
    await viewer(request, Permission.READ)
    asked = await body_as(request, FilterAsked)
    if asked.filter.strip():
        services(request).page.read_filter(asked.filter, "filter")
    return encode(None)


def routes() -> list[BaseRoute]:
    return [
        Route("/ui/api/projects", listed, methods=["GET"]),
        Route("/ui/api/newest", newest, methods=["GET"]),
        Route("/ui/api/filter", check_filter, methods=["POST"]),
        Route("/ui/api/projects/{project_id}", one, methods=["GET"]),
        Route("/ui/api/projects/{project_id}/figures", figures, methods=["POST"]),
        Route("/ui/api/projects/{project_id}/series", series, methods=["POST"]),
        Route("/ui/api/projects/{project_id}/values", values, methods=["GET"]),
    ]

"""Julep's routes of projects, which are those that LangSmith's clients trace into (decisions/080).

Experiments are not among them. Agents, users and files name theirs by its canonical name.
"""

from __future__ import annotations

import time
from typing import Final
from uuid import UUID

import msgspec
from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stenograph.domain.conversations.agents import MAX_NAME, canonical_name, check_length
from stenograph.model.access import Caller, Permission
from stenograph.model.ids import new_id
from stenograph.model.listing import ListSort
from stenograph.model.projects import (
    CANONICAL_NAME,
    DEFAULT_PROJECT,
    NewProject,
    ProjectQuery,
    ProjectSort,
)
from stenograph.wire.http import caller, encode, services
from stenograph.wire.julep import shapes
from stenograph.wire.julep.bodies import body_as, metadata_of
from stenograph.wire.julep.lists import list_query
from stenograph.wire.julep.schemas import ProjectIn

_SORTS: Final = {
    ListSort.CREATED_AT: ProjectSort.CREATED_AT,
    ListSort.UPDATED_AT: ProjectSort.MODIFIED_AT,
}


def routes() -> list[Route]:
    return [
        Route("/projects", create, methods=["POST"]),
        Route("/projects", find, methods=["GET"]),
    ]


async def create(request: Request) -> Response:
    """POST /projects. Without a canonical name it has its name's, where that is one, or else one made from it."""
    who = await caller(request, Permission.WRITE)
    to = services(request)
    async with body_as(request, ProjectIn) as sent:
        check_length(sent.name, "name", 1, MAX_NAME)
        ident = new_id(time.time_ns() // 1000)
        canonical = sent.canonical_name
        if canonical is None and not CANONICAL_NAME.fullmatch(sent.name):
            canonical = canonical_name(sent.name, ident)
        metadata = metadata_of(sent.metadata, to.payloads)
        extra = None if metadata is UNSET else msgspec.json.encode({"metadata": msgspec.Raw(metadata)})
        new = NewProject(id=ident, name=sent.name, canonical_name=canonical, extra=extra)
        project = await to.projects.create(who.workspace, new)
    return encode(shapes.project(project), 201)


async def find(request: Request) -> Response:
    """GET /projects: a page, newest first by default."""
    who = await caller(request, Permission.READ)
    asked = list_query(request, who)
    query = ProjectQuery(
        workspace=who.workspace,
        reference_free=True,
        tests=asked.tests,
        sort=_SORTS[asked.sort],
        descending=asked.descending,
        offset=asked.offset,
        limit=asked.limit,
    )
    found = await services(request).projects.find(query)
    return encode(shapes.items([shapes.project(each) for each in found]))


async def project_of(request: Request, who: Caller, name: str | None) -> UUID | None:
    """The id of the project that a body names; None for the default one. NotFound when there is none."""
    if name is None or name == DEFAULT_PROJECT:
        return None
    return (await services(request).projects.named(who.workspace, name)).id

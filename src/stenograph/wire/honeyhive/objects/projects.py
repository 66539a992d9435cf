"""HoneyHive's routes of projects, which are ours: the same under `/projects` and `/v1/projects`, with a bare array.

`GET /projects` is also how its tools find out whether a server and a key are what they should be. Experiments are no
projects to HoneyHive, though they are to us, and are left out.
"""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stenograph.errors import Invalid, NotFound
from stenograph.model.access import Permission
from stenograph.model.projects import NewProject, Project, ProjectPatch, ProjectQuery, ProjectSort
from stenograph.wire.honeyhive.requests import named_id
from stenograph.wire.honeyhive.times import iso
from stenograph.wire.http import Params, body_as, caller, encode, services

TypeName = Literal["evaluation", "completion"]


class ProjectIn(Struct):
    """CreateProjectRequest and PostProjectRequest."""

    name: str
    description: str | None = None
    type: TypeName | None = None


class ProjectPatchIn(Struct):
    """PutProjectRequest, which names the project, and UpdateProjectRequest of the unversioned path, which has its id:
    there `name` is the new name."""

    name: str | None = None
    new_name: str | None = None
    project_id: str | None = None
    description: str | None = None
    type: TypeName | None = None


def routes() -> list[Route]:
    return [
        route
        for path in ("/projects", "/v1/projects")
        for route in (
            Route(path, find, methods=["GET"]),
            Route(path, create, methods=["POST"]),
            Route(path, update, methods=["PUT"]),
            Route(path, delete, methods=["DELETE"]),
        )
    ]


async def find(request: Request) -> Response:
    """GET /projects?name: by name."""
    who = await caller(request, Permission.READ)
    query = ProjectQuery(
        workspace=who.workspace,
        name=Params(request).text("name") or None,
        reference_free=True,
        sort=ProjectSort.NAME,
        descending=False,
    )
    return encode([item(project) for project in await services(request).projects.find(query)])


async def create(request: Request) -> Response:
    """POST /projects. 409 when the name is taken."""
    who = await caller(request, Permission.WRITE)
    sent = await body_as(request, ProjectIn)
    new = NewProject(
        name=sent.name,
        description=sent.description,
        extra=None if sent.type is None else _with_type(None, sent.type),
    )
    return encode(item(await services(request).projects.create(who.workspace, new)))


async def update(request: Request) -> Response:
    """PUT /projects: the project as changed."""
    who = await caller(request, Permission.WRITE)
    sent = await body_as(request, ProjectPatchIn)
    if sent.project_id is not None:
        which = ProjectQuery(workspace=who.workspace, ids=(named_id(sent.project_id, "project"),))
        name = sent.new_name or sent.name
    elif sent.name is not None:
        which = ProjectQuery(workspace=who.workspace, name=sent.name)
        name = sent.new_name
    else:
        raise Invalid("says which project to change: give name or project_id", ("body", "name"))
    project = await _one(request, which)
    patch = ProjectPatch(
        name=name,
        description=sent.description,
        extra=None if sent.type is None else _with_type(project.extra, sent.type),
    )
    return encode(item(await services(request).projects.update(who.workspace, project.id, patch)))


async def delete(request: Request) -> Response:
    """DELETE /projects?name: with all that was recorded in it."""
    who = await caller(request, Permission.WRITE)
    name = Params(request).text("name")
    if not name:
        raise Invalid("says which project to delete", ("query", "name"))
    project = await _one(request, ProjectQuery(workspace=who.workspace, name=name))
    await services(request).deletion.delete(who.workspace, [project.id])
    return encode({"success": True, "message": f"project {name} deleted", "id": project.id})


async def in_path(request: Request, workspace: UUID) -> UUID:
    """The project that a path names by its id; NotFound when the workspace has none."""
    which = named_id(request.path_params["project_id"], "project")
    return (await services(request).projects.read(workspace, which)).id


async def _one(request: Request, query: ProjectQuery) -> Project:
    query = msgspec.structs.replace(query, reference_free=True)
    found = await services(request).projects.find(query)
    if not found:
        which = query.name if query.name is not None else query.ids and query.ids[0]
        raise NotFound(f"There is no project {str(which)[:80]}.")
    return found[0]


def _with_type(extra: bytes | None, kind: TypeName) -> bytes:
    """A project's `extra` with the type among what HoneyHive's clients have said of it."""
    members = _members(extra)
    said = members.get("honeyhive")
    return msgspec.json.encode(
        {**members, "honeyhive": {**(said if isinstance(said, dict) else {}), "type": kind}}
    )


def _members(extra: bytes | None) -> dict[str, Any]:
    decoded = msgspec.json.decode(extra) if extra else None
    return decoded if isinstance(decoded, dict) else {}


def item(project: Project) -> dict[str, Any]:
    """ProjectItem. JavaScript's client needs a description."""
    said = _members(project.extra).get("honeyhive")
    kind = said.get("type") if isinstance(said, dict) else None
    known = {"type": kind} if kind in ("evaluation", "completion") else {}
    return {
        "id": project.id,
        "name": project.name,
        "description": project.description or "",
        **known,
        "org_id": project.workspace,
        "created_at": iso(project.created_at),
        "updated_at": iso(project.modified_at),
    }

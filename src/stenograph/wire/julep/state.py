"""How things stand: Julep's routes of jobs and of the server's health."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stenograph.errors import StenographError
from stenograph.model.access import DEFAULT_WORKSPACE, Permission
from stenograph.wire.http import caller, encode, path_uuid, services
from stenograph.wire.julep import shapes


def routes() -> list[Route]:
    return [
        Route("/jobs/{job_id}", job, methods=["GET"]),
        Route("/healthz", health, methods=["GET"]),
    ]


async def job(request: Request) -> Response:
    """GET /jobs/{job_id}."""
    who = await caller(request, Permission.READ)
    found = await services(request).conversing.jobs.read(who.workspace, path_uuid(request, "job_id"))
    return encode(shapes.job(found))


async def health(request: Request) -> Response:
    """GET /healthz, without a key: services and their states. 200 even when one is down, since clients would ask a 500
    again six times."""
    try:
        await services(request).meta.workspaces.read(DEFAULT_WORKSPACE)
    except StenographError:
        return encode({"status": "degraded", "metadata": "down"})
    return encode({"status": "ok", "metadata": "ok"})

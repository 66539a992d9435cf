"""LangSmith's routes that open a dataset to readers without a key, and close it again."""

from __future__ import annotations

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.model.access import Permission
from stenograph.model.sharing import Share
from stenograph.wire.http import Params, caller, encode, path_uuid, services


async def share(request: Request) -> Response:
    """PUT /datasets/{dataset_id}/share. What is shared is the dataset with its experiments, whether or not
    `share_projects` says so: without them a shared dataset could not be compared with anything.

    The body is not read: JavaScript sends one that is not declared as JSON.
    """
    who = await caller(request, Permission.WRITE)
    dataset_id = path_uuid(request, "dataset_id")
    Params(request).flag("share_projects")
    return encode(_link(dataset_id, await services(request).dataset_sharing.share(who.workspace, dataset_id)))


async def shared(request: Request) -> Response:
    """GET /datasets/{dataset_id}/share: null for a dataset that is not shared."""
    who = await caller(request, Permission.READ)
    dataset_id = path_uuid(request, "dataset_id")
    found = await services(request).dataset_sharing.shared(who.workspace, dataset_id)
    return encode(None if found is None else _link(dataset_id, found))


async def unshare(request: Request) -> Response:
    """DELETE /datasets/{dataset_id}/share."""
    who = await caller(request, Permission.WRITE)
    await services(request).dataset_sharing.unshare(who.workspace, path_uuid(request, "dataset_id"))
    return encode({"message": "not shared any more"})


def _link(dataset_id: UUID, share: Share) -> dict[str, UUID]:
    return {"dataset_id": dataset_id, "share_token": share.token}


def routes() -> list[BaseRoute]:
    return [
        Route("/datasets/{dataset_id}/share", share, methods=["PUT"]),
        Route("/datasets/{dataset_id}/share", shared, methods=["GET"]),
        Route("/datasets/{dataset_id}/share", unshare, methods=["DELETE"]),
    ]

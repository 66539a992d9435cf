"""HoneyHive's routes of datapoints, of both ages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from stenograph.errors import Invalid
from stenograph.model.access import Permission
from stenograph.model.datapoints import Datapoint
from stenograph.model.datasets import DatasetQuery
from stenograph.wire.honeyhive.datasets.schemas import DatapointIn
from stenograph.wire.honeyhive.datasets.shapes import (
    an_id,
    as_id,
    datapoint_draft,
    datapoint_edit,
    datapoint_json,
    ids,
    legacy_datapoint_json,
)
from stenograph.wire.honeyhive.requests import Params
from stenograph.wire.http import body_as, caller, encode, services

MAX_IDS: Final = 5_000
"""Ids that one request may ask for: HoneyHive's client sends them by the hundred."""


def routes() -> list[Route]:
    found = [
        Route("/v1/datapoints", find, methods=["GET"]),
        Route("/v1/datapoints/{datapoint_id}", read, methods=["GET"]),
        Route("/datapoints", legacy_find, methods=["GET"]),
        Route("/datapoints/{datapoint_id}", legacy_read, methods=["GET"]),
    ]
    for age in ("/v1", ""):
        found += [
            Route(f"{age}/datapoints", create, methods=["POST"]),
            Route(f"{age}/datapoints/{{datapoint_id}}", update, methods=["PUT"]),
            Route(f"{age}/datapoints/{{datapoint_id}}", delete, methods=["DELETE"]),
        ]
    return found


# -- reading ---------------------------------------------------------------------------------------------


async def find(request: Request) -> Response:
    """GET /v1/datapoints: all, or those of these ids, or of the dataset of this name; unknown ones are left out."""
    return await _find(request, datapoint_json)


async def legacy_find(request: Request) -> Response:
    """GET /datapoints."""
    return await _find(request, legacy_datapoint_json)


async def _find(request: Request, shape: Callable[[Datapoint], dict[str, Any]]) -> Response:
    who = await caller(request, Permission.READ)
    to, params = services(request), Params(request)
    texts, name = params.texts("datapoint_ids"), params.text("dataset_name")
    if len(texts) > MAX_IDS:
        raise Invalid(f"at most {MAX_IDS} datapoints can be asked for at once", ("query", "datapoint_ids"))
    wanted = [found for text in texts if (found := as_id(text)) is not None] if texts else None
    dataset_id = None
    if name:
        datasets = await to.datasets.find(DatasetQuery(workspace=who.workspace, name=name))
        if not datasets:
            return encode({"datapoints": []})
        dataset_id = datasets[0].id
    return _stream(to.datapoints.points.find(who.workspace, wanted, dataset_id), shape)


def _stream(
    pages: AsyncIterator[list[Datapoint]], shape: Callable[[Datapoint], dict[str, Any]]
) -> StreamingResponse:
    """Written while they are read: there may be as many as a workspace has."""

    async def text() -> AsyncIterator[bytes]:
        before = b'{"datapoints":['
        async for page in pages:
            for datapoint in page:
                yield before + bytes(encode(shape(datapoint)).body)
                before = b","
        yield b"]}" if before == b"," else before + b"]}"

    return StreamingResponse(text(), media_type="application/json")


async def read(request: Request) -> Response:
    """GET /v1/datapoints/{datapoint_id}: a list of one."""
    return encode({"datapoint": [datapoint_json(await _read(request))]})


async def legacy_read(request: Request) -> Response:
    """GET /datapoints/{datapoint_id}."""
    return encode({"datapoint": [legacy_datapoint_json(await _read(request))]})


async def _read(request: Request) -> Datapoint:
    who = await caller(request, Permission.READ)
    datapoint_id = an_id(request.path_params["datapoint_id"], "datapoint")
    return await services(request).datapoints.points.read(who.workspace, datapoint_id)


# -- writing ---------------------------------------------------------------------------------------------


async def create(request: Request) -> Response:
    """POST …/datapoints. Clients of one age read `insertedIds`, those of the other `insertedId`."""
    who = await caller(request, Permission.WRITE)
    to = services(request)
    sent = await body_as(request, DatapointIn)
    draft = datapoint_draft(sent, to.payloads)
    datasets = ids(sent.linked_datasets or (), "dataset")
    made = await to.datapoints.points.create(who.workspace, draft, datasets)
    return encode({"inserted": True, "result": {"insertedIds": [made], "insertedId": made}})


async def update(request: Request) -> Response:
    """PUT …/datapoints/{datapoint_id}: what the body states. Linked datasets are those that have it from then on."""
    who = await caller(request, Permission.WRITE)
    to = services(request)
    sent = await body_as(request, DatapointIn)
    datapoint_id = an_id(request.path_params["datapoint_id"], "datapoint")
    datasets = None if sent.linked_datasets is None else ids(sent.linked_datasets, "dataset")
    edit = datapoint_edit(sent, to.payloads)
    await to.datapoints.points.update(who.workspace, datapoint_id, edit, datasets)
    return encode({"updated": True, "result": {"modifiedCount": 1}})


async def delete(request: Request) -> Response:
    """DELETE …/datapoints/{datapoint_id}: from all datasets."""
    who = await caller(request, Permission.WRITE)
    datapoint_id = an_id(request.path_params["datapoint_id"], "datapoint")
    await services(request).datapoints.points.delete(who.workspace, datapoint_id)
    return encode({"deleted": True})

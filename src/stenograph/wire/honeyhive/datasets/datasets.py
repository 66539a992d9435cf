"""HoneyHive's routes of datasets, of both ages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeVar
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stenograph.errors import Invalid
from stenograph.model.access import Permission
from stenograph.model.datasets import Dataset, DatasetQuery, DatasetSort
from stenograph.wire.honeyhive.datasets.rows import row_drafts
from stenograph.wire.honeyhive.datasets.schemas import (
    AddIn,
    DatasetIn,
    DatasetUpdateIn,
    DatasetUpdateWithIdIn,
    LegacyDatasetIn,
    LegacyDatasetUpdateIn,
)
from stenograph.wire.honeyhive.datasets.shapes import (
    an_id,
    as_id,
    dataset_json,
    dataset_patch,
    ids,
    legacy_dataset_json,
    new_dataset,
    purpose,
)
from stenograph.wire.honeyhive.requests import Params
from stenograph.wire.http import body_as, caller, encode, services

PURPOSES: Final = ("evaluation", "fine-tuning")

Update = TypeVar("Update", DatasetUpdateIn, DatasetUpdateWithIdIn, LegacyDatasetUpdateIn)


def routes() -> list[Route]:
    found = [
        Route("/v1/datasets", find, methods=["GET"]),
        Route("/v1/datasets", create, methods=["POST"]),
        Route("/v1/datasets", update_by_body, methods=["PUT"]),
        Route("/v1/datasets/{dataset_id}", update, methods=["PUT"]),
        Route("/datasets", legacy_find, methods=["GET"]),
        Route("/datasets", legacy_create, methods=["POST"]),
        Route("/datasets", legacy_update, methods=["PUT"]),
    ]
    for age in ("/v1", ""):
        found += [
            Route(f"{age}/datasets", delete_by_query, methods=["DELETE"]),
            Route(f"{age}/datasets/{{dataset_id}}", delete, methods=["DELETE"]),
            Route(f"{age}/datasets/{{dataset_id}}/datapoints", add, methods=["POST"]),
            Route(f"{age}/datasets/{{dataset_id}}/datapoints/{{datapoint_id}}", remove, methods=["DELETE"]),
            Route(f"{age}/datasets/{{dataset_id}}/{{datapoint_id}}", remove, methods=["DELETE"]),
        ]
    return found


# -- reading ---------------------------------------------------------------------------------------------


async def find(request: Request) -> Response:
    """GET /v1/datasets: all, or those of an id or a name. One that is not there is no error, whatever its id."""
    found, members = await _find(request)
    return encode({"datasets": [dataset_json(each, members(each)) for each in found]})


async def legacy_find(request: Request) -> Response:
    """GET /datasets: the same, and by what they are for."""
    kind = Params(request).text("type")
    if kind and kind not in PURPOSES:
        raise Invalid(f"{kind[:40]!r} is not one of {', '.join(PURPOSES)}", ("query", "type"))
    found, members = await _find(request)
    wanted = [each for each in found if not kind or purpose(each) == kind]
    return encode({"testcases": [legacy_dataset_json(each, members(each)) for each in wanted]})


async def _find(request: Request) -> tuple[list[Dataset], Any]:
    who = await caller(request, Permission.READ)
    to, params = services(request), Params(request)
    listed = params.flag("include_datapoints") is not False
    text = params.text("dataset_id")
    dataset_id = as_id(text) if text else None
    if text and dataset_id is None:
        return [], None
    query = DatasetQuery(
        workspace=who.workspace,
        ids=None if dataset_id is None else (dataset_id,),
        name=params.text("name") or None,
        sort=DatasetSort.CREATED_AT,
    )
    found = await to.datasets.find(query)
    members = await to.datapoints.points.members(who.workspace, [each.id for each in found] if listed else [])
    return found, lambda dataset: members.get(dataset.id, [])


# -- writing ---------------------------------------------------------------------------------------------


async def create(request: Request) -> Response:
    """POST /v1/datasets."""
    who = await caller(request, Permission.WRITE)
    return await _create(request, who.workspace, await body_as(request, DatasetIn))


async def legacy_create(request: Request) -> Response:
    """POST /datasets: with labels that clients of today do not have."""
    who = await caller(request, Permission.WRITE)
    return await _create(request, who.workspace, await body_as(request, LegacyDatasetIn))


async def _create(request: Request, workspace: UUID, sent: DatasetIn | LegacyDatasetIn) -> Response:
    to = services(request)
    made = await to.datapoints.datasets.create(
        workspace,
        new_dataset(sent, to.payloads),
        ids(sent.datapoints or (), "datapoint"),
        numbered=sent.name is None,
    )
    return encode({"inserted": True, "result": {"insertedId": made.id}})


async def update(request: Request) -> Response:
    """PUT /v1/datasets/{dataset_id}."""
    who = await caller(request, Permission.WRITE)
    sent = await body_as(request, DatasetUpdateIn)
    found, members = await _update(request, who.workspace, request.path_params["dataset_id"], sent)
    return encode({"result": dataset_json(found, members)})


async def update_by_body(request: Request) -> Response:
    """PUT /v1/datasets: the id is in the body."""
    who = await caller(request, Permission.WRITE)
    sent = await body_as(request, DatasetUpdateWithIdIn)
    found, members = await _update(request, who.workspace, sent.dataset_id, sent)
    return encode({"result": dataset_json(found, members)})


async def legacy_update(request: Request) -> Response:
    """PUT /datasets."""
    who = await caller(request, Permission.WRITE)
    sent = await body_as(request, LegacyDatasetUpdateIn)
    found, members = await _update(request, who.workspace, sent.dataset_id, sent)
    return encode({"result": legacy_dataset_json(found, members)})


async def _update(
    request: Request, workspace: UUID, text: str, sent: Update
) -> tuple[Dataset, Sequence[UUID]]:
    to = services(request)
    before = await to.datasets.read(workspace, an_id(text, "dataset"))
    wanted = None if sent.datapoints is None else ids(sent.datapoints, "datapoint")
    patch = dataset_patch(sent, before, to.payloads)
    found = await to.datapoints.datasets.update(workspace, before.id, patch, wanted)
    return found, (await to.datapoints.points.members(workspace, [found.id]))[found.id]


async def delete(request: Request) -> Response:
    """DELETE …/datasets/{dataset_id}: its datapoints stay."""
    who = await caller(request, Permission.WRITE)
    return await _delete(request, who.workspace, request.path_params["dataset_id"])


async def delete_by_query(request: Request) -> Response:
    """DELETE …/datasets?dataset_id=…"""
    who = await caller(request, Permission.WRITE)
    text = Params(request).text("dataset_id")
    if not text:
        raise Invalid("name the dataset to delete: dataset_id=…", ("query", "dataset_id"))
    return await _delete(request, who.workspace, text)


async def _delete(request: Request, workspace: UUID, text: str) -> Response:
    dataset_id = an_id(text, "dataset")
    await services(request).datapoints.datasets.delete(workspace, dataset_id)
    return encode({"result": {"id": dataset_id}})


# -- what is in one --------------------------------------------------------------------------------------


async def add(request: Request) -> Response:
    """POST …/datasets/{dataset_id}/datapoints: a datapoint a row, all of them or none, as one version."""
    who = await caller(request, Permission.WRITE)
    to = services(request)
    sent = await body_as(request, AddIn)
    dataset_id = an_id(request.path_params["dataset_id"], "dataset")
    drafts = row_drafts(sent.data, sent.mapping, to.payloads)
    made = await to.datapoints.points.create_many(who.workspace, dataset_id, drafts, len(sent.data))
    return encode({"inserted": True, "datapoint_ids": made})


async def remove(request: Request) -> Response:
    """DELETE …/datasets/{dataset_id}/datapoints/{datapoint_id}, and the same without the word: it stays elsewhere."""
    who = await caller(request, Permission.WRITE)
    dataset_id = an_id(request.path_params["dataset_id"], "dataset")
    datapoint_id = an_id(request.path_params["datapoint_id"], "datapoint")
    removed = await services(request).datapoints.datasets.remove(who.workspace, dataset_id, datapoint_id)
    message = "removed from the dataset" if removed else "the dataset does not have this datapoint"
    return encode({"dereferenced": removed, "message": message})

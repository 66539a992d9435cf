"""LangSmith's routes of datasets: created, listed, read, changed, copied and deleted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final, get_args
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from stenograph.errors import Invalid
from stenograph.model.access import Permission
from stenograph.model.datasets import Dataset, DatasetQuery, DatasetSort, DataType
from stenograph.model.examples import ExampleOrder, ExampleQuery
from stenograph.wire.http import Params, body_as, caller, encode, path_uuid, services
from stenograph.wire.langsmith.datasets.schemas import CloneIn, DatasetIn, DatasetPatchIn, DataTypeName
from stenograph.wire.langsmith.datasets.shapes import (
    as_of,
    dataset_json,
    dataset_patch,
    new_dataset,
    plain_dataset,
)
from stenograph.wire.langsmith.examples.rows import one_line
from stenograph.wire.langsmith.examples.shapes import example_edit, file_links, stream_examples

MAX_LIMIT: Final = 100
MAX_OFFSET: Final = 2**31


def routes() -> list[BaseRoute]:
    """Fixed paths before those with an id, other files' too."""
    return [
        Route("/datasets", create, methods=["POST"]),
        Route("/datasets", find, methods=["GET"]),
        Route("/datasets", delete_many, methods=["DELETE"]),
        Route("/datasets/stream", stream, methods=["GET"]),
        Route("/datasets/clone", clone, methods=["POST"]),
        Route("/datasets/{dataset_id}", read, methods=["GET"]),
        Route("/datasets/{dataset_id}", update, methods=["PATCH"]),
        Route("/datasets/{dataset_id}", delete, methods=["DELETE"]),
    ]


# -- one -------------------------------------------------------------------------------------------------


async def create(request: Request) -> Response:
    """POST /datasets. Conflict when the name or id is taken."""
    who = await caller(request, Permission.WRITE)
    to = services(request)
    wanted = new_dataset(await body_as(request, DatasetIn), to.payloads)
    return encode(dataset_json(await to.datasets.create(who.workspace, wanted)))


async def read(request: Request) -> Response:
    """GET /datasets/{dataset_id}."""
    who = await caller(request, Permission.READ)
    found = await services(request).datasets.read(who.workspace, path_uuid(request, "dataset_id"))
    return encode(dataset_json(found))


async def update(request: Request) -> Response:
    """PATCH /datasets/{dataset_id}, with examples that new schemas would not allow as they are."""
    who = await caller(request, Permission.WRITE)
    to = services(request)
    dataset_id = path_uuid(request, "dataset_id")
    sent = await body_as(request, DatasetPatchIn)
    edits = [
        example_edit(each, example_id, to.payloads, ("body", "patch_examples", str(example_id)))
        for example_id, each in (sent.patch_examples or {}).items()
    ]
    patch = dataset_patch(sent, to.payloads)
    return encode(plain_dataset(await to.examples.update_dataset(who.workspace, dataset_id, patch, edits)))


async def delete(request: Request) -> Response:
    """DELETE /datasets/{dataset_id}: with its examples and versions. Experiments over it stay."""
    who = await caller(request, Permission.WRITE)
    return await _delete(request, who.workspace, (path_uuid(request, "dataset_id"),))


# -- many ------------------------------------------------------------------------------------------------


async def delete_many(request: Request) -> Response:
    """DELETE /datasets?dataset_ids=…: those that are there; 404 when none is."""
    who = await caller(request, Permission.WRITE)
    wanted = Params(request).uuids("dataset_ids")
    if not wanted:
        raise Invalid("name the datasets to delete: dataset_ids=…", where=("query", "dataset_ids"))
    return await _delete(request, who.workspace, wanted)


async def _delete(request: Request, workspace: UUID, wanted: tuple[UUID, ...]) -> Response:
    gone = await services(request).datasets.delete(workspace, wanted)
    return encode({"message": f"{len(gone)} dataset{'' if len(gone) == 1 else 's'} deleted"})


async def find(request: Request) -> Response:
    """GET /datasets: a page of them."""
    who = await caller(request, Permission.READ)
    params = Params(request)
    left_out = _left_out(params)
    found = await _page(request, params, who.workspace)
    return encode([_listed(dataset, left_out) for dataset in found])


async def stream(request: Request) -> Response:
    """GET /datasets/stream: the same page as server-sent events, each a list of JSON patches (RFC 6902) to what
    the ones before made: an empty array, then a dataset at a time."""
    who = await caller(request, Permission.READ)
    params = Params(request)
    left_out = _left_out(params)
    found = await _page(request, params, who.workspace)

    async def events() -> AsyncIterator[bytes]:
        yield _event([{"op": "add", "path": "", "value": []}])
        for dataset in found:
            yield _event([{"op": "add", "path": "/-", "value": _listed(dataset, left_out)}])
        yield b"event: end\n\n"

    return StreamingResponse(events(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


def _event(patch: list[dict[str, Any]]) -> bytes:
    return b"event: data\ndata: " + one_line({"patch": patch}) + b"\n"


def _listed(dataset: Dataset, left_out: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in dataset_json(dataset).items() if name not in left_out}


def _left_out(params: Params) -> frozenset[str]:
    names = params.texts("exclude")
    for name in names:
        if name != "example_count":
            raise Invalid(f"{name[:40]!r} is not one of example_count", where=("query", "exclude"))
    return frozenset(names)


async def _page(request: Request, params: Params, workspace: UUID) -> list[Dataset]:
    query = _query(params, workspace)
    params.flag("exclude_corrections_datasets")  # corrections make no datasets here
    if params.uuids("tag_value_id"):
        return []  # there are no resource tags here, so no dataset carries one
    return await services(request).datasets.find(query)


def _query(params: Params, workspace: UUID) -> DatasetQuery:
    kinds = params.texts("data_type")
    for kind in kinds:
        if kind not in get_args(DataTypeName):
            raise Invalid(f"{kind[:40]!r} is not one of kv, llm, chat", where=("query", "data_type"))
    sort = params.text("sort_by") or DatasetSort.LAST_SESSION_START_TIME.value
    if sort not in set(DatasetSort):
        raise Invalid(f"{sort[:40]!r} is not one of {', '.join(DatasetSort)}", where=("query", "sort_by"))
    descending, metadata = params.flag("sort_by_desc"), params.text("metadata")
    return DatasetQuery(
        workspace=workspace,
        ids=params.uuids("id") or None,
        name=params.text("name"),
        name_contains=params.text("name_contains"),
        data_types=tuple(DataType(kind) for kind in kinds) or None,
        metadata=metadata.encode(errors="replace") if metadata else None,
        sort=DatasetSort(sort),
        descending=True if descending is None else descending,
        offset=params.number("offset", 0, 0, MAX_OFFSET),
        limit=params.number("limit", MAX_LIMIT, 1, MAX_LIMIT),
    )


# -- copies ----------------------------------------------------------------------------------------------


async def clone(request: Request) -> Response:
    """POST /datasets/clone: copies examples into a dataset that is there; answers with the copies."""
    who = await caller(request, Permission.WRITE)
    to = services(request)
    sent = await body_as(request, CloneIn)
    source = await to.datasets.read(who.workspace, sent.source_dataset_id)
    splits = (sent.split,) if isinstance(sent.split, str) else sent.split
    query = ExampleQuery(
        workspace=who.workspace,
        dataset_id=source.id,
        ids=tuple(sent.examples) if sent.examples else None,
        as_of=await to.datasets.moment(who.workspace, source.id, as_of(sent.as_of, ("body", "as_of"))),
        splits=tuple(splits) if splits else None,
        order=ExampleOrder.RECENTLY_CREATED,
        descending=False,
    )
    copied = await to.examples.clone(sent.target_dataset_id, query)
    pages = to.examples.written(who.workspace, sent.target_dataset_id, copied)
    return stream_examples(pages, file_links(request))

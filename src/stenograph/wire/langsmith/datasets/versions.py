"""LangSmith's routes of what a dataset was and when: versions, their tags and differences; and its splits, with
the route that changes metadata of many examples at once."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.domain.datasets.datasets import AsOf
from stenograph.errors import Invalid
from stenograph.model.access import Permission
from stenograph.model.datasets import LATEST
from stenograph.model.examples import SPLIT_KEY, ListChange
from stenograph.wire.http import Params, body_as, caller, encode, path_uuid, services
from stenograph.wire.langsmith.datasets.schemas import MetadataChangeIn, MetadataOperationIn, SplitIn, TagIn
from stenograph.wire.langsmith.datasets.shapes import as_of, diff_json, version_json
from stenograph.wire.langsmith.examples.shapes import placed
from stenograph.wire.payloads import Payloads

MAX_LIMIT: Final = 100
MAX_OFFSET: Final = 2**31
MAX_NAME: Final = 255
"""Bytes of a split's name, of a metadata key and of a value of a list."""
MAX_EXAMPLES: Final = 10_000
MAX_OPERATIONS: Final = 50
MAX_LIST_OPERATIONS: Final = 10
MAX_VALUES: Final = 1000
MAX_VALUE: Final = 64 * 1024


def routes() -> list[BaseRoute]:
    one = "/datasets/{dataset_id}"
    return [
        Route(f"{one}/versions", versions, methods=["GET"]),
        Route(f"{one}/versions/diff", diff, methods=["GET"]),
        Route(f"{one}/version", version, methods=["GET"]),
        Route(f"{one}/tags", tag, methods=["PUT"]),
        Route(f"{one}/splits", splits, methods=["GET"]),
        Route(f"{one}/splits", split, methods=["PUT"]),
        Route("/platform/datasets/{dataset_id}/examples/metadata", change_metadata, methods=["PATCH"]),
    ]


# -- versions --------------------------------------------------------------------------------------------


async def versions(request: Request) -> Response:
    """GET /datasets/{dataset_id}/versions: newest first."""
    who = await caller(request, Permission.READ)
    params = Params(request)
    found = await services(request).datasets.versions(
        who.workspace,
        path_uuid(request, "dataset_id"),
        example=params.uuid("example"),
        tag_contains=params.text("search") or None,
        offset=params.number("offset", 0, 0, MAX_OFFSET),
        limit=params.number("limit", MAX_LIMIT, 1, MAX_LIMIT),
    )
    return encode([version_json(each) for each in found])


async def version(request: Request) -> Response:
    """GET /datasets/{dataset_id}/version: the newest one not after `as_of`, or that of a tag."""
    who = await caller(request, Permission.READ)
    params = Params(request)
    moment, name = as_of(params.text("as_of"), ("query", "as_of")), params.text("tag") or None
    if moment is not None and name is not None:
        raise Invalid("as_of and tag name one version each: send one of them", where=("query", "tag"))
    if isinstance(moment, str):
        moment, name = None, moment
    found = await services(request).datasets.version(
        who.workspace, path_uuid(request, "dataset_id"), moment, name
    )
    return encode(version_json(found))


async def diff(request: Request) -> Response:
    """GET /datasets/{dataset_id}/versions/diff."""
    who = await caller(request, Permission.READ)
    params = Params(request)
    since, until = _needed(params, "from_version"), _needed(params, "to_version")
    found = await services(request).datasets.diff(
        who.workspace, path_uuid(request, "dataset_id"), since, until
    )
    return encode(diff_json(found))


def _needed(params: Params, name: str) -> AsOf:
    text = params.text(name)
    if not text:
        raise Invalid(f"{name} is needed: a time or a tag", where=("query", name))
    return as_of(text, ("query", name))


async def tag(request: Request) -> Response:
    """PUT /datasets/{dataset_id}/tags: put a tag on a version, wherever it was."""
    who = await caller(request, Permission.WRITE)
    datasets = services(request).datasets
    dataset_id = path_uuid(request, "dataset_id")
    sent = await body_as(request, TagIn)
    if sent.tag != LATEST and not isinstance(as_of(sent.tag, ("body", "tag")), str):
        raise Invalid(f"{sent.tag[:40]!r} would be read as a time", where=("body", "tag"))
    moment = as_of(sent.as_of, ("body", "as_of"))
    if not isinstance(moment, int):
        found = await datasets.version(who.workspace, dataset_id, None, moment)
        moment = found.as_of
    return encode(version_json(await datasets.tag(who.workspace, dataset_id, sent.tag, moment)))


# -- splits and metadata ---------------------------------------------------------------------------------


async def splits(request: Request) -> Response:
    """GET /datasets/{dataset_id}/splits: names."""
    who = await caller(request, Permission.READ)
    moment = as_of(Params(request).text("as_of"), ("query", "as_of"))
    found = await services(request).datasets.splits(who.workspace, path_uuid(request, "dataset_id"), moment)
    return encode(found)


async def split(request: Request) -> Response:
    """PUT /datasets/{dataset_id}/splits: put examples into a split or take them out; answers with their ids."""
    who = await caller(request, Permission.WRITE)
    dataset_id = path_uuid(request, "dataset_id")
    sent = await body_as(request, SplitIn)
    _check_name(sent.split_name, ("body", "split_name"))
    if len(sent.examples) > MAX_EXAMPLES:
        raise Invalid(f"at most {MAX_EXAMPLES} examples at once", where=("body", "examples"))
    names = (sent.split_name,)
    change = ListChange(SPLIT_KEY, remove=names) if sent.remove else ListChange(SPLIT_KEY, add=names)
    changed = await services(request).examples.edit_metadata(
        who.workspace, dataset_id, sent.examples, lists=(change,)
    )
    return encode(changed)


async def change_metadata(request: Request) -> Response:
    """PATCH /platform/datasets/{dataset_id}/examples/metadata: one version; 207 with a status for each example."""
    who = await caller(request, Permission.WRITE)
    to = services(request)
    dataset_id = path_uuid(request, "dataset_id")
    sent = await body_as(request, MetadataChangeIn)
    if not 1 <= len(sent.example_ids) <= MAX_EXAMPLES:
        raise Invalid(f"name 1 to {MAX_EXAMPLES} examples", where=("body", "example_ids"))
    members, lists = _operations(sent.operations, to.payloads)
    changed = set(
        await to.examples.edit_metadata(
            who.workspace,
            dataset_id,
            sent.example_ids,
            set_members=msgspec.json.encode(members) if members else None,
            lists=tuple(lists),
        )
    )
    return encode({"statuses": [_status(each, each in changed) for each in sent.example_ids]}, 207)


def _status(example_id: UUID, changed: bool) -> dict[str, Any]:
    if changed:
        return {"id": example_id, "status": "UPDATED"}
    why = "the dataset has no such example, or it was deleted"
    return {"id": example_id, "status": "NOT_FOUND", "description": why}


def _operations(
    sent: list[MetadataOperationIn], payloads: Payloads
) -> tuple[dict[str, msgspec.Raw], list[ListChange]]:
    """The same as members that are set, and then lists that are changed: a SET undoes what was before it."""
    if not 1 <= len(sent) <= MAX_OPERATIONS:
        raise Invalid(f"name 1 to {MAX_OPERATIONS} operations", where=("body", "operations"))
    members: dict[str, msgspec.Raw] = {}
    lists: list[ListChange] = []
    of_lists = 0
    for place, operation in enumerate(sent):
        with placed(("body", "operations", place)):
            _check_name(operation.key, ("key",))
            kind = operation.operation.upper()
            if kind == "SET":
                members[operation.key] = _value(operation, payloads)
                lists = [change for change in lists if change.key != operation.key]
            elif kind in ("ARRAY_ADD", "ARRAY_REMOVE"):
                of_lists += 1
                values = _values(operation)
                add, remove = (values, ()) if kind == "ARRAY_ADD" else ((), values)
                lists.append(ListChange(operation.key, add=add, remove=remove))
            else:
                raise Invalid("this is not one of SET, ARRAY_ADD, ARRAY_REMOVE", ("operation",))
    if of_lists > MAX_LIST_OPERATIONS:
        raise Invalid(f"at most {MAX_LIST_OPERATIONS} operations on lists", where=("body", "operations"))
    return members, lists


def _value(operation: MetadataOperationIn, payloads: Payloads) -> msgspec.Raw:
    if not bytes(operation.value):
        raise Invalid("SET needs a value", ("value",))
    if len(bytes(operation.value)) > MAX_VALUE:
        raise Invalid(f"a value has at most {MAX_VALUE} bytes", ("value",))
    found = payloads.check_values(operation.value, "value") or b"null"
    if operation.key == SPLIT_KEY:
        return msgspec.Raw(msgspec.json.encode(_split_names(found)))
    return msgspec.Raw(found)


def _split_names(document: bytes) -> list[str]:
    """Splits are a list of names always; one name is a list of it."""
    try:
        found = msgspec.json.decode(document, type=str | list[str])
    except msgspec.ValidationError:
        raise Invalid("splits are a list of names", ("value",)) from None
    return list(dict.fromkeys([found] if isinstance(found, str) else found))


def _values(operation: MetadataOperationIn) -> tuple[str, ...]:
    values = operation.values or []
    if not 1 <= len(values) <= MAX_VALUES:
        raise Invalid(f"name 1 to {MAX_VALUES} values", ("values",))
    for place, value in enumerate(values):
        if len(value.encode()) > MAX_NAME:
            raise Invalid(f"a value has at most {MAX_NAME} bytes", ("values", place))
    return tuple(values)


def _check_name(name: str, where: tuple[str | int, ...]) -> None:
    if not name or len(name.encode()) > MAX_NAME:
        raise Invalid(f"a name has 1 to {MAX_NAME} bytes", where)

"""LangSmith's routes of examples that speak JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.domain.examples.drafts import ExampleDraft, Written
from stenograph.errors import Invalid, NotFound
from stenograph.model.access import Permission
from stenograph.model.examples import (
    AllOf,
    ExampleOrder,
    ExampleQuery,
    Holds,
    MetadataTest,
)
from stenograph.wire.http import Params, body_as, caller, encode, path_uuid, services
from stenograph.wire.langsmith.datasets.schemas import (
    ExampleIn,
    ExamplesDeleteIn,
    ExampleUpdateIn,
    ExampleUpdateWithIdIn,
)
from stenograph.wire.langsmith.datasets.shapes import as_of
from stenograph.wire.langsmith.examples.filters import example_test
from stenograph.wire.langsmith.examples.shapes import (
    DEFAULT_FIELDS,
    SELECTABLE,
    example_draft,
    example_edit,
    example_json,
    file_links,
    stream_examples,
    utc_text,
    validated_json,
)
from stenograph.wire.payloads import Payloads

MAX_LIMIT: Final = 100
MAX_OFFSET: Final = 2**31
MAX_DELETED: Final = 1000
MAX_TEXTS: Final = 20
"""Texts that one search may look for."""


def routes() -> list[BaseRoute]:
    return [
        Route("/examples", create, methods=["POST"]),
        Route("/examples", find, methods=["GET"]),
        Route("/examples", delete_many, methods=["DELETE"]),
        Route("/examples/bulk", create_many, methods=["POST"]),
        Route("/examples/bulk", update_many, methods=["PATCH"]),
        Route("/examples/count", count, methods=["GET"]),
        Route("/examples/validate", validate, methods=["POST"]),
        Route("/examples/validate/bulk", validate_many, methods=["POST"]),
        Route("/examples/{example_id}", read, methods=["GET"]),
        Route("/examples/{example_id}", update, methods=["PATCH"]),
        Route("/examples/{example_id}", delete, methods=["DELETE"]),
        Route("/platform/datasets/examples/delete", wipe, methods=["POST"]),
        Route("/platform/datasets/{dataset_id}/examples/{example_id}", delete_from, methods=["DELETE"]),
    ]


# -- reading ---------------------------------------------------------------------------------------------


async def find(request: Request) -> Response:
    """GET /examples: a page of them."""
    who = await caller(request, Permission.READ)
    params = Params(request)
    fields = _fields(params)
    wanted = await query(request, params, who.workspace, params.uuid("dataset"))
    order, seed = _order(params)
    found = await services(request).examples.find(
        msgspec.structs.replace(
            wanted,
            order=order,
            random_seed=seed,
            descending=params.flag("descending"),
            offset=params.number("offset", 0, 0, MAX_OFFSET),
            limit=params.number("limit", MAX_LIMIT, 1, MAX_LIMIT),
            payloads=not fields.isdisjoint({"inputs", "outputs"}),
        )
    )
    links = file_links(request)
    return encode([example_json(example, links, fields) for example in found])


async def count(request: Request) -> Response:
    """GET /examples/count: a number."""
    who = await caller(request, Permission.READ)
    params = Params(request)
    wanted = await query(request, params, who.workspace, params.uuid("dataset"))
    return encode(await services(request).examples.count(wanted))


async def read(request: Request) -> Response:
    """GET /examples/{example_id}, as of a version when one is named."""
    who = await caller(request, Permission.READ)
    params = Params(request)
    version = as_of(params.text("as_of"), ("query", "as_of"))
    found = await services(request).examples.read(
        who.workspace, path_uuid(request, "example_id"), version, params.uuid("dataset")
    )
    return encode(example_json(found, file_links(request)))


async def query(request: Request, params: Params, workspace: UUID, dataset: UUID | None) -> ExampleQuery:
    """What finding and counting have in common. Payloads are always inline: `inline_s3_urls` changes nothing."""
    params.flag("inline_s3_urls")
    version = as_of(params.text("as_of"), ("query", "as_of"))
    datasets = services(request).datasets
    if dataset is not None:
        await datasets.check(workspace, dataset)
        moment = await datasets.moment(workspace, dataset, version)
    elif isinstance(version, str) and version != "latest":
        raise Invalid("a tag is one of a dataset's: say which, with dataset=…", where=("query", "as_of"))
    else:
        moment = version if isinstance(version, int) else None
    texts = tuple(text for text in params.texts("full_text_contains") if text)
    if len(texts) > MAX_TEXTS:
        raise Invalid(f"at most {MAX_TEXTS} texts at once", where=("query", "full_text_contains"))
    return ExampleQuery(
        workspace=workspace,
        dataset_id=dataset,
        ids=params.uuids("id") or None,
        as_of=moment,
        splits=params.texts("splits") or None,
        test=_test(params),
        texts=texts,
    )


def _test(params: Params) -> MetadataTest | None:
    metadata, text = params.text("metadata"), params.text("filter")
    tests: list[MetadataTest] = []
    if metadata:
        tests.append(Holds(metadata.encode(errors="replace")))
    if text and text.strip():
        tests.append(example_test(text))
    return None if not tests else tests[0] if len(tests) == 1 else AllOf(tuple(tests))


def _fields(params: Params) -> frozenset[str]:
    """`select` adds to the default fields, or with exclude_default_fields stands alone but for the id."""
    chosen = params.texts("select")
    for name in chosen:
        if name not in SELECTABLE:
            raise Invalid(f"{name[:40]!r} is not one of {', '.join(SELECTABLE)}", where=("query", "select"))
    if params.flag("exclude_default_fields"):
        return frozenset(("id", *chosen))
    return DEFAULT_FIELDS | frozenset(chosen)


def _order(params: Params) -> tuple[ExampleOrder, float | None]:
    name = params.text("order") or ExampleOrder.RECENT.value
    if name not in set(ExampleOrder):
        raise Invalid(f"{name[:40]!r} is not one of {', '.join(ExampleOrder)}", where=("query", "order"))
    seed = params.text("random_seed")
    try:
        return ExampleOrder(name), float(seed) if seed else None
    except ValueError:
        raise Invalid(f"{str(seed)[:40]!r} is not a number", where=("query", "random_seed")) from None


# -- adding ----------------------------------------------------------------------------------------------


async def create(request: Request) -> Response:
    """POST /examples."""
    who = await caller(request, Permission.WRITE)
    to = services(request)
    dataset_id, [draft] = _drafts([await body_as(request, ExampleIn)], to.payloads, [("body",)])
    written = await to.examples.add(who.workspace, dataset_id, [draft])
    found = await to.examples.read(who.workspace, written.ids[0], written.as_of)
    return encode(example_json(found, file_links(request)))


async def create_many(request: Request) -> Response:
    """POST /examples/bulk: one version of the dataset; answers with the examples in their order."""
    who = await caller(request, Permission.WRITE)
    to = services(request)
    sent = await body_as(request, list[ExampleIn])
    if not sent:
        return encode([])
    dataset_id, drafts = _drafts(sent, to.payloads, _places(sent))
    written = await to.examples.add(who.workspace, dataset_id, drafts)
    return stream_examples(to.examples.written(who.workspace, dataset_id, written), file_links(request))


async def validate(request: Request) -> Response:
    """POST /examples/validate: what POST /examples would store, or its error; nothing is written."""
    who = await caller(request, Permission.READ)
    to = services(request)
    dataset_id, drafts = _drafts([await body_as(request, ExampleIn)], to.payloads, [("body",)])
    (checked,) = await to.examples.validate(who.workspace, dataset_id, drafts)
    return encode(validated_json(checked, dataset_id, drafts[0].id))


async def validate_many(request: Request) -> Response:
    """POST /examples/validate/bulk."""
    who = await caller(request, Permission.READ)
    to = services(request)
    sent = await body_as(request, list[ExampleIn])
    if not sent:
        return encode([])
    dataset_id, drafts = _drafts(sent, to.payloads, _places(sent))
    checked = await to.examples.validate(who.workspace, dataset_id, drafts)
    return encode(
        [validated_json(each, dataset_id, draft.id) for each, draft in zip(checked, drafts, strict=True)]
    )


Where: TypeAlias = tuple[str | int, ...]


def _places(sent: Sequence[object]) -> list[Where]:
    return [("body", place) for place in range(len(sent))]


def _drafts(
    sent: Sequence[ExampleIn], payloads: Payloads, places: Sequence[Where]
) -> tuple[UUID, list[ExampleDraft]]:
    """The examples of a request, of which there is one at least, and the dataset of them all: it is taken whole or
    not at all, which holds for one dataset only."""
    homes: set[UUID] = set()
    drafts = []
    for each, where in zip(sent, places, strict=True):
        if each.dataset_id is None:
            raise Invalid("name the dataset", where=(*where, "dataset_id"))
        homes.add(each.dataset_id)
        drafts.append(example_draft(each, payloads, where))
    if len(homes) > 1:
        raise Invalid("the examples of one request have to be in one dataset", where=("body", "dataset_id"))
    return homes.pop(), drafts


# -- changing --------------------------------------------------------------------------------------------


async def update(request: Request) -> Response:
    """PATCH /examples/{example_id}."""
    who = await caller(request, Permission.WRITE)
    to = services(request)
    sent = await body_as(request, ExampleUpdateIn)
    edit = example_edit(sent, path_uuid(request, "example_id"), to.payloads, ("body",))
    return _updated(await to.examples.edit_anywhere(who.workspace, [edit]))


async def update_many(request: Request) -> Response:
    """PATCH /examples/bulk: all or none of those of one dataset, as one version of it."""
    who = await caller(request, Permission.WRITE)
    to = services(request)
    sent = await body_as(request, list[ExampleUpdateWithIdIn])
    edits = [
        example_edit(each, each.id, to.payloads, where)
        for each, where in zip(sent, _places(sent), strict=True)
    ]
    return _updated(await to.examples.edit_anywhere(who.workspace, edits))


def _updated(written: Written) -> Response:
    number = len(written.ids)
    message = f"{number} example{'' if number == 1 else 's'} updated"
    return encode(
        {
            "message": message,
            "count": number,
            "example_ids": written.ids,
            "as_of": utc_text(written.as_of) if number else None,
        }
    )


# -- deleting --------------------------------------------------------------------------------------------


async def delete(request: Request) -> Response:
    """DELETE /examples/{example_id}: from the newest version on."""
    who = await caller(request, Permission.WRITE)
    await services(request).examples.delete(who.workspace, [path_uuid(request, "example_id")])
    return encode({"message": "1 example deleted"})


async def delete_many(request: Request) -> Response:
    """DELETE /examples?example_ids=…: all of them or none."""
    who = await caller(request, Permission.WRITE)
    wanted = dict.fromkeys(Params(request).uuids("example_ids"))
    if not wanted:
        raise Invalid("name the examples to delete: example_ids=…", where=("query", "example_ids"))
    await services(request).examples.delete(who.workspace, list(wanted))
    return encode({"message": f"{len(wanted)} example{'' if len(wanted) == 1 else 's'} deleted"})


async def delete_from(request: Request) -> Response:
    """DELETE /platform/datasets/{dataset_id}/examples/{example_id}: again does nothing more."""
    who = await caller(request, Permission.WRITE)
    dataset_id, example_id = path_uuid(request, "dataset_id"), path_uuid(request, "example_id")
    await services(request).examples.delete_from(who.workspace, dataset_id, example_id)
    return Response(status_code=204)


async def wipe(request: Request) -> Response:
    """POST /platform/datasets/examples/delete: from every version. 404 when none of them is there."""
    who = await caller(request, Permission.WRITE)
    sent = await body_as(request, ExamplesDeleteIn)
    if not 1 <= len(sent.example_ids) <= MAX_DELETED:
        raise Invalid(f"name 1 to {MAX_DELETED} examples", where=("body", "example_ids"))
    if sent.hard_delete is not True:
        raise Invalid(
            "this removes examples from every version: say hard_delete=true, or use DELETE /examples",
            where=("body", "hard_delete"),
        )
    gone = await services(request).examples.wipe(who.workspace, sent.example_ids)
    if not gone:
        raise NotFound(f"example not found: {sent.example_ids[0]}")
    return encode({"count": len(gone), "example_ids": gone})

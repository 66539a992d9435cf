"""The page's datasets: the list, one with its examples in any of its versions, what differs between two, and changes.

Those who hold a link to a dataset read its examples by the same functions; they are told of no run that an example
came from. Payloads are texts in both directions, so that numbers that no float holds stay as they were written.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.domain.attachments import example_file_id
from stenograph.domain.datasets.datasets import AsOf, NewDataset
from stenograph.domain.examples.drafts import ExampleDraft, ExampleEdit
from stenograph.domain.recording.derive import moment
from stenograph.errors import Invalid, NotFound
from stenograph.model.access import Permission
from stenograph.model.datasets import Dataset, DatasetPatch, DatasetQuery, DatasetSort
from stenograph.model.examples import Example, ExampleQuery, splits_of
from stenograph.model.runs import Micros
from stenograph.wire.http import Params, Services, body_as, encode, path_uuid, services
from stenograph.wire.ui import shapes
from stenograph.wire.ui.asking import LATEST
from stenograph.wire.ui.previews import preview
from stenograph.wire.ui.signing_in import viewer

MAX_DATASETS: Final = 2000
MAX_ROWS: Final = 200
MAX_VERSIONS: Final = 1000
MAX_DIFFERENT: Final = 500
"""Examples of each kind that a difference names; the rest is counted."""
MAX_OFFSET: Final = 2**31
_AT_ONCE: Final = 100
"""Examples that are in memory whole at a time."""

PAYLOADS: Final = ("inputs", "outputs", "metadata")


@dataclass(frozen=True, slots=True)
class Sight:
    """The dataset that a reader may see, and whether a link is all that he has."""

    workspace: UUID
    dataset: UUID
    is_public: bool = False


async def sight(request: Request) -> Sight:
    """Who is looking at which dataset; NotFound when there is none."""
    to = services(request)
    if "share_token" in request.path_params:
        opened = await to.dataset_sharing.open(path_uuid(request, "share_token"))
        return Sight(opened.workspace, opened.dataset.id, is_public=True)
    found = Sight((await viewer(request, Permission.READ)).workspace, path_uuid(request, "dataset_id"))
    await to.datasets.check(found.workspace, found.dataset)
    return found


# -- datasets --------------------------------------------------------------------------------------------


async def listed(request: Request) -> Response:
    """GET /ui/api/datasets: all of the workspace, the last changed first."""
    who = await viewer(request, Permission.READ)
    found = await services(request).datasets.find(
        DatasetQuery(workspace=who.workspace, sort=DatasetSort.MODIFIED_AT, limit=MAX_DATASETS + 1)
    )
    return encode(
        {"more": len(found) > MAX_DATASETS, "datasets": [_row(each) for each in found[:MAX_DATASETS]]}
    )


def _row(dataset: Dataset) -> dict[str, Any]:
    return {
        "id": dataset.id,
        "name": dataset.name,
        "description": dataset.description,
        "examples": dataset.example_count,
        "experiments": dataset.session_count,
        "changed": dataset.modified_at,
    }


async def one(request: Request) -> Response:
    """GET /ui/api/datasets/{dataset_id} and /ui/api/public/{share_token}/dataset."""
    seen = await sight(request)
    to = services(request)
    dataset = await to.datasets.read(seen.workspace, seen.dataset)
    told: dict[str, Any] = {}
    if not seen.is_public:
        share = await to.dataset_sharing.shared(seen.workspace, dataset.id)
        told = {"share": None if share is None else share.token}
    return encode(_row(dataset) | {"baseline": dataset.baseline_experiment_id} | told)


class RenameAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What is not stated stays; an empty description is none."""

    name: str | None = None
    description: str | None = None


async def change(request: Request) -> Response:
    """PATCH /ui/api/datasets/{dataset_id}: its name and description; Conflict when the name is taken."""
    who = await viewer(request, Permission.WRITE)
    dataset_id = path_uuid(request, "dataset_id")
    asked = await body_as(request, RenameAsked)
    patch = DatasetPatch(
        name=UNSET if asked.name is None else asked.name.strip(),
        description=UNSET if asked.description is None else asked.description.strip() or None,
    )
    return encode(_row(await services(request).datasets.update(who.workspace, dataset_id, patch)))


async def remove(request: Request) -> Response:
    """DELETE /ui/api/datasets/{dataset_id}: with its examples and versions. Experiments over it stay."""
    who = await viewer(request, Permission.WRITE)
    await services(request).datasets.delete(who.workspace, (path_uuid(request, "dataset_id"),))
    return encode({})


class ExampleAsked(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An example to be made: texts of JSON objects.

    With `source_run` it is made of that run, whose `files` it gets; `as_recorded` takes from the run, too, what is not
    stated here.
    """

    inputs: str | None = None
    outputs: str | None = None
    metadata: str | None = None
    source_run: UUID | None = None
    files: tuple[str, ...] = ()
    as_recorded: bool = False


class DatasetAsked(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    description: str | None = None
    examples: tuple[ExampleAsked, ...] = ()


async def create(request: Request) -> Response:
    """POST /ui/api/datasets: with its examples or not at all; Conflict when the name is taken."""
    who = await viewer(request, Permission.WRITE)
    asked = await body_as(request, DatasetAsked)
    to = services(request)
    new = NewDataset(name=asked.name.strip(), description=asked.description or None)
    drafts = (
        await _draft(to, who.workspace, each, ("body", "examples", at), f"Example {at + 1}: ")
        for at, each in enumerate(asked.examples)
    )
    return encode({"id": (await to.examples.create_dataset(who.workspace, new, drafts)).id})


async def _draft(
    to: Services, workspace: UUID, asked: ExampleAsked, where: tuple[str | int, ...], about: str = ""
) -> ExampleDraft:
    if asked.source_run is not None:
        await to.runs.one(workspace, asked.source_run, frozenset())  # whose it is: nobody else's is named
    inputs = _document(to, asked.inputs, "inputs", where, about)
    if inputs is None and not (asked.as_recorded and asked.source_run):
        raise Invalid(f"{about}Inputs are needed: a JSON object.", (*where, "inputs"))
    return ExampleDraft(
        inputs=inputs,
        outputs=_document(to, asked.outputs, "outputs", where, about),
        metadata=_document(to, asked.metadata, "metadata", where, about),
        source_run_id=asked.source_run,
        use_source_run_io=asked.as_recorded and asked.source_run is not None,
        source_run_files=asked.files,
        where=where,
    )


def _document(
    to: Services, text: str | None, name: str, where: tuple[str | int, ...] = ("body",), about: str = ""
) -> bytes | None:
    """A text as JSON that is stored; None for an empty one. Metadata is filtered by, so that its values are checked."""
    if text is None or not text.strip():
        return None
    check = to.payloads.check_values if name == "metadata" else to.payloads.check
    try:
        return check(text.encode(errors="replace"), name, "object")
    except Invalid as error:
        raise Invalid(f"{about}{error.message}", (*where, *error.where)) from None


# -- examples --------------------------------------------------------------------------------------------


def version(params: Params, name: str = "as_of") -> AsOf:
    """A version: microseconds since 1970 or a tag; None for the newest."""
    text = params.text(name)
    if not text or not text.isdecimal() or not text.isascii():
        return text or None
    if len(text) > 16 or int(text) >= LATEST:
        raise Invalid(f"{name} is not a time in microseconds since 1970.", ("query", name))
    return int(text)


async def examples(request: Request) -> Response:
    """GET …/examples: a page of them, as of a version; `q` has words of their text, `split` names one."""
    seen = await sight(request)
    params = Params(request)
    to = services(request)
    as_of = await to.datasets.moment(seen.workspace, seen.dataset, version(params))
    split = params.text("split")
    query = ExampleQuery(
        workspace=seen.workspace,
        dataset_id=seen.dataset,
        as_of=as_of,
        splits=(split,) if split else None,
        texts=tuple((params.text("q") or "").split()[:20]),
        offset=params.number("offset", 0, 0, MAX_OFFSET),
        limit=params.number("limit", 100, 1, MAX_ROWS),
    )
    found, total, splits = await asyncio.gather(
        to.examples.find(query),
        to.examples.count(query),
        to.datasets.splits(seen.workspace, seen.dataset, as_of),
    )
    return encode({"examples": [_line(each) for each in found], "total": total, "splits": splits})


def _line(example: Example) -> dict[str, Any]:
    """An example in a table."""
    return {
        "id": example.id,
        "input": preview(example.inputs),
        "output": preview(example.outputs),
        "metadata": _members(example.metadata),
        "splits": splits_of(example.metadata),
        "changed": example.modified_at,
    }


def _members(metadata: bytes) -> str:
    """Metadata but for the splits, in a line."""
    found: dict[str, msgspec.Raw] = msgspec.json.decode(metadata, type=dict[str, msgspec.Raw])
    found.pop("dataset_split", None)
    told = (f"{name}: {bytes(value).decode(errors='replace')}" for name, value in found.items())
    return ", ".join(told)[:240]


async def example(request: Request) -> Response:
    """GET …/examples/{example_id}: whole, as of a version."""
    seen = await sight(request)
    to = services(request)
    found = await _example(request, seen)
    told: dict[str, Any] = {}
    if not seen.is_public:
        versions = await to.datasets.versions(
            seen.workspace, seen.dataset, example=found.id, limit=MAX_VERSIONS
        )
        told = {"source": found.source_run_id, "versions": [each.as_of for each in versions]}
    now = time.time()
    return encode(
        {
            "id": found.id,
            "created": found.created_at,
            "changed": found.modified_at,
            "splits": splits_of(found.metadata),
            "payloads": {name: shapes.payload(getattr(found, name)) for name in PAYLOADS},
            "files": [
                {
                    "name": file.name,
                    "type": file.mime_type,
                    "size": file.size,
                    "url": to.links.sign_example_file(
                        found.workspace, example_file_id(file.key), file.name, file.mime_type, now
                    ),
                }
                for file in found.files
            ],
        }
        | told
    )


async def _example(request: Request, seen: Sight) -> Example:
    return await services(request).examples.read(
        seen.workspace, path_uuid(request, "example_id"), version(Params(request)), seen.dataset
    )


async def payload(request: Request) -> Response:
    """GET …/examples/{example_id}/{payload}: as it was sent. A browser saves it, and shows none of it."""
    seen = await sight(request)
    name = request.path_params["payload"]
    if name not in PAYLOADS:
        raise NotFound(f"There is no payload {name[:60]!r}.")
    found = await _example(request, seen)
    document: bytes | None = getattr(found, name)
    if document is None:
        raise NotFound("This example has none.")
    return shapes.saved(document, f"{found.id}-{name}.json")


async def add(request: Request) -> Response:
    """POST /ui/api/datasets/{dataset_id}/examples: one more, of a run or not."""
    who = await viewer(request, Permission.WRITE)
    dataset_id = path_uuid(request, "dataset_id")
    asked = await body_as(request, ExampleAsked)
    to = services(request)
    await to.datasets.check(who.workspace, dataset_id)
    draft = await _draft(to, who.workspace, asked, ("body",))
    written = await to.examples.add(who.workspace, dataset_id, [draft])
    return encode({"id": written.ids[0], "asOf": written.as_of})


class EditAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What is not stated stays; metadata that says nothing of splits leaves them."""

    inputs: str | None = None
    outputs: str | None = None
    metadata: str | None = None


async def edit(request: Request) -> Response:
    """PATCH /ui/api/datasets/{dataset_id}/examples/{example_id}: its next version."""
    who = await viewer(request, Permission.WRITE)
    dataset_id, example_id = path_uuid(request, "dataset_id"), path_uuid(request, "example_id")
    asked = await body_as(request, EditAsked)
    to = services(request)
    change = ExampleEdit(
        id=example_id,
        inputs=_document(to, asked.inputs, "inputs"),
        outputs=_document(to, asked.outputs, "outputs"),
        metadata=_document(to, asked.metadata, "metadata"),
    )
    written = await to.examples.edit(who.workspace, dataset_id, [change])
    return encode({"asOf": written.as_of})


async def delete(request: Request) -> Response:
    """DELETE /ui/api/datasets/{dataset_id}/examples/{example_id}: older versions keep it."""
    who = await viewer(request, Permission.WRITE)
    dataset_id, example_id = path_uuid(request, "dataset_id"), path_uuid(request, "example_id")
    await services(request).examples.delete_from(who.workspace, dataset_id, example_id)
    return encode({})


# -- versions --------------------------------------------------------------------------------------------


async def versions(request: Request) -> Response:
    """GET /ui/api/datasets/{dataset_id}/versions: newest first."""
    seen = await sight(request)
    found = await services(request).datasets.versions(seen.workspace, seen.dataset, limit=MAX_VERSIONS + 1)
    return encode(
        {
            "more": len(found) > MAX_VERSIONS,
            "versions": [{"asOf": each.as_of, "tags": each.tags} for each in found[:MAX_VERSIONS]],
        }
    )


class TagAsked(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    tag: str
    as_of: Micros


async def tag(request: Request) -> Response:
    """PUT /ui/api/datasets/{dataset_id}/tags: put a tag on a version, wherever it was."""
    who = await viewer(request, Permission.WRITE)
    dataset_id = path_uuid(request, "dataset_id")
    asked = await body_as(request, TagAsked)
    name = asked.tag.strip()
    # Clients name versions by times and by tags in one parameter.
    if moment(name) is not None or name.replace(".", "", 1).isdecimal():
        raise Invalid("A tag that reads as a time or a number could not be told from one.", ("body", "tag"))
    if not 0 <= asked.as_of < LATEST:
        raise Invalid("asOf is not a time in microseconds since 1970.", ("body", "asOf"))
    found = await services(request).datasets.tag(who.workspace, dataset_id, name, asked.as_of)
    return encode({"asOf": found.as_of, "tags": found.tags})


async def diff(request: Request) -> Response:
    """GET /ui/api/datasets/{dataset_id}/diff: what is otherwise at `until` than it was at `since`."""
    seen = await sight(request)
    params = Params(request)
    to = services(request)
    since = await to.datasets.moment(seen.workspace, seen.dataset, version(params, "since"))
    until = await to.datasets.moment(seen.workspace, seen.dataset, version(params, "until"))
    found = await to.datasets.diff(seen.workspace, seen.dataset, since, until)

    async def lines(ids: Sequence[UUID], as_of: Micros | None) -> dict[str, Any]:
        return {"count": len(ids), "examples": await _lines(to, seen, ids[:MAX_DIFFERENT], as_of)}

    added, removed, changed = await asyncio.gather(
        lines(found.added, until), lines(found.removed, since), lines(found.modified, until)
    )
    return encode({"added": added, "removed": removed, "changed": changed})


async def _lines(
    to: Services, seen: Sight, ids: Sequence[UUID], as_of: Micros | None
) -> list[dict[str, Any]]:
    """In the order of the ids."""
    known: dict[UUID, dict[str, Any]] = {}
    for start in range(0, len(ids), _AT_ONCE):
        query = ExampleQuery(
            workspace=seen.workspace,
            dataset_id=seen.dataset,
            ids=tuple(ids[start : start + _AT_ONCE]),
            as_of=as_of,
        )
        known |= {each.id: _line(each) for each in await to.examples.find(query)}
    return [known[each] for each in ids if each in known]


# -- sharing, and the baseline ---------------------------------------------------------------------------


async def share(request: Request) -> Response:
    """PUT /ui/api/datasets/{dataset_id}/share: the link, made when there is none."""
    who = await viewer(request, Permission.WRITE)
    found = await services(request).dataset_sharing.share(who.workspace, path_uuid(request, "dataset_id"))
    return encode({"token": found.token})


async def unshare(request: Request) -> Response:
    """DELETE /ui/api/datasets/{dataset_id}/share."""
    who = await viewer(request, Permission.WRITE)
    await services(request).dataset_sharing.unshare(who.workspace, path_uuid(request, "dataset_id"))
    return encode({})


class BaselineAsked(msgspec.Struct, frozen=True):
    experiment: UUID | None


async def baseline(request: Request) -> Response:
    """PUT /ui/api/datasets/{dataset_id}/baseline: the experiment that others are held against; null for none."""
    who = await viewer(request, Permission.WRITE)
    asked = await body_as(request, BaselineAsked)
    patch = DatasetPatch(baseline_experiment_id=asked.experiment)
    found = await services(request).examples.update_dataset(
        who.workspace, path_uuid(request, "dataset_id"), patch
    )
    return encode({"baseline": found.baseline_experiment_id})


def routes() -> list[BaseRoute]:
    base, public = "/ui/api/datasets/{dataset_id}", "/ui/api/public/{share_token}/dataset"
    reading = [
        route
        for prefix in (base, public)
        for route in (
            Route(prefix, one, methods=["GET"]),
            Route(f"{prefix}/examples", examples, methods=["GET"]),
            Route(f"{prefix}/examples/{{example_id}}", example, methods=["GET"]),
            Route(f"{prefix}/examples/{{example_id}}/{{payload}}", payload, methods=["GET"]),
        )
    ]
    return [
        Route("/ui/api/datasets", listed, methods=["GET"]),
        Route("/ui/api/datasets", create, methods=["POST"]),
        *reading,
        Route(base, change, methods=["PATCH"]),
        Route(base, remove, methods=["DELETE"]),
        Route(f"{base}/examples", add, methods=["POST"]),
        Route(f"{base}/examples/{{example_id}}", edit, methods=["PATCH"]),
        Route(f"{base}/examples/{{example_id}}", delete, methods=["DELETE"]),
        Route(f"{base}/versions", versions, methods=["GET"]),
        Route(f"{base}/tags", tag, methods=["PUT"]),
        Route(f"{base}/diff", diff, methods=["GET"]),
        Route(f"{base}/share", share, methods=["PUT"]),
        Route(f"{base}/share", unshare, methods=["DELETE"]),
        Route(f"{base}/baseline", baseline, methods=["PUT"]),
    ]

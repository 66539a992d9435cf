"""LangSmith's routes of datasets as files: uploads of CSV and JSONL, downloads of these and of OpenAI's forms.

Files are as large as the limits of a request; neither way holds one in memory.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, get_args

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from stenograph.domain.datasets.datasets import NewDataset
from stenograph.domain.examples.drafts import ExampleDraft, Written
from stenograph.errors import Invalid
from stenograph.model.access import Permission
from stenograph.model.datasets import Dataset, DataType
from stenograph.model.examples import Example, ExampleOrder, ExampleQuery
from stenograph.wire.http import Params, Services, as_uuid, caller, encode, path_uuid, services
from stenograph.wire.langsmith.datasets.schemas import DataTypeName
from stenograph.wire.langsmith.datasets.shapes import as_of, dataset_json
from stenograph.wire.langsmith.examples.openai_rows import eval_rows, fine_tuning_rows
from stenograph.wire.langsmith.examples.rows import (
    GROUPS,
    Columns,
    CsvWriter,
    csv_drafts,
    jsonl_drafts,
    jsonl_rows,
)
from stenograph.wire.langsmith.examples.shapes import file_links, stream_examples
from stenograph.wire.langsmith.runs.attachments import disposition
from stenograph.wire.multipart import Part
from stenograph.wire.payloads import Payloads
from stenograph.wire.uploads import form, spooled

MAX_KEYS: Final = 1000
_JSONL_TYPES: Final = frozenset(
    {"application/jsonl", "application/x-ndjson", "application/x-jsonlines", "application/json"}
)


def routes() -> list[BaseRoute]:
    one = "/datasets/{dataset_id}"
    return [
        Route("/datasets/upload", upload, methods=["POST"]),
        Route("/examples/upload/{dataset_id}", upload_examples, methods=["POST"]),
        Route(f"{one}/csv", csv, methods=["GET"]),
        Route(f"{one}/jsonl", jsonl, methods=["GET"]),
        Route(f"{one}/openai", openai, methods=["GET"]),
        Route(f"{one}/openai_ft", openai_ft, methods=["GET"]),
    ]


# -- uploads ---------------------------------------------------------------------------------------------


async def upload(request: Request) -> Response:
    """POST /datasets/upload: a new dataset of a file's rows, all of them or no dataset."""
    who = await caller(request, Permission.WRITE)
    to = services(request)
    async with spooled(request) as body:
        sent = _Form(form(request, body))
        new = _new_dataset(sent, to.payloads)
        dataset = await to.examples.create_dataset(who.workspace, new, sent.drafts(to.payloads))
    return encode(dataset_json(dataset))


async def upload_examples(request: Request) -> Response:
    """POST /examples/upload/{dataset_id}: a file's rows as one version of the dataset; answers with them."""
    who = await caller(request, Permission.WRITE)
    to = services(request)
    dataset_id = path_uuid(request, "dataset_id")
    await to.datasets.check(who.workspace, dataset_id)
    async with spooled(request) as body:
        sent = _Form(form(request, body))
        written: Written = await to.examples.add(who.workspace, dataset_id, sent.drafts(to.payloads))
    return stream_examples(to.examples.written(who.workspace, dataset_id, written), file_links(request))


class _Form:
    """The fields of an upload, and its file."""

    def __init__(self, parts: Iterable[Part]) -> None:
        self._fields: dict[str, list[str]] = {}
        self._file: Part | None = None
        for part in parts:
            if part.name == "file":
                if self._file is not None:
                    raise Invalid("send one file at a time", ("body", "file"))
                self._file = part
            else:
                self._fields.setdefault(part.name, []).append(_field_text(part))

    @property
    def file(self) -> Part:
        if self._file is None:
            raise Invalid("the file is missing", ("body", "file"))
        return self._file

    def text(self, name: str) -> str | None:
        """The last value of a field; None when it is empty or was not sent."""
        return self._fields.get(name, [""])[-1] or None

    def document(self, name: str, payloads: Payloads, kind: str) -> bytes | None:
        """JSON in a text field."""
        text = self.text(name)
        if text is None:
            return None
        try:
            return payloads.check_values(text.encode(errors="replace"), name, kind)
        except Invalid as error:
            raise Invalid(error.message, ("body", name)) from None

    def columns(self) -> Columns:
        found = {group: self._columns(name) for group, name in zip(GROUPS, _FIELDS, strict=True)}
        return Columns(**found)

    def _columns(self, name: str) -> dict[str, str]:
        """Column to member: the keys, called as the mapping says."""
        keys = self._keys(f"{name}_keys")
        where = ("body", f"{name}_key_mappings")
        text = self.text(where[1])
        try:
            mapping = msgspec.json.decode(text.encode(errors="replace"), type=dict[str, str]) if text else {}
        except (msgspec.DecodeError, RecursionError):
            raise Invalid("a mapping is a JSON object, from column to member", where) from None
        for column in mapping:
            if column not in keys:
                raise Invalid(f"{column[:100]!r} is not one of {name}_keys", where)
        found = {key: mapping.get(key, key) for key in keys}
        if len(set(found.values())) < len(found):
            raise Invalid("two columns would become one member", where)
        return found

    def _keys(self, name: str) -> list[str]:
        """Repeated fields, each a name or a JSON list of names."""
        keys: dict[str, None] = {}
        for text in self._fields.get(name, []):
            keys |= dict.fromkeys(_names(text))
        if len(keys) > MAX_KEYS:
            raise Invalid(f"at most {MAX_KEYS} keys", ("body", name))
        return list(keys)

    def drafts(self, payloads: Payloads) -> Iterator[ExampleDraft]:
        """The rows of the file, read when they are asked for. Invalid when no column was chosen."""
        columns = self.columns()
        if self._is_jsonl():
            return jsonl_drafts(self.file.data, columns, payloads)
        if not columns.inputs:
            raise Invalid("name the columns of the inputs: input_keys=…", ("body", "input_keys"))
        return csv_drafts(self.file.data, columns, payloads)

    def _is_jsonl(self) -> bool:
        """Clients call everything text/csv, so that the name counts first."""
        name = (self.file.filename or "").lower()
        if name.endswith((".csv", ".tsv")):
            return False
        return name.endswith((".jsonl", ".ndjson", ".json")) or self.file.mime_type.lower() in _JSONL_TYPES


_FIELDS: Final = ("input", "output", "metadata")


def _field_text(part: Part) -> str:
    if len(part.data) > 1 << 20:
        raise Invalid("this field is over a MiB", ("body", part.name[:100]))
    try:
        return bytes(part.data).decode()
    except UnicodeDecodeError:
        raise Invalid("this field is not UTF-8", ("body", part.name[:100])) from None


def _names(text: str) -> list[str]:
    if text.startswith("["):
        try:
            return msgspec.json.decode(text.encode(errors="replace"), type=list[str])
        except (msgspec.DecodeError, RecursionError):
            pass
    return [text] if text else []


def _new_dataset(sent: _Form, payloads: Payloads) -> NewDataset:
    sent.drafts(payloads)  # what is wrong with it shows before anything is made
    kind, dataset_id = sent.text("data_type") or DataType.KV.value, sent.text("id")
    if kind not in get_args(DataTypeName):
        raise Invalid(f"{kind[:40]!r} is not one of kv, llm, chat", ("body", "data_type"))
    name = sent.text("name") or sent.file.filename
    if not name:
        raise Invalid("the dataset needs a name, or the file one", ("body", "name"))
    return NewDataset(
        name=name,
        id=as_uuid(dataset_id, ("body", "id")) if dataset_id else None,
        description=sent.text("description"),
        data_type=DataType(kind),
        inputs_schema=sent.document("inputs_schema_definition", payloads, "object"),
        outputs_schema=sent.document("outputs_schema_definition", payloads, "object"),
        transformations=sent.document("transformations", payloads, "array"),
    )


# -- downloads -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Download:
    """A dataset as of one moment, to be gone through as often as needed."""

    dataset: Dataset
    query: ExampleQuery
    to: Services = field(repr=False)

    def pages(self) -> AsyncIterator[list[Example]]:
        return self.to.examples.walk(self.query)

    def answer(self, chunks: AsyncIterator[bytes], mime_type: str, ending: str) -> Response:
        headers = {"Content-Disposition": disposition(f"{self.dataset.name}.{ending}")}
        headers |= {"X-Content-Type-Options": "nosniff"}
        return StreamingResponse(chunks, media_type=mime_type, headers=headers)


async def _download(request: Request) -> _Download:
    who = await caller(request, Permission.READ)
    to = services(request)
    dataset = await to.datasets.read(who.workspace, path_uuid(request, "dataset_id"))
    version = as_of(Params(request).text("as_of"), ("query", "as_of"))
    moment = await to.datasets.moment(who.workspace, dataset.id, version)
    query = ExampleQuery(
        workspace=who.workspace,
        dataset_id=dataset.id,
        as_of=dataset.modified_at if moment is None else moment,
        order=ExampleOrder.RECENTLY_CREATED,
        descending=False,
    )
    return _Download(dataset, query, to)


async def csv(request: Request) -> Response:
    """GET /datasets/{dataset_id}/csv: see `example_rows.py` for what the columns are."""
    found = await _download(request)
    writer = CsvWriter()
    async for page in found.pages():
        writer.look_at(page)

    async def chunks() -> AsyncIterator[bytes]:
        yield writer.header()
        async for page in found.pages():
            yield writer.rows(page)

    return found.answer(chunks(), "text/csv", "csv")


async def jsonl(request: Request) -> Response:
    """GET /datasets/{dataset_id}/jsonl: a whole example a line, but for its files."""
    return await _lines(request, jsonl_rows)


async def openai(request: Request) -> Response:
    """GET /datasets/{dataset_id}/openai: for OpenAI's evals."""
    return await _lines(request, eval_rows)


async def openai_ft(request: Request) -> Response:
    """GET /datasets/{dataset_id}/openai_ft: for OpenAI's fine-tuning."""
    return await _lines(request, fine_tuning_rows)


async def _lines(request: Request, rows: Callable[[list[Example]], bytes]) -> Response:
    found = await _download(request)

    async def chunks() -> AsyncIterator[bytes]:
        async for page in found.pages():
            yield rows(page)

    return found.answer(chunks(), "application/jsonl", "jsonl")

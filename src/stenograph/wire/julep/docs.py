"""Docs of agents and users: /agents/{id}/docs, /users/{id}/docs, searching them, /docs/{id} and /embed."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
import numpy as np
from msgspec import UNSET, Meta, Raw, Struct, UnsetType
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stenograph.errors import Invalid
from stenograph.model.access import Permission
from stenograph.model.docs import Doc, DocQuery, Found, Owner, OwnerKind, Search
from stenograph.model.listing import MetadataTest, tests_of_object
from stenograph.wire.http import caller, encode, path_uuid, services
from stenograph.wire.julep.bodies import ABSENT, body_as, json_object, metadata_of
from stenograph.wire.julep.lists import list_query
from stenograph.wire.julep.schemas import Lang
from stenograph.wire.julep.shapes import deleted, items, moment

Handler = Callable[[Request], Awaitable[Response]]

MAX_TEXT: Final = 100_000
"""Characters of a text to search by, or to embed."""


class DocIn(Struct, kw_only=True):
    """POST /agents/{id}/docs. One text or several."""

    title: str
    content: str | list[str]
    metadata: Raw = ABSENT
    embed_instruction: str | None = None


class BulkDeleteIn(Struct, kw_only=True):
    """DELETE /agents/{id}/docs."""

    metadata_filter: Raw = ABSENT
    delete_all: bool = False


class SearchIn(Struct, kw_only=True):
    """POST /agents/{id}/search. What is stated makes the mode: a text, a vector, or both."""

    text: Annotated[str, Meta(max_length=MAX_TEXT)] | None = None
    vector: list[float] | None = None
    limit: Annotated[int, Meta(ge=1, le=50)] = 10
    lang: Lang = "en-US"
    metadata_filter: Raw = ABSENT
    include_embeddings: bool = True
    confidence: Annotated[float, Meta(ge=-1, le=1)] | UnsetType | None = UNSET
    alpha: Annotated[float, Meta(ge=0, le=1)] = 0.5
    mmr_strength: Annotated[float, Meta(ge=0, lt=1)] = 0.5
    k_multiplier: Annotated[int, Meta(ge=1, le=10)] = 5
    trigram_similarity_threshold: Annotated[float, Meta(ge=0, le=1)] | None = None


class EmbedIn(Struct, kw_only=True):
    """POST /embed."""

    text: (
        Annotated[str, Meta(max_length=MAX_TEXT)]
        | Annotated[list[Annotated[str, Meta(max_length=MAX_TEXT)]], Meta(min_length=1, max_length=100)]
    )
    embed_instruction: str = ""


def routes() -> list[Route]:
    found: list[Route] = []
    for kind in OwnerKind:
        base = f"/{kind}s/{{{kind}_id}}"
        found += [
            _route("POST", f"{base}/docs", partial(create, kind)),
            _route("GET", f"{base}/docs", partial(page, kind)),
            _route("DELETE", f"{base}/docs", partial(delete_matching, kind)),
            _route("DELETE", f"{base}/docs/{{doc_id}}", partial(delete, kind)),
            _route("POST", f"{base}/search", partial(search, kind)),
        ]
    return [*found, _route("GET", "/docs/{doc_id}", read), _route("POST", "/embed", embed)]


def _route(method: str, path: str, handler: Handler) -> Route:
    return Route(path, handler, methods=[method])


async def create(kind: OwnerKind, request: Request) -> Response:
    who = await caller(request, Permission.WRITE)
    to = services(request)
    async with body_as(request, DocIn) as sent:
        metadata = metadata_of(sent.metadata, to.payloads)
        doc = await to.recalling.docs.create(
            who.workspace,
            _owner(kind, request),
            sent.title,
            [sent.content] if isinstance(sent.content, str) else sent.content,
            b"{}" if metadata is UNSET else metadata,
            sent.embed_instruction or "",
        )
    return encode(_doc(msgspec.structs.replace(doc, vectors=()), to.recalling.embedder.dimensions), 201)


async def page(kind: OwnerKind, request: Request) -> Response:
    """Newest first. `include_embeddings=false` leaves out the vectors."""
    who = await caller(request, Permission.READ)
    to = services(request)
    asked = list_query(request, who)
    found = await to.recalling.docs.page(
        DocQuery(
            workspace=who.workspace,
            owner=_owner(kind, request),
            tests=asked.tests,
            newest_first=asked.descending,
            limit=asked.limit,
            offset=asked.offset,
            vectors=_with_vectors(request),
        )
    )
    return encode(items([_doc(doc, to.recalling.embedder.dimensions) for doc in found]))


async def read(request: Request) -> Response:
    who = await caller(request, Permission.READ)
    to = services(request)
    doc = await to.recalling.docs.read(
        who.workspace, path_uuid(request, "doc_id"), vectors=_with_vectors(request)
    )
    return encode(_doc(doc, to.recalling.embedder.dimensions))


async def delete(kind: OwnerKind, request: Request) -> Response:
    who = await caller(request, Permission.WRITE)
    doc_id = path_uuid(request, "doc_id")
    await services(request).recalling.docs.delete(who.workspace, _owner(kind, request), doc_id)
    return encode(deleted(doc_id, _now()), 202)


async def delete_matching(kind: OwnerKind, request: Request) -> Response:
    """Those whose metadata contain the filter; all only when that is said. Neither deletes nothing."""
    who = await caller(request, Permission.WRITE)
    to = services(request)
    async with body_as(request, BulkDeleteIn) as sent:
        wanted = _filter(sent.metadata_filter, request)
        gone: list[UUID] = []
        if sent.delete_all or wanted:
            gone = await to.recalling.docs.delete_matching(who.workspace, _owner(kind, request), wanted)
    now = _now()
    return encode(items([deleted(doc_id, now) for doc_id in gone]), 202)


async def search(kind: OwnerKind, request: Request) -> Response:
    """Best first. A `confidence` that is not stated cuts nothing off (see docs/julep.md for `distance`)."""
    who = await caller(request, Permission.READ)
    to = services(request)
    started = time.perf_counter()
    async with body_as(request, SearchIn) as sent:
        if sent.text is None and sent.vector is None:
            raise Invalid("a search needs a text, a vector, or both", where=("body", "text"))
        found = await to.recalling.recall.search(
            Search(
                workspace=who.workspace,
                owners=(_owner(kind, request),),
                text=sent.text,
                vector=None if sent.vector is None else tuple(sent.vector),
                limit=sent.limit,
                alpha=sent.alpha,
                confidence=sent.confidence if isinstance(sent.confidence, float | int) else None,
                mmr_strength=sent.mmr_strength,
                tests=_filter(sent.metadata_filter, request),
                fuzziness=sent.trigram_similarity_threshold,
                reach=sent.k_multiplier,
            )
        )
        shown = [reference(each, vectors=sent.include_embeddings) for each in found]
    return encode({"docs": shown, "time": max(time.perf_counter() - started, 1e-6)})


async def embed(request: Request) -> Response:
    await caller(request, Permission.READ)
    embedder = services(request).recalling.embedder
    async with body_as(request, EmbedIn) as sent:
        texts = [sent.text] if isinstance(sent.text, str) else sent.text
        before = f"{sent.embed_instruction}\n\n" if sent.embed_instruction else ""
        vectors = await embedder.embed([before + text for text in texts])
    return encode({"vectors": vectors.astype(float).tolist()})


def reference(found: Found, *, vectors: bool) -> dict[str, Any]:
    """A chunk that was found, as Julep's DocReference."""
    chunk = found.chunk
    snippet: dict[str, Any] = {"index": chunk.index, "content": chunk.content}
    if vectors:
        snippet["embedding"] = _numbers(chunk.vector)
    return {
        "id": chunk.doc_id,
        "owner": {"id": chunk.owner.id, "role": chunk.owner.kind},
        "title": chunk.title,
        "snippet": snippet,
        "distance": found.distance,
        "metadata": Raw(chunk.metadata),
    }


def _doc(found: Doc, dimensions: int) -> dict[str, Any]:
    own = [vector for vector in found.vectors if vector is not None]
    return {
        "id": found.id,
        "created_at": moment(found.created_at),
        "title": found.title,
        "content": found.content,
        "metadata": Raw(found.metadata),
        "modality": "text",
        "language": "english",
        "embedding_model": found.model or None,
        "embedding_dimensions": (len(own[0]) // 4 if own else dimensions) or None,
        # one a chunk, or none as long as some chunk waits for its own
        "embeddings": [_numbers(vector) for vector in own]
        if own and len(own) == len(found.content)
        else None,
    }


def _numbers(vector: bytes | None) -> list[float] | None:
    return None if vector is None else np.frombuffer(vector, "<f4").astype(float).tolist()


def _owner(kind: OwnerKind, request: Request) -> Owner:
    return Owner(kind, path_uuid(request, f"{kind}_id"))


def _with_vectors(request: Request) -> bool:
    text = request.query_params.get("include_embeddings", "true").lower()
    if text not in ("true", "false", "1", "0"):
        raise Invalid(f"{text[:40]!r} is not true or false", ("query", "include_embeddings"))
    return text in ("true", "1")


def _filter(raw: Raw, request: Request) -> tuple[MetadataTest, ...]:
    found = json_object(raw, "metadata_filter", services(request).payloads)
    return tests_of_object(msgspec.json.decode(found)) if isinstance(found, bytes) else ()


def _now() -> int:
    return time.time_ns() // 1000

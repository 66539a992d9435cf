"""Conversations of agents and users: who there is, what was said, and a box to try recall and a message.

GET  /ui/api/people                                  agents and users
GET  /ui/api/conversations                           the most recently active first
GET  /ui/api/conversations/{conversation_id}         what was said, and the traces of it
POST /ui/api/conversations/{conversation_id}/try     {text}: a model's answer, of which nothing is kept but a trace
GET  /ui/api/owned-docs/{kind}/{owner_id}            docs of an agent or a user
POST /ui/api/owned-docs/{kind}/{owner_id}/recall     what would come, and why
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final
from uuid import UUID, uuid4

import msgspec
from msgspec import Raw
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.domain.chat.asked import Asked, Origin
from stenograph.domain.chat.messages import Message, Text
from stenograph.domain.recall.words import telling
from stenograph.errors import Invalid, NotFound
from stenograph.model.access import Permission
from stenograph.model.agents import Agent, User
from stenograph.model.conversations import Conversation, Entry, RecallMode, Speaker
from stenograph.model.docs import Doc, DocQuery, Found, Owner, OwnerKind, Search
from stenograph.model.filters import Compare, Field, Op, all_of
from stenograph.model.listing import ListQuery, ListSort
from stenograph.model.query import RunQuery, RunSelection
from stenograph.model.runs import Run
from stenograph.wire.http import Params, body_as, encode, path_uuid, services
from stenograph.wire.ui.previews import preview
from stenograph.wire.ui.signing_in import viewer

MAX_PEOPLE: Final = 1000
MAX_DOCS: Final = 200
MAX_TRACES: Final = 1000
MAX_TEXT: Final = 10_000
RANKED: Final = 200
"""How deep the two orders are looked at to say where in them a chunk stands."""
_SHOWN: Final = 400
"""Characters of a doc's content in a list."""

# -- who there is ----------------------------------------------------------------------------------------


async def people(request: Request) -> Response:
    """GET /ui/api/people: those changed last come first."""
    who = await viewer(request, Permission.READ)
    agents, users = await _people(request, who.workspace)
    return encode(
        {
            "agents": [
                {**_person(agent), "model": agent.model, "project": agent.project_name} for agent in agents
            ],
            "users": [_person(user) for user in users],
        }
    )


async def _people(request: Request, workspace: UUID) -> tuple[list[Agent], list[User]]:
    to = services(request).conversing
    wanted = ListQuery(workspace=workspace, sort=ListSort.UPDATED_AT, limit=MAX_PEOPLE)
    return await to.agents.find(wanted), await to.users.find(wanted)


def _person(one: Agent | User) -> dict[str, Any]:
    return {"id": one.id, "name": one.name, "about": one.about, "updated": one.updated_at}


# -- what was said ---------------------------------------------------------------------------------------


async def listed(request: Request) -> Response:
    """GET /ui/api/conversations?offset=&limit=."""
    who = await viewer(request, Permission.READ)
    params = Params(request)
    limit = params.number("limit", 100, 1, 200)
    found = await services(request).conversing.conversations.find(
        ListQuery(
            workspace=who.workspace,
            sort=ListSort.UPDATED_AT,
            offset=params.number("offset", 0, 0, 1_000_000),
            limit=limit + 1,
        )
    )
    names = await _names(request, who.workspace)
    shown = [_conversation(one, names) for one in found[:limit]]
    return encode({"conversations": shown, "more": len(found) > limit})


async def _names(request: Request, workspace: UUID) -> dict[UUID, str]:
    agents, users = await _people(request, workspace)
    return {agent.id: agent.name for agent in agents} | {user.id: user.name for user in users}


def _conversation(one: Conversation, names: Mapping[UUID, str]) -> dict[str, Any]:
    """Participants that were deleted have no name."""
    return {
        "id": one.id,
        "situation": one.situation,
        "kind": one.kind,
        "agents": [{"id": agent, "name": names.get(agent)} for agent in one.agents],
        "users": [{"id": user, "name": names.get(user)} for user in one.users],
        "created": one.created_at,
        "updated": one.updated_at,
    }


async def one(request: Request) -> Response:
    """GET /ui/api/conversations/{conversation_id}: entries that were summed up too; traces oldest first."""
    who = await viewer(request, Permission.READ)
    to = services(request)
    conversation_id = path_uuid(request, "conversation_id")
    history = await to.conversing.histories.read(who.workspace, conversation_id)
    of_thread = all_of([Compare(Field.THREAD_ID, Op.EQ, str(conversation_id))])
    traces = await to.runs.apart(
        RunQuery(
            selection=RunSelection(workspace=who.workspace, is_root=True, filter=of_thread),
            columns=frozenset({"name", "status", "end_time"}),
            limit=MAX_TRACES,
        )
    )
    names = await _names(request, who.workspace)
    return encode(
        {
            **_conversation(history.conversation, names),
            "entries": [_entry(entry) for entry in history.entries],
            "traces": [_trace(run) for run in reversed(traces)],
        }
    )


def _entry(entry: Entry) -> dict[str, Any]:
    """`content` and `calls` as they are kept: the page reads conversations out of JSON anyway."""
    return {
        "id": entry.id,
        "role": entry.role.value,
        "source": entry.source.value,
        "name": entry.name,
        "model": entry.model,
        "content": Raw(entry.content),
        "calls": None if entry.tool_calls is None else Raw(entry.tool_calls),
        "answers": entry.tool_call_id,
        "at": entry.timestamp,
    }


def _trace(run: Run) -> dict[str, Any]:
    return {
        "id": run.trace_id,
        "name": run.name or "",
        "status": run.status,
        "start": run.start_time,
        "end": run.end_time,
    }


class TryIn(msgspec.Struct, frozen=True):
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TEXT)]


async def attempt(request: Request) -> Response:
    """POST /ui/api/conversations/{conversation_id}/try. Invalid, naming the settings, where no model is set up.

    Nothing is added to the conversation, and no tool is run.
    """
    who = await viewer(request, Permission.WRITE)
    conversation_id = path_uuid(request, "conversation_id")
    sent = await body_as(request, TryIn)
    question = Message(role=Speaker.USER, content=(Text(sent.text),))
    asked = Asked(messages=(question,), save=False, auto_run_tools=False)
    answer = await services(request).chat.ask(who.workspace, conversation_id, asked, Origin(uuid4()))
    return encode(
        {
            "trace": answer.id,
            "answers": [said.message.text for said in answer.choices],
            "calls": [call.name for said in answer.choices for call in said.message.tool_calls],
            "docs": [{"title": found.chunk.title, "content": found.chunk.content} for found in answer.docs],
        }
    )


# -- docs and recall -------------------------------------------------------------------------------------


async def docs(request: Request) -> Response:
    """GET /ui/api/owned-docs/{kind}/{owner_id}: newest first. NotFound for an unknown owner."""
    who = await viewer(request, Permission.READ)
    owner = await _owner(request, who.workspace)
    found = await services(request).recalling.docs.page(
        DocQuery(workspace=who.workspace, owner=owner, limit=MAX_DOCS + 1)
    )
    return encode({"docs": [_doc(doc) for doc in found[:MAX_DOCS]], "more": len(found) > MAX_DOCS})


async def _owner(request: Request, workspace: UUID) -> Owner:
    kind, owner_id = request.path_params["kind"], path_uuid(request, "owner_id")
    to = services(request).conversing
    if kind == OwnerKind.AGENT:
        await to.agents.read(workspace, owner_id)
    elif kind == OwnerKind.USER:
        await to.users.read(workspace, owner_id)
    else:
        raise NotFound("Docs are an agent's or a user's.")
    return Owner(OwnerKind(kind), owner_id)


def _doc(doc: Doc) -> dict[str, Any]:
    return {
        "id": doc.id,
        "title": doc.title,
        "chunks": len(doc.content),
        "content": "\n\n".join(doc.content)[:_SHOWN],
        "metadata": preview(doc.metadata) if doc.metadata != b"{}" else None,
        "created": doc.created_at,
    }


class RecallIn(msgspec.Struct, frozen=True, kw_only=True):
    """`alpha` is the weight of meaning in the hybrid mode, `variety` the strength of MMR; both from 0 to 1."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TEXT)]
    mode: RecallMode = RecallMode.HYBRID
    alpha: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.7
    variety: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    limit: Annotated[int, msgspec.Meta(ge=1, le=50)] = 10


async def recall(request: Request) -> Response:
    """POST /ui/api/owned-docs/{kind}/{owner_id}/recall: the chunks, best first, each with its place in both orders.

    By words alone nothing is embedded, and places by meaning are not told.
    """
    who = await viewer(request, Permission.READ)
    owner = await _owner(request, who.workspace)
    sent = await body_as(request, RecallIn)
    words = telling(sent.text)
    if not words:
        raise Invalid("There is no word in this text.", ("body", "text"))
    to = services(request).recalling.recall
    vector = None if sent.mode is RecallMode.TEXT else await to.vector(sent.text)
    wanted = Search(
        workspace=who.workspace,
        owners=(owner,),
        text=None if sent.mode is RecallMode.VECTOR else sent.text,
        vector=vector,
        limit=sent.limit,
        alpha=sent.alpha,
        mmr_strength=0.0 if vector is None else sent.variety,
    )
    found = await to.search(wanted)
    deep = msgspec.structs.replace(wanted, limit=RANKED, mmr_strength=0.0)
    by_words = await to.search(msgspec.structs.replace(deep, text=sent.text, vector=None))
    by_meaning = [] if vector is None else await to.search(msgspec.structs.replace(deep, text=None))
    places = _places(by_words), _places(by_meaning)
    return encode({"words": words, "found": [_found(each, *places) for each in found]})


Places = dict[int, tuple[int, float]]


def _places(order: Sequence[Found]) -> Places:
    """By chunk its rank from 1, and its distance."""
    return {each.chunk.number: (rank, each.distance) for rank, each in enumerate(order, 1)}


def _found(each: Found, by_words: Places, by_meaning: Places) -> dict[str, Any]:
    chunk = each.chunk
    return {
        "doc": chunk.doc_id,
        "title": chunk.title,
        "index": chunk.index,
        "content": chunk.content,
        "distance": each.distance,
        "words": _place(by_words.get(chunk.number)),
        "meaning": _place(by_meaning.get(chunk.number)),
    }


def _place(place: tuple[int, float] | None) -> dict[str, Any] | None:
    return None if place is None else {"rank": place[0], "distance": place[1]}


def routes() -> list[BaseRoute]:
    owned = "/ui/api/owned-docs/{kind}/{owner_id}"
    return [
        Route("/ui/api/people", people, methods=["GET"]),
        Route("/ui/api/conversations", listed, methods=["GET"]),
        Route("/ui/api/conversations/{conversation_id}", one, methods=["GET"]),
        Route("/ui/api/conversations/{conversation_id}/try", attempt, methods=["POST"]),
        Route(owned, docs, methods=["GET"]),
        Route(f"{owned}/recall", recall, methods=["POST"]),
    ]

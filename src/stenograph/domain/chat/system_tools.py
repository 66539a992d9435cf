"""Tools that are operations of this server itself, on what is in the agent's workspace.

Reading agents, users, sessions and docs, writing docs and users. What the definition states (`resource_id`,
`arguments`) a model cannot change. Others that Julep names, chats within chats before all, are not run from here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias
from uuid import UUID

import msgspec
from msgspec import UNSET

from stenograph.domain.chat import variables
from stenograph.domain.conversations.conversing import Conversing
from stenograph.domain.recall.recalling import Recalling
from stenograph.errors import Invalid, Unsupported
from stenograph.model.agents import UserPatch
from stenograph.model.docs import Doc, DocQuery, Found, Owner, OwnerKind, Search
from stenograph.model.listing import ListQuery, tests_of_object

Json: TypeAlias = dict[str, Any]
Run: TypeAlias = Callable[["SystemTools", UUID, "Arguments"], Awaitable[Any]]

MAX_PAGE: Final = 100

_TEXT: Final = {"type": "string"}
_ID: Final = {"type": "string", "format": "uuid"}
_OBJECT: Final = {"type": "object"}
_PAGE: Final[Json] = {
    "limit": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE},
    "offset": {"type": "integer", "minimum": 0},
    "metadata_filter": _OBJECT,
}
_USER: Final[Json] = {"name": _TEXT, "about": _TEXT, "metadata": _OBJECT}


class Arguments:
    """What a model states, under what the definition does; Invalid for what is of another type."""

    def __init__(self, stated: Mapping[str, Any], pinned: Mapping[str, Any]) -> None:
        self._found = {**stated, **pinned}

    def text(self, name: str, default: str | None = None) -> str:
        found = self._found.get(name, default)
        if not isinstance(found, str):
            raise Invalid(f"{name} has to be a text")
        return found

    def texts(self, name: str) -> list[str]:
        found = self._found.get(name)
        found = [found] if isinstance(found, str) else found
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            raise Invalid(f"{name} has to be a text, or a list of texts")
        return found

    def stated(self, name: str) -> Any:
        return self._found.get(name, UNSET)

    def ident(self, *names: str) -> UUID:
        for name in names:
            if name in self._found:
                try:
                    return UUID(str(self._found[name]))
                except ValueError:
                    raise Invalid(f"{name} is not a uuid") from None
        raise Invalid(f"{names[0]} is needed")

    def number(self, name: str, default: int, low: int, high: int) -> int:
        found = self._found.get(name, default)
        if not isinstance(found, int) or isinstance(found, bool) or not low <= found <= high:
            raise Invalid(f"{name} is a whole number from {low} to {high}")
        return found

    def object(self, name: str) -> Json:
        found = self._found.get(name) or {}
        if not isinstance(found, dict):
            raise Invalid(f"{name} has to be an object")
        return found

    def page(self, workspace: UUID) -> ListQuery:
        return ListQuery(
            workspace=workspace,
            tests=tests_of_object(self.object("metadata_filter")),
            limit=self.number("limit", 10, 1, MAX_PAGE),
            offset=self.number("offset", 0, 0, 2**31 - 1),
        )


def parameters_of(definition: Json) -> Json:
    """What a model may state: all that the definition leaves open."""
    operation = OPERATIONS.get(_place(definition))
    pinned = set(definition.get("arguments") or {})
    if definition.get("resource_id"):
        pinned.add(f"{definition['resource']}_id")
    known = operation[0] if operation is not None else {}
    needed = operation[1] if operation is not None else ()
    return {
        "type": "object",
        "properties": {name: schema for name, schema in known.items() if name not in pinned},
        "required": [name for name in needed if name not in pinned],
    }


def _place(definition: Json) -> tuple[str, str, str]:
    operation = "update" if definition["operation"] == "patch" else definition["operation"]
    return definition["resource"], definition.get("subresource") or "", operation


class SystemTools:
    """Runs operations."""

    def __init__(self, conversing: Conversing, recalling: Recalling) -> None:
        self.conversing = conversing
        self.recalling = recalling

    async def run(self, workspace: UUID, definition: Json, arguments: Json) -> str:
        """The result as JSON. Unsupported for what is not run from here; else what the operation raises."""
        operation = OPERATIONS.get(_place(definition))
        if operation is None:
            raise Unsupported(f"{' '.join(filter(None, _place(definition)))} is not run from here")
        pinned = dict(definition.get("arguments") or {})
        if definition.get("resource_id"):
            resource = definition["resource"]
            pinned |= {"id": definition["resource_id"], f"{resource}_id": definition["resource_id"]}
        result = await operation[2](self, workspace, Arguments(arguments, pinned))
        return msgspec.json.encode(result).decode()


async def _agent(tools: SystemTools, workspace: UUID, given: Arguments) -> Json:
    return variables.agent_of(await tools.conversing.agents.read(workspace, given.ident("agent_id", "id")))


async def _agents(tools: SystemTools, workspace: UUID, given: Arguments) -> Json:
    found = await tools.conversing.agents.find(given.page(workspace))
    return {"items": [variables.agent_of(each) for each in found]}


async def _user(tools: SystemTools, workspace: UUID, given: Arguments) -> Json:
    return variables.user_of(await tools.conversing.users.read(workspace, given.ident("user_id", "id")))


async def _users(tools: SystemTools, workspace: UUID, given: Arguments) -> Json:
    found = await tools.conversing.users.find(given.page(workspace))
    return {"items": [variables.user_of(each) for each in found]}


def _user_patch(given: Arguments) -> UserPatch:
    metadata = given.stated("metadata")
    return UserPatch(
        name=UNSET if given.stated("name") is UNSET else given.text("name"),
        about=UNSET if given.stated("about") is UNSET else given.text("about"),
        metadata=UNSET if metadata is UNSET else msgspec.json.encode(given.object("metadata")),
        merge=metadata is not UNSET,
    )


async def _create_user(tools: SystemTools, workspace: UUID, given: Arguments) -> Json:
    return variables.user_of(await tools.conversing.users.create(workspace, _user_patch(given)))


async def _update_user(tools: SystemTools, workspace: UUID, given: Arguments) -> Json:
    ident = given.ident("user_id", "id")
    return variables.user_of(await tools.conversing.users.update(workspace, ident, _user_patch(given)))


async def _session(tools: SystemTools, workspace: UUID, given: Arguments) -> Json:
    found = await tools.conversing.conversations.read(workspace, given.ident("session_id", "id"))
    return variables.session_of(found)


async def _sessions(tools: SystemTools, workspace: UUID, given: Arguments) -> Json:
    found = await tools.conversing.conversations.find(given.page(workspace))
    return {"items": [variables.session_of(each) for each in found]}


async def _history(tools: SystemTools, workspace: UUID, given: Arguments) -> Json:
    ident = given.ident("session_id", "id")
    found = await tools.conversing.histories.read(workspace, ident)
    return {"session_id": str(ident), "entries": [variables.entry_of(each) for each in found.entries]}


def _owner(kind: OwnerKind, given: Arguments) -> Owner:
    return Owner(kind, given.ident(f"{kind}_id", "id"))


def _docs(kind: OwnerKind) -> Run:
    async def run(tools: SystemTools, workspace: UUID, given: Arguments) -> Json:
        page = given.page(workspace)
        query = DocQuery(
            workspace=workspace,
            owner=_owner(kind, given),
            tests=page.tests,
            limit=page.limit,
            offset=page.offset,
        )
        return {"items": [_doc(each) for each in await tools.recalling.docs.page(query)]}

    return run


def _create_doc(kind: OwnerKind) -> Run:
    async def run(tools: SystemTools, workspace: UUID, given: Arguments) -> Json:
        metadata = msgspec.json.encode(given.object("metadata"))
        made = await tools.recalling.docs.create(
            workspace, _owner(kind, given), given.text("title"), given.texts("content"), metadata, ""
        )
        return _doc(made)

    return run


def _delete_doc(kind: OwnerKind) -> Run:
    async def run(tools: SystemTools, workspace: UUID, given: Arguments) -> Json:
        ident = given.ident("doc_id")
        await tools.recalling.docs.delete(workspace, _owner(kind, given), ident)
        return {"id": str(ident), "deleted": True}

    return run


def _search(kind: OwnerKind) -> Run:
    async def run(tools: SystemTools, workspace: UUID, given: Arguments) -> Json:
        text = given.text("text")
        search = Search(
            workspace=workspace,
            owners=(_owner(kind, given),),
            text=text,
            vector=await tools.recalling.recall.vector(text),
            limit=given.number("limit", 10, 1, 50),
            tests=tests_of_object(given.object("metadata_filter")),
        )
        return {"docs": [_found(each) for each in await tools.recalling.recall.search(search)]}

    return run


async def _read_doc(tools: SystemTools, workspace: UUID, given: Arguments) -> Json:
    return _doc(await tools.recalling.docs.read(workspace, given.ident("doc_id", "id"), vectors=False))


def _doc(doc: Doc) -> Json:
    return {
        "id": str(doc.id),
        "title": doc.title,
        "content": list(doc.content),
        "metadata": msgspec.json.decode(doc.metadata),
    }


def _found(found: Found) -> Json:
    chunk = found.chunk
    return {
        "id": str(chunk.doc_id),
        "title": chunk.title,
        "snippet": {"index": chunk.index, "content": chunk.content},
        "distance": found.distance,
    }


_CONTENT: Final[Json] = {"type": "array", "items": _TEXT}
_SOUGHT: Final[Json] = {"text": _TEXT, "limit": _PAGE["limit"], "metadata_filter": _OBJECT}

OPERATIONS: Final[dict[tuple[str, str, str], tuple[Json, tuple[str, ...], Run]]] = {
    ("agent", "", "get"): ({"agent_id": _ID}, ("agent_id",), _agent),
    ("agent", "", "list"): (_PAGE, (), _agents),
    ("user", "", "get"): ({"user_id": _ID}, ("user_id",), _user),
    ("user", "", "list"): (_PAGE, (), _users),
    ("user", "", "create"): (_USER, (), _create_user),
    ("user", "", "update"): ({"user_id": _ID, **_USER}, ("user_id",), _update_user),
    ("session", "", "get"): ({"session_id": _ID}, ("session_id",), _session),
    ("session", "", "list"): (_PAGE, (), _sessions),
    ("session", "", "history"): ({"session_id": _ID}, ("session_id",), _history),
    ("doc", "", "get"): ({"doc_id": _ID}, ("doc_id",), _read_doc),
    **{
        place: operation
        for kind in OwnerKind
        for place, operation in {
            (kind.value, "doc", "list"): ({f"{kind}_id": _ID, **_PAGE}, (f"{kind}_id",), _docs(kind)),
            (kind.value, "doc", "search"): (
                {f"{kind}_id": _ID, **_SOUGHT},
                (f"{kind}_id", "text"),
                _search(kind),
            ),
            (kind.value, "doc", "create"): (
                {f"{kind}_id": _ID, "title": _TEXT, "content": _CONTENT, "metadata": _OBJECT},
                (f"{kind}_id", "title", "content"),
                _create_doc(kind),
            ),
            (kind.value, "doc", "delete"): (
                {f"{kind}_id": _ID, "doc_id": _ID},
                (f"{kind}_id", "doc_id"),
                _delete_doc(kind),
            ),
        }.items()
    },
}
"""(resource, subresource, operation): what a model may state of it, what it has to, and what is done."""
